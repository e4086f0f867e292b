#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU seconds of the plug-in against those of the rsyslogd that feeds it as fast as it goes, in the same run, with the shipped rules and few,
some and all lines matching. By TCP, and through the log socket, where rsyslogd notes who wrote and each line has a path in it.

cpu.py [--lines N] [--shares 0.005,0.14,1]
"""
import argparse
import os
import socket
import sqlite3
import subprocess
import sys
import time

from live_site import BUILD, SOURCE, Site, cpu, machine, prefer, plug_in_of, rss, until
import harness
from harness import Rsyslogd, need_rsyslogd, shipped, version

SENTINEL = "sentinel-of-the-run"
LAST = f"kernel: EDAC MC0: 1 CE memory read error on {SENTINEL} (channel:0 slot:0 page:0x0 offset:0x0 grain:32 syndrome:0x0)"
KERN, USER = "<4>", "<30>"


def traffic(lines, share):
    """Lines of a generated site with the priority in front; of what the log socket takes without time and host."""
    made = subprocess.run([os.path.join(BUILD, "bench", "bench_generate"), "--format", "iso", "--errors", str(share),
                           "--bytes", str(lines * 230)], capture_output=True, check=True).stdout.decode().splitlines()[:lines]
    return [(KERN if " kernel: " in line else USER) + line for line in made]


def came(state):
    """Whether the last line that was sent is in the intake. It need not be the last there: lines that wait on disk are passed."""
    try:
        db = sqlite3.connect(f"file:{state}/engine.db?mode=ro", uri=True)
        found = db.execute("SELECT (SELECT count(*) FROM intake WHERE kind = 1 AND instr(frame, ?1) > 0) + (SELECT count(*) FROM intake_block WHERE instr(bytes, ?1) > 0)",
                           (SENTINEL.encode(),)).fetchone()[0]
        db.close()
    except sqlite3.Error:
        return False
    return found > 0


def tcp(daemon, port, lines):
    harness.wait_for_port(port)
    with socket.create_connection(("127.0.0.1", port)) as out:
        out.sendall(("\n".join(lines) + "\n").encode())


def unix(daemon, port, lines):
    del port
    # What syslog(3) writes: no host, and a time of the old form.
    daemon.send(line.split(">", 1)[0] + ">Jan  1 00:00:00 " + line.split(" ", 2)[2] for line in lines)


def run(share, lines, way):
    with Site("") as site:
        rules = site.write("site.toml", 'format = 1\n[input]\ntrusted = ["measured"]\n')
        port = harness.free_port()
        plug_in = site.plug_in(rules=f"{os.path.join(SOURCE, 'rules')} --rules {rules}")
        conf = shipped("60-correlator.conf", plug_in, site, interval="3600")
        modules = f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1" name="measured")'
        with Rsyslogd(site, conf, modules=modules, control=False) as daemon:
            prefer(daemon.process.pid)
            daemon.send(["<30>app: hello"])
            assert until(lambda: plug_in_of(daemon), 20, 0.01), open(site.file("engine.log"), encoding="utf-8").read()
            pid = plug_in_of(daemon)
            until(lambda: os.path.exists(os.path.join(site.state, "engine.sock")), 20, 0.01)
            begin = cpu(daemon.process.pid), cpu(pid)
            last = [f"{KERN}2026-01-01T23:00:00Z kvm001 {LAST}"]
            way(daemon, port, lines + last)
            used = lambda: (cpu(daemon.process.pid), cpu(pid))
            before = used()
            while sum(used()) - sum(before) > 0.03 or not came(site.state):
                before = used()
                time.sleep(1.5)
            return used()[0] - begin[0], used()[1] - begin[1], rss(pid)


def main():
    need_rsyslogd()
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=150_000)
    parser.add_argument("--shares", default="0.005,0.14,1")
    parser.add_argument("--ways", default="tcp,unix")
    options = parser.parse_args()
    prefer()
    print(f"rsyslog {version()}, {options.lines} lines, {machine()}; CPU seconds\n")
    print("| input | matching | rsyslogd | plug-in | plug-in / rsyslogd | µs a line, rsyslogd and plug-in | plug-in's memory |\n| --- | --- | --- | --- | --- | --- | --- |")
    low = []
    for name in options.ways.split(","):
        for share in options.shares.split(","):
            lines = traffic(options.lines, float(share))
            theirs, ours, memory = run(float(share), lines, {"tcp": tcp, "unix": unix}[name])
            print(f"| {name} | {float(share):.1%} | {theirs:.2f} | {ours:.2f} | {ours / max(theirs, 0.01):.2f} | "
                  f"{theirs / len(lines) * 1e6:.1f}, {ours / len(lines) * 1e6:.1f} | {memory >> 10} MB |", flush=True)
            if float(share) <= 0.005:
                low.append(ours < theirs)
    print("reached" if all(low) else "NOT reached", "at 0.5 % less than rsyslogd")
    return 0 if all(low) else 1


if __name__ == "__main__":
    sys.exit(main())
