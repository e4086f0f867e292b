#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`correlator import sec`, proven by replaying both: the SEC rules with `replay --sec`, the TOML made of them with `replay`, on the same log.
  tests/sec/import.py CORRELATOR files RULES.sec... LOG          one set of rules, one log
  tests/sec/import.py CORRELATOR random [--seed N] [--seeds N]   random rules and logs
  tests/sec/import.py CORRELATOR share FILE-OR-DIRECTORY...      how much of rule files is carried over, and why the rest is not
  tests/sec/import.py CORRELATOR document SOURCE                 that the documents show what import says
What the rules that are carried over whole do is compared: each text and command with its second, as a set that counts. Rules with a
remark (W026, W027) take part in both runs, because they take lines from others, and are not compared. A line far behind the last
one is added to each log, so that all that waits is over."""
import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
REMARK = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):\d+: warning: (?P<text>.*) \[(?P<code>W02[67])\]$", re.M)
SUMMARY = re.compile(r"^(\d+) rules?: (\d+) the same, (\d+) with a difference, (\d+) in part, (\d+) left out$", re.M)


def run(command, directory, allowed=(0,)):
    done = subprocess.run(command, cwd=directory, capture_output=True, timeout=120, env=dict(os.environ, TZ="UTC", LC_ALL="C"))
    if done.returncode not in allowed:
        sys.exit(f"{shlex.join(map(str, command))}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def blocks(text):
    """The line numbers at which rules begin and end."""
    out, begin = [], None
    for number, line in enumerate(text.splitlines() + [""], 1):
        if line.strip() and not line.lstrip().startswith("#"):
            begin = begin or number
        elif begin is not None:
            out.append((begin, number))
            begin = None
    return out


class Import:
    def __init__(self, correlator, files, directory):
        self.toml, said = run([correlator, "import", "sec", *files], directory, (0, 1))
        self.remarks = [match.groupdict() for match in REMARK.finditer(said)]
        self.said = said
        summary = SUMMARY.search(said)
        self.counts = [int(n) for n in summary.groups()] if summary else [0, 0, 0, 0, 0]
        marked = {(r["file"], int(r["line"])) for r in self.remarks}
        self.whole = set()  # (file, number of the block)
        for file in files:
            for number, (begin, end) in enumerate(blocks(pathlib.Path(directory, file).read_text(encoding="latin-1"))):
                if not any((file, line) in marked for line in range(begin, end)):
                    self.whole.add((file, number))


def second(text):
    return int((datetime.datetime.fromisoformat(text) - START).total_seconds() // 1)


def of_sec(correlator, files, log, directory):
    words = [word for file in files for word in ("--sec", file)]
    out, last = collections.Counter(), None
    for line in run([correlator, "replay", *words, log], directory)[0].splitlines():
        if line.startswith("    < ") and last is not None:
            out[last] -= 1
            last = (*last[:3], last[3] + "\n" + line.removeprefix("    < "))
            out[last] += 1
            continue
        when, _, what = line.partition("  ")
        if what.startswith("would write to "):
            target, _, text = what.removeprefix("would write to ").partition(": ")
            out[(second(when), "write", target, text.strip())] += 1
        elif what.startswith("would run: "):
            words = shlex.split(what.removeprefix("would run: "))
            last = (second(when), "run", pathlib.Path(words[0]).name, " ".join(" ".join(words[1:]).split()))
            out[last] += 1
    return +out  # what goes to standard output without a time, as a report does, is not compared


def of_toml(correlator, toml, log, directory):
    pathlib.Path(directory, "imported.toml").write_text(toml, encoding="utf-8")
    actions = tomllib.loads(toml).get("action", {})
    out = collections.Counter()
    for line in run([correlator, "replay", "--json", "--rules", "imported.toml", log], directory)[0].splitlines():
        item = json.loads(line)
        if item.get("type") != "decision" or not item.get("action") or item.get("fate", "decided") != "decided":
            continue
        argv, program = item.get("argv", []), actions[item["action"]]["run"]
        if program == "notify" and argv[4] == "SEC":
            continue  # logonly, which a replay does not show
        if program == "notify":
            out[(second(item["time"]), "write", argv[4], argv[6].strip())] += 1
        else:
            lines = item["lines"] if actions[item["action"]].get("stdin") == "lines" else []
            out[(second(item["time"]), "run", program, "\n".join([" ".join(" ".join(argv).split()), *lines]))] += 1
    return out


def compare(correlator, files, log_lines, directory, tag=None, texts=True):
    """The differences, and how much was compared. `tag` tells the rule that a text is of: (file, block)."""
    made = Import(correlator, files, directory)
    far = START + datetime.timedelta(days=2)
    pathlib.Path(directory, "log").write_text("".join(log_lines) + f"{far.isoformat()} h1 end: the log is over\n")
    answers = []
    for said in (of_sec(correlator, files, "log", directory), of_toml(correlator, made.toml, "log", directory)):
        if tag is not None:
            said = collections.Counter({what: n for what, n in said.items() if tag(what) in made.whole})
        if not texts:
            said = collections.Counter({what[:3]: sum(n for other, n in said.items() if other[:3] == what[:3]) for what in said})
        answers.append(said)
    lost, extra = answers[0] - answers[1], answers[1] - answers[0]
    said = [f"  only in SEC:  {what}" for what in sorted(lost.elements(), key=str)] + [f"  only in TOML: {what}" for what in sorted(extra.elements(), key=str)]
    return said, sum(answers[0].values()), made


def files_mode(options):
    with tempfile.TemporaryDirectory() as directory:
        names = []
        for file in options.files[:-1]:
            text = pathlib.Path(file).read_text(encoding="latin-1")
            names.append(pathlib.Path(file).name)
            # Standard output has no time in a replay.
            pathlib.Path(directory, names[-1]).write_text(re.sub(r"\bwrite - ", "write stdout ", text), encoding="latin-1")
        lines = pathlib.Path(options.files[-1]).read_text().splitlines(keepends=True)
        said, count, made = compare(options.correlator, names, lines, directory, texts=not options.without_texts)
        print("\n".join(said), end="\n" if said else "")
        print(f"{count} decisions of SEC's rules, {len(said)} different")
        return 1 if said or count == 0 else 0


class Rules:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.number = 0
        self.tags = {}

    def some(self, chance, text):
        return text if self.r.random() < chance else ""

    def say(self, extra=""):
        r = self.r
        what = f"n{self.number} {extra}"
        return r.choice([f"write out {what} %s", f"write out {what}%%", f"cmdexec /bin/page {what}", f"shellcmd /bin/page n{self.number} {extra.split(' ')[0]} 'x y'", f"logonly {what}; write log {what}", f"pipe 'piped {extra} %s' /bin/feed n{self.number}"])

    def match(self, continues=0.5):
        """ptype, pattern, perhaps context and continue; the names of the values."""
        r = self.r
        letter = r.choice("ABCDEABCDEMMM")  # M: of lines that rules make
        start = r.choice(["", "^\\S+ h1 "])
        kind, pattern, values = r.choice([
            ("RegExp", f"{start}app: {letter} (\\w+)", ["$1"]), ("RegExp", f"{start}app: {letter} (\\w+)", ["$1"]),
            ("RegExp", f"{start}app: ({letter}|E) (?<who>u\\d+)", ["$2", "$+{who}", "$1"]), ("RegExp", f"app: {letter} (u1)?", ["$1"]),
            ("RegExp", f"app: {letter}( \\w+)(?: (\\d+))?$", ["$1", "$2"]), ("RegExp", "app: [AB]", []), ("RegExp", f"(?i)APP: {letter}\\s", []),
            ("SubStr", f"app: {letter}\\s", []), ("NRegExp", f"app: [{letter}E]", []), ("NSubStr", letter, []), ("TValue", r.choice(["TRUE", "FALSE"]), [])])
        text = f"ptype={kind}\npattern={pattern}\n" + self.some(continues, "continue=TakeNext\n")
        if r.random() < 0.3:
            one = lambda: r.choice(["C1", "C2", "!C1", "!C2", "C_u1", "!C_u1", *(f"{n}C_{v}" for n in ("", "!") for v in values[:1])])
            guard = r.choice([one(), one(), f"{one()} && {one()}", f"{one()} || {one()}", f"!({one()} || {one()}) && {one()}"])
            text += f"context={'[' + guard + ']' if '$' not in guard and r.random() < 0.3 else guard}\n"
        return text, values

    def contexts(self, values):
        r = self.r
        name = r.choice(["C1", "C2", "C_u1", *(f"C_{v}" for v in values[:1])])
        life = {"C1": 3, "C2": 0}.get(name, 4)
        return self.some(0.35, "; " + r.choice([f"create {name} {life}", f"create {name} {life} (write out n{self.number} over)", f"delete {name}"]))

    def store(self):
        """A rule that keeps lines, or tells those that are kept: in a context that is created, with an end, or in one that only grows."""
        r = self.r
        match, values = self.match()
        match = re.sub(r"context=.*\n", "", match)
        name = r.choice(["S1", "S1", "S2", "S2", *(f"S_{v}" for v in values[:1])])
        text = r.choice(["$0", "%s", f"got {name} %s", *values])
        report = f"report {name} /bin/feed n{self.number}" + self.some(0.3, " told %s")
        last = self.some(0.3, f"; delete {name}")
        guard = ""
        if name == "S2":
            action = r.choice([f"add S2 {text}", f"add S2 {text}", f"fill S2 {text}", report + last, report + "; empty S2", f"add S2 {text}; {report}{last}", f"add S2 a; add S2 {text}", "empty S2"])
        else:
            action = r.choice(["open", "open", f"add {name} {text}", f"add {name} {text}", report + last, f"add {name} {text}; {report}{last}", f"delete {name}"])
            if action == "open":
                over = self.some(0.8, f" (report {r.choice(['_THIS', name])} /bin/feed n{self.number} over" + self.some(0.3, f"; write out n{self.number} over %s") + ")")
                action = f"create {name} 4{over}" + self.some(0.8, f"; add {name} {text}") + self.some(0.2, f"; add {name} second")
                guard = f"!{name}"
            elif action.startswith("add"):
                guard = name
        kind, rest = r.choice([("Single", ""), ("Single", ""), ("Single", ""), ("SingleWithSuppress", f"window={r.randint(1, 4)}\n"), ("SingleWithThreshold", f"window=3\nthresh={r.randint(1, 3)}\n")])
        key = " ".join(["k", *values])
        return f"type={kind}\n{match}{'context=' + guard + chr(10) if guard else ''}desc={key}\naction={action}\n{rest}"

    def rule(self, labels):
        r = self.r
        self.number += 1
        if r.random() < 0.3:
            return self.store()
        match, values = self.match()
        value = r.choice(values) if values else "x"
        key = r.choice(["all", *(f"key {v}" for v in values), *(["".join(values), "of " + " ".join(values)] if values else [])])
        window = r.randint(1, 6)
        kind = r.choice(["single", "single", "single", "suppressed", "threshold", "threshold", "threshold", "two", "pair", "pairwindow", "group", "suppress", "goto", "jump"])
        if kind == "single":
            # What makes lines matches none of them: it would go round.
            positive = re.search(r"ptype=(?:RegExp|SubStr)\n", match) and "M" not in match.split("\n")[1]
            made = self.some(0.6, f"; event {r.choice(['', '', '0 '])}2026 h1 app: M {value} {r.choice(['', '7'])}") if positive else ""
            return f"type=Single\n{match}desc={key}\naction={self.say(value)}{self.contexts(values)}{made}\n"
        if kind == "goto":
            return f"type=Single\n{match.replace('continue=TakeNext', 'continue=GoTo ' + labels)}desc={key}\naction={self.say(value)}\n"
        if kind == "suppressed":
            return f"type=SingleWithSuppress\n{match}desc={key}\naction={self.say(value)}{self.contexts(values)}\nwindow={window}\n"
        if kind in ("threshold", "group"):
            n = r.randint(1, 4)
            last = self.some(0.4, f"action2={self.say('over')}\n") if kind == "threshold" else ""
            name = "SingleWithThreshold" if kind == "threshold" else "EventGroup"
            return f"type={name}\n{match}desc={key}\naction={self.say(value if value in key or n == 1 else 'many')}{self.contexts(values[:1] if values[:1] and values[0] in key else [])}\n{last}window={window}\nthresh={n}\n"
        if kind == "two":
            return (f"type=SingleWith2Thresholds\n{match}desc={key}\naction={self.say('rise')}\nwindow={window}\nthresh={r.randint(1, 3)}\n"
                    f"desc2=low {key}\naction2={self.say('fall')}\nwindow2={r.randint(1, 5)}\nthresh2={r.choice([0, 0, 0, 0, 1])}\n")
        if kind in ("pair", "pairwindow"):
            first = r.choice("ABC")
            second = r.choice(["^\\S+ h1 app: D $1$", "^\\S+ h1 app: D $1$", "^\\S+ h1 app: [DE] $1(?: \\d)?$", "app: D $1"])
            name = "Pair" if kind == "pair" else "PairWithWindow"
            return (f"type={name}\nptype=RegExp\npattern=^\\S+ h1 app: {first} (\\w+)\n{self.some(0.5, 'continue=TakeNext' + chr(10))}desc={r.choice(['of $1', '$1'])}\naction={self.say('$1')}\n"
                    f"ptype2=RegExp\npattern2={second}\ncontinue2=TakeNext\ndesc2=end %1\naction2={self.say('ended %1')}\nwindow={r.choice([0, window, window]) if kind == 'pair' else window}\n")
        if kind == "suppress":
            return f"type=Suppress\n{match.replace('continue=TakeNext' + chr(10), '')}"
        return f"type=Jump\n{match}cfset=side\n"

    def file(self, count, name, end=""):
        out = [end] if end else []
        for i in range(count):
            out.append(("label=far\n" if i + 1 == count else "") + self.rule("far"))
            self.tags[self.number] = (name, len(out) - 1)
        return "\n".join(out)

    def lines(self):
        r = self.r
        gaps = r.choice([[0, 0, 1, 1, 2, 3, 5, 8], [0, 0, 0, 1], [0, 1, 1, 2, 4], [0, 0, 1, 30], [1, 2, 3, 4, 5, 6, 7]])
        when, out = START, []
        for _ in range(r.randint(10, 80)):
            when += datetime.timedelta(seconds=r.choice(gaps))
            out.append(f"{when.isoformat()} h1 app: {r.choice('AABBCDDE')} {r.choice(['u1', 'u1', 'u2', 'u12'])}{self.some(0.2, ' 7')}\n")
        return out

    def tag(self, what):
        number = re.search(r"\bn(\d+)\b", what[3])
        return self.tags.get(int(number.group(1))) if number else None


def random_mode(options):
    total = compared = rules = whole = 0
    for seed in range(options.seed, options.seed + options.seeds):
        drawn = Rules(seed)
        files = {"main.sec": drawn.file(drawn.r.randint(1, 6), "main.sec")}
        if "cfset=side" in files["main.sec"]:
            files["side.sec"] = drawn.file(drawn.r.randint(1, 3), "side.sec", f"type=Options\njoincfset=side\nprocallin={drawn.r.choice(['no', 'no', 'no', 'yes'])}\n")
        elif drawn.r.random() < 0.3:
            files["other.sec"] = drawn.file(drawn.r.randint(1, 3), "other.sec")
        lines = drawn.lines()
        with tempfile.TemporaryDirectory() as directory:
            for name, text in files.items():
                pathlib.Path(directory, name).write_text(text)
            said, count, made = compare(options.correlator, list(files), lines, directory, drawn.tag)
        total += 1
        compared += count
        rules += made.counts[0]
        whole += made.counts[1]
        if said:
            print(f"seed {seed} differs", *said, *(f"--- {name}\n{text}" for name, text in files.items()), "--- log", "".join(lines), "--- TOML", made.toml, made.said, sep="\n")
            return 1
    print(f"seeds {options.seed} to {options.seed + options.seeds - 1}: {total} sets of {rules} rules, {whole} carried over whole; {compared} decisions of these compared, none different")
    return 0 if compared > total else 1


def share_mode(options):
    total, reasons, files = [0] * 5, collections.Counter(), []
    for name in options.paths:
        path = pathlib.Path(name)
        files += sorted(path.rglob("*.sec")) if path.is_dir() else [path]
    for file in files:
        made = Import(options.correlator, [file.name], file.parent)
        total = [a + b for a, b in zip(total, made.counts)]
        reasons.update(re.sub(r"^.*? is left out: ", "", re.sub(r"line \d+( of \S+)?|\S+ in line \d+ of \S+", "…", r["text"])) + f" [{r['code']}]" for r in made.remarks)
    print(f"{len(files)} files, {total[0]} rules: {total[1]} whole, {total[2]} with a difference that is said, {total[3]} in part, {total[4]} left out")
    for reason, count in reasons.most_common(options.most):
        print(f"{count:5}  {reason}")
    return 0


def document_mode(options):
    """The section of docs/coming-from-sec.md: what import says of the example, and the first rule that it makes."""
    document = pathlib.Path(options.source, "docs/coming-from-sec.md")
    text = document.read_text()
    made = Import(options.correlator, ["examples/migrating-from-sec/rules.sec"], options.source)
    first = re.search(r"^\[\[rule\]\]\n(?:.+\n)+", made.toml, re.M)
    new = re.sub(r"(?<=\n```text\n).*?(?=```)", lambda _: made.said, text, count=1, flags=re.S)
    new = re.sub(r"(?<=\n```toml\n).*?(?=```)", lambda _: first.group(), new, count=1, flags=re.S)
    if new != text and os.environ.get("CORRELATOR_UPDATE_GOLDEN"):
        document.write_text(new)
    elif new != text:
        print(f"{document} does not show what import says:\n{made.said}{first.group()}")
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("correlator", type=lambda path: str(pathlib.Path(path).resolve()))
    modes = parser.add_subparsers(required=True)
    files = modes.add_parser("files")
    files.add_argument("files", nargs="+")
    files.add_argument("--without-texts", action="store_true", help="compare when what is done, not with which words")
    files.set_defaults(mode=files_mode)
    document = modes.add_parser("document")
    document.add_argument("source")
    document.set_defaults(mode=document_mode)
    drawn = modes.add_parser("random")
    drawn.add_argument("--seed", type=int, default=1)
    drawn.add_argument("--seeds", type=int, default=100)
    drawn.set_defaults(mode=random_mode)
    share = modes.add_parser("share")
    share.add_argument("paths", nargs="+")
    share.add_argument("--most", type=int, default=40)
    share.set_defaults(mode=share_mode)
    options = parser.parse_args()
    return options.mode(options)


if __name__ == "__main__":
    sys.exit(main())
