#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random rule files and random lines, through Debian's sec (on the clock of LogClock.pm) and through `correlator sec`.
  tests/sec/fuzz.py CORRELATOR [--seed FIRST] [--seeds N] [--keep DIR]
Each output line ends in " @SECOND". Lines of one second are compared as a set: sec goes through what ends in one second in
the order of a hash, and lists that run then change nothing that the others could see. A difference is printed with its seed, rules and lines, and the exit status is 1."""
import argparse
import itertools
import os
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KEYS = ["u1", "u2"]


class Rules:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.number = 0

    def one(self, *options):
        return self.r.choice(options)

    def some(self, chance, text):
        return text if self.r.random() < chance else ""

    def say(self, what):
        self.number += 1
        return f"write - {what} n{self.number} %s @%u"

    def pattern(self, suffix="", with_variables=True):
        r = self.r
        word = r.choice("ABCDE")
        kind = r.random()
        name = f"M{word}"
        lines = []
        if kind < 0.55 or with_variables and kind < 0.8:
            text = r.choice([f"^{word} (\\w+)", f"{word} (?<who>\\w+)", f"^{word} (u[12])(?: (\\d))?$", f"^({word}|E) (\\w+)"])
            lines = [f"ptype{suffix}=RegExp", f"pattern{suffix}={text}"]
            if r.random() < 0.25:
                lines.append(f"varmap{suffix}={r.choice([name, name + '; who=1', 'who=1'])}")
        elif kind < 0.85:
            lines = [f"ptype{suffix}=SubStr", f"pattern{suffix}={word}\\s"]
        elif kind < 0.9:
            lines = [f"ptype{suffix}=NRegExp", f"pattern{suffix}=^[{word}E] "]
        elif kind < 0.95:
            lines = [f"ptype{suffix}={r.choice(['Cached', 'NCached'])}", f"pattern{suffix}=M{r.choice('ABC')}"]
        else:
            lines = [f"ptype{suffix}=TValue", f"pattern{suffix}={r.choice(['TRUE', 'FALSE'])}"]
        if r.random() < 0.3:
            lines.append(f"context{suffix}={self.condition()}")
        return "\n".join(lines) + "\n"

    def condition(self):
        r = self.r
        one = lambda: r.choice(["C1", "C2", "C_$1", "!C1", "!C_u1", "varset MA", "!(C1 && C_u2)", "C_u1 || C2"])
        text = r.choice([one(), one(), f"{one()} && {one()}", f"{one()} || {one()}", f"({one()} || {one()}) && !{r.choice(['C2', 'C_$1'])}"])
        return f"[{text}]" if r.random() < 0.2 else text

    def actions(self, what, deep=True):
        r = self.r
        out = [self.say(what + " $1 $+{who}")]
        for _ in range(r.choice([0, 0, 0, 1, 1, 2])):
            c = r.choice(["C1", "C2", "C_$1", "C_u1"])
            choices = [
                f"create {c} {r.randint(0, 5)}", f"create {c} {r.randint(1, 4)} ({self.say('end-of-' + c)})", f"delete {c}", f"obsolete {c}",
                f"add {c} $0", f"prepend {c} p%u", f"copy {c} %v; write - copied [%v] @%u", f"getsize %n {c}; write - size [%n] @%u",
                f"shift {c} %v; write - shifted [%v] @%u", f"pop {c} %v; write - popped [%v] @%u", f"empty {c} %v; write - emptied [%v] @%u",
                f"set {c} {r.choice(['-', '1', '3'])} ({self.say('set-' + c)})", f"alias {c} AL", "unalias AL", f"exists %e {c}; write - there [%e] @%u",
                f"setltime {c} {r.randint(0, 3)}", f"getltime %l {c}; write - lifetime [%l] @%u",
                f"assign %x $1%u; write - var [%x] @%u", "free %x; write - var [%x] @%u",
                f"event {r.randint(0, 3)} {r.choice('ABCDE')} $1", f"tevent {r.randint(0, 2)} {r.choice('AB')} u1",
                f"reset {r.choice(['', '+1 ', '-1 ', '0 ', '1 '])}{r.choice(['%s', 'all', '$1'])}",
                f"getwpos %w {r.choice(['1', '2', '-1'])} {r.choice(['all', '$1'])}; write - begins [%w] @%u; free %w",
                f"if %x ( {self.say('yes')} ) else ( {self.say('no')} )",
                f"varset %m MB; write - cached [%m] @%u", "write - $:{MA:who} $:{MA:1} $$ %% @%u",
                f"assign %k 3; while %k ( {self.say('turn')}; {r.choice(['free %k', 'break', 'assign %k 0'])} )",
            ]
            out.append(r.choice(choices) if deep else "none")
        return "; ".join(out)

    def rule(self):
        r = self.r
        key = r.choice(["$1", "all", "all", "x $1"])
        then = self.some(0.6, "continue=TakeNext\n")
        window = r.randint(1, 6)
        kind = r.choice(["Single", "Single", "Single", "Suppressed", "Threshold", "Threshold", "Two", "Pair", "PairWindow", "Group", "Group", "Suppress", "Goto", "Jump", "Calendar"])
        if kind == "Single":
            return f"type=Single\n{then}{self.pattern()}desc={key}\naction={self.actions('single')}\n"
        if kind == "Suppressed":
            return f"type=SingleWithSuppress\n{then}{self.pattern()}desc={key}\naction={self.actions('first')}\nwindow={window}\n"
        if kind == "Threshold":
            second = self.some(0.5, f"action2={self.say('over $1')}\n")
            return f"type=SingleWithThreshold\n{then}{self.pattern()}desc={key}\naction={self.actions('many')}\n{second}window={window}\nthresh={r.randint(1, 4)}\n"
        if kind == "Two":
            return (f"type=SingleWith2Thresholds\n{then}{self.pattern()}desc={key}\naction={self.actions('rise')}\nwindow={window}\nthresh={r.randint(1, 3)}\n"
                    f"desc2={key} low\naction2={self.say('fall $1')}\nwindow2={r.randint(1, 5)}\nthresh2={r.randint(0, 2)}\n")
        if kind in ("Pair", "PairWindow"):
            second = r.choice([
                f"ptype2=RegExp\npattern2=^{r.choice('BCD')} ($1)\n", f"ptype2=RegExp\npattern2={r.choice('BCD')} (\\w+)\n",
                f"ptype2=SubStr\npattern2={r.choice('BCD')} $1\n", f"ptype2=SubStr\npattern2={r.choice('BCD')}\\s\n"])
            if r.random() < 0.2:
                second += f"context2={r.choice(['C1', '!C1', 'C_$1', '!C_%1'])}\n"
            name = "Pair" if kind == "Pair" else "PairWithWindow"
            return (f"type={name}\n{then}{self.pattern()}desc={key}\naction={self.actions('begin') if kind == 'Pair' else self.say('late $1')}\n{second}{self.some(0.5, 'continue2=TakeNext' + chr(10))}"
                    f"desc2=%1 $1 %%1\naction2={self.say('ended %1 $1 %+{who} %%%u')}\nwindow={r.choice([0, window, window]) if kind == 'Pair' else window}\n")
        if kind == "Group":
            n = r.randint(1, 3)
            text = f"type=EventGroup{n if n > 1 else ''}\n"
            for i in range(1, n + 1):
                suffix = "" if i == 1 else str(i)
                text += self.pattern(suffix) + f"thresh{suffix}={r.randint(1, 2)}\n" + self.some(0.4, f"continue{suffix}=TakeNext\n")
                text += self.some(0.3, f"count{suffix}={self.say('counted $1')}\n") + self.some(0.2, f"egtoken{suffix}=t$1\n")
            text += f"desc={r.choice(['all', 'all', '$1'])}\naction={self.actions('group')}\nwindow={window}\nmultact={r.choice(['yes', 'no'])}\n"
            for name in ("init", "slide", "end"):
                text += self.some(0.4, f"{name}={self.say(name)}\n")
            return text + self.some(0.4, r.choice(["egptype=RegExp\negpattern=1$\n", "egptype=NSubStr\negpattern=1 1\n", "egptype=SubStr\negpattern=t\n"]))
        if kind == "Suppress":
            return f"type=Suppress\n{self.pattern()}context={r.choice(['C1', 'C_u1', '!C2'])}\n"
        if kind == "Goto":
            return f"type=Single\ncontinue=GoTo far\n{self.pattern()}desc={key}\naction={self.actions('goto')}\n"
        if kind == "Jump":
            return f"type=Jump\n{then}{self.pattern()}cfset={r.choice(['side', 'side', 'nowhere', 'side side'])}\n"
        return f"type=Calendar\ntime={r.choice(['*', '*/2', '13-15'])} * * * *\n{self.some(0.4, 'context=C1' + chr(10))}desc=cal\naction={self.say('calendar')}\n"

    def main_file(self):
        rules = [self.rule() for _ in range(self.r.randint(1, 6))]
        rules.append("label=far\n" + self.rule())
        rules += [self.rule() for _ in range(self.r.randint(0, 2))]
        return "\n".join(rules)

    def side_file(self):
        return "type=Options\njoincfset=side\nprocallin=" + self.one("yes", "no") + "\n\n" + "\n".join(self.rule() for _ in range(self.r.randint(1, 3)))

    def lines(self):
        gaps = self.one([0, 0, 1, 1, 2, 3, 5, 8], [0, 0, 0, 1], [0, 1, 1, 2, 4], [0, 0, 1, 30])
        second, out = 0, []
        for _ in range(self.r.randint(10, 80)):
            second += self.r.choice(gaps)
            out.append(f"{second}\t{self.r.choice('AABBCDE')} {self.r.choice(KEYS)}{self.some(0.2, ' 7')}")
        return "\n".join(out) + f"\n{second + self.one(0, 3, 12)}\t#EOF\n"


def run(command, directory, lines):
    env = dict(os.environ, TZ="UTC", LC_ALL="C", PERL_HASH_SEED="0")
    seconds = 60 * int(os.environ.get("SLOWER", "1"))
    try:
        done = subprocess.run(command, cwd=directory, input=lines.encode(), capture_output=True, timeout=seconds, env=env)
    except subprocess.TimeoutExpired as late:
        return None, [f"did not end within {seconds} s; so far: {(late.stdout or b'')[-500:].decode('latin-1')}"]
    text = done.stdout.decode("latin-1").splitlines()
    return [sorted(group) for _, group in itertools.groupby(text, key=lambda line: line.rsplit("@", 1)[-1])], text


def loops(rules):
    """Events that make themselves would never end."""
    return "event 0" in rules or "tevent 0" in rules


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("correlator")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--keep", help="a directory that gets the rules and lines of differences")
    options = parser.parse_args()
    arguments = ["--conf=main.sec", "--conf=side.sec", "--input=-", "--notail"]
    sec = ["perl", f"-I{HERE}", "-MLogClock", "/usr/bin/sec"] + arguments
    own = [str(pathlib.Path(options.correlator).resolve()), "sec", "--timeline"] + arguments
    different = compared = tried = 0
    print(f"seeds {options.seed} to {options.seed + options.seeds - 1}")
    for seed in range(options.seed, options.seed + options.seeds):
        made = Rules(seed)
        main_rules, side_rules, lines = made.main_file(), made.side_file(), made.lines()
        if loops(main_rules + side_rules):
            main_rules, side_rules = (text.replace("event 0 ", "event 1 ") for text in (main_rules, side_rules))
        tried += 1
        with tempfile.TemporaryDirectory() as directory:
            pathlib.Path(directory, "main.sec").write_text(main_rules)
            pathlib.Path(directory, "side.sec").write_text(side_rules)
            expected, text = run(sec, directory, lines)
            got, own_text = run(own, directory, lines)
        compared += len(text)
        if expected == got and got is not None:
            continue
        different += 1
        if options.keep:
            keep = pathlib.Path(options.keep, str(seed))
            keep.mkdir(parents=True, exist_ok=True)
            for name, content in (("main.sec", main_rules), ("side.sec", side_rules), ("lines", lines), ("sec", "\n".join(text)), ("own", "\n".join(own_text))):
                (keep / name).write_text(content + "\n")
        if expected is None or got is None:
            print(f"HANGS seed {seed}: sec {text[-1:] if expected is None else 'ends'} own {own_text[-1:] if got is None else 'ends'}")
            continue
        first = next((i for i, (a, b) in enumerate(itertools.zip_longest(expected, got)) if a != b), 0)
        print(f"DIFFERENT seed {seed}: sec {expected[first:first + 1]} own {got[first:first + 1]}")
    print(f"{tried} seeds, {compared} lines of sec, {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
