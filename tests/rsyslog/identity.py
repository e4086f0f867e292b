#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What real rsyslogd delivers again, loses or reorders when it or its plug-in ends, and under which id.

identity.py           the cases that the design rests on, as a test
identity.py --table   all of them, as the table in docs/designs/rsyslog.md
"""
import os
import signal
import sys
import time
import unittest

from harness import PATIENCE, TAP, Rsyslogd, Scratch, TapLog, end_by_pid, need_rsyslogd, shipped, version, wait_until

LINES = 600     # sent before the fault
AT = 150        # the fault comes when the plug-in has got this many
MORE = 50       # sent after the restart
BATCH = 16      # queue.dequeueBatchSize as shipped

MEMORY, ASSISTED, DISK = "LinkedList", "LinkedList, disk-assisted", "Disk"
SPILLED = "LinkedList, disk-assisted, and on disk already"
DISK_SAFE, DISK_100 = "Disk, checkpointInterval 1", "Disk, checkpointInterval 100"
QUEUES = (MEMORY, ASSISTED, SPILLED, DISK, DISK_100, DISK_SAFE)
BEFORE, TEMPLATE = "before the queue", "%uuid% in the template"


def configuration(scratch, queue, identity, plug_in, batch=BATCH, **changes):
    """The shipped drop-in with another queue. Short time-outs: a stop must find lines waiting."""
    text = shipped("60-correlator.conf", plug_in, scratch, queue__dequeueBatchSize=batch, queue__timeoutShutdown="100",
                   interval="3600", **changes)
    if queue == MEMORY:
        text = text.replace('queue.filename="correlator"', "")
    if queue == SPILLED:
        text = text.replace('queue.size="200000"', 'queue.size="5000"').replace('queue.highWatermark="100000"', 'queue.highWatermark="100"')
        text = text.replace('queue.lowWatermark="20000"', 'queue.lowWatermark="20"')
    if queue in (DISK, DISK_SAFE, DISK_100):
        text = text.replace('queue.type="LinkedList"', 'queue.type="Disk"')
    if queue in (DISK_SAFE, DISK_100):
        interval = 1 if queue == DISK_SAFE else 100
        text = text.replace('queue.type="Disk"', f'queue.type="Disk" queue.checkpointInterval="{interval}"')
    if identity == TEMPLATE:
        text = text.replace('name="$!cid"', 'name="uuid"')
    return text


def line(number):
    return f"<14>Nov 22 08:00:00 app[1]: n={number} of a test"


def number_of(message):
    return int(message["message"].split()[0].removeprefix("n="))


class Result:
    """What came, held against what was sent: numbers 0..sent-1, each answered once, in order."""

    def __init__(self, messages, sent):
        self.lost = sorted(set(range(sent)) - {number_of(m) for m in messages if m["answered"]})
        self.again = []             # numbers that were offered before without an answer
        self.twice = []             # numbers that had been answered before
        self.renamed = set()        # of both: under another id
        self.reordered = 0          # a line came behind one with a higher number, for the first time
        ids, answered, highest = {}, set(), -1
        for message in messages:
            number = number_of(message)
            if number in ids:
                (self.twice if number in answered else self.again).append(number)
                if message["id"] != ids[number]:
                    self.renamed.add(number)
            elif number < highest:
                self.reordered += 1
            highest = max(highest, number)
            ids.setdefault(number, message["id"])
            if message["answered"]:
                answered.add(number)
        names = list(ids.values())
        self.ids_unique = len(set(names)) == len(names) and all(names)

    def lost_text(self):
        if not self.lost:
            return "0"
        runs, begin = [], self.lost[0]
        for at, number in enumerate(self.lost):
            if at + 1 == len(self.lost) or self.lost[at + 1] != number + 1:
                runs.append(f"{begin}" if begin == number else f"{begin}–{number}")
                begin = self.lost[at + 1] if at + 1 < len(self.lost) else 0
        return f"{len(self.lost)} ({', '.join(runs[:3])}{', …' if len(runs) > 3 else ''})"

    def row(self):
        came_again = len(self.again) + len(self.twice)
        ids = "–" if not came_again else "the same" if not self.renamed else f"another ({len(self.renamed)})"
        return [self.lost_text(), str(len(self.again)), str(len(self.twice)), ids, str(self.reordered)]


def settled(log, sent, lossless=False, quiet=3.0):
    """Waits until all of `sent` lines were answered. What was lost cannot be waited for: where that may be, until the last line was
    answered and nothing has come for `quiet` seconds. A busy machine may pause longer than that, so where nothing may be lost it is waited
    for as long as for anything else."""
    size, since = -1, time.monotonic()
    while True:
        now = os.path.getsize(log.path) if os.path.exists(log.path) else 0
        if now != size:
            size, since = now, time.monotonic()
            answered = {number_of(m) for m in log.messages() if m["answered"]}
        silent = time.monotonic() - since
        if len(answered) >= sent and silent > 0.3:  # a moment for what comes twice
            return
        if silent > PATIENCE or (not lossless and sent - 1 in answered and silent > quiet):
            return
        time.sleep(0.02)


def restart(queue, how, identity, batch=BATCH):
    """rsyslogd ends by signal `how` while lines wait that it has taken, and starts anew."""
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        hold = scratch.write("hold", "")
        slow = Rsyslogd(scratch, configuration(scratch, queue, identity,
                                               f"{TAP} {log.path} --pause-us 4000 --hold-at {AT} {hold}", batch))
        with slow:
            slow.send(line(i) for i in range(LINES))
            slow.wait_for_control(LINES)
            os.unlink(hold)
            wait_until("more lines", lambda: len(log.messages()) >= AT + 10)
            slow.stop(how)
        wait_until("the end of the plug-in", lambda: any(text == "EOF" for _, text in log.entries()))
        fast = Rsyslogd(scratch, configuration(scratch, queue, identity, f"{TAP} {log.path}", batch))
        with fast:
            fast.send(line(i) for i in range(LINES, LINES + MORE))
            fast.wait_for_control(LINES + MORE)
            settled(log, LINES + MORE, lossless=how == signal.SIGTERM and identity == BEFORE and queue in (ASSISTED, DISK_SAFE))
        return Result(log.messages(), LINES + MORE)


def kill_before_any(queue, lines):
    """rsyslogd is killed when it has queued `lines` lines and none was answered."""
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        hold = scratch.write("hold", "")
        with Rsyslogd(scratch, configuration(scratch, queue, BEFORE, f"{TAP} {log.path} --hold-at 1 {hold}")) as daemon:
            daemon.send(line(i) for i in range(lines))
            daemon.wait_for_control(lines)
            wait_until("the first line", lambda: any(text.startswith("{") for _, text in log.entries()))
            daemon.kill()
        os.unlink(hold)
        wait_until("the end of the plug-in", lambda: any(text == "EOF" for _, text in log.entries()))
        with Rsyslogd(scratch, configuration(scratch, queue, BEFORE, f"{TAP} {log.path}")) as daemon:
            daemon.send(line(i) for i in range(lines, lines + MORE))
            daemon.wait_for_control(lines + MORE)
            settled(log, lines + MORE, lossless=queue == DISK_SAFE)
        return Result(log.messages(), lines + MORE)


def plug_in_fault(fault, queue=ASSISTED, batch=BATCH, **changes):
    """The plug-in misbehaves once at line AT, rsyslogd stays."""
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        conf = configuration(scratch, queue, BEFORE, f"{TAP} {log.path} {fault}", batch, **changes)
        with Rsyslogd(scratch, conf) as daemon:
            daemon.send(line(i) for i in range(LINES))
            settled(log, LINES, lossless=True)
        return Result(log.messages(), LINES), len(log.pids())


def plug_in_signal(number, queue=ASSISTED, batch=BATCH):
    """The plug-in is ended from outside at some moment."""
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        conf = configuration(scratch, queue, BEFORE, f"{TAP} {log.path} --pause-us 1000", batch)
        with Rsyslogd(scratch, conf) as daemon:
            daemon.send(line(i) for i in range(LINES))
            wait_until("some lines", lambda: len(log.messages()) >= AT)
            end_by_pid(log.pids()[0], number)
            settled(log, LINES, lossless=True)
        return Result(log.messages(), LINES), len(log.pids())


def unanswered_at_stop(queue, how=signal.SIGTERM, refuse=False):
    """rsyslogd ends while one line has no answer (or was answered by an error)."""
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        fault = f"--refuse-at {AT}" if refuse else f"--stall-at {AT}"
        changes = {"confirmTimeout": "1000", "closeTimeout": "500", "queue__timeoutActionCompletion": "2000"}
        if refuse:
            changes["action__resumeInterval"] = "30"
        conf = configuration(scratch, queue, BEFORE, f"{TAP} {log.path} {fault}", **changes)
        with Rsyslogd(scratch, conf) as daemon:
            daemon.send(line(i) for i in range(LINES))
            daemon.wait_for_control(LINES)
            wait_until("the fault", lambda: os.path.exists(log.path + ".once"))
            seconds = daemon.stop(how)
        fast = Rsyslogd(scratch, configuration(scratch, queue, BEFORE, f"{TAP} {log.path}"))
        with fast:
            fast.send(line(i) for i in range(LINES, LINES + MORE))
            fast.wait_for_control(LINES + MORE)
            settled(log, LINES + MORE)
        return Result(log.messages(), LINES + MORE), seconds


def hang_up(whole_group):
    """SIGHUP as logrotate sends it: to rsyslogd, or (systemctl kill) to its whole cgroup."""
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        conf = configuration(scratch, ASSISTED, BEFORE, f"{TAP} {log.path} --pause-us 1000")
        with Rsyslogd(scratch, conf) as daemon:
            daemon.send(line(i) for i in range(LINES))
            wait_until("some lines", lambda: len(log.messages()) >= AT)
            daemon.process.send_signal(signal.SIGHUP)
            if whole_group:
                end_by_pid(log.pids()[0], signal.SIGHUP)
            settled(log, LINES, lossless=True)
        signals = [text for _, text in log.entries() if text.startswith("SIGNAL")]
        return Result(log.messages(), LINES), len(log.pids()), signals


def print_row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def table():
    print(f"rsyslog {version()}; {LINES} lines, the fault after {AT}, {MORE} more after a restart.\n")
    print_row("queue", "rsyslogd ends by", "id", "batch", "lost", "again", "twice", "their id", "out of order")
    print_row(*["---"] * 9)
    for queue in QUEUES:
        for how in (signal.SIGTERM, signal.SIGKILL):
            for identity in (BEFORE, TEMPLATE):
                print_row(queue, how.name[3:], identity, BATCH, *restart(queue, how, identity).row())
    for batch in (1, 128, 1024):
        for queue in (ASSISTED, SPILLED, DISK_SAFE):
            print_row(queue, "TERM", BEFORE, batch, *restart(queue, signal.SIGTERM, BEFORE, batch).row())
    for queue in (DISK_100, DISK_SAFE):
        print_row(queue, "KILL, before the first answer", BEFORE, BATCH, *kill_before_any(queue, 670).row())
    print()
    print_row("the plug-in", "batch", "lost", "again", "twice", "their id", "out of order", "plug-ins")
    print_row(*["---"] * 8)
    for batch in (1, BATCH, 1024):
        for name, fault in (("killed before its answer", f"--die-at {AT}"), ("answers an error", f"--refuse-at {AT}")):
            result, starts = plug_in_fault(fault, batch=batch)
            print_row(name, batch, *result.row(), starts)
    for number in (signal.SIGKILL, signal.SIGTERM):
        result, starts = plug_in_signal(number)
        print_row(f"gets {number.name[3:]} from outside", BATCH, *result.row(), starts)
    result, starts = plug_in_fault(f"--stall-at {AT}", confirmTimeout="1000", closeTimeout="500")
    print_row("hangs: confirmTimeout, killUnresponsive", BATCH, *result.row(), starts)
    for whole in (False, True):
        result, starts, signals = hang_up(whole)
        print_row("SIGHUP to the cgroup" if whole else "SIGHUP to rsyslogd", BATCH, *result.row(),
                  f"{starts}, got {len(signals)} signals")
    print()
    print_row("one line at the stop of rsyslogd", "queue", "lost", "again", "twice", "their id", "out of order", "stop took")
    print_row(*["---"] * 8)
    for queue in (ASSISTED, SPILLED, DISK_SAFE):
        for refuse in (False, True):
            result, seconds = unanswered_at_stop(queue, refuse=refuse)
            print_row("refused" if refuse else "unanswered", queue, *result.row(), f"{seconds:.1f} s")


class Identity(unittest.TestCase):
    """What the design rests on. A later rsyslog that does better fails none of it."""

    def test_orderly_restart(self):
        for queue in (ASSISTED, DISK_SAFE):
            with self.subTest(queue):
                result = restart(queue, signal.SIGTERM, BEFORE)
                self.assertEqual((result.lost, result.again, result.twice), ([], [], []))
                self.assertTrue(result.ids_unique)
                if queue == DISK_SAFE:
                    self.assertEqual(result.reordered, 0)

    def test_killed(self):
        """Only the queue on disk with checkpoints survives; what comes twice has the id it had."""
        result = restart(DISK_SAFE, signal.SIGKILL, BEFORE)
        self.assertEqual((result.lost, result.renamed, result.reordered), ([], set(), 0))
        self.assertEqual(kill_before_any(DISK_SAFE, 670).lost, [])
        # In memory the rest is lost, but what came stays as it was, and the restart disturbs nothing.
        result = restart(ASSISTED, signal.SIGKILL, BEFORE)
        self.assertEqual((result.twice, result.reordered), ([], 0))
        self.assertTrue(all(AT <= number < LINES for number in result.lost), result.lost_text())

    def test_plug_in(self):
        """L29: an id made before the queue stays: whatever happens to the plug-in, rsyslogd goes on at the line without an answer, under its id."""
        faults = [plug_in_fault(f"--die-at {AT}"), plug_in_fault(f"--refuse-at {AT}"),
                  plug_in_fault(f"--stall-at {AT}", confirmTimeout="1000", closeTimeout="500")]
        for result, _ in faults:
            self.assertEqual((result.lost, result.twice, result.renamed, result.reordered), ([], [], set(), 0))
            self.assertEqual(result.again, [AT - 1])
        self.assertEqual([starts for _, starts in faults], [2, 1, 2])
        for number in (signal.SIGKILL, signal.SIGTERM):
            result, starts = plug_in_signal(number)
            self.assertEqual((result.lost, result.renamed, result.reordered, starts), ([], set(), 0, 2))
            self.assertLessEqual(len(result.twice), 1)  # it may have been recorded and not answered

    def test_hang_up(self):
        result, starts, signals = hang_up(False)
        self.assertEqual((result.lost, result.twice, starts, signals), ([], [], 1, []))
        result, starts, signals = hang_up(True)
        self.assertEqual((result.lost, result.twice, starts, signals), ([], [], 1, ["SIGNAL 1"]))

    def test_unanswered_at_stop(self):
        """Known and written down: that line is lost with at most the rest of its batch, so it must always be answered; a refused
        one is not."""
        result, _ = unanswered_at_stop(ASSISTED)
        self.assertLessEqual(len(result.lost), BATCH)
        result, _ = unanswered_at_stop(ASSISTED, refuse=True)
        self.assertEqual((result.lost, result.renamed), ([], set()))


if __name__ == "__main__":
    need_rsyslogd()
    if "--table" in sys.argv:
        table()
    else:
        unittest.main(verbosity=2)
