#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""More matching lines of one host than anybody can take, through a real rsyslogd with the shipped configuration: memory stays as it is, the
backlog waits in rsyslog's queue, lines are made durable, the budget holds, and another host's error is decided and acted on soon
after it was delivered.

overload.py [--rate N] [--seconds N] [--durable N]
"""
import argparse
import os
import socket
import sqlite3
import sys
import threading
import time

from live_site import BUILD, FIRST_INSTRUCTION, Site, cpu, machine, prefer, plug_in_of, children, rss, until
import harness
from harness import Rsyslogd, need_rsyslogd, shipped, version

BUDGET = 3
RULES = """format = 1
[class."memory.corrected"]
key = ["host", "dimm"]
requires = { severity = "text", dimm = "text" }
[[event]]
id = "ce"
class = "memory.corrected"
match = 'EDAC MC\\d+: (?P<n>\\d+) CE .* on (?P<dimm>\\S+) '
types = { n = "int" }
let = { severity = "'corrected'" }
[[event.sample]]
line = "Jan  1 00:00:00 h app: EDAC MC0: 1 CE error on D1 (x)"
expect = { class = "memory.corrected" }
[[rule]]
id = "storm"
on = { on = "memory.corrected", where = "host == 'loud'" }
count = { threshold = "1000 in 1h", rearm = "at-once" }
then = ["act"]
[[rule]]
id = "other"
on = { on = "memory.corrected", where = "host == 'quiet'" }
then = ["tell"]
[action.act]
run = "first_instruction"
args = ["WORK/acted", "storm"]
budget = "storms"
[action.tell]
run = "first_instruction"
args = ["WORK/told", "${dimm}"]
[budget.storms]
at_most = BUDGET
per = "1h"
"""


def numbers(path):
    """The times in a file of the relay's or the action's, in order."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as file:
        return [int(line.split()[1]) / 1e9 for line in file if line.endswith("\n")]


class Recorded:
    """Lines in the engine's intake, read while it runs. What the dispatcher reports back is not counted."""

    def __init__(self, state):
        self.db = sqlite3.connect(f"file:{state}/engine.db?mode=ro", uri=True)

    def __call__(self):
        return self.db.execute("SELECT max(seq) FROM intake").fetchone()[0] or 0


def flood(out, rate, seconds, sent):
    """`rate` lines a second, in pieces of 10 ms; what cannot be sent in time is sent as soon as it can."""
    begin, number = time.monotonic(), 0
    while (now := time.monotonic() - begin) < seconds:
        wanted = int(now * rate)
        if wanted > number:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            out.sendall("".join(f"<14>{stamp} loud app[1]: EDAC MC0: 1 CE memory read error on D{i & 7} (n={i})\n" for i in range(number, wanted)).encode())
            number = wanted
            sent[0] = number
        time.sleep(0.005)


def run(options):
    with Site("", [FIRST_INSTRUCTION]) as site:
        site.write("rules.toml", RULES.replace("WORK", site.work).replace("BUDGET", str(BUDGET)))
        site.dispatcher()
        port = harness.free_port()
        relay = os.path.join(BUILD, "tests", "live", "omprog_relay")
        conf = shipped("60-correlator.conf", f"{relay} {site.file('delivered')} quiet {site.plug_in()}", site, interval="3600")
        modules = f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")'
        stamp = lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with Rsyslogd(site, conf, modules=modules, control=False) as daemon:
            prefer(daemon.process.pid)
            harness.wait_for_port(port)
            loud, quiet = (socket.create_connection(("127.0.0.1", port)) for _ in range(2))
            tell = lambda i: quiet.sendall(f"<14>{stamp()} quiet app[1]: EDAC MC0: 1 CE error on Q{i} (x)\n".encode())
            tell(0)
            assert until(lambda: len(numbers(site.file("told"))) == 1, 20), "the first line was not acted on"
            shell = children(daemon.process.pid)[0]  # exec made it the relay
            engine = children(shell)[0]
            recorded, sent, told = Recorded(site.state), [0], 1
            before = time.monotonic(), recorded(), cpu(engine), cpu(daemon.process.pid)
            sender = threading.Thread(target=flood, args=(loud, options.rate, options.seconds, sent))
            sender.start()
            rows = []
            while sender.is_alive() or len(rows) < options.seconds:
                time.sleep(1)
                tell(told)
                told += 1
                rows.append((time.monotonic() - before[0], sent[0], recorded() - before[1], rss(engine), rss(daemon.process.pid)))
                if options.verbose:
                    print("  %5.1f s  sent %8d  recorded %8d  plug-in %6d KiB  rsyslogd %7d KiB" % rows[-1], flush=True)
            used = cpu(engine) - before[2], cpu(daemon.process.pid) - before[3]
            delivered, acted = numbers(site.file("delivered")), numbers(site.file("told"))
            until(lambda: len(numbers(site.file("told"))) >= len(delivered), 5)
            acted = numbers(site.file("told"))
            waits = [a - d for d, a in zip(delivered, acted)]
            started = len(numbers(site.file("acted")))
            daemon.kill()  # its backlog is not of interest
        return rows, waits, len(delivered) - len(acted), started, used


def main():
    need_rsyslogd()
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--durable", type=int, default=15_000, help="lines a second that must be made durable")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    prefer()
    rows, waits, unheard, started, used = run(options)
    seconds, sent, recorded = rows[-1][:3]
    memory = [row[3] for row in rows[len(rows) // 4:]]
    print(f"rsyslog {version()}, {machine()}, {sent} lines sent in {seconds:.1f} s ({sent / seconds:.0f}/s)")
    print(f"CPU: plug-in {used[0]:.1f} s, rsyslogd {used[1]:.1f} s; rsyslogd's memory {rows[-1][4] >> 10} MB")
    results = [
        (f"the plug-in's memory is flat: {min(memory)} to {max(memory)} KiB after a quarter of the time", max(memory) <= min(memory) * 1.05),
        (f"the backlog is rsyslog's: {sent - recorded} lines", sent > recorded),
        (f"{recorded / seconds:.0f} state-changing lines a second durable, {options.durable} wanted", recorded / seconds >= options.durable),
        (f"{started} actions started, {BUDGET} allowed", started == BUDGET),
        (f"another host's {len(waits)} errors: delivered to acted on {max(waits, default=99):.3f} s at most, {unheard} not acted on",
         unheard == 0 and max(waits, default=99) <= 1),
    ]
    for text, good in results:
        print("pass" if good else "FAIL", text)
    return 0 if all(good for _, good in results) else 1


if __name__ == "__main__":
    sys.exit(main())
