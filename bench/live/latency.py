#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From a message on the log socket to the first instruction of its action, through rsyslogd, the engine and a dispatcher of its own, each
line a decision and each commit synced. In the same run, line by line in turn: rsyslogd's own part (socket to a plug-in that only
notes the time) and what the disk needs for an fdatasync.

latency.py [--lines N] [--pause MS] [--json FILE]    (FILE: all the times, for bench/report)
"""
import argparse
import json
import os
import socket
import sys
import time

from live_site import FIRST_INSTRUCTION, Site, distribution, histogram, machine, prefer, until
from harness import TAP, Rsyslogd, Scratch, TapLog, need_rsyslogd, shipped, version

RULES = """format = 1
[class.hit]
key = ["host"]
requires = { number = "text" }
[[event]]
id = "hit"
class = "hit"
match = 'EDAC MC0: hit (?P<number>\\d+)'
[[event.sample]]
line = "Jan  1 00:00:00 h app: EDAC MC0: hit 1"
expect = { class = "hit" }
[[rule]]
id = "each"
on = "hit"
then = ["act"]
[action.act]
run = "first_instruction"
args = ["FILE", "${number}"]
"""


class Disk:
    """fdatasync after 4 KiB, appended or written over what is there, in the state's own file system."""

    def __init__(self, path):
        self.growing = os.open(path + ".append", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.fixed = os.open(path + ".fixed", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(self.fixed, b"x" * (1 << 20))
        os.fsync(self.fixed)
        self.appended, self.over = [], []

    def measure(self, number):
        begin = time.monotonic_ns()
        os.write(self.growing, b"x" * 4096)
        os.fdatasync(self.growing)
        self.appended.append((time.monotonic_ns() - begin) / 1e6)
        begin = time.monotonic_ns()
        os.pwrite(self.fixed, b"y" * 4096, number * 4096 % (1 << 20))
        os.fdatasync(self.fixed)
        self.over.append((time.monotonic_ns() - begin) / 1e6)


class Tail:
    """Lines that were appended to a file since the last look."""

    def __init__(self, path):
        self.path, self.at = path, 0

    def new(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.at)
                data = file.read()
        except FileNotFoundError:
            return []
        data = data[:data.rfind(b"\n") + 1]
        self.at += len(data)
        return data.decode().splitlines()


def wait_for_line(tail, seconds=20):
    lines = []
    until(lambda: lines.extend(tail.new()) or lines, seconds, 0.0005)
    return lines


# Names of what is measured, in the table and in the file.
TOTAL, OWN = "log socket to the action's first instruction", "of it rsyslogd: log socket to a plug-in that only notes the time"
APPENDED, OVER = "disk: 4 KiB appended, fdatasync", "disk: 4 KiB written over, fdatasync"


def run(lines, pause, file):
    with Site("", [FIRST_INSTRUCTION]) as site, Scratch() as tapped:
        notes = site.file("times")
        site.write("rules.toml", RULES.replace("FILE", notes))
        site.dispatcher()
        log = TapLog(tapped.file("tap"))
        through = shipped("60-correlator.conf", site.plug_in(), site, interval="3600")
        beside = shipped("60-correlator.conf", f"{TAP} {log.path} --latency", tapped, interval="3600")
        total, own, lost = [], [], 0
        disk, acted, tap = Disk(site.file("disk")), Tail(notes), Tail(log.path)
        with Rsyslogd(site, through, control=False) as daemon, Rsyslogd(tapped, beside, control=False) as other, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as control:
            prefer(daemon.process.pid)
            prefer(other.process.pid)
            out.connect(daemon.socket_path)
            control.connect(other.socket_path)
            for number in range(-20, lines):  # the first twenty warm up
                stamp = time.strftime("%b %e %H:%M:%S")
                begin = time.monotonic_ns()
                out.send(f"<14>{stamp} app[1]: EDAC MC0: hit {number + 20}".encode())
                found = wait_for_line(acted)
                if not found:
                    lost += 1
                    continue
                time.sleep(pause)
                disk.measure(number + 20)
                control.send(f"<14>{stamp} app[1]: T{time.time_ns()} hit".encode())
                own_part = [text.split("\t")[1] for text in wait_for_line(tap)]
                own_part = [text for text in own_part if text.isdigit()]
                if number >= 0:
                    total.append((int(found[-1].split()[1]) - begin) / 1e6)
                    own += [int(text) / 1000 for text in own_part]
                time.sleep(pause / 4)
        print(f"rsyslog {version()}, {lines} lines, {machine()}; milliseconds\n")
        print("| | p50 | p90 | p99 | max |\n| --- | --- | --- | --- | --- |")
        times = {TOTAL: total, OWN: own, APPENDED: disk.appended, OVER: disk.over}
        rows = [distribution(name, values) for name, values in times.items()]
        p50, p99 = rows[0]
        print(f"\nno action within 20 s: {lost}\n")
        histogram(total)
        if file:
            with open(file, "w", encoding="utf-8") as out:
                json.dump({"milliseconds": times, "p50": p50, "p99": p99, "lost": lost}, out)
        return lost == 0 and p50 <= 2 and p99 <= 10


def main():
    need_rsyslogd()
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--pause", type=float, default=20, help="milliseconds after an action before the next line")
    parser.add_argument("--json", metavar="FILE", help="writes all the times to a file, too")
    options = parser.parse_args()
    prefer()
    reached = run(options.lines, options.pause / 1000, options.json)
    print("reached" if reached else "NOT reached", "p50 <= 2 ms, p99 <= 10 ms")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
