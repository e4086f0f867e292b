#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programme in real time, beside Debian's sec where it is installed: inputs that come and go, positions, options, signals,
users, sockets. Each scenario says what it must show; both programmes are asked.
  tests/sec/programme.py CORRELATOR [--only NAME]... [--list]
A scenario that differs says why, and Debian's sec is not asked."""
import argparse
import concurrent.futures
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time

SLOWER = int(os.environ.get("SLOWER", "1"))
SCENARIOS = {}
EVERY_LINE = "type=Single\nptype=RegExp\npattern=^(.*)$\ndesc=d\naction=write - got $1\n"


def scenario(expected, differs="", root=False):
    def add(function):
        SCENARIOS[function.__name__] = (function, expected, differs, root)
        return function
    return add


class Gone(Exception):
    pass


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
        return self.start(*options, **more).wait(60 * SLOWER)

    def stop(self, process=None):
        process = process or self.running[-1]
        process.send_signal(signal.SIGTERM)
        return process.wait(20 * SLOWER)

    def wait(self, text, name="out", seconds=12):
        """Until the text stands in the file."""
        return self.until(lambda: text in self.text(name), f"'{text}' in {name}:\n{self.text(name)}", seconds)

    def until(self, true, what, seconds=12):
        end = time.monotonic() + seconds * SLOWER
        while time.monotonic() < end:
            if true():
                return
            time.sleep(0.02)
        raise Gone(f"waited in vain for {what}\n{self.text('err')}{self.text('log')[-2000:]}")

    def reads(self, name):
        """Until it has a file open."""
        target, process = str(self.path(name)), self.running[-1]

        def has():
            try:
                return any(os.path.realpath(f"/proc/{process.pid}/fd/{fd}") == target for fd in os.listdir(f"/proc/{process.pid}/fd"))
            except OSError:
                return False
        self.until(has, f"{name} open")


# --- inputs

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
    engine.write("in", "second\n")
    engine.wait("second")
    engine.stop()
    return engine.text("out")


@scenario("got one\ngot three\n")
def position(engine):
    """It is not kept: what came while nobody ran is not read."""
    engine.write("in", "zero\n")
    engine.start("--input=in", "--poll-timeout=0.02")
    engine.reads("in")
    time.sleep(0.3)
    engine.write("in", "one\n", "a")
    engine.wait("one")
    engine.stop()
    engine.write("in", "two\n", "a")
    engine.start("--input=in", "--poll-timeout=0.02")
    engine.reads("in")
    time.sleep(0.3)
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
    engine.write("in", "")
    process = engine.start("--input=in", "--poll-timeout=0.25")
    engine.reads("in")

    def switches():
        lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("voluntary")))
    time.sleep(0.3)
    before = switches()
    time.sleep(2)
    count = switches() - before
    engine.stop()
    return "few wake-ups" if 2 <= count <= 20 else f"{count} wake-ups in 2 s"


@scenario("late")
def check_timeout(engine):
    """A silent file is left alone that long."""
    engine.write("in", "")
    engine.start("--input=in", "--check-timeout=3", "--poll-timeout=0.02")
    engine.reads("in")
    time.sleep(0.5)
    begin = time.monotonic()
    engine.write("in", "line\n", "a")
    engine.wait("line")
    took = time.monotonic() - begin
    engine.stop()
    return "late" if 0.9 < took < 4.5 * SLOWER else f"after {took:.2f} s"


@scenario("1 in\n0 in\n")
def input_timeout(engine):
    """A script is told of silence, and of its end."""
    engine.write("in", "")
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


# --- options

