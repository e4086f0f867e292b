#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programme in real time, beside Debian's sec where it is installed: inputs that come and go, positions, options, signals,
users, sockets. Each scenario (scenarios_*.py) says what it must show; both programmes are asked.
  tests/sec/programme.py CORRELATOR [--only NAME]... [--list]
A scenario that differs says why, and Debian's sec is not asked."""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import scenarios_inputs  # noqa: E402,F401  beside this file
import scenarios_options  # noqa: E402,F401
import scenarios_outputs  # noqa: E402,F401
import scenarios_signals  # noqa: E402,F401
from engines import Engine, Gone, SCENARIOS, Skipped  # noqa: E402


def run_one(name, command, own):
    function, expected, _, _ = SCENARIOS[name]
    with tempfile.TemporaryDirectory() as directory:
        engine = Engine(command, own, pathlib.Path(directory).resolve())
        try:
            got = function(engine)
        except Skipped as why:
            print(f"{name}: skipped, {why}", flush=True)
            got = expected
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
