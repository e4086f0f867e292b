#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""State-changing lines a second through omprog's protocol with --durability strict, beside what fdatasync makes of the same file system:
rounds of both in turn, since what a disk gives changes from one moment to the next.

strict.py [--lines N] [--rounds N] [--where DIRECTORY]
"""
import argparse
import os
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build/release"))
BLOCK, FILE = 4096, 4 << 20


def syncs(where, count):
    """fdatasync a second: blocks written over in place, in a file as large as the write-ahead log is kept."""
    name = os.path.join(where, "blocks")
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(fd, os.urandom(FILE), 0)
        os.fsync(fd)
        block = os.urandom(BLOCK)
        begin = time.monotonic()
        for i in range(count):
            os.pwrite(fd, block, i * BLOCK % FILE)
            os.fdatasync(fd)
        return count / (time.monotonic() - begin)
    finally:
        os.close(fd)
        os.unlink(name)


def lines(where, count, number):
    """Lines a second, and milliseconds from a line to its OK (p50, p99), all of them matching, as omprog's peer sees them answered; the second half, when
    the log has its size."""
    state = os.path.join(where, f"state{number}")
    feeder = [f"{BUILD}/bench/omprog_feeder", str(count), "1000", str(count // 2), f"{BUILD}/correlator/cli/correlator", "run", "--omprog", "--greeted",
              "--user", "root", "--rules", os.path.join(ROOT, "rules"), "--durability", "strict", "--state", state, "--ledger", state + "-ledger"]
    with open(os.path.join(where, "log"), "w", encoding="utf-8") as log:
        said = subprocess.run(feeder, stdout=subprocess.PIPE, stderr=log, check=True, text=True)
    row = said.stdout.splitlines()[-1].split()
    return float(row[2]), float(row[5]), float(row[6])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--where", default="/var/tmp", help="a directory on the file system to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="correlator-strict-", dir=options.where) as where:
        kind = subprocess.run(["stat", "-f", "-c", "%T", where], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
        print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {kind}")
        print(f"{'round':>5} {'fdatasync/s':>12} {'lines/s':>9} {'lines for a sync':>17} {'p50 ms':>8} {'p99 ms':>8}")
        for number in range(1, options.rounds + 1):
            disk = syncs(where, options.lines // 2)
            rate, p50, p99 = lines(where, options.lines, number)
            print(f"{number:5d} {disk:12.0f} {rate:9.0f} {rate / disk:17.2f} {p50:8.3f} {p99:8.3f}", flush=True)


if __name__ == "__main__":
    main()
