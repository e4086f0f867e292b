#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A directory with a log of each host is merged by time: what is decided is what one log of all of them gives, with more hosts than a login may
have files open, and in memory that grows with the hosts, not with what they wrote.
  CORRELATOR=... tests/e2e/merge.py"""
import collections
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone

CORRELATOR = os.environ["CORRELATOR"]
FACTOR = int(os.environ.get("SLOWER", "1"))  # sanitizers: less to read
START = datetime(2026, 1, 30, tzinfo=timezone.utc)
RULES = """format = 1
[class.error]
key = ["host"]
[[event]]
id = "error"
class = "error"
match = 'an error of unit (?P<unit>\\w+)'
[[rule]]
id = "host"
on = "error"
count = "3 in 1h"
[[rule]]
id = "everywhere"
on = "error"
key = ["'all'"]
count = { threshold = "40 in 1h", rearm = "at-once" }
"""
failures = []


def check(what, good):
    print("ok  " if good else "FAIL", what)
    if not good:
        failures.append(what)


def stamp(second):
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def replay(*arguments, files=None):
    """Exit code, what was decided when for whom, the summary, stderr, MiB at the peak; `files`: soft and hard limit of open files."""
    limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, files)) if files else None
    run = subprocess.Popen([CORRELATOR, "replay", "--no-progress", "--json", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, preexec_fn=limit)
    out, err = run.communicate()
    objects = [json.loads(line) for line in out.splitlines()]
    decided = [(o["time"], o["rule"], json.dumps(o["key"])) for o in objects if o["type"] == "decision"]
    return run.returncode, decided, next((o for o in objects if o["type"] == "summary"), {}), err


def peak(*arguments):
    """MiB that a replay held at most."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    told = subprocess.run([sys.executable, "-c", code, CORRELATOR, "replay", "--no-progress", *map(str, arguments)], capture_output=True, text=True, check=True)
    return int(told.stdout) // 1024


def many_hosts(work, rules, hosts=1500 // FACTOR):
    lines = [(second, f"h{(second // 2 * 7919) % hosts:04}", "an error of unit u1" if second % 11 == 0 else f"nothing of note {second}") for second in range(0, 40_000, 2)]
    of_host = collections.defaultdict(list)
    for second, host, text in lines:
        of_host[host].append(f"{stamp(second)} {host} app: {text}\n")
    logs = work / "hosts"
    logs.mkdir()
    for host, said in of_host.items():
        (logs / f"{host}.log").write_text("".join(said))
    whole = work / "whole"
    whole.write_text("".join(f"{stamp(second)} {host} app: {text}\n" for second, host, text in lines))
    _, wanted, summary, err = replay("--rules", rules, whole)
    check(f"one log decides {len(wanted)} times {err}".rstrip(), len(wanted) > 20 and summary["lines"] == len(lines))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for threads in (1, 2, 4):
        code, got, summary, err = replay("--rules", rules, "--threads", threads, logs, files=(256, hard))
        check(f"{threads} threads: {len(of_host)} logs, all lines", code == 0 and summary.get("lines") == len(lines) and not err)
        check(f"{threads} threads: the same decisions in the same order", got == wanted)
    code, got, summary, err = replay("--rules", rules, "--threads", "1", logs, files=(256, 256))
    check("with less files than logs nothing is decided, and why is said", code == 74 and not got and not summary and "[E211]" in err and "ulimit -n" in err)


def much_of_each(work, rules, hosts=240 // FACTOR, minutes=120):
    logs = work / "much"
    logs.mkdir()
    for host in range(hosts):
        with open(logs / f"h{host:04}.log", "w", encoding="ascii") as log:
            for minute in range(minutes):
                log.write(f"{stamp(60 * minute)} h{host:04} app: nothing of note, and that at some length, again and again xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" * 140)
    size = sum(file.stat().st_size for file in logs.iterdir()) >> 20
    few = logs.parent / "few"
    few.mkdir()
    (few / "h0000.log").symlink_to(logs / "h0000.log")
    alone = peak("--rules", rules, few)
    held = peak("--rules", rules, logs)
    print(f"peak: {held} MiB for {size} MiB of {hosts} hosts, {alone} MiB for one of them")
    check("what is held grows with the hosts, half a MiB for each", FACTOR > 1 or held < alone + hosts / 2 + 16)
    check("and that is far less than what they wrote", FACTOR > 1 or held < size / 2)


with tempfile.TemporaryDirectory() as directory:
    work = pathlib.Path(directory)
    (work / "rules.toml").write_text(RULES)
    many_hosts(work, work / "rules.toml")
    much_of_each(work, work / "rules.toml")
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