@scenario("a said b\nEND d\n1 4\n")
def log_levels(engine):
    """logonly is told at level 4, and not above --debug=3."""
    rules = "type=Single\nptype=RegExp\npattern=^a (.*)\ndesc=a said $1\naction=logonly; logonly END d\n"
    engine.write("in", "a b\n")
    out = ""
    counts = []
    for level in ("4", "3"):
        engine.path("log").unlink(missing_ok=True)
        engine.finish("--input=in", "--notail", f"--debug={level}", rules=rules)
        lines = [line.split(": ", 1)[1] for line in engine.text("log").splitlines()]
        wanted = [line for line in lines if line.startswith(("a said", "END"))]
        counts.append(len(wanted))
        out = out or "\n".join(wanted) + "\n"
    return out + f"{counts[1] + 1} {counts[0] + 2}\n"


@scenario("every action")
def action_log(engine):
    """At --debug=6 each action is told, with its values."""
    actions = ["write f.txt W-$1", "writen f.txt N-$1", "owritecl o.txt O-$1", "closef f.txt", "udgram S-1 a", "closeudgr S-2", "ustream S-3 a",
               "closeustr S-4", "udpsock 127.0.0.1:9 U-$1", "closeudp 127.0.0.1:9", "tcpsock 127.0.0.1:9 T-$1", "closetcp 127.0.0.1:9",
               "shellcmd true H-$1", "cmdexec true E-$1", "spawn true P-$1", "spawnexec true Q-$1", "cspawn X true R-$1", "cspawnexec X true V-$1",
               "pipe 'I-$1' true", "pipeexec 'J-$1' true", "create C-1 10", "set C-1 20", "alias C-1 C-2", "unalias C-2", "add C-1 A-$1",
               "prepend C-1 B-$1", "fill C-1 F-$1", "report C-1 true M-$1", "reportexec C-1 true K-$1", "copy C-1 %vcopy", "shift C-1 %vshift",
               "pop C-1 %vpop", "empty C-1 %vempty", "exists %vexists C-1", "getsize %vsize C-1", "getaliases %valias C-1", "getltime %vltime C-1",
               "setltime C-1 77", "getctime %vctime C-1", "setctime %u C-1", "obsolete C-1", "delete C-3", "event 5 G-$1", "tevent 6 L-$1",
               "cevent X 7 D-$1", "reset 1 no-op", "getwpos %vwpos 1 no-wpos", "setwpos 5 1 no-set", "assign %vassign Y-$1", "assignsq %vsq Z-$1",
               "free %vfree", "rewrite 1 RW-$1", "addinput no-such", "dropinput no-such2", "varset %vset CACHE-1", "sigemul USR2"]
    marks = ["W-x", "N-x", "O-x", "f.txt", "S-1", "S-2", "S-3", "S-4", "U-x", "127.0.0.1:9", "T-x", "H-x", "E-x", "P-x", "Q-x", "R-x", "V-x", "I-x", "J-x",
             "C-1", "C-2", "A-x", "B-x", "F-x", "M-x", "K-x", "%vcopy", "%vshift", "%vpop", "%vempty", "%vexists", "%vsize", "%valias", "%vltime", "77",
             "%vctime", "C-3", "G-x", "L-x", "D-x", "no-op", "no-wpos", "no-set", "Y-x", "Z-x", "%vfree", "RW-x", "no-such", "no-such2", "CACHE-1", "USR2"]
    engine.write("in", "go x\n")
    engine.finish("--input=in", "--notail", rules=f"type=Single\nptype=RegExp\npattern=^go (.)\ndesc=d\naction={'; '.join(actions)}\n")
    log = engine.text("log")
    missing = [mark for mark in marks if mark not in log]
    return f"not told: {missing}\n{log}" if missing else "every action"


