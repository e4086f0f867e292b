#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A file system of a few MB that is full for a while: every line is answered, the spool takes what the database cannot, and is emptied when
there is room again; counts and decisions are those of an undisturbed run. Also when the engine is killed while it is full.

full_disk.py [--lines N] [--rounds N] [--seed S]
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from dispatch import wait_for
from omprog import CORRELATOR, RULES, Engine, check, correlator, decisions, feed, frames, same_as_recorded

SIZE = "16m"
SPOOL = ["--spool-size", str(4 << 20)]


class SmallDisk:
    """A file system of its own below `work`; None of it stays."""

    def __init__(self, work):
        self.path, self.image, self.kind = os.path.join(work, "disk"), os.path.join(work, "image"), None
        os.mkdir(self.path)
        with open(self.image, "wb") as file:
            file.truncate(16 << 20)
        made = shutil.which("mkfs.ext4") and subprocess.run(["mkfs.ext4", "-q", "-F", self.image], capture_output=True).returncode == 0
        for kind, command in (("ext4", ["mount", "-o", "loop", self.image, self.path]), ("tmpfs", ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", self.path])):
            if (kind == "tmpfs" or made) and subprocess.run(command, capture_output=True).returncode == 0:
                self.kind = kind
                return

    def fill(self):
        """Until nothing more goes in."""
        with open(os.path.join(self.path, "filler"), "wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def empty(self):
        os.unlink(os.path.join(self.path, "filler"))

    def unmount(self):
        if self.kind:
            subprocess.run(["umount", "-l", self.path], check=True)


def spooled(state):
    return json.loads(correlator("status", "--json", "--state", state))["engine"].get("spooled", 0)


def said(work, text):
    """How often the engine said so on stderr: its health in the database cannot tell while that is full."""
    with open(os.path.join(work, "engine.log"), encoding="utf-8", errors="replace") as file:
        return file.read().count(text)


def one(work, disk, number, lines, kill):
    state = os.path.join(disk.path, f"state{number}")
    whole = os.path.join(work, f"whole{number}")
    feed(work, whole, lines, [])
    third = len(lines) // 3
    start = lambda: Engine(work, state, program=CORRELATOR, more=SPOOL)
    engine = start()
    before, emptied = (said(work, text) for text in ("lines go to the spool", "the spool is empty"))
    answers = [engine.send(line) for line in lines[:third]]
    disk.fill()
    answers += [engine.send(line) for line in lines[third:2 * third]]
    wait_for("the engine says that the database cannot be written", lambda: said(work, "lines go to the spool") > before)
    if kill:
        engine.kill()
        disk.empty()  # a start needs room
        engine = start()
        check("killed while the disk was full: a line that was answered comes again and is answered", engine.send(lines[2 * third - 1]) == "OK")
    else:
        disk.empty()
        wait_for("when there is room the spool is emptied", lambda: said(work, "the spool is empty") > emptied)
    answers += [engine.send(line) for line in lines[2 * third:]]
    check(f"{len(answers)} lines answered", answers == ["OK"] * len(lines))
    check("the engine ends cleanly", engine.end())
    check("nothing is left in the spool", spooled(state) == 0)
    expected, got = decisions(whole), decisions(state)
    check(f"the {expected.count(chr(10))} decisions are those of an undisturbed run, to the byte", got == expected and expected.count("\n") > 3)
    check("replay --recorded agrees", same_as_recorded(state))
    shutil.rmtree(state)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="correlator-full-")
    disk = SmallDisk(work)
    if disk.kind is None:
        print("skipped: a small file system cannot be mounted here")
        shutil.rmtree(work)
        return 77
    print(f"seed {options.seed}, {disk.kind} of {SIZE}")
    try:
        with open(os.path.join(work, "rules.toml"), "w", encoding="utf-8") as file:
            file.write(RULES)
        for i in range(options.rounds):
            for kill in (False, True):
                one(work, disk, 2 * i + kill, frames(options.lines, options.seed + i), kill)
        if check.failed:
            print(open(os.path.join(work, "engine.log"), encoding="utf-8", errors="replace").read()[-3000:])
    finally:
        disk.unmount()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
