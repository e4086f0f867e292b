#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The engine on omprog's pipe: the protocol to the byte; killed at each step of the commit path and at random moments, with a
locked database and a spool in between, it counts and decides what an undisturbed run does. The test plays rsyslog: it sends a
line, waits for the answer, and after a crash begins again with the line that was not answered.

omprog.py [--kills N] [--seed S]
"""
import argparse
import json
import os
import random
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from harness import PATIENCE

CORRELATOR, FAULTY = os.environ["CORRELATOR"], os.environ["FAULTY"]
POINTS = ["live.record.before", "store.commit.before", "store.commit.after", "store.visible.after", "live.record.after", "live.answer.before"]
RULES = """format = 1
[class."memory.corrected"]
key = ["host", "dimm"]
requires = { severity = "text", dimm = "text" }
[[event]]
id = "ce"
class = "memory.corrected"
match = 'EDAC MC\\d+: (?P<n>\\d+) CE .* on (?P<dimm>\\S+) '
types = { n = "int" }
weight = "n"
let = { severity = "'corrected'" }
[[event.sample]]
line = "Jan  1 00:00:00 h app: EDAC MC0: 1 CE error on D1 (x)"
expect = { class = "memory.corrected", weight = 1 }
[[rule]]
id = "dimm.failing"
on = "memory.corrected"
count = { threshold = "7 in 1h", rearm = "at-once" }
"""


def frames(count, seed):
    """JSON lines as the shipped template writes them, most of them of no meaning."""
    draw = random.Random(seed)
    out = []
    for i in range(count):
        at = f"2026-01-01T{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z"
        text = f" EDAC MC0: {draw.randint(1, 3)} CE read error on D{draw.randint(1, 4)} (n={i})" if draw.random() < 0.3 else f" session {i} opened"
        out.append(json.dumps({"id": f"id-{i}", "timereported": at, "timegenerated": at, "hostname": f"h{i % 3}", "inputname": "imuxsock",
                               "programname": "app", "syslogtag": "app:", "facility": "1", "severity": "6", "message": text}))
    return out


def seconds_on_a_core(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        user, system = file.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Engine:
    """correlator run --omprog, and rsyslog's side of the pipe."""

    def __init__(self, work, state, fault=None, program=None, more=()):
        environment = dict(os.environ, NO_COLOR="1")
        if fault:
            environment["CORRELATOR_FAULT"] = fault
        self.log = open(os.path.join(work, "engine.log"), "ab")
        self.process = subprocess.Popen([program or FAULTY, "run", "--omprog", "--user", "root", "--rules", os.path.join(work, "rules.toml"),
                                         "--state", state, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=environment, bufsize=0)
        self.greeting = self.answer()

    def answer(self, seconds=PATIENCE):
        """One line of its stdout; None if it died or said nothing."""
        text = b""
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], seconds)
            piece = self.process.stdout.read(1) if ready else b""
            if not piece:
                return None
            text += piece
        return text.decode().rstrip("\n")

    def send(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            return None
        return self.answer()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """End of input; True if it ended well, said nothing more, and would have done so within rsyslog's closeTimeout of 5 s if it had had a
        core for itself."""
        before = seconds_on_a_core(self.process.pid)
        self.process.stdin.close()
        rest = self.process.stdout.read()
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.process.returncode == 0 and rest == b"" and used.ru_utime + used.ru_stime - before < 5


def correlator(*arguments):
    return subprocess.run([CORRELATOR, *arguments], capture_output=True, text=True, check=True, env=dict(os.environ, NO_COLOR="1")).stdout


def decisions(state):
    return correlator("decisions", "--json", "--state", state)


def same_as_recorded(state):
    return '"different":0' in correlator("replay", "--recorded", state, "--json")


def feed(work, state, lines, faults):
    """Sends all lines; each fault is for one life of the engine. Returns how often it died."""
    deaths, at, engine = 0, 0, None
    while at < len(lines):
        if engine is None:
            engine = Engine(work, state, faults.pop(0) if faults else None)
            if engine.greeting != "OK":
                deaths += 1
                engine.process.wait()
                engine = None
                continue
        answer = engine.send(lines[at])
        if answer == "OK":
            at += 1
        elif answer is None:
            engine.process.wait()
            engine, deaths = None, deaths + 1
        else:
            raise AssertionError(f"line {at} was answered: {answer}")
    while not engine.end():
        assert engine.process.returncode == -signal.SIGKILL, "it did not end cleanly"
        deaths += 1
        engine = Engine(work, state)
    return deaths


def check(name, good):
    print(f"{'ok' if good else 'FAILED'}: {name}")
    check.failed += 0 if good else 1


check.failed = 0


def protocol(work):
    state = os.path.join(work, "protocol")
    engine = Engine(work, state, program=CORRELATOR)
    check("the first OK comes before any line", engine.greeting == "OK")
    engine.process.stdin.write(b'{"message":" EDAC MC0: 1 CE x on D1 ","hostname":"h1","time')
    ready, _, _ = select.select([engine.process.stdout], [], [], 0.2)
    check("half a line has no answer", not ready)
    engine.process.stdin.write(b'generated":"2026-01-01T00:00:00Z"}\n')
    check("the whole one has", engine.answer() == "OK")
    engine.process.stdin.write(b"a\nb\n\xff\xfe\x00bad\n{broken json\n\n")
    check("L25: each of many is answered, also bad ones", [engine.answer() for _ in range(5)] == ["OK"] * 5)
    engine.process.stdin.write(b"x" * (3 << 20) + b"\n")
    check("a line of 3 MiB is one line", engine.answer() == "OK")
    check("it ends cleanly at the end of input and says nothing else", engine.end())
    greeted = Engine.__new__(Engine)
    greeted.log = open(os.devnull, "ab")
    greeted.process = subprocess.Popen([CORRELATOR, "run", "--omprog", "--greeted", "--user", "root", "--rules", os.path.join(work, "rules.toml"),
                                        "--state", state], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=greeted.log, bufsize=0)
    check("--greeted: one answer a line and no other", greeted.send("x") == "OK" and greeted.end())


def kills(work, count, seed):
    lines = frames(400, seed)
    whole, killed = os.path.join(work, "whole"), os.path.join(work, "killed")
    feed(work, whole, lines, [])
    expected = decisions(whole)
    check("the undisturbed run decides something", expected.count("\n") > 10)
    draw = random.Random(seed)
    faults = [f"{draw.choice(POINTS)}:{draw.randint(1, 4)}" for _ in range(count)]
    deaths = feed(work, killed, lines, list(faults))
    got = decisions(killed)
    lost = len(set(expected.split("\n")) - set(got.split("\n")))
    doubled = got.count("\n") - len(set(got.split("\n"))) + 1
    print(f"kills {deaths}, decisions {expected.count(chr(10))}, lost {lost}, doubled {doubled}")
    check(f"L25: killed {deaths} times, the decisions are the same to the byte", got == expected and deaths > count // 3)
    check("replay --recorded agrees", same_as_recorded(killed) and same_as_recorded(whole))


def locked(work, seed):
    """Another process holds the database locked: lines are answered, nothing is decided in public, all is there afterwards; also when
    the engine is killed meanwhile."""
    lines = frames(300, seed)
    whole, state = os.path.join(work, "whole-locked"), os.path.join(work, "locked")
    feed(work, whole, lines, [])
    expected = decisions(whole)
    engine = Engine(work, state)
    for line in lines[:100]:
        assert engine.send(line) == "OK"
    holder = sqlite3.connect(os.path.join(state, "engine.db"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    answers = [engine.send(line) for line in lines[100:200]]
    check("every line is answered while the database is locked", answers == ["OK"] * 100)
    check("none of it is in the database", holder.execute("SELECT max(seq) FROM intake").fetchone()[0] < 100)
    engine.kill()
    holder.execute("ROLLBACK")
    holder.close()
    engine = Engine(work, state)
    check("a line that was answered comes again: answered, not counted", engine.send(lines[199]) == "OK")
    for line in lines[200:]:
        assert engine.send(line) == "OK"
    check("it ends cleanly", engine.end())
    check("the decisions are those of an undisturbed run", decisions(state) == expected)
    check("replay --recorded agrees", same_as_recorded(state))


def operate(work):
    state = os.path.join(work, "operate")
    rules = os.path.join(work, "rules.toml")
    engine = Engine(work, state)
    for line in frames(60, 3):
        engine.send(line)
    said = correlator("reset", "dimm.failing", "--state", state)
    check("reset says what it met", "forgotten" in said)
    with open(rules, "a", encoding="utf-8") as file:
        file.write('[[rule]]\nid = "second"\non = "memory.corrected"\ncount = "3 in 1h"\n')
    check("plan says what a reload would do", "second: new" in correlator("plan", "--state", state, "--rules", rules))
    check("reload puts them in force", "2 rules in force" in correlator("reload", "--state", state))
    with open(rules, "a", encoding="utf-8") as file:
        file.write("[[rule]]\nnonsense = 1\n")
    bad = subprocess.run([CORRELATOR, "reload", "--state", state], capture_output=True, text=True)
    check("a bad rule changes nothing and is named", bad.returncode != 0 and "the rules in force stay" in bad.stderr)
    engine.process.send_signal(signal.SIGHUP)
    check("L28: SIGHUP loads nothing and ends nothing under omprog", engine.send("x") == "OK")
    check("it ends cleanly", engine.end())
    status = json.loads(correlator("status", "--json", "--state", state))
    check("status shows the failed reload", status["engine"]["reload_failed"] and status["engine"]["durability"] in ("synced", "batched"))
    check("replay --recorded agrees over reload and command", same_as_recorded(state))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    work = tempfile.mkdtemp(prefix="correlator-live-")
    try:
        with open(os.path.join(work, "rules.toml"), "w", encoding="utf-8") as file:
            file.write(RULES)
        protocol(work)
        kills(work, options.kills, options.seed)
        locked(work, options.seed)
        operate(work)
        if check.failed:
            with open(os.path.join(work, "engine.log"), encoding="utf-8", errors="replace") as file:
                print(file.read()[-3000:])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
