#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Odd spellings, through Debian's sec (on the clock of LogClock.pm) and through `correlator sec`: what a rule file may say at its
edges, where fuzz.py says what is common in uncommon orders.
  tests/sec/corners.py CORRELATOR [--seed FIRST] [--seeds N] [--kind KIND]... [--show]
A seed is a file of small rules (corner_probes.py) that have nothing to do with each other: each has a line of its own, and what
contexts, variables and windows are like is written after it. A rule that is refused is seen by its line, which nobody takes.
A difference is looked for in each rule alone, and printed with it; the exit status is 1."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from corner_probes import KINDS, Probes  # noqa: E402  beside this file

HERE = pathlib.Path(__file__).resolve().parent


def run(command, directory, lines, stderr=False):
    env = dict(os.environ, TZ="UTC", LC_ALL="C", PERL_HASH_SEED="0")
    try:
        done = subprocess.run(command, cwd=directory, input=lines.encode("latin-1"), capture_output=True, timeout=20, env=env)
    except subprocess.TimeoutExpired:
        return ["HANGS"], ""
    return done.stdout.decode("latin-1").split("\n"), done.stderr.decode("latin-1")


def ask(engines, probes, seed):
    """Output lines of both, cut at the marks that each probe begins with."""
    files, lines = probes.rule_files(), probes.lines()
    out = []
    for command in engines:
        with tempfile.TemporaryDirectory() as directory:
            for name, text in files.items():
                pathlib.Path(directory, name).write_bytes(text.encode("latin-1"))
            words = command + [f"--conf={name}" for name in files] + ["--input=-", "--notail"] + probes.options()
            out.append(run(words, directory, lines))
    return out


def same(probes, expected, got):
    """As a set where children write when they like, or where several operations may end in one second (sec: in the order of a hash)."""
    return sorted(expected) == sorted(got) if probes.has_children() or probes.opens_several() else expected == got


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("correlator")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--kind", action="append", default=[], choices=list(KINDS))
    parser.add_argument("--show", action="store_true", help="print rules and output of each seed")
    parser.add_argument("--perl", action="store_true", help="draw what needs Perl, too")
    options = parser.parse_args()
    own = [str(pathlib.Path(options.correlator).resolve()), "sec", "--timeline", "--sec-compat=exact"]  # what differs on purpose is not what this is about
    engines = [["perl", f"-I{HERE}", "-MLogClock", "/usr/bin/sec"], own]
    has_perl = "with Perl" in subprocess.run(own[:2] + ["--version"], capture_output=True, text=True).stdout
    print(f"seeds {options.seed} to {options.seed + options.seeds - 1}", flush=True)
    different = compared = 0
    for seed in range(options.seed, options.seed + options.seeds):
        probes = Probes(seed, options.kind or list(KINDS), has_perl)
        (all_expected, _), (all_got, _) = ask(engines, probes, seed)
        expected, got = all_expected, all_got
        compared += len(expected)
        if options.show:
            print("\n".join(f"--- {n}\n{t}" for n, t in probes.rule_files().items()), "--- lines", probes.lines(), "--- sec", *expected, sep="\n")
        if same(probes, expected, got):
            continue
        found = False
        for one in probes.each_alone():
            (expected, _), (got, complaint) = ask(engines, one, seed)
            if same(one, expected, got):
                continue
            found = True
            different += 1
            print(f"DIFFERENT seed {seed}, {one.names()}", *one.probe_texts(), "sec:", *sorted_difference(expected, got), "correlator says:", complaint[:1500], sep="\n", flush=True)
        if not found and sorted(all_expected) != sorted(all_got):
            different += 1
            print(f"DIFFERENT seed {seed}, of its rules together only", *sorted_difference(all_expected, all_got), sep="\n")
    print(f"{options.seeds} seeds, {compared} lines of sec, {different} different")
    return 1 if different else 0


def sorted_difference(expected, got):
    import difflib
    return [line for line in difflib.unified_diff(expected, got, "sec", "correlator", n=1, lineterm="")][2:40]


if __name__ == "__main__":
    sys.exit(main())
