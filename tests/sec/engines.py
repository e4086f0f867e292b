# SPDX-License-Identifier: Apache-2.0
"""One of the two programmes in a directory of its own, and the scenarios that ask both (programme.py)."""
import os
import signal
import subprocess
import time

SLOWER = int(os.environ.get("SLOWER", "1"))
# How long is waited for what must come: says when something is wrong, not how fast a machine must be.
PATIENCE = 90 * SLOWER
SCENARIOS = {}
EVERY_LINE = "type=Single\nptype=RegExp\npattern=^(.*)$\ndesc=d\naction=write - got $1\n"


def scenario(expected, differs="", root=False):
    def add(function):
        SCENARIOS[function.__name__] = (function, expected, differs, root)
        return function
    return add


class Gone(Exception):
    pass


class Skipped(Exception):
    """This machine cannot show it."""


class Engine:
    """One of the two programmes in a directory of its own."""

    def __init__(self, command, own, place):
        self.command, self.own, self.place, self.running = command, own, place, []

    def path(self, name):
        return self.place / name

    def write(self, name, text, mode="w"):
        with open(self.path(name), mode) as file:
            file.write(text)

    def text(self, name):
        try:
            return self.path(name).read_text(encoding="latin-1")
        except FileNotFoundError:
            return ""

    def start(self, *options, rules=EVERY_LINE, output="out", stdin=subprocess.DEVNULL, env=None, log=True):
        if rules is not None:
            self.write("rules.sec", rules)
        words = self.command + ["--conf=rules.sec"] + (["--log=log"] if log else []) + list(options)
        with open(self.path(output), "ab") as out, open(self.path("err"), "ab") as err:
            process = subprocess.Popen(words, cwd=self.place, stdin=stdin, stdout=out, stderr=err, env=dict(os.environ, **(env or {})))
        self.running.append(process)
        return process

    def finish(self, *options, **more):
        return self.start(*options, **more).wait(PATIENCE)

    def stop(self, process=None):
        process = process or self.running[-1]
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE)

    def wait(self, text, name="out"):
        """Until the text stands in the file."""
        return self.until(lambda: text in self.text(name), f"'{text}' in {name}:\n{self.text(name)}")

    def until(self, true, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if true():
                return
            time.sleep(0.02)
        raise Gone(f"waited in vain for {what}\n{self.text('err')}{self.text('log')[-2000:]}")

    def reads(self, name):
        """Until it has a file open, and stands at the end of one that is a file."""
        target, process = str(self.path(name)), self.running[-1]

        def has():
            try:
                for fd in os.listdir(f"/proc/{process.pid}/fd"):
                    if os.path.realpath(f"/proc/{process.pid}/fd/{fd}") != target:
                        continue
                    with open(f"/proc/{process.pid}/fdinfo/{fd}", encoding="ascii") as info:
                        return not os.path.isfile(target) or int(info.readline().split()[1]) == os.path.getsize(target)
            except OSError:
                pass
            return False
        self.until(has, f"{name} open")
