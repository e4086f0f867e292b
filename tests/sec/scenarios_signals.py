# SPDX-License-Identifier: Apache-2.0
"""Scenarios of programme.py: what signals do to inputs and operations."""
import os
import signal
import time

from engines import EVERY_LINE, scenario


def restart(engine, number, *options, line="two\n"):
    """An input, a line, another file of that name behind our back, the signal, another line."""
    engine.write("in", "zero\n")
    engine.write("extra", "")
    process = engine.start("--input=in", "--input=ex*", "--poll-timeout=0.02", "--intevents", *options)
    engine.wait("SEC_STARTUP")
    engine.write("in", "one\n", "a")
    engine.wait("one")
    engine.path("extra").unlink()
    engine.write("extra2", "not from the start\n")
    process.send_signal(number)
    engine.wait("SEC_RESTART" if number == signal.SIGHUP else "SEC_SOFTRESTART")
    engine.write("in", line, "a")
    engine.wait(line.strip())
    engine.write("extra2", "three\n", "a")
    engine.wait("three")
    engine.stop()
    return "".join(part for part in engine.text("out").splitlines(True) if "SEC_" not in part)


@scenario("got one\ngot two\ngot three\n")
def keep_open(engine):
    return restart(engine, signal.SIGABRT)


@scenario("got one\ngot two\ngot three\n")
def reopen_at_abort(engine):
    return restart(engine, signal.SIGABRT, "--nokeepopen")


@scenario("got one\ngot two\ngot three\n")
def reopen_at_hangup(engine):
    return restart(engine, signal.SIGHUP)


@scenario("one\ntwo\nrestarted\none\n")
def soft_restart(engine):
    """Operations of rule files that changed end, those of the others go on."""
    rule = "type=SingleWithSuppress\nptype=SubStr\npattern=go\ncontinue=TakeNext\ndesc=op\naction=write - {}\nwindow=600\n"
    engine.write("second.sec", rule.format("two"))
    told = "\ntype=Single\nptype=SubStr\npattern=SEC_SOFTRESTART\ndesc=d\naction=write - restarted\n"
    os.mkfifo(engine.path("in"))
    process = engine.start("--conf=second.sec", "--input=in", "--poll-timeout=0.02", "--intevents", rules=rule.format("one") + told)
    engine.reads("in")
    engine.write("in", "go\n")
    engine.wait("two")
    time.sleep(1.1)
    engine.write("rules.sec", "# changed\n" + engine.text("rules.sec"))
    process.send_signal(signal.SIGABRT)
    engine.wait("restarted")
    engine.write("in", "go\n")
    engine.until(lambda: engine.text("out").count("one") == 2, "a second one")
    engine.stop()
    return engine.text("out")


HANGUP = ("type=Single\nptype=SubStr\npattern=hup\ndesc=d\naction=write - hup; sigemul HUP\n\n" + EVERY_LINE)


@scenario("got a\nhup\ngot b\ngot c\n", differs="SEC loses lines that it has read and not looked at")
def hangup_loses_nothing(engine):
    engine.write("in", "a\nhup\nb\nc\n")
    engine.finish("--input=in", "--notail", rules=HANGUP)
    return engine.text("out")


@scenario("got a\nhup\n")
def hangup_as_sec(engine):
    """--sec-compat=exact does as SEC: what was read is dropped, and files are read from their end."""
    engine.write("in", "a\nhup\nb\nc\n")
    engine.finish("--input=in", "--notail", *(["--sec-compat=exact"] if engine.own else []), rules=HANGUP)
    return engine.text("out")


@scenario("PRE_SOFTRESTART SOFTRESTART PRE_LOGROTATE LOGROTATE SHUTDOWN")
def order_of_signals(engine):
    """Of several that wait: HUP, ABRT, USR1, USR2, INT, TERM."""
    rules = ("type=Single\nptype=SubStr\npattern=go\ndesc=d\naction=sigemul TERM; sigemul USR2; sigemul ABRT\n\n"
             "type=Single\nptype=RegExp\npattern=^SEC_(\\w+)\ncontext=SEC_INTERNAL_EVENT\ndesc=d\naction=write - $1\n")
    engine.write("in", "go\n")
    engine.finish("--input=in", "--fromstart", "--intevents", "--poll-timeout=0.02", rules=rules)
    return " ".join(engine.text("out").split()[1:])
