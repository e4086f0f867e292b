#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run --journal on real journal files, written by systemd-journal-remote: each entry is recorded once, over restarts, kill -9 and rotation;
_TRANSPORT=kernel is the kernel's word and nothing else is."""
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import harness
from omprog import CORRELATOR, check, correlator, same_as_recorded

REMOTE = "/lib/systemd/systemd-journal-remote"
RULES = """format = 1
[class.hit]
key = ["host"]
requires = { n = "int" }
[class."logger.forged"]
key = ["host"]
[[event]]
id = "hit"
class = "hit"
from = "kernel"
match = 'EDAC MC0: (?P<n>\\d+) CE error'
types = { n = "int" }
[[event.sample]]
line = "Jan  1 00:00:00 h kernel: EDAC MC0: 1 CE error"
expect = { class = "hit" }
[[rule]]
id = "each"
on = "hit"
count = { threshold = "3 in 1h", rearm = "at-once" }
"""
BOOT = "0123456789abcdef0123456789abcdef"


class Journal:
    """A directory of journal files; entries as journald writes them."""

    def __init__(self, directory):
        self.directory, self.written, self.rotated = directory, 0, 0
        os.mkdir(directory)

    def write(self, text, transport="kernel", identifier="kernel", facility=0, **more):
        self.written += 1
        now = int(time.time() * 1e6)
        fields = {"__REALTIME_TIMESTAMP": now, "__MONOTONIC_TIMESTAMP": self.written * 1000, "_BOOT_ID": BOOT, "_HOSTNAME": "kvm1",
                  "_TRANSPORT": transport, "PRIORITY": 3, "SYSLOG_FACILITY": facility, "SYSLOG_IDENTIFIER": identifier, "MESSAGE": text, **more}
        entry = "".join(f"{name}={value}\n" for name, value in fields.items()) + "\n"
        subprocess.run([REMOTE, "--split-mode=none", "-o", os.path.join(self.directory, "system.journal"), "-"], input=entry.encode(),
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def rotate(self):
        self.rotated += 1
        os.rename(os.path.join(self.directory, "system.journal"), os.path.join(self.directory, f"system@{self.rotated:04d}.journal"))


class Site:
    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="correlator-journal-")
        self.state, self.rules = os.path.join(self.work, "state"), os.path.join(self.work, "rules.toml")
        with open(self.rules, "w", encoding="utf-8") as file:
            file.write(RULES)
        self.journal = Journal(os.path.join(self.work, "journal"))
        self.log = open(os.path.join(self.work, "engine.log"), "ab")

    def engine(self):
        engine = subprocess.Popen([CORRELATOR, "run", "--journal", "--journal-directory", self.journal.directory, "--state", self.state, "--rules", self.rules],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        wait_until(lambda: b"\ncorrelator_up 1\n" in self.metrics() or engine.poll() is not None)
        return engine

    def metrics(self):
        return subprocess.run([CORRELATOR, "metrics", "--state", self.state], capture_output=True).stdout

    def positioned(self):
        """Where reading goes on after a restart is written once a second."""
        return wait_until(lambda: "journal" in [i["stream"] for i in json.loads(correlator("status", "--json", "--state", self.state))["inputs"]])

    def recorded(self):
        db = sqlite3.connect(f"file:{self.state}/engine.db?mode=ro", uri=True)
        try:
            frames = [bytes(f) if isinstance(f, bytes) else f.encode() for f, in db.execute("SELECT frame FROM intake WHERE kind = 1 ORDER BY seq")]
        finally:
            db.close()
        return [int(m[1]) for m in (re.search(rb"EDAC MC0: (\d+) CE", frame) for frame in frames) if m]


def wait_until(condition):
    """Whether it becomes so."""
    try:
        harness.wait_until("", condition)
    except AssertionError:
        return False
    return True


def stop(engine, by=signal.SIGTERM):
    engine.send_signal(by)
    return engine.wait(harness.PATIENCE)


def read_once(site, draw):
    """Entries 1, 2, 3 …: while the engine runs, while it is away, killed in between, over rotation."""
    number = 0

    def write(count=1):
        nonlocal number
        for _ in range(count):
            number += 1
            site.journal.write(f"EDAC MC0: {number} CE error")

    engine = site.engine()
    check("an empty journal is a position", site.positioned())
    check("it ends cleanly on SIGTERM", stop(engine) == 0)
    write(2)
    engine = site.engine()
    check("what was written while it was away is read", wait_until(lambda: site.recorded() == [1, 2]))
    write(2)
    check("and what is written while it runs", wait_until(lambda: site.recorded() == [1, 2, 3, 4]))
    kills = 0
    for life in range(8):
        write(draw.randint(1, 3))
        if life % 2 == 0:
            site.journal.rotate()
        write()
        time.sleep(draw.random() * 0.1)  # the moment of the kill
        stop(engine, signal.SIGKILL)
        kills += 1
        write(draw.randint(0, 2))
        if life % 3 == 0:
            site.journal.rotate()
            write()
        engine = site.engine()
    everything = list(range(1, number + 1))
    wait_until(lambda: site.recorded() == everything)
    got = site.recorded()
    check(f"kills {kills}, rotations {site.journal.rotated}, entries {number}, lost {len(set(everything) - set(got))}, read twice {len(got) - len(set(got))}, in order",
          got == everything)
    return engine, number


def provenance(site, number):
    before = len(site.recorded())
    forged = [dict(transport="syslog"), dict(transport="journal"), dict(transport="stdout"), dict(transport="kernel", facility=1),
              dict(transport="syslog", _UID=0), dict(transport="syslog", _UID=1000, _PID=77)]
    for more in forged:
        number += 1
        site.journal.write(f"EDAC MC0: {number} CE error", **more)
    number += 1
    site.journal.write(f"EDAC MC0: {number} CE error")
    wait_until(lambda: number in site.recorded())
    # Counters are written with the state, each second.
    counters = lambda: json.loads(correlator("status", "--json", "--state", site.state))["counters"]
    wait_until(lambda: counters()["forged"] >= len(forged) - 1)
    status = counters()
    page = site.metrics().decode()
    events = re.search(r'correlator_events_total\{class="hit",trust="vouched"\} (\d+)', page)
    others = re.search(r'correlator_events_total\{class="hit",trust="(?:claimed|none)"\} (\d+)', page)
    print(f"forged {status['forged']} of {len(forged)}; vouched events {events and events[1]}, others {others and others[1]}")
    check("only what came by _TRANSPORT=kernel is the kernel's", status["forged"] + (int(others[1]) if others else 0) >= len(forged) - 1 and others is None)
    check("the true one behind them counts", len(site.recorded()) > before)


def vacuumed(site, engine):
    stop(engine)
    for name in os.listdir(site.journal.directory):
        os.unlink(os.path.join(site.journal.directory, name))
    site.journal.write("EDAC MC0: 9001 CE error")
    engine = site.engine()
    check("a journal that was vacuumed is read from what is left", wait_until(lambda: 9001 in site.recorded()))
    with open(os.path.join(site.work, "engine.log"), encoding="utf-8", errors="replace") as file:
        check("and that is said", "the journal entry up to which was read is gone" in file.read())
    return engine


def main():
    if not os.path.exists(REMOTE):
        print("skipped: systemd-journal-remote is not installed")
        return 77
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}")
    site, engine = Site(), None
    try:
        engine, number = read_once(site, random.Random(seed))
        provenance(site, number)
        engine = vacuumed(site, engine)
        check("it ends cleanly", stop(engine) == 0)
        check("replay --recorded agrees", same_as_recorded(site.state))
    finally:
        if engine is not None and engine.poll() is None:
            engine.kill()
            engine.wait()
        if check.failed:
            with open(os.path.join(site.work, "engine.log"), encoding="utf-8", errors="replace") as file:
                print(file.read()[-2000:])
        shutil.rmtree(site.work, ignore_errors=True)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
