#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores rules/ on a corpus of published logs with labels.

    score.py CORRELATOR [--rules DIR] [--corpus DIR] [--verbose] [--doc PAGE [--write]]

The corpus is not part of the project (its lines belong to those who published them); without it the test is skipped
(exit 77). Each file is replayed by itself with `correlator replay --events --json`, as a reader who knows no class of
ours: the weights of the events that stand on the lines of one physical error are added up.

labels.csv: file, line_number, severity, count, role (event, dup, detail, action, notice), event_id, alt, flag.
negatives.csv: lines with a tempting word that must not count. expected.csv: what to do; actions.csv (here) says what
that means in our actions.
"""
import argparse
import collections
import csv
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BOUNDS = {"found": 0.97, "exact count": 0.95, "severity": 0.97}
FLAGGED = {"spurious", "stale", "guest", "not-hardware"}
DRAIN = {"migrate-guests", "migrate-others", "crm-standby"}
DESTRUCTIVE = DRAIN | {"offline-page", "offline-cpu", "virsh-suspend", "quiesce-guest"}


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


class Corpus:
    def __init__(self, root):
        self.root = root
        self.lines = collections.defaultdict(dict)  # file -> line number -> label
        self.errors = collections.defaultdict(dict)  # file -> event_id -> labels of its lines
        for row in rows(os.path.join(root, "labels.csv")):
            self.lines[row["file"]][int(row["line_number"])] = row
            if not row["event_id"].endswith("#0"):  # lines of no error
                self.errors[row["file"]].setdefault(row["event_id"], []).append(row)
        self.negatives = collections.defaultdict(dict)
        for row in rows(os.path.join(root, "negatives.csv")):
            self.negatives[row["file"]][int(row["line_number"])] = row["why_it_must_not_count"]
        self.files = sorted(name for name in os.listdir(root) if name.endswith(".log"))
        self.expected = {row["file"]: row for row in rows(os.path.join(root, "expected.csv"))}


def replay(correlator, rules, path):
    # Dates without a year get one from the file's age otherwise.
    command = [correlator, "replay", "--rules", rules, "--events", "--json", "--no-progress", path]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{path}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    return ([d for d in documents if d["type"] == "event"], [d for d in documents if d["type"] == "decision"])


def severity_is_right(labels, counted):
    """corrected and fatal are exact; uncorrected and recoverable are one; what the label does not know is not asked."""
    first = next(row for row in labels if row["role"] == "event")
    wanted, got = first["severity"], {event["severity"] for event in counted}
    if not got or wanted == "unknown":
        return bool(got)
    right = {wanted}
    if wanted in ("uncorrected", "recoverable"):
        right = {"uncorrected", "recoverable"}
    if wanted == "deferred" and any("printed=UE" in row["alt"] for row in labels):
        right = {"deferred", "uncorrected"}  # the text says UE
    return bool(got & right)


def count_is_right(labels, have):
    counted = [row for row in labels if row["role"] == "event"]
    want = sum(int(row["count"]) for row in counted)
    multiple = sum("multiple=1" in row["alt"] for row in counted)  # "Multiple": at least two
    return want <= have <= want + multiple


class Score:
    def __init__(self):
        self.total = self.found = self.exact = self.severity = 0
        self.negative = self.unlabelled = self.flagged = self.actions_right = self.actions = 0
        self.problems = []

    def file(self, corpus, name, events, decisions):
        labels = corpus.lines[name]
        counted = collections.defaultdict(list)
        for event in events:
            if event["weight"] == 0:
                continue
            group = next((labels[n]["event_id"] for n in event["lines"] if n in labels), None)
            self.strays(corpus, name, event, group)
            if group is not None:
                counted[group].append(event)
        for event_id, lines in corpus.errors[name].items():
            if any(row["role"] == "event" for row in lines):
                self.error(event_id, lines, counted[event_id])
        self.decisions(name, labels, decisions)

    def strays(self, corpus, name, event, group):
        what = f"as {event['event']} ({event['severity']}, {event['decoded_by']})"
        for number in event["lines"]:
            if number in corpus.negatives[name]:
                self.negative += 1
                self.problems.append(f"{name}:{number}: counted {what}: {corpus.negatives[name][number]}")
        if group is None or group.endswith("#0"):
            self.unlabelled += 1
            self.problems.append(f"{name}:{event['line']}: of no error, counted {what}")

    def error(self, event_id, lines, counted):
        have = sum(event["weight"] for event in counted)
        exact, severity = count_is_right(lines, have), severity_is_right(lines, counted)
        self.total += 1
        self.found += bool(counted)
        self.exact += exact
        self.severity += severity
        if not (counted and exact and severity):
            want = [(row["count"], row["severity"], row["component_key"]) for row in lines if row["role"] == "event"]
            got = [(event["weight"], event["severity"], event["decoded_by"]) for event in counted]
            self.problems.append(f"{event_id}: lines {lines[0]['line_number']}..{lines[-1]['line_number']}: want {want}, got {got}")

    def decisions(self, name, labels, decisions):
        for decision in decisions:
            if decision.get("fate") or decision["action"] not in DESTRUCTIVE:
                continue
            bad = [row["line"] for row in decision["evidence"] if labels.get(row["line"], {}).get("flag") in FLAGGED]
            if bad:
                self.flagged += 1
                self.problems.append(f"{name}:{bad}: flagged {labels[bad[0]]['flag']}, but {decision['rule']} decided {decision['action']}")

    def expectation(self, name, row, expected, decisions):
        taken = {d["action"] for d in decisions if d["action"] and not d.get("fate")}
        kinds = {"notify"} if any(action.startswith("notify") for action in taken) else set()
        kinds |= {"drain"} if taken & DRAIN else set()
        kinds |= {"destructive"} if taken & DESTRUCTIVE else set()
        kinds |= {"any"} if taken else set()
        for word, action in (("page", "offline-page"), ("suspend", "virsh-suspend"), ("dump", "virsh-dump")):
            kinds |= {word} if action in taken else set()
        missing, wrong = set(row["wanted"].split()) - kinds, set(row["forbidden"].split()) & kinds
        self.actions += 1
        self.actions_right += not missing and not wrong
        if missing or wrong:
            self.problems.append(f"{name}: expected \"{expected['expected_action']}\", never \"{expected['must_not']}\": "
                                 f"missing {sorted(missing)}, wrong {sorted(wrong)}, decided {sorted(taken)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("correlator")
    parser.add_argument("--rules", default=os.path.join(HERE, "../../rules"))
    parser.add_argument("--corpus", default=os.path.join(HERE, "../../../shared/corpus"))
    parser.add_argument("--verbose", action="store_true", help="say what is not right even if the bounds hold")
    parser.add_argument("--doc", help="page that shows the table between its marks; another table there is red")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    options = parser.parse_args()
    if not os.path.exists(os.path.join(options.corpus, "labels.csv")):
        print(f"skipped: no corpus in {options.corpus}")
        return 77
    corpus, score = Corpus(options.corpus), Score()
    actions = {row["file"]: row for row in rows(os.path.join(HERE, "actions.csv"))}
    for name in corpus.files:
        events, decisions = replay(options.correlator, options.rules, os.path.join(options.corpus, name))
        score.file(corpus, name, events, decisions)
        if name in corpus.expected:
            if name not in actions:
                raise SystemExit(f"{name}: not in actions.csv")
            score.expectation(name, actions[name], corpus.expected[name], decisions)
    return report(corpus, score, options)


def table(corpus, score):
    """The lines of the table, and whether a bound is broken."""
    lines, red = [f"{len(corpus.files)} files, {score.total} physical errors"], False
    for what, have in (("found", score.found), ("exact count", score.exact), ("severity", score.severity)):
        share = have / max(1, score.total)
        good = share >= BOUNDS[what]
        red |= not good
        lines.append(f"  {what:<36}{have:>5} of {score.total:<5}{share:7.1%}   at least {BOUNDS[what]:.0%}{'' if good else '  RED'}")
    for what, have in (("negative lines counted", score.negative), ("other lines of no error counted", score.unlabelled),
                       ("destructive actions on flagged lines", score.flagged)):
        red |= have > 0
        lines.append(f"  {what:<36}{have:>5}{'' if have == 0 else '  RED'}")
    good = score.actions_right == score.actions
    lines.append(f"  {'files with the expected action':<36}{score.actions_right:>5} of {score.actions}{'' if good else '  RED'}")
    return lines, red or not good


def report(corpus, score, options):
    lines, red = table(corpus, score)
    print("\n".join(lines))
    if red or options.verbose:
        print("\n".join(score.problems))
    if options.doc and not same_in_document(lines, options):
        return 1
    return 1 if red else 0


def same_in_document(lines, options):
    """The page shows the table as it is; --write puts it there."""
    begin, end = "<!-- score: begin -->\n", "<!-- score: end -->"
    with open(options.doc, encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(begin)
    wanted = before + begin + "\n```\n" + "\n".join(lines) + "\n```\n\n" + end + rest.split(end)[1]
    if page == wanted:
        return True
    if options.write:
        with open(options.doc, "w", encoding="utf-8") as file:
            file.write(wanted)
        return True
    print(f"{options.doc} shows another table: run score.py with --doc and --write")
    return False


if __name__ == "__main__":
    sys.exit(main())
