#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""More matching lines of one host than anybody can take, through a real rsyslogd with the shipped configuration: memory stays as it is, the
backlog waits in rsyslog's queue, lines are made durable, the budget holds, and another host's error is decided and acted on soon
after it was delivered. The rates stand beside those of a plug-in that does nothing, in the same run.

overload.py [--rate N] [--seconds N] [--burst N] [--durable N]
"""
import argparse
import os
import socket
import sqlite3
import sys
import threading
import time

from live_site import BUILD, FIRST_INSTRUCTION, Site, cpu, machine, prefer, children, rss, until
import harness
from harness import TAP, Rsyslogd, need_rsyslogd, shipped, version

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
        return self.db.execute("SELECT max(coalesce((SELECT max(seq) FROM intake), 0), coalesce((SELECT max(last) FROM intake_block), 0))").fetchone()[0]


def flood(out, rate, seconds, sent):
    """`rate` lines a second, in pieces of 10 ms; what cannot be sent in time is sent as soon as it can. Another host sends them where this
    happens, so that they must cost little here: a thousand lines are made once a second."""
    begin, number, made = time.monotonic(), 0, None
    while (now := time.monotonic() - begin) < seconds:
        wanted = int(now * rate)
        if wanted > number:
            if made != stamp():
                made = stamp()
                lines = [f"<14>{made} loud app[1]: EDAC MC0: 1 CE memory read error on D{i & 7} (n={i})\n".encode() for i in range(1000)]
            while number < wanted:
                some = lines[:wanted - number]
                out.sendall(b"".join(some))
                number += len(some)
            sent[0] = number
        time.sleep(0.005)


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def configuration(plug_in, site):
    port = harness.free_port()
    modules = f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")'
    return shipped("60-correlator.conf", plug_in, site, interval="3600"), modules, port


def isolation(options):
    """The flood, and once a second a line of another host: a relay before the plug-in notes when it was handed over."""
    with Site("", [FIRST_INSTRUCTION]) as site:
        site.write("rules.toml", RULES.replace("WORK", site.work).replace("BUDGET", str(BUDGET)))
        site.dispatcher()
        relay = os.path.join(BUILD, "tests", "live", "omprog_relay")
        conf, modules, port = configuration(f"{relay} {site.file('delivered')} quiet {site.plug_in()}", site)
        with Rsyslogd(site, conf, modules=modules, control=False) as daemon:
            prefer(daemon.process.pid)
            harness.wait_for_port(port)
            loud, quiet = (socket.create_connection(("127.0.0.1", port)) for _ in range(2))
            tell = lambda i: quiet.sendall(f"<14>{stamp()} quiet app[1]: EDAC MC0: 1 CE error on Q{i} (x)\n".encode())
            tell(0)
            assert until(lambda: len(numbers(site.file("told"))) == 1, 20), "the first line was not acted on"
            shell = children(daemon.process.pid)[0]  # exec made it the relay
            engine = children(shell)[0]
            recorded, sent, told, memory = Recorded(site.state), [0], 1, []
            sender = threading.Thread(target=flood, args=(loud, options.rate, options.seconds, sent))
            sender.start()
            while sender.is_alive() or len(memory) < options.seconds:
                time.sleep(1)
                tell(told)
                told += 1
                memory.append(rss(engine))
            count = recorded()
            delivered = numbers(site.file("delivered"))
            until(lambda: len(numbers(site.file("told"))) >= len(delivered), 5)
            acted = numbers(site.file("told"))
            waits = [a - d for d, a in zip(delivered, acted)]
            started = len(numbers(site.file("acted")))
            daemon.kill()  # its backlog is not of interest
        late = memory[len(memory) // 4:]
        return [
            (f"the plug-in's memory is flat: {min(late)} to {max(late)} KiB after a quarter of the time", max(late) <= min(late) * 1.05),
            (f"the backlog is rsyslog's: {sent[0] - count} lines", sent[0] > count),
            (f"{started} actions started, {BUDGET} allowed", started == BUDGET),
            (f"another host's {len(waits)} errors: delivered to acted on {max(waits, default=99):.3f} s at most, {len(delivered) - len(acted)} not acted on",
             len(delivered) == len(acted) and max(waits, default=99) <= 1),
        ]


def tapped(path):
    """Lines that a plug-in which only says OK was given: it keeps them, one a line."""
    def count():
        with open(path, "rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    return count


def rate(options, engine):
    """Lines a second made durable while the flood lasts, and of a burst that rsyslog's queue holds in memory; with `engine` False of a
    plug-in that writes each line to a file and says OK: what rsyslogd itself can hand over here."""
    with Site("", [FIRST_INSTRUCTION]) as site:
        site.write("rules.toml", RULES.replace("WORK", site.work).replace("BUDGET", str(BUDGET)))
        log = site.file("tap")
        conf, modules, port = configuration(site.plug_in() if engine else f"{TAP} {log}", site)
        with Rsyslogd(site, conf, modules=modules, control=False) as daemon:
            prefer(daemon.process.pid)
            harness.wait_for_port(port)
            loud = socket.create_connection(("127.0.0.1", port))
            loud.sendall(f"<14>{stamp()} quiet app[1]: EDAC MC0: 1 CE error on Q0 (x)\n".encode())
            ready = lambda: os.path.exists(os.path.join(site.state, "engine.db")) if engine else os.path.exists(log)
            assert until(lambda: ready() and children(daemon.process.pid), 20), "the plug-in did not start"
            time.sleep(1)
            recorded = Recorded(site.state) if engine else tapped(log)
            before, begin = recorded(), time.monotonic()
            loud.sendall("".join(f"<14>{stamp()} loud app[1]: EDAC MC0: 1 CE memory read error on D{i & 7} (n={i})\n" for i in range(options.burst)).encode())
            assert until(lambda: recorded() - before >= options.burst, 60, 0.05), f"{recorded() - before} of the burst's {options.burst}"
            burst = options.burst / (time.monotonic() - begin)
            plug_in = children(daemon.process.pid)[0]
            before, begin, used = recorded(), time.monotonic(), (cpu(plug_in), cpu(daemon.process.pid))
            sent = [0]
            flood(loud, options.rate, options.seconds, sent)
            seconds = time.monotonic() - begin
            flooded = (recorded() - before) / seconds
            used = cpu(plug_in) - used[0], cpu(daemon.process.pid) - used[1]
            daemon.kill()
        name = "correlator" if engine else "a plug-in that only says OK"
        print(f"{name}: {burst:.0f}/s of a burst, {flooded:.0f}/s in a flood of {sent[0] / seconds:.0f}/s; CPU in the flood {used[0]:.1f} s, rsyslogd {used[1]:.1f} s of {seconds * os.cpu_count():.0f}", flush=True)
        return burst, flooded


def main():
    need_rsyslogd()
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--burst", type=int, default=90_000, help="lines at once, below the queue's high watermark")
    parser.add_argument("--durable", type=int, default=15_000, help="lines a second that must be made durable")
    options = parser.parse_args()
    prefer()
    print(f"rsyslog {version()}, {machine()}", flush=True)
    ours = rate(options, True)
    control = rate(options, False)
    results = [(f"{own:.0f} state-changing lines a second durable in a {name}, {options.durable} wanted; {own / most:.2f} of what rsyslogd hands over", own >= options.durable)
               for name, own, most in zip(("burst", "flood"), ours, control)]
    results += isolation(options)
    for text, good in results:
        print("pass" if good else "FAIL", text)
    return 0 if all(good for _, good in results) else 1


if __name__ == "__main__":
    sys.exit(main())
