#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What holds for every rule of the pack that ships:
  - each pattern has a literal, so that the whole pack reads archives at full speed (no W001);
  - each event has a sample that it decodes and one that it must not;
  - each rule has a test in which it decides and one in which it must not;
  - each threshold is a named setting with a comment that says where it comes from, and a step to either side of it, in number or in
    time, breaks a test of the pack: the boundary is tested, not only the far side of it.

pack.py CORRELATOR RULES
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
THRESHOLD = re.compile(r"^(?:(\d+) (?:(\w+) )?in )?(\d+)([smhd])$")
failed = 0


def check(what, holds, told=""):
    global failed
    if not holds:
        print(f"FAILED: {what}" + (f" ({told})" if told else ""))
        failed += 1


def run(correlator, directory):
    return subprocess.run([correlator, "check", directory], capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})


def tables(directory):
    for path in sorted(glob.glob(os.path.join(directory, "*.toml"))):
        with open(path, "rb") as file:
            yield path, tomllib.load(file)


def steps(value):
    """The same threshold, one step further in each direction."""
    number, what, length, unit = THRESHOLD.match(value).groups()
    milliseconds = int(length) * UNITS[unit]
    shorter, longer = f"{milliseconds - 1000}ms", f"{milliseconds + 1000}ms"
    if number is None:
        return [shorter, longer]
    kind = f"{what} " if what else ""
    more = [f"{n} {kind}in {length}{unit}" for n in (int(number) - 1, int(number) + 1) if n > 0]
    return more + [f"{number} {kind}in {time}" for time in (shorter, longer)]


def cited(path, name):
    """The comment above a setting, which may be of several settings."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    at = next(i for i, line in enumerate(lines) if re.match(rf"{re.escape(name)}\s*=", line))
    while at > 0 and re.match(r"\w+\s*=", lines[at]):
        at -= 1
    return lines[at].startswith("#")


def boundaries(correlator, directory):
    changed = 0
    for path, table in tables(directory):
        for name, value in table.get("settings", {}).items():
            if not isinstance(value, str) or not THRESHOLD.match(value):
                continue
            check(f"setting {name} says where it comes from", cited(path, name))
            for other in steps(value):
                with tempfile.TemporaryDirectory() as scratch:
                    copy = os.path.join(scratch, "rules")
                    shutil.copytree(directory, copy)
                    target = os.path.join(copy, os.path.basename(path))
                    with open(target, encoding="utf-8") as file:
                        text = file.read()
                    text, count = re.subn(rf'(?m)^({re.escape(name)}\s*=\s*)"{re.escape(value)}"', rf'\g<1>"{other}"', text)
                    assert count == 1, name
                    with open(target, "w", encoding="utf-8") as file:
                        file.write(text)
                    changed += 1
                    check(f"a test notices {name} = \"{other}\" instead of \"{value}\"", run(correlator, copy).returncode != 0)
    return changed


def main():
    correlator, directory = sys.argv[1:]
    said = run(correlator, directory)
    check("the pack is good", said.returncode == 0, said.stderr)
    check("no pattern without a literal", "[W001]" not in said.stdout + said.stderr, said.stderr)
    rules = events = 0
    for path, table in tables(directory):
        for event in table.get("event", []):
            events += 1
            rejected = [sample.get("reject", False) for sample in event.get("sample", [])]
            check(f"{event['id']} has a sample that it decodes", False in rejected)
            check(f"{event['id']} has a sample that it must not decode", True in rejected)
        for rule in table.get("rule", []):
            rules += 1
            expected = [test["expect"] for test in rule.get("test", []) if "expect" in test]
            check(f"{rule['id']} has a test in which it decides", any(expected))
            check(f"{rule['id']} has a test in which it must not", [] in expected)
    changed = boundaries(correlator, directory)
    check("there are events, rules and thresholds", events > 100 and rules > 60 and changed > 60, (events, rules, changed))
    print(f"{events} events, {rules} rules, {changed} thresholds moved by a step; {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