@scenario("not at 1, at 6, at 4, not at 3")
def signal_int(engine):
    """Without a terminal SIGINT raises the level of the log by one, and the sixth begins anew."""
    rules = "type=Single\nptype=RegExp\npattern=^(.*)$\ndesc=d\naction=logonly said $1; owritecl seen $1%.nl\n"
    os.mkfifo(engine.path("in"))
    process = engine.start("--input=in", "--poll-timeout=0.02", rules=rules)
    engine.reads("in")
    told = []
    for number, times in enumerate((1, 5, 4, 5)):
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.15 * SLOWER)
        engine.write("in", f"m{number}\n")
        engine.wait(f"m{number}", "seen")
        told.append(f"said m{number}" in engine.text("log"))
    engine.stop()
    return ", ".join(f"{'at' if yes else 'not at'} {level}" for yes, level in zip(told, (1, 6, 4, 3)))


@scenario("24\n")
def usage(engine):
    """--help names every option, -? does too; --version ends with 0."""
    def ask(word):
        done = subprocess.run(engine.command + [word], cwd=engine.place, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20 * SLOWER)
        return done.returncode, done.stdout + done.stderr
    names = ["conf", "input", "input-timeout", "timeout-script", "reopen-timeout", "check-timeout", "poll-timeout", "socket-timeout", "blocksize",
             "bufsize", "evstoresize", "cleantime", "log", "syslog", "debug", "pid", "dump", "user", "group", "umask", "quoting", "detach",
             "intevents", "testonly"]
    code, text = ask("--help")
    also, same = ask("-?")
    version, _ = ask("--version")
    if (code, also, version) != (0, 0, 0) or text != same:
        return f"{code} {also} {version}"
    return f"{sum(name in text for name in names)}\n"


@scenario("dump 2\ntext dump\nnot over another\n")
def dump_files(engine):
    """--dumpfts gives each a name of its own; without it a file that exists stays."""
    def dumps():
        return sorted(p.name for p in engine.place.glob("state*"))
    os.mkfifo(engine.path("in"))
    process = engine.start("--input=in", "--dump=state", "--dumpfts", "--poll-timeout=0.02")
    engine.reads("in")
    time.sleep(0.2)
    process.send_signal(signal.SIGUSR1)
    engine.until(lambda: len(dumps()) == 1, "a dump")
    time.sleep(1.1)
    process.send_signal(signal.SIGUSR1)
    engine.until(lambda: len(dumps()) == 2, "a second dump")
    out = f"dump {len(dumps())}\n"
    engine.stop()
    engine.write("plain", "mine\n")
    process = engine.start("--input=in", "--dump=plain", "--poll-timeout=0.02", "--intevents", rules=EVERY_LINE)
    engine.wait("SEC_STARTUP")
    process.send_signal(signal.SIGUSR1)
    process.send_signal(signal.SIGUSR2)
    engine.wait("SEC_LOGROTATE")
    out += "text dump\n" if "rules.sec" in engine.path(dumps()[0]).read_text() else "no text\n"
    out += "not over another\n" if engine.text("plain") == "mine\n" else "over another\n"
    engine.stop()
    return out


@scenario("2 and 3 lines, their rules' time", differs="fields of the dump have names of our own")
def rule_costs(engine):
    """--ruleperf: how many lines each rule looked at and what that took."""
    import json
    rules = ("type=Single\nptype=RegExp\npattern=^(.*)x\ncontinue=TakeNext\ndesc=d\naction=none\n\n"
             "type=Suppress\nptype=RegExp\npattern=^a\n\n" + EVERY_LINE)
    os.mkfifo(engine.path("in"))
    process = engine.start("--input=in", "--dump=state", "--dumpfjson", "--ruleperf", "--poll-timeout=0.02", rules=rules)
    engine.reads("in")
    engine.write("in", "a x\nb x\nc x\n")
    engine.wait("got c x")
    process.send_signal(signal.SIGUSR1)
    engine.until(lambda: engine.text("state").endswith("\n"), "the dump")
    found = json.loads(engine.text("state"))["files"][0]["rules"]
    engine.stop()
    if [rule["events"] for rule in found] != [3, 3, 2] or [rule["matches"] for rule in found] != [3, 1, 2]:
        return str(found)
    return "2 and 3 lines, their rules' time" if all(0 < rule["cpu"] < 1 for rule in found) else str(found)


