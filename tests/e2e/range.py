#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`replay --from --to` prints what a replay of the whole log (--whole) prints for that range, to the byte, however little it
reads: random archives of several hosts, random rules, ranges whose bounds stand on decisions and a second beside them.
  CORRELATOR=... tests/e2e/range.py [SEED...]"""
import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone

CORRELATOR = os.environ["CORRELATOR"]
START = datetime(2026, 1, 30, tzinfo=timezone.utc)  # the months change on the way
DAYS = 24
HEAD = """format = 1
[class.error]
key = ["host", "part"]
may = { n = "int" }
[class.answer]
key = ["host", "part"]
[class.derived]
key = ["host"]
[class.grouped]
key = ["host", "part"]
[class.recorded]
key = ["host", "part"]
[[event]]
id = "error"
class = "error"
match = 'an error of part (?P<part>\\w+) seen'
[[event]]
id = "answer"
class = "answer"
match = 'the answer of part (?P<part>\\w+) came'
"""
# name: what it is, and whether it can be proven that its past is over
RULES = {
    "counted": ('on = "error"\ncount = "3 in 2h"\n', True),
    "long": ('on = "error"\ncount = "8 in 2d"\nclear = { quiet_for = "1d" }\n', True),
    "at_once": ('on = "error"\ncount = { threshold = "4 in 6h", rearm = "at-once" }\n', True),
    "tumbling": ('on = "error"\ncount = { threshold = "3 in 1h", window = "tumbling" }\n', True),
    "cooled": ('on = "answer"\ncooldown = "5h"\n', True),
    "each": ('on = "answer"\n', True),
    "rate": ('on = "error"\nrate = { raise = "4 in 1h", clear = "2 in 3h" }\n', True),
    "distinct": ('on = "error"\nkey = ["host"]\ndistinct = "3 part in 4h"\n', True),
    "sequence": ('key = ["host", "part"]\nsequence = { within = "3h", steps = ["error", "answer"] }\n', True),
    "both": ('key = ["host"]\ngroup = { within = "2h", of = [{ on = "error", count = 2 }, { on = "answer", count = 2 }] }\n', True),
    "held": ('on = "error"\ncount = "3 in 1h"\nhold = "20m"\n', True),
    "ignored": ('on = "error"\ncount = "3 in 3h"\nignore = { on = "answer", before = "1m", after = "30m", same = ["host"] }\n', True),
    "delayed": ('on = "error"\ncount = "3 in 2h"\nclear = { lasts = "6h" }\n', True),
    "silent": ('key = ["host"]\nabsence = { of = ["error", "answer"], for = "9h" }\n', True),
    "waits": ('key = ["host", "part"]\nabsence = { after = "error", of = "answer", within = "2h" }\nclear = { quiet_for = "4h" }\n', True),
    "emits": ('on = "error"\ncount = "2 in 30m"\nemit = { class = "derived", fields = {} }\n', True),
    "derived": ('on = "derived"\ncount = "2 in 5h"\nkey = ["host"]\n', True),
    "asks": ('on = "answer"\nwhere = "not open(\'counted\', host, part)"\ncooldown = "1h"\n', True),
    "context": ('on = "error"\ncount = "2 in 20m"\nset = { name = "bad", key = ["host"], for = "3h" }\n', True),
    "in_context": ('on = "answer"\nwhere = "context(\'bad\', host)"\n', True),
    "streak": ('on = "error"\nstreak = 4\nbroken_by = "answer"\n', False),
    "answered": ('on = "error"\ncount = "3 in 2h"\nclear = { event = "answer" }\n', False),
    "by_hand": ('on = "error"\ncount = "5 in 2h"\nclear = "manual"\n', False),
    "clock": ('schedule = "30 6 * * *"\n', True),
}
NEEDS = {"derived": "emits", "asks": "counted", "in_context": "context"}


def rules(rnd):
    chosen = set(rnd.sample([name for name, (_, proven) in RULES.items() if proven], rnd.randint(1, 4)))
    if rnd.random() < 0.15:
        chosen.add(rnd.choice([name for name, (_, proven) in RULES.items() if not proven]))
    chosen |= {NEEDS[name] for name in chosen if name in NEEDS}
    text = HEAD
    for name in sorted(chosen):
        text += f'[[rule]]\nid = "{name}"\n{RULES[name][0]}'
    return text, sorted(chosen)


class Archive:
    """Files of some hosts, each in order up to the bound, most of it noise."""

    def __init__(self, rnd, where):
        self.rnd, self.where = rnd, where
        self.names = []
        self.shapes = []
        for host in range(rnd.randint(1, 3)):
            self.host(f"h{host}")

    def host(self, host):
        rnd = self.rnd
        yearless = rnd.random() < 0.4
        disorder = rnd.choice([0, 0, 2, 50 * 60])
        step = rnd.randint(40, 90)
        lines = []
        at = START
        busy = 0  # seconds that the errors of a burst go on
        quiet = rnd.choice([20_000, 60_000, 200_000])
        wait = rnd.randint(0, quiet)
        while at < START + timedelta(days=DAYS):
            at += timedelta(seconds=rnd.randint(1, 2 * step))
            wait -= step
            if wait <= 0 and busy <= 0:
                busy, wait = rnd.choice([600, 3600, 30_000]), rnd.randint(0, quiet)
            busy -= step
            stamp = at - timedelta(seconds=rnd.randint(0, disorder)) if disorder and rnd.random() < 0.2 else at
            part = f"P{rnd.randint(1, 3)}"
            if busy > 0 and rnd.random() < 0.5:
                text = rnd.choice([f"an error of part {part} seen", f"an error of part {part} seen", f"the answer of part {part} came",
                                   f"message repeated {rnd.randint(2, 3)} times: [ an error of part {part} seen]", "last message repeated 2 times"])
            else:
                text = "nothing of note happened to the unit " + "x" * rnd.randint(40, 220)
            if rnd.random() < 0.01:
                lines.append(text)  # undated
            elif yearless:
                lines.append(f"{stamp.strftime('%b')} {stamp.day:2d} {stamp.strftime('%H:%M:%S')} {host} unit: {text}")
            else:
                lines.append(f"{stamp.strftime('%Y-%m-%dT%H:%M:%SZ')} {host} unit: {text}")
        shape = rnd.choice(["plain", "plain", "jump", "rotated", "rotated-gz"])
        self.shapes.append(shape)
        if shape == "jump":  # the clock was set back, and what follows is written again
            a, b = sorted(rnd.sample(range(len(lines)), 2))
            lines = lines[:b] + lines[a:]
        base = self.where / f"{host}.log"
        self.names.append(base)
        parts = 1 if shape in ("plain", "jump") else rnd.randint(2, 5)
        size = len(lines) // parts + 1
        for i in range(parts):
            number = parts - 1 - i
            path = base if number == 0 else pathlib.Path(f"{base}.{number}")
            data = "".join(line + "\n" for line in lines[i * size:(i + 1) * size]).encode()
            if number > 0 and shape == "rotated-gz":
                path = pathlib.Path(f"{path}.gz")
                data = gzip.compress(data, 1)
            path.write_bytes(data)
            end = START + timedelta(days=DAYS * (i + 1) / parts, hours=1)
            os.utime(path, (end.timestamp(), end.timestamp()))


def replay(directory, *options):
    done = subprocess.run([CORRELATOR, "replay", "--no-progress", "--rules", "rules.toml", "--json", *options, "logs"], cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return lines[:-1], json.loads(lines[-1]), done.stderr


def time_of(line):
    return datetime.fromisoformat(json.loads(line)["time"].replace("Z", "+00:00"))


def one(seed):
    rnd = random.Random(seed)
    directory = pathlib.Path(tempfile.mkdtemp())
    try:
        (directory / "logs").mkdir()
        text, chosen = rules(rnd)
        (directory / "rules.toml").write_text(text)
        archive = Archive(rnd, directory / "logs")
        whole, _, _ = replay(directory, "--whole")
        times = [time_of(line) for line in whole]
        some = [t for t in times if t > START + timedelta(days=8)] or [START + timedelta(days=16)]
        skipped = doubted = 0
        for _ in range(3):
            a = rnd.choice(some) + timedelta(seconds=rnd.choice([-1, 0, 1, 0.5]))
            b = rnd.choice([t for t in some if t >= a] or [a]) + timedelta(seconds=rnd.choice([-1, 0, 1]))
            options = []
            if rnd.random() < 0.9:
                options += ["--from", a.isoformat().replace("+00:00", "Z")]
            if rnd.random() < 0.6:
                options += ["--to", max(a, b).isoformat().replace("+00:00", "Z")]
            if rnd.random() < 0.5:
                options += ["--events"]
            options += ["--threads", str(rnd.randint(1, 3))]
            expected, _, _ = replay(directory, "--whole", *options)
            got, summary, said = replay(directory, *options)
            if expected != got:
                keep = pathlib.Path(tempfile.mkdtemp(prefix=f"range-{seed}-"))
                shutil.copytree(directory, keep, dirs_exist_ok=True)
                differ = [line for line in expected if line not in got][:2] + ["---"] + [line for line in got if line not in expected][:2]
                return f"seed {seed}: {' '.join(options)} differs; rules {chosen}, archives {archive.shapes}; see {keep}\n" + said + "\n".join(differ)
            skipped += summary["bytes_not_read"] > 0
            doubted += "depends on it" in said
        one.skipped += skipped
        one.doubted += doubted
        return None
    finally:
        shutil.rmtree(directory)


def main():
    one.skipped = one.doubted = 0
    first = int(os.environ.get("CORRELATOR_SEED", random.SystemRandom().randrange(1 << 30)))
    seeds = [int(seed) for seed in sys.argv[1:]] or range(first, first + int(os.environ.get("RANGES", "12")))
    for seed in seeds:
        problem = one(seed)
        if problem:
            print(problem, f"\nrepeat: tests/e2e/range.py {seed}", file=sys.stderr)
            return 1
    print(f"seeds from {seeds[0]}: {len(seeds)} archives of 3 ranges each, {one.skipped} ranges read in part, {one.doubted} in doubt and read whole")
    if len(seeds) > 5 and (one.skipped == 0 or one.doubted == 0):
        print("nothing was read in part, or nothing was in doubt: the test has lost its subject", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
