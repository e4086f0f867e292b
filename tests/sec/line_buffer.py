#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pattern of SEC over two and three lines (RegExp2, RegExp3), and the ordered record that takes its place, as docs/coming-from-sec.md shows it:
random logs of one process go through both, and the same texts come out in the same order. Where another process speaks in between, SEC mistakes its lines, the record does not.
  tests/sec/line_buffer.py CORRELATOR [--seed N] [--seeds N]"""
import argparse
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

SEC = r"""
type=Single
ptype=RegExp2
continue=TakeNext
pattern=^\S+ db1 oracle\[\d+\]: ORA-(\d+) in (\w+)\n\S+ db1 oracle\[\d+\]:   at object "(\w+)"
desc=two $1 $2 $3
action=write out %s

type=Single
ptype=RegExp3
pattern=^\S+ db1 oracle\[\d+\]: begin (\w+)\n\S+ db1 oracle\[\d+\]: step (\w+)\n\S+ db1 oracle\[\d+\]: end
desc=three $1 $2 -
action=write out %s
"""
TOML = r"""
format = 1
[class."database.error"]
key      = ["host"]
requires = { kind = "text", a = "text", b = "text", c = "text" }

[[event]]
id    = "two"
class = "database.error"
from  = "oracle"
let   = { kind = "'two'" }
[event.record]
once    = ['^ORA-(?<a>\d+) in (?<b>\w+)', '^  at object "(?<c>\w+)"']
same    = ["host", "pid"]
within  = "5s"
ordered = true

[[event]]
id    = "three"
class = "database.error"
from  = "oracle"
let   = { kind = "'three'", c = "'-'" }
[event.record]
once    = ['^begin (?<a>\w+)', '^step (?<b>\w+)']
last    = '^end'
same    = ["host", "pid"]
within  = "5s"
ordered = true
"""
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def run(command, directory):
    done = subprocess.run(command, cwd=directory, capture_output=True, timeout=120, env=dict(os.environ, TZ="UTC", LC_ALL="C"))
    if done.returncode != 0:
        sys.exit(f"{command}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout.decode().splitlines()


def both(correlator, lines):
    """What SEC's rules write, and the events that the records give, in their order."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in (("rules.sec", SEC), ("rules.toml", TOML), ("log", "".join(lines))):
            pathlib.Path(directory, name).write_text(text)
        sec = [line.split("would write to out: ")[1] for line in run([correlator, "replay", "--sec", "rules.sec", "log"], directory) if "would write" in line]
        events = [json.loads(line) for line in run([correlator, "replay", "--events", "--json", "--rules", "rules.toml", "log"], directory)]
        fields = [event["fields"] for event in events if event.get("type") == "event"]
        return sec, [f"{f['kind']} {f['a']} {f['b']} {f['c']}" for f in fields]


def log(texts, pid=77):
    return [f"{(START + datetime.timedelta(seconds=i // 4)).isoformat()} db1 oracle[{pid}]: {text}\n" for i, text in enumerate(texts)]


def text(r):
    word = r.choice(["x", "y", "z"])
    return r.choice([f"ORA-{r.randint(1, 3)} in {word}", f"ORA-{r.randint(1, 3)} in {word}", f'  at object "{word}"', f'  at object "{word}"', f"begin {word}", f"step {word}", "end"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("correlator")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    seen = 0
    for seed in range(options.seed, options.seed + options.seeds):
        r = random.Random(seed)
        # Lines that belong together often stand together.
        texts = []
        while len(texts) < 60:
            w = r.choice(["x", "y"])
            texts += r.choice([[text(r)], [f"ORA-7 in {w}", f'  at object "{w}"'], [f"begin {w}", "step s", "end"], [f"begin {w}", f"begin {w}2", "step s", "step t", "end"]])
        # A line of another kind ends what SEC sees as one text, and goes through between the lines of a record.
        kinds = {"O": "two", " ": "two", "b": "three", "s": "three", "e": "three"}
        texts = [t for i, t in enumerate(texts) if i == 0 or kinds[t[0]] == kinds[texts[0][0]]]
        sec, records = both(options.correlator, log(texts))
        seen += len(sec)
        # A second "step" ends what SEC sees as three lines; an ordered record lets it go and waits for its end.
        if kinds[texts[0][0]] == "two" and sec != records or not set(sec) <= set(records):
            print(f"seed {seed} differs: SEC {sec}\nrecords {records}\n" + "".join(log(texts)))
            return 1
    # Two processes at once: SEC takes the line of one for the second line of the other.
    mixed = [line for pair in zip(log(["ORA-1 in x", '  at object "a"']), log(["ORA-2 in y", '  at object "b"'], pid=78)) for line in pair]
    sec, records = both(options.correlator, mixed)
    if sec != ["two 2 y a"] or sorted(records) != ["two 1 x a", "two 2 y b"]:
        print(f"two processes at once: SEC {sec}, records {records}")
        return 1
    print(f"seeds {options.seed} to {options.seed + options.seeds - 1}: {seen} texts of several lines, the same in both")
    return 0 if seen > options.seeds else 1


if __name__ == "__main__":
    sys.exit(main())