@scenario("nobody nogroup 600\n", root=True)
def user_and_mask(engine):
    """Root is given up; what is written has the mask."""
    engine.place.chmod(0o777)
    rules = "type=Single\nptype=RegExp\npattern=go\ndesc=d\naction=owritecl made x; shellcmd id -un > who; shellcmd id -gn > whose\n"
    os.mkfifo(engine.path("in"))
    engine.path("in").chmod(0o666)
    engine.start("--input=in", "--user=nobody", "--group=nogroup", "--umask=0077", "--poll-timeout=0.02", rules=rules, log=False)
    engine.reads("in")
    engine.write("in", "go\n")
    engine.wait("\n", "who")
    engine.wait("\n", "whose")
    engine.until(lambda: engine.path("made").exists(), "the file")
    info = engine.path("made").stat()
    engine.stop()
    owner = pwd.getpwuid(info.st_uid).pw_name
    return f"{engine.text('who').strip()} {engine.text('whose').strip()} {owner if owner != 'nobody' else oct(info.st_mode & 0o777)[2:]}\n"


@scenario("022 066 006 060\n")
def masks(engine):
    """Octal, decimal, hexadecimal, binary."""
    out = []
    rules = "type=Single\nptype=RegExp\npattern=^go\ndesc=d\naction=owritecl made x\n"
    engine.write("in", "go\n")
    for mask in ("022", "63", "0x7", "0b111000"):
        engine.path("made").unlink(missing_ok=True)
        engine.finish("--input=in", "--notail", f"--umask={mask}", rules=rules)
        out.append(f"{0o666 & ~engine.path('made').stat().st_mode & 0o777:03o}")
    return " ".join(out) + "\n"


@scenario("a daemon: /, its own session, alive\ngot one\n")
def detach(engine):
    """It goes on without us, from /, and its pid file says who it is."""
    os.mkfifo(engine.path("in"))
    rules = EVERY_LINE.replace("write -", f"write {engine.path('result')}")
    first = engine.start(f"--conf={engine.path('rules.sec')}", f"--input={engine.path('in')}", f"--pid={engine.path('pid')}", "--detach",
                         f"--log={engine.path('log')}", rules=rules, log=False)
    code = first.wait(20 * SLOWER)
    engine.until(lambda: engine.text("pid").endswith("\n"), "the pid file")
    pid = int(engine.text("pid"))
    facts = os.readlink(f"/proc/{pid}/cwd") + ", " + ("its own session" if os.getsid(pid) == pid or os.getsid(pid) != os.getsid(0) else "our session")
    try:
        engine.until(lambda: any(os.path.realpath(f"/proc/{pid}/fd/{fd}") == str(engine.path("in")) for fd in os.listdir(f"/proc/{pid}/fd")), "the FIFO")
        engine.write("in", "one\n")
        engine.wait("one", "result")
    finally:
        os.kill(pid, signal.SIGTERM)
    engine.until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "its end")
    return f"a daemon: {facts}, alive\n{engine.text('result')}" if code == 0 else f"exit {code}"


@scenario("got one\ngot x two\n")
def resource_file(engine):
    """SECRC is read again at SIGABRT."""
    os.mkfifo(engine.path("in"))
    engine.write("second.sec", EVERY_LINE.replace("got", "got x"))
    engine.write("rc", "# inputs\n--input=in\n--poll-timeout=0.02\n--intevents\n")
    process = engine.start(rules=EVERY_LINE, env={"SECRC": "rc"})
    engine.wait("SEC_STARTUP")
    engine.write("in", "one\n")
    engine.wait("one")
    engine.write("rc", "--input=in\n--poll-timeout=0.02\n--intevents\n--conf=second.sec\n")
    process.send_signal(signal.SIGABRT)
    engine.wait("got x SEC_SOFTRESTART")
    engine.write("in", "two\n")
    engine.wait("x two")
    engine.stop()
    return "".join(line for line in engine.text("out").splitlines(True) if line in ("got one\n", "got x two\n"))


