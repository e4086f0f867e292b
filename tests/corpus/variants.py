#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""L35: every sample of the rules decodes alike, whoever collected the line.

    variants.py CORRELATOR RULES

Each sample of rules/ that is a bare kernel message is written the way dmesg, dmesg -T, journalctl, syslog daemons of
three decades, raw kmsg and console servers write it. Each variant must decode into the same events with the same
weight. Samples stand an hour apart, so that none of them meets another.
"""
import collections
import datetime
import json
import os
import subprocess
import sys
import tempfile
import tomllib

START = datetime.datetime(2026, 3, 1, 6, 0, 0, tzinfo=datetime.timezone.utc)
HOUR = 3600


def stamp(seconds):
    return START + datetime.timedelta(seconds=seconds)


def bsd(seconds):
    return stamp(seconds).strftime("%b %d %H:%M:%S").replace(" 0", "  ", 1) if stamp(seconds).day < 10 else stamp(seconds).strftime("%b %d %H:%M:%S")


def printk(seconds):
    return f"[{seconds + 100:5d}.000001]"


VARIANTS = {
    "rfc3339, as journalctl -o short-iso and rsyslog print": lambda s, m: f"{stamp(s).isoformat()} kvm1 kernel: {m}",
    "rfc3339 with printk time": lambda s, m: f"{stamp(s).isoformat()} kvm1 kernel: {printk(s)} {m}",
    "rfc3164": lambda s, m: f"{bsd(s)} kvm1 kernel: {m}",
    "rfc3164 with PRI": lambda s, m: f"<4>{bsd(s)} kvm1 kernel: {m}",
    "rfc3164 with printk time": lambda s, m: f"{bsd(s)} kvm1 kernel: {printk(s)} {m}",
    "rfc3164, month in lower case": lambda s, m: f"{bsd(s).lower()} kvm1 kernel: {m}",
    "rfc3164 with a process id": lambda s, m: f"{bsd(s)} kvm1 kernel[0]: {m}",
    "rfc5424": lambda s, m: f"<4>1 {stamp(s).strftime('%Y-%m-%dT%H:%M:%SZ')} kvm1 kernel - - - {m}",
    "dmesg": lambda s, m: f"{printk(s)} {m}",
    "dmesg with caller id": lambda s, m: f"{printk(s)}[  T{s % 97 + 1}] {m}",
    "console with CPU id": lambda s, m: f"{printk(s)}[    C{s % 7}] {m}",
    "dmesg -T": lambda s, m: f"[{stamp(s).strftime('%a %b %e %H:%M:%S %Y')}] {m}",
    "kmsg with level": lambda s, m: f"<4>{printk(s)} {m}",
    "console server": lambda s, m: f"[{stamp(s).strftime('%Y-%m-%d %H:%M:%S')}.352444]{printk(s)} {m}",
}


def samples(rules):
    """(event id, lines) of the samples that are kernel messages without a time of their own."""
    out = []
    for name in sorted(os.listdir(rules)):
        if not name.endswith(".toml"):
            continue
        with open(os.path.join(rules, name), "rb") as file:
            document = tomllib.load(file)
        for event in document.get("event", []):
            if event.get("from") != "kernel":
                continue
            for sample in event.get("sample", []):
                more = sample.get("more", [])
                lines = [sample["line"], *([more] if isinstance(more, str) else more)]
                if not sample.get("reject") and not any(line[:4].isdigit() or line[0] in " \t" for line in lines):
                    out.append((event["id"], lines))
    return out


def decoded(correlator, rules, text, directory, name):
    path = os.path.join(directory, "log")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    command = [correlator, "replay", "--rules", rules, "--events", "--json", "--no-progress", "--year", "2026", path]
    done = subprocess.run(command, capture_output=True, check=True)
    events = collections.Counter()
    for line in done.stdout.splitlines():
        document = json.loads(line)
        if document["type"] == "event" and "decoded_by" in document:
            number = document["line"]
            events[(number, document["decoded_by"], document["event"], document["severity"], document["weight"])] += 1
    return events


def main():
    correlator, rules = sys.argv[1:]
    chosen = samples(rules)
    red, reference = 0, None
    with tempfile.TemporaryDirectory() as directory:
        for name, form in VARIANTS.items():
            text = "".join(form(index * HOUR, line) + "\n" for index, (_, lines) in enumerate(chosen) for line in lines)
            events = decoded(correlator, rules, text, directory, name)
            if reference is None:
                reference, numbers, count = events, [], 1
                for event_id, lines in chosen:  # the reference itself: each sample gives its event
                    span = range(count, count + len(lines))
                    count += len(lines)
                    if not any(key[0] in span and key[1] == event_id for key in events):
                        red += 1
                        print(f"{name}: {event_id} does not come out of {lines[0]!r}")
                continue
            for key in sorted((reference - events) + (events - reference)):
                red += 1
                print(f"{name}: line {key[0]}: {'missing' if key in reference else 'new'}: {key[1:]}")
    print(f"{len(chosen)} samples, {len(VARIANTS)} ways to write them: {'all decode alike' if not red else f'{red} differences'}")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
