#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines a second and latency through each shipped configuration, with a plug-in that only says OK: the table in rsyslog.d/README.md.

rate.py [LINES [RUNS]]     default 200000 lines, 3 runs; the median is printed, with the lowest and the highest
"""
import os
import socket
import statistics
import sys
import time

import harness
from harness import TAP, Rsyslogd, Scratch, TapLog, need_rsyslogd, shipped, version, wait_until
from identity import settled
from variants import client, make_certificates, say_goodbye, with_files_in

LINES = 200000
CE = ("EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x{:x} offset:0x680 "
      "grain:32 syndrome:0x0)")


def text(count, host="h", facility=13):
    return "".join(f"<{facility}>2026-01-01T00:00:00.5Z {host} app[1]: {CE.format(i)}\n" for i in range(count)).encode()


def counted(log):
    """(seconds, CPU seconds of the plug-in) as the tap wrote them at its last line, or None."""
    for _, line in log.entries():
        words = line.split()
        if len(words) == 3 and words[0].isdigit():
            return float(words[1]), float(words[2])
    return None


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(name, lines, connect=None, conf=lambda text: text, kernel_lines=False):
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        port, other = harness.free_port(), harness.free_port()
        drop_in = conf(shipped(name, f"{TAP} {log.path} --count {lines}", scratch, interval="3600"))
        modules = f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")'
        if connect:
            make_certificates(scratch)
            drop_in = with_files_in(scratch, drop_in).replace('"6514"', f'"{port}"').replace('"6515"', f'"{other}"')
            modules = ""
        if kernel_lines:  # through a FIFO in place of /proc/kmsg
            ring = scratch.file("ring")
            os.mkfifo(ring)
            keep_open = os.open(ring, os.O_RDWR)
            modules = f'module(load="imklog" LogPath="{ring}")'
        with Rsyslogd(scratch, drop_in, modules=modules, control=False) as daemon:
            if kernel_lines:
                for i in range(lines):
                    os.write(keep_open, f"<4>[   12.345678] {CE.format(i)}\n".encode())
            else:
                harness.wait_for_port(port)
                with socket.create_connection(("127.0.0.1", port)) as plain:
                    stream = client(scratch, "host").wrap_socket(plain, server_hostname="relay.example.org") if connect else plain
                    stream.sendall(text(lines))
                    if connect:
                        say_goodbye(stream)
            wait_until("all lines: none is lost", lambda: counted(log) is not None, 120)
            used = cpu(daemon.process.pid)
        seconds, plug_in = counted(log)
        return lines / seconds, used, plug_in


def latency(name, count=1000, pause=0.002):
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        with Rsyslogd(scratch, shipped(name, f"{TAP} {log.path} --latency", scratch, interval="3600"), control=False) as daemon:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.connect(daemon.socket_path)
                for i in range(count):
                    out.send(f"<14>app[1]: T{time.time_ns()} {CE.format(i)}".encode())
                    time.sleep(pause)
            wait_until("all", lambda: len([1 for _, x in log.entries() if x.isdigit()]) >= count)
        values = sorted(int(x) for _, x in log.entries() if x.isdigit())
        return values[len(values) // 2], values[len(values) * 99 // 100], values[-1]


def thousands(rate):
    return f"{rate / 1000:.0f} k" if rate >= 10000 else f"{rate / 1000:.1f} k" if rate >= 1000 else f"{rate:.0f}"


def burst(lines, size, high, low):
    """Lines that come as fast as they can while the plug-in does not answer: how many the queue keeps, and rsyslogd's memory."""
    with Scratch() as scratch:
        log = TapLog(scratch.file("tap"))
        hold, port = scratch.write("hold", ""), harness.free_port()
        conf = shipped("60-correlator.conf", f"{TAP} {log.path} --hold-at 1 {hold}", scratch, interval="3600",
                       confirmTimeout="600000", queue__size=size, queue__highWatermark=high, queue__lowWatermark=low)
        modules = f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")'
        with Rsyslogd(scratch, conf, modules=modules) as daemon:
            harness.wait_for_port(port)
            begin = time.monotonic()
            with socket.create_connection(("127.0.0.1", port)) as out:
                out.sendall(text(lines))
            wait_until("the other file", lambda: len(daemon.control_lines()) >= lines, 120)
            seconds = time.monotonic() - begin
            with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
                memory = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
            os.unlink(hold)
            settled(log, 2.0)
            kept = len(log.messages())
            daemon.kill()
    print(f"| {size} / {high} | {lines} in {seconds:.1f} s | {lines - kept} | {memory >> 10} MB |", flush=True)


def row(label, name, lines, runs, **options):
    results = [run(name, lines, **options) for _ in range(runs)]
    rates = [rate for rate, _, _ in results]
    used = statistics.median(used for _, used, _ in results)
    plug_in = statistics.median(p for _, _, p in results)
    print(f"| {label} | {thousands(statistics.median(rates))} ({thousands(min(rates))}–{thousands(max(rates))}) "
          f"| {used / lines * 1e6:.1f} µs | {plug_in / lines * 1e6:.1f} µs |", flush=True)


def main():
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(f"rsyslog {version()}, {lines} lines, {runs} runs, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}.\n")
    print("| configuration | lines/s | rsyslogd's CPU a line | plug-in's |\n| --- | --- | --- | --- |")
    row("60-correlator.conf, imtcp", "60-correlator.conf", lines, runs)
    row("60-correlator-kernel, imklog", "60-correlator-kernel.conf.example", lines // 10, runs, kernel_lines=True)
    slow = max(lines // 10, 1000)
    row("60-correlator-disk", "60-correlator-disk.conf.example", slow, runs)
    row("60-correlator-disk, checkpointInterval 100", "60-correlator-disk.conf.example", lines // 4, runs,
        conf=lambda t: t.replace('queue.checkpointInterval="1"', 'queue.checkpointInterval="100"'))
    row("60-correlator-disk, syncQueueFiles", "60-correlator-disk.conf.example", max(slow // 20, 500), runs,
        conf=lambda t: t.replace('queue.syncQueueFiles="off"', 'queue.syncQueueFiles="on"'))
    row("60-correlator-relay-tcp, TLS", "60-correlator-relay-tcp.conf.example", slow, runs, connect=True)
    print("\n| queue.size / highWatermark | burst, nothing answered | dropped | rsyslogd's memory |\n| --- | --- | --- | --- |")
    for size, high, low in ((50000, 25000, 5000), (200000, 100000, 20000)):
        burst(150000, size, high, low)
    print("\n| latency, log socket to plug-in | p50 | p99 | max |\n| --- | --- | --- | --- |")
    for name in ("60-correlator.conf", "60-correlator-disk.conf.example"):
        p50, p99, most = latency(name)
        print(f"| {name} | {p50} µs | {p99} µs | {most} µs |", flush=True)


if __name__ == "__main__":
    need_rsyslogd()
    main()