# --- signals and inputs

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


# --- outputs and children

@scenario("a\nb\n--\nc\n")
def close_file(engine):
    """A file stays open under another name until closef."""
    rules = ("type=Single\nptype=RegExp\npattern=^write (\\w)\ndesc=d\naction=write f $1; owritecl done $1%.nl\n\n"
             "type=Single\nptype=SubStr\npattern=close\ndesc=d\naction=closef f; owritecl done closed%.nl\n")
    os.mkfifo(engine.path("in"))
    engine.start("--input=in", "--poll-timeout=0.02", rules=rules)
    engine.reads("in")
    engine.write("in", "write a\n")
    engine.wait("a", "done")
    engine.path("f").rename(engine.path("g"))
    engine.write("in", "write b\nclose\n")
    engine.wait("closed", "done")
    engine.write("in", "write c\n")
    engine.wait("c\n", "f")
    engine.stop()
    return engine.text("g") + "--\n" + engine.text("f")


def listen(family, kind, address):
    out = socket.socket(family, kind)
    out.bind(address)
    out.settimeout(12 * SLOWER)
    return out


@scenario("one|two|stream closed|three|tcp closed|four|two ports\n")
def close_sockets(engine):
    """A datagram socket goes to the new owner of the name after closeudgr; streams see their end; UDP gets a new port."""
    dgram = listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(engine.path("dgram")))
    stream = listen(socket.AF_UNIX, socket.SOCK_STREAM, str(engine.path("stream")))
    tcp = listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
    udp = listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
    stream.listen()
    tcp.listen()
    tcp_peer, udp_peer = (f"127.0.0.1:{s.getsockname()[1]}" for s in (tcp, udp))
    rules = "".join(f"type=Single\nptype=RegExp\npattern=^{name} (\\w+)\ndesc=d\naction={action}\n\n" for name, action in (
        ("dgram", "udgram dgram $1; closeudgr dgram"), ("stream", "ustream stream $1"), ("endstream", "closeustr stream"),
        ("tcp", f"tcpsock {tcp_peer} $1"), ("endtcp", f"closetcp {tcp_peer}"), ("udp", f"udpsock {udp_peer} $1; closeudp {udp_peer}")))
    os.mkfifo(engine.path("in"))
    engine.start("--input=in", "--poll-timeout=0.02", rules=rules)
    engine.reads("in")
    out = []
    engine.write("in", "dgram one\n")
    out.append(dgram.recv(9).decode())
    dgram.close()
    engine.path("dgram").unlink()
    dgram = listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(engine.path("dgram")))
    engine.write("in", "dgram two\n")
    out.append(dgram.recv(9).decode())
    engine.write("in", "stream x\n")
    peer = stream.accept()[0]
    peer.settimeout(12 * SLOWER)
    peer.recv(1)
    engine.write("in", "endstream x\n")
    out.append("stream closed" if peer.recv(1) == b"" else "stream open")
    engine.write("in", "tcp three\n")
    peer = tcp.accept()[0]
    peer.settimeout(12 * SLOWER)
    out.append(peer.recv(9).decode())
    engine.write("in", "endtcp x\n")
    out.append("tcp closed" if peer.recv(1) == b"" else "tcp open")
    engine.write("in", "udp four\n")
    text, first = udp.recvfrom(9)
    engine.write("in", "udp five\n")
    _, second = udp.recvfrom(9)
    out += [text.decode(), "two ports" if first != second else "one port"]
    engine.stop()
    return "|".join(out) + "\n"


