#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real rsyslogd with the shipped configuration, the engine as its plug-in, the dispatcher beside it: a line into the log socket,
a script runs. Then the plug-in is killed with SIGKILL at random moments while lines flow: counts and decisions equal those of an
undisturbed run.

rsyslog.py [--kills N] [--lines N] [--seed S]
"""
import argparse
import os
import random
import re
import sys
import time

import dispatch
from harness import PATIENCE, Rsyslogd, Scratch, end_by_pid, need_rsyslogd, shipped
from omprog import CORRELATOR, RULES, check, correlator, decisions, same_as_recorded


def plug_in(rules, state, more=""):
    return f"{CORRELATOR} run --omprog --greeted --user root --rules {rules} --state {state} {more}".strip()


def engines(state):
    """Processes that hold this state directory, by what the kernel says of their command line."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if b"--omprog" in words and state.encode() in words and words[0].endswith(b"correlator"):
            found.append(int(entry))
    return found


def a_script_runs():
    site = dispatch.Site()
    with Scratch() as scratch:
        os.chmod(scratch.path, 0o755)
        dispatcher = site.dispatcher()
        try:
            conf = shipped("60-correlator.conf", plug_in(site.rules, site.state, f"--ledger {site.ledger}"), scratch)
            with Rsyslogd(scratch, conf) as daemon:
                times = []
                for number in range(20):
                    before, begin = len(site.acted()), time.monotonic()
                    daemon.send([f"<14>{time.strftime('%b %e %H:%M:%S')} app: hit plain"])
                    if not dispatch.wait_for(f"line {number}: a script runs", lambda: len([x for x in site.acted() if "plain" in x]) > number):
                        break
                    times.append((time.monotonic() - begin) * 1000)
                page = correlator("metrics", "--state", site.state)
                through = re.search(r'^correlator_input_module_lines_total\{input="omprog",module="imuxsock"\} (\d+)$', page, re.M)
                check(f"lines are counted by rsyslog's input {through and through[1]}", through is not None and int(through[1]) == len(times))
                times.sort()
                print(f"log socket to the script's file, shell included: median {times[len(times) // 2]:.1f} ms, worst {times[-1]:.1f} ms")
        finally:
            dispatcher.kill()
            dispatcher.wait()
            site.clean()


def lines(count, seed):
    draw = random.Random(seed)
    out = []
    for i in range(count):
        text = f"EDAC MC0: {draw.randint(1, 3)} CE read error on D{draw.randint(1, 4)} (n={i})" if draw.random() < 0.02 else f"session {i} opened"
        out.append(f"<14>Jan  1 {i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d} h{i % 3} app: {text}")
    return out


def run(scratch, name, all_lines, kills, seed):
    state, rules = scratch.file(name), scratch.file("rules.toml")
    draw = random.Random(seed)
    killed = 0
    conf = shipped("60-correlator.conf", plug_in(rules, state), scratch, interval="3600")
    with Rsyslogd(scratch, conf, name=name) as daemon:
        for part in range(kills + 1):  # some lines for each life of the plug-in
            begin = time.monotonic()
            size = len(all_lines) // (kills + 1) + 1
            daemon.send(all_lines[part * size:(part + 1) * size])
            while part < kills and time.monotonic() < begin + PATIENCE:
                alive = engines(state)
                if alive:
                    time.sleep(draw.random() * 0.03)  # anywhere in its life
                    end_by_pid(alive[0])
                    killed += 1
                    break
                time.sleep(0.01)
        daemon.wait_for_control(len(all_lines))
        dispatch.wait_for(f"{name}: every line has come", lambda: received(state) >= expected(all_lines), 2 * PATIENCE)
    return state, killed


def expected(all_lines):
    return sum("EDAC" in line for line in all_lines)


def received(state):
    if not os.path.exists(os.path.join(state, "engine.db")):
        return 0
    import sqlite3
    db = sqlite3.connect(f"file:{state}/engine.db?mode=ro", uri=True)
    try:
        return db.execute("SELECT count(*) FROM intake WHERE kind = 1").fetchone()[0]
    except sqlite3.Error:
        return 0
    finally:
        db.close()


def kills(count, number, seed):
    all_lines = lines(count, seed)
    with Scratch() as scratch:
        scratch.write("rules.toml", RULES)
        whole, _ = run(scratch, "whole", all_lines, 0, seed)
        state, killed = run(scratch, "killed", all_lines, number, seed)
        # Ids and wall times are each run's own: what is compared is what was counted and decided.
        shape = lambda text: [re.sub(r'"(id|time)":"[^"]*"', "", line) for line in text.splitlines()]
        one, other = shape(decisions(whole)), shape(decisions(state))
        print(f"lines {count}, errors {expected(all_lines)}, kills {killed}, decisions {len(one)}, "
              f"lost {expected(all_lines) - received(state) if received(state) < expected(all_lines) else 0}, "
              f"doubled {max(0, received(state) - expected(all_lines))}")
        check("it was killed as often as it should", killed == number)
        check("every error once", received(state) == received(whole) == expected(all_lines))
        check("as many decisions as undisturbed", len(one) == len(other) > 0)
        check("replay --recorded agrees", same_as_recorded(state) and same_as_recorded(whole))


def main():
    need_rsyslogd()
    if os.geteuid() != 0:
        print("skipped: needs root")
        return 77
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    a_script_runs()
    kills(options.lines, options.kills, options.seed)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
