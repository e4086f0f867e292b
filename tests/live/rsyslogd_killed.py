#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rsyslogd itself is killed with SIGKILL at random moments while lines flow. A relay in front of the engine notes each line that was handed
over, and an omfile behind the engine in the same queue is rsyslog's own word on what it got done. What was handed over is recorded once
and decided as an engine that nobody disturbs decides it; what is missing was never handed over, and is missing in rsyslog's file, too.

rsyslogd_killed.py [--kills N] [--lines N] [--seed S]
"""
import argparse
import os
import random
import re
import sqlite3
import sys
import threading
import time

from harness import PATIENCE, Rsyslogd, Scratch, need_rsyslogd, shipped, wait_until
from omprog import CORRELATOR, RULES, Engine, check, decisions, same_as_recorded

RELAY = os.environ.get("RELAY", "")
NUMBER = re.compile(r"\(n=(\d+)\)")


def line(number, draw):
    text = f"EDAC MC0: {draw.randint(1, 3)} CE read error on D{draw.randint(1, 4)} (n={number})"
    return f"<14>Jan  1 {number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d} app: {text}"


def numbers_in(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return [int(n) for n in NUMBER.findall(file.read())]


def recorded(state):
    db = sqlite3.connect(f"file:{state}/engine.db?mode=ro", uri=True)
    frames = [bytes(row[0]).decode("utf-8", "replace") for row in db.execute("SELECT frame FROM intake WHERE kind = 1 ORDER BY seq")]
    db.close()
    return [int(NUMBER.search(frame)[1]) for frame in frames]


def conf_of(name, scratch, state):
    plug_in = f"{CORRELATOR} run --omprog --greeted --user root --rules {scratch.file('rules.toml')} --state {state}"
    changes = {"queue__dequeueBatchSize": "1"} if name.endswith("60-correlator.conf") else {}
    text = shipped(name, f"{RELAY} {scratch.file('delivered')} EDAC {plug_in}", scratch, interval="3600", **changes)
    # In the same queue, behind the engine.
    own = f'\n  action(type="omfile" file="{scratch.file("own")}" template="control" flushInterval="1")'
    last = 'action.resumeIntervalMax="30")'
    assert text.count(last) == 1
    return text.replace(last, last + own)


def one_life(daemon, lines, killed_after):
    """Sends until all is sent or rsyslogd is gone. Gives how many it took."""
    timer = threading.Timer(killed_after, daemon.kill) if killed_after else None
    if timer:
        timer.start()
    sent = 0
    try:
        for text in lines:
            daemon.send([text])
            sent += 1
    except OSError:
        pass
    if timer:
        timer.join()
    return sent


def run(name, kills, count, seed):
    draw = random.Random(seed)
    lines = [line(i, draw) for i in range(count)]
    with Scratch() as scratch:
        scratch.write("rules.toml", RULES)
        state, sent, done = scratch.file("state"), 0, 0
        daemon = Rsyslogd(scratch, conf_of(name, scratch, state), control=False)
        for _ in range(kills):
            daemon.start()
            part = lines[sent:sent + max(1, count // (kills + 1))]
            sent += one_life(daemon, part, 0.02 + draw.random() * 0.3)
            done += 1
            # What it leaves behind ends by itself: its input is over.
            gone(daemon)
        daemon.start()
        sent += one_life(daemon, lines[sent:], None)
        settled(scratch, sent)
        daemon.stop()
        gone(daemon)
        compare(name, scratch, state, sent, done)


def gone(daemon):
    """Waits until all that rsyslogd started has ended, the shell that is not an engine yet included: it has said OK, and a line may be on
    its way to it. A second engine beside it would not get the state directory, and what was handed to it were lost with this rsyslogd."""
    session = str(daemon.process.pid)

    def left():
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    name, fields = file.read().split("(", 1)[1].rsplit(") ", 1)
            except OSError:
                continue
            if fields.split()[3] == session and fields[0] not in "ZX":
                found.append(f"{entry} {name}")
        return found
    try:
        wait_until("all that rsyslogd started has ended", lambda: not left())
    except AssertionError as error:
        raise AssertionError(f"{error}: {left()}") from None


def settled(scratch, sent):
    """Until rsyslog's own file has the last line, which no kill came after; and then nothing more comes."""
    wait_until("the last line", lambda: sent - 1 in numbers_in(scratch.file("own")), 2 * PATIENCE)
    last = None
    while last != (last := len(numbers_in(scratch.file("delivered")))):
        time.sleep(1)


def compare(name, scratch, state, sent, kills):
    delivered, got = numbers_in(scratch.file("delivered")), recorded(state)
    own = set(numbers_in(scratch.file("own")))
    once = list(dict.fromkeys(delivered))
    lost = sent - len(set(delivered))
    print(f"{name}: sent {sent}, kills {kills}, handed over {len(delivered)} ({len(delivered) - len(once)} of them again), recorded {len(got)}, "
          f"lost before they were handed over {lost}, missing in rsyslog's own file {sent - len(own)}")
    check("all that was handed over is recorded", set(delivered) == set(got))
    check("and nothing twice", len(got) == len(set(got)))
    # A line is in the file when the engine has answered it: a kill in between leaves one, or the batch under way.
    check("what is in rsyslog's file was handed over", own <= set(delivered))
    check("what rsyslog lost is what its file lacks, but for the lines under way at a kill", 0 <= sent - len(own) - lost <= 17 * (kills + 1))
    # An engine that nobody disturbs gets the lines as they were handed over.
    whole = scratch.file("whole")
    engine = Engine(scratch.path, whole, program=CORRELATOR)
    seen = set()
    with open(scratch.file("delivered"), encoding="utf-8") as file:
        for noted in file:
            number = int(NUMBER.search(noted)[1])
            if number not in seen:
                assert engine.send(noted.split("\t", 1)[1].rstrip("\n")) == "OK"
            seen.add(number)
    check("the undisturbed engine ends cleanly", engine.end())
    expected = decisions(whole)
    check(f"the {expected.count(chr(10))} decisions are those of an undisturbed engine, to the byte", expected.count("\n") > 3 and decisions(state) == expected)
    check("replay --recorded agrees", same_as_recorded(state))


def main():
    need_rsyslogd()
    if os.geteuid() != 0:
        print("skipped: needs root")
        return 77
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--lines", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    for name in ("60-correlator.conf", "60-correlator-disk.conf.example"):
        run(name, options.kills, options.lines, options.seed)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