@scenario("given up, sent\n")
def socket_timeout(engine):
    """A connection that nobody takes is given up after --socket-timeout; until then what is to be sent waits."""
    out = []
    for seconds in ("1", "30"):
        full = socket.socket()
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]  # nobody is taken any more
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        time.sleep(0.1)
        rules = f"type=Single\nptype=RegExp\npattern=^go\ndesc=d\naction=tcpsock 127.0.0.1:{address[1]} hello; owritecl done{seconds} x\n"
        pipe = f"in{seconds}"
        os.mkfifo(engine.path(pipe))
        engine.start(f"--input={pipe}", f"--socket-timeout={seconds}", "--poll-timeout=0.02", rules=rules)
        engine.reads(pipe)
        engine.write(pipe, "go\n")
        engine.wait("x", f"done{seconds}")
        time.sleep(3.2)
        full.settimeout(5 * SLOWER)
        heard = b""
        try:
            while not heard:
                peer = full.accept()[0]
                peer.settimeout(2 * SLOWER)
                if peer.getpeername() in [one.getsockname() for one in waiting]:
                    continue
                heard = peer.recv(9)
        except OSError:
            pass
        out.append("sent" if heard == b"hello" else "given up")
        engine.stop()
        full.close()
        for one in waiting:
            one.close()
    return ", ".join(out) + "\n"


@scenario("ended, alive\n")
def children_at_the_end(engine):
    """--childterm ends children with the programme, --nochildterm leaves them."""
    out = []
    for option in ("--childterm", "--nochildterm"):
        rules = "type=Single\nptype=RegExp\npattern=^go\ndesc=d\naction=cmdexec sh child.sh\n"
        engine.path("pid").unlink(missing_ok=True)
        engine.write("child.sh", "echo $$ > pid.new; mv pid.new pid; exec sleep 30\n")
        pipe = "in" + option
        os.mkfifo(engine.path(pipe))
        engine.start(f"--input={pipe}", option, "--poll-timeout=0.02", rules=rules)
        engine.reads(pipe)
        engine.write(pipe, "go\n")
        engine.wait("\n", "pid")
        child = pathlib.Path("/proc", engine.text("pid").strip())
        engine.stop()
        time.sleep(0.3)
        alive = child.exists() and "State:\tZ" not in child.joinpath("status").read_text()
        out.append("alive" if alive else "ended")
        if alive:
            os.kill(int(child.name), signal.SIGKILL)
    return ", ".join(out) + "\n"


def run_one(name, command, own):
    function, expected, _, _ = SCENARIOS[name]
    with tempfile.TemporaryDirectory() as directory:
        engine = Engine(command, own, pathlib.Path(directory).resolve())
        try:
            got = function(engine)
        except (Gone, OSError, subprocess.TimeoutExpired) as failure:
            got = f"{type(failure).__name__}: {failure}"
        finally:
            for process in engine.running:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        return got == expected, got, expected


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("correlator", nargs="?")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(SCENARIOS))
        return 0
    engines = {"correlator": [str(pathlib.Path(options.correlator).resolve()), "sec"]}
    if os.access("/usr/bin/sec", os.X_OK):
        engines["sec"] = ["/usr/bin/sec"]
    else:
        print("Debian's package sec is not installed: correlator alone is asked")
    jobs = []
    for name, (_, _, differs, root) in SCENARIOS.items():
        if options.only and name not in options.only:
            continue
        if root and os.geteuid() != 0:
            print(f"{name}: skipped, only root can become another user")
            continue
        jobs += [(name, engine) for engine in engines if engine == "correlator" or not differs]
    failed = 0
    with concurrent.futures.ProcessPoolExecutor(6) as pool:
        for (name, engine), (good, got, expected) in zip(jobs, pool.map(run_one, *zip(*[(n, engines[e], e == "correlator") for n, e in jobs]))):
            if not good:
                failed += 1
                print(f"{name}: {engine} shows", got, "expected", expected, sep="\n")
    print(f"{len(jobs)} scenarios, {failed} wrong")
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
