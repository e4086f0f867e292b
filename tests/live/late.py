#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Late and early: a backlog of two hours after an outage counts in its own time, lets nobody be missed and acts on nothing old; hosts whose
clocks are wrong neither stop the clock of all nor fill the windows; who is silent is missed while only marks arrive."""
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time

import dispatch
from harness import Rsyslogd, Scratch, rsyslogd, shipped
from omprog import CORRELATOR, Engine, check, correlator, decisions, same_as_recorded

MINUTE, HOUR, DAY = 60, 3600, 86400
RULES = """format = 1
[class.error]
key = ["host"]
[class.beat]
key = ["host"]
[[event]]
id = "error"
class = "error"
match = 'disk error \\d+'
[[event.sample]]
line = "Jan  1 00:00:00 h app: disk error 1"
expect = { class = "error" }
[[event]]
id = "beat"
class = "beat"
match = 'alive \\d+'
[[event.sample]]
line = "Jan  1 00:00:00 h app: alive 1"
expect = { class = "beat" }
[[rule]]
id = "failing"
on = "error"
count = "5 in 1h"
then = ["act"]
[[rule]]
id = "silent"
absence = { of = "beat", for = "SILENCE" }
[action.act]
run = "act"
args = ["${host}"]
max_age = "15m"
"""


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def frame(at, host, text, reported=None, tag="app:", source="imuxsock"):
    """A line that rsyslogd took at `at`; `reported` is what the host believes the time to be."""
    frame.number += 1
    return json.dumps({"id": f"late-{frame.number}", "timereported": stamp(at if reported is None else reported), "timegenerated": stamp(at),
                       "hostname": host, "inputname": source, "programname": tag.rstrip(":"), "syslogtag": tag, "facility": "1", "severity": "6",
                       "message": f" {text}"})


frame.number = 0


def error(at, host, **more):
    return frame(at, host, f"disk error {frame.number}", **more)


def beat(at, host, **more):
    return frame(at, host, f"alive {frame.number}", **more)


def mark(at):
    return frame(at, "here", "-- MARK --", tag="rsyslogd:", source="immark")


def decided(state):
    """(rule, host, time) of each decision on what was sent so far: in a storm a line is answered before it is stepped, but a running engine
    answers a command between two lines."""
    correlator("metrics", "--state", state)
    out = []
    for text in decisions(state).splitlines():
        decision = json.loads(text)
        out.append((decision["rule"], decision["key"]["host"], decision["time"][:19] + "Z"))
    return out


def send(engine, lines):
    """In the order of their arrival."""
    for _, text in sorted(lines, key=lambda line: line[0]):
        assert engine.send(text) == "OK"


def minutes(begin, end):
    return range(int(begin), int(end), MINUTE)


def backlog():
    """Two hours without an engine, then all of it within a moment, with a dispatcher waiting."""
    site = dispatch.Site()
    site.write("rules.toml", RULES.replace("SILENCE", "3m"), 0o644)
    site.write("actions/act", f"#!/bin/sh\necho \"$@\" >>{site.work}/acted\n")
    dispatcher = site.dispatcher()
    engine = site.engine()
    now = int(time.time())
    outage = now - 2 * HOUR
    try:
        send(engine, [(at, beat(at, host)) for at in minutes(outage - 10 * MINUTE, outage) for host in ("slow", "fast", "fresh")])
        engine.kill()
        engine = site.engine()
        lines = [(at, beat(at, host)) for at in minutes(outage, now) for host in ("slow", "fast", "fresh")]
        lines += [(at, mark(at)) for at in minutes(outage, now)]
        lines += [(at, error(at, "slow")) for at in range(outage + 5 * MINUTE, now, 16 * MINUTE)]  # seven, never five within an hour
        lines += [(at, error(at, "fast")) for at in range(outage + 10 * MINUTE, outage + 20 * MINUTE, 2 * MINUTE)]
        lines += [(at, error(at, "fresh")) for at in range(now - 6 * MINUTE, now - MINUTE, MINUTE)]
        begin = time.monotonic()
        send(engine, lines)
        print(f"backlog: {len(lines)} lines of two hours in {time.monotonic() - begin:.2f} s")
        found = decided(site.state)
        check("nobody is missed in a backlog in which all spoke", not any(rule == "silent" for rule, _, _ in found))
        check("it counts in its own time: seven errors in two hours are no five in one",
              [(rule, host) for rule, host, _ in found] == [("failing", "fast"), ("failing", "fresh")])
        check("decisions have the time of the error", len(found) == 2 and found[0][2] == stamp(outage + 18 * MINUTE))
        dispatch.wait_for("what is fresh is acted on", lambda: "fresh" in site.acted())
        jobs = lambda: {json.loads(argv)[0]: (state, reason) for argv, state, reason in rows(site.ledger)}
        dispatch.wait_for("what is old is recorded and not acted on", lambda: jobs().get("fast", ("", ""))[0] == "skipped" and "old" in jobs()["fast"][1])
        check("and only that ran", site.acted() == ["fresh"])
        check("the engine ends cleanly", engine.end())
        check("replay --recorded agrees", same_as_recorded(site.state))
    finally:
        for process in (engine.process, dispatcher):
            if process.poll() is None:
                process.kill()
            process.wait()
        site.clean()


def rows(ledger):
    db = sqlite3.connect(f"file:{ledger}/dispatch.db?mode=ro", uri=True)
    try:
        return db.execute("SELECT argv, state, reason FROM job").fetchall()
    finally:
        db.close()


def wrong_clocks(work):
    """One host is a day ahead, one lives in 1970, a third is right, and its beats go on."""
    state, start = os.path.join(work, "clocks"), 1767225600
    engine = Engine(work, state, program=CORRELATOR)
    lines = []
    for i in range(60):
        at = start + i * MINUTE
        lines += [(at, mark(at)), (at, beat(at, "right")), (at, beat(at, "ahead", reported=at + DAY)), (at, beat(at, "old", reported=i))]
        if i % 4 == 0:  # fifteen each, five of them within an hour
            lines += [(at, error(at, "right")), (at, error(at, "ahead", reported=at + DAY)), (at, error(at, "old", reported=i))]
    send(engine, lines)
    found = decided(state)
    check("the host whose clock is right is served as if it were alone", ("failing", "right", stamp(start + 16 * MINUTE)) in found)
    check("one that is ahead counts by arrival", ("failing", "ahead", stamp(start + 16 * MINUTE)) in found)
    check("one of 1970 opens no window", not any(host == "old" for rule, host, _ in found if rule == "failing"))
    check("and nobody else is missed for it", [host for rule, host, _ in found if rule == "silent"] == [])
    check("nothing is decided twice", len(found) == 2)
    # The clock of all stands where it should: an hour later, not a day.
    at = start + 60 * MINUTE
    send(engine, [(at + i, error(at + i, "third")) for i in range(5)])
    check("and a window that begins now fires now", ("failing", "third", stamp(at + 4)) in decided(state))
    counters = lambda: json.loads(correlator("status", "--json", "--state", state))["counters"]
    # What a storm left in the spool comes into the database with the next snapshot.
    dispatch.wait_for("what was set right is counted", lambda: counters()["clamped"] >= 75 and counters()["late"] >= 75)
    check("the engine ends cleanly", engine.end())
    check("replay --recorded agrees", same_as_recorded(state))


def only_marks(work):
    """A host stops speaking and nothing else comes either, but for marks each minute."""
    state, start = os.path.join(work, "marks"), 1767225600
    engine = Engine(work, state, program=CORRELATOR)
    send(engine, [(at, beat(at, "h1")) for at in minutes(start, start + 5 * MINUTE)])
    last, seen = start + 4 * MINUTE, None
    for at in minutes(start + 5 * MINUTE + 7, start + 12 * MINUTE):
        assert engine.send(mark(at)) == "OK"
        if decided(state):
            seen = at
            break
    check("the silence is seen with the first mark after it", seen is not None and 5 <= seen - (last + 3 * MINUTE) <= MINUTE + 5)
    check("and has the time at which it was too long", decided(state) == [("silent", "h1", stamp(last + 3 * MINUTE))])
    check("the engine ends cleanly", engine.end())
    check("replay --recorded agrees", same_as_recorded(state))


def immark():
    """The same with rsyslogd's own marks, each second."""
    if rsyslogd() is None or os.geteuid() != 0:
        print("skipped: marks of a real rsyslogd need rsyslogd and root")
        return
    with Scratch() as scratch:
        scratch.write("rules.toml", RULES.replace("SILENCE", "2s"))
        state = scratch.file("state")
        plug_in = f"{CORRELATOR} run --omprog --greeted --user root --rules {scratch.file('rules.toml')} --state {state}"
        with Rsyslogd(scratch, shipped("60-correlator.conf", plug_in, scratch, interval="1")) as daemon:
            daemon.send([f"<14>{time.strftime('%b %e %H:%M:%S')} app: alive 1"])
            dispatch.wait_for("with rsyslogd's marks alone a silence is seen", lambda: os.path.exists(state + "/engine.sock") and len(decided(state)) == 1)
            # By rsyslogd's own time, for which no machine is too busy: after its 2 s and the disorder of 5 s, and one of rounding (lines have
            # whole seconds), the next mark decides it.
            last, before, seen = moments(state)
            check(f"with the mark after the silence and disorder: the mark before it came {before - last:.1f} s after the line, it {seen - last:.1f} s", before - last < 2 + 5 + 1)


def moments(state):
    """Seconds: the newest line, the last mark in front of the record that decided, and that record."""
    db = sqlite3.connect(f"file:{state}/engine.db?mode=ro", uri=True)
    try:
        return [at / 1e6 for at, in db.execute("""WITH decided AS (SELECT seq FROM decision LIMIT 1)
            SELECT max(time) FROM intake WHERE kind = 1 UNION ALL SELECT max(time) FROM intake, decided WHERE kind = 2 AND intake.seq < decided.seq
            UNION ALL SELECT time FROM intake, decided WHERE intake.seq = decided.seq""")]
    finally:
        db.close()


def main():
    work = tempfile.mkdtemp(prefix="correlator-late-")
    try:
        with open(os.path.join(work, "rules.toml"), "w", encoding="utf-8") as file:
            file.write(RULES.replace("SILENCE", "3m"))
        if os.geteuid() == 0:
            backlog()
        else:
            print("skipped: a dispatcher's directory belongs to root")
        wrong_clocks(work)
        only_marks(work)
        immark()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
