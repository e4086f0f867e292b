# SPDX-License-Identifier: Apache-2.0
"""Scenarios of programme.py: inputs that come, go and are silent."""
import os
import pathlib
import time

from engines import PATIENCE, scenario


@scenario("got a1\ngot b1\n")
def missing_input(engine):
    """One that is not there at the start is tried again, and read from its first line."""
    engine.start("--input=late", "--reopen-timeout=1", "--poll-timeout=0.02")
    engine.wait("late", "log")
    time.sleep(0.3)
    engine.write("late.new", "a1\n")
    engine.path("late.new").rename(engine.path("late"))
    engine.wait("a1")
    engine.write("late", "b1\n", "a")
    engine.wait("b1")
    engine.stop()
    return engine.text("out")


@scenario("")
def missing_input_is_left(engine):
    """Without --reopen-timeout nobody tries again."""
    engine.start("--input=late", "--poll-timeout=0.02")
    engine.wait("late", "log")
    time.sleep(0.3)
    engine.write("late", "a1\n")
    time.sleep(1.5)
    engine.stop()
    return engine.text("out")


@scenario("got second\n")
def read_error(engine):
    """A directory cannot be read: it is closed, and tried again after --reopen-timeout."""
    engine.path("in").mkdir()
    engine.start("--input=in", "--fromstart", "--reopen-timeout=1", "--poll-timeout=0.02")
    time.sleep(0.5)
    engine.path("in").rmdir()
    engine.write("in", "")
    end = time.monotonic() + PATIENCE
    while not engine.text("out") and time.monotonic() < end:  # it is opened at its end if it was there in the meantime
        engine.write("in", "second\n", "a")
        time.sleep(0.2)
    engine.stop()
    return "".join(engine.text("out").splitlines(True)[:1])


@scenario("got one\ngot three\n")
def position(engine):
    """It is not kept: what came while nobody ran is not read."""
    engine.write("in", "zero\n")
    engine.start("--input=in", "--poll-timeout=0.02")
    engine.reads("in")
    engine.write("in", "one\n", "a")
    engine.wait("one")
    engine.stop()
    engine.write("in", "two\n", "a")
    engine.start("--input=in", "--poll-timeout=0.02")
    engine.reads("in")
    engine.write("in", "three\n", "a")
    engine.wait("three")
    engine.stop()
    return engine.text("out")


@scenario("got zero\ngot one\ngot half\n")
def from_start(engine):
    engine.write("in", "zero\n")
    engine.start("--input=in", "--fromstart", "--poll-timeout=0.02")
    engine.wait("zero")
    engine.write("in", "one\nha", "a")
    engine.wait("one")
    engine.write("in", "lf\n", "a")
    engine.wait("half")
    engine.stop()
    return engine.text("out")


@scenario("got a\ngot b\n0")
def notail(engine):
    """Read to the end, the last line without a newline, too."""
    engine.write("in", "a\nb")
    code = engine.finish("--input=in", "--notail")
    return engine.text("out") + str(code)


@scenario("few wake-ups")
def idle(engine):
    """When nothing comes it sleeps --poll-timeout."""
    engine.write("in", "before\n")
    process = engine.start("--input=in", "--poll-timeout=0.25")
    engine.reads("in")

    def switches():
        lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("voluntary")))
    counts = []
    for _ in range(5):  # a busy machine wakes nobody in time, and whoever has to wait for a page of memory is put to sleep for that, too
        time.sleep(0.3)
        before = switches()
        time.sleep(2)
        counts.append(switches() - before)
        if 2 <= counts[-1] <= 20:
            break
    engine.stop()
    return "few wake-ups" if 2 <= counts[-1] <= 20 else f"{counts} wake-ups in 2 s"


@scenario("late")
def check_timeout(engine):
    """A silent file is left alone that long."""
    engine.write("in", "before\n")
    engine.start("--input=in", "--check-timeout=3", "--poll-timeout=0.02")
    engine.reads("in")
    took = []
    for number in range(5):  # a busy machine may not have looked at the silent file at all before the line came
        time.sleep(0.5)
        begin = time.monotonic()
        engine.write("in", f"line {number}\n", "a")
        engine.wait(f"line {number}")
        took.append(time.monotonic() - begin)
        if took[-1] > 0.9:
            break
    engine.stop()
    return "late" if took[-1] > 0.9 else f"after {took} s"


@scenario("1 in\n0 in\n")
def input_timeout(engine):
    """A script is told of silence, and of its end."""
    engine.write("in", "before\n")
    engine.write("tell", '#!/bin/sh\necho "$1 $2" >> told\n')
    engine.path("tell").chmod(0o755)
    engine.start("--input=in", "--input-timeout=1", f"--timeout-script={engine.path('tell')}", "--poll-timeout=0.02")
    engine.reads("in")
    engine.wait("1 in", "told")
    engine.write("in", "line\n", "a")
    engine.wait("0 in", "told")
    engine.stop()
    return "".join(engine.text("told").splitlines(True)[:2])


@scenario("got one\ngot two\ngot rest\n")
def fifo_of_many_writers(engine):
    """Read-write (the default) it has no end; read-only it is opened again, and a line without its newline counts."""
    os.mkfifo(engine.path("pipe"))
    engine.start("--input=pipe", "--poll-timeout=0.02", "--norwfifo")
    for text in ("one\n", "two\n", "rest"):
        engine.reads("pipe")
        with open(engine.path("pipe"), "w") as pipe:
            pipe.write(text)
        engine.wait(text.strip())
        time.sleep(0.2)
    engine.stop()
    return engine.text("out")


@scenario("got one\ngot two\n")
def fifo_read_write(engine):
    """A writer that goes leaves half a line to the next one."""
    os.mkfifo(engine.path("pipe"))
    engine.start("--input=pipe", "--poll-timeout=0.02")
    engine.reads("pipe")
    engine.write("pipe", "one\ntw")
    engine.wait("one")
    time.sleep(0.2)
    engine.write("pipe", "o\n")
    engine.wait("two")
    engine.stop()
    return engine.text("out")
