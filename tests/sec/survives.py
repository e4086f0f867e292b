#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--state: a run that is killed again and again, or ends and goes on, writes what an undisturbed one writes.
  tests/sec/survives.py CORRELATOR [--seed FIRST] [--seeds N] [--only NAME]...
Seeds are printed; rules and lines are those of fuzz.py."""
import argparse
import contextlib
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import fuzz  # noqa: E402  beside this file

SLOWER = int(os.environ.get("SLOWER", "1"))
ENV = dict(os.environ, TZ="UTC", LC_ALL="C")
TESTS = {}


def test(function):
    TESTS[function.__name__] = function
    return function


class Place:
    """A directory with rules, where the programme runs."""

    def __init__(self, program, directory):
        self.program, self.path = program, pathlib.Path(directory)

    def __truediv__(self, name):
        return self.path / name

    def start(self, *words, output="out", stdin=subprocess.DEVNULL):
        with open(self / output, "ab") as out, open(self / "err", "ab") as err:
            return subprocess.Popen([self.program, *words], cwd=self.path, stdin=stdin, stdout=out, stderr=err, env=ENV)

    def run(self, *words, output="out", stdin=None):
        process = self.start(*words, output=output, stdin=stdin or subprocess.DEVNULL)
        try:
            return process.wait(120 * SLOWER)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def killed_again_and_again(self, r, grows, step, *words):
        """Runs until it ends by itself, and is killed each time some time after the file `grows` has become longer by up to
        `step` bytes: so each run gets on. How often it was killed."""
        kills = 0
        while True:
            until = self.size(grows) + r.randint(1, step)
            process = self.start(*words)
            end = time.monotonic() + 60 * SLOWER
            while process.poll() is None and self.size(grows) < until and time.monotonic() < end:
                time.sleep(0.002)
            time.sleep(r.uniform(0, 0.02))
            if process.poll() is not None:
                return kills if process.returncode == 0 else -1
            process.kill()
            process.wait()
            kills += 1

    def size(self, name):
        return (self / name).stat().st_size if (self / name).exists() else 0

    def text(self, name):
        try:
            return (self / name).read_text(encoding="latin-1")
        except FileNotFoundError:
            return ""


def same(what, expected, got, place):
    if expected == got:
        return True
    a, b = expected.splitlines(), got.splitlines()
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    print(f"{what}: {len(a)} lines undisturbed, {len(b)} otherwise; the first that differs is {at + 1}:", a[at:at + 2], b[at:at + 2],
          place.text("err")[-800:], sep="\n")
    return False


# Nothing here depends on the time of day, so that two runs may be compared.
COUNTING = r"""
type=SingleWithThreshold
ptype=RegExp
pattern=^fail (?<user>\w+) (\d+)
continue=TakeNext
desc=failures of $+{user}
action=write out.log %s, first $2; assign %last $+{user}; add HISTORY $+{user}:$2
window=86400
thresh=7

type=Pair
ptype=RegExp
pattern=^down (\w+) (\d+)
desc=$1 is down
action=write out.log %s at $2; create DOWN_$1 86400 (write out.log never)
ptype2=RegExp
pattern2=^up ($1) (\d+)
desc2=%1 is up
action2=write out.log %s after %2 at $2; getsize %n HISTORY; empty HISTORY %h; write out.log %n [%h] of %last; delete DOWN_%1
window=86400

type=EventGroup2
ptype=RegExp
pattern=^red (\w+) (\d+)
ptype2=RegExp
pattern2=^blue (\w+) (\d+)
thresh=3
thresh2=2
desc=colours of $1
init=writen out.log begin%.sp
action=write out.log %s at $2; reset 0 %s
window=86400

type=Single
ptype=RegExp2
pattern=^twice (\w+) \d+\ntwice (\w+)
desc=d
action=write out.log twice $1 $2

type=Single
ptype=RegExp
pattern=^make (\d+)
desc=d
action=event made $1

type=Single
ptype=RegExp
pattern=^made (\d+)
desc=d
action=write out.log made $1
"""


def counting_lines(r, count):
    words = ["fail", "fail", "down", "up", "red", "blue", "twice", "other", "other", "other"]
    return "".join(f"make {i}\n" if r.random() < 0.05 else f"{r.choice(words)} k{r.randint(1, 30)} {i}\n" for i in range(count))


@test
def killed_while_reading(program, options, place):
    """A file, real time, kill -9 at random moments."""
    r = random.Random(options.seed)
    (place / "rules.sec").write_text(COUNTING)
    (place / "in").write_text(counting_lines(r, 200000))
    words = ("sec", "--conf=rules.sec", "--input=in", "--notail")
    if place.run(*words) != 0:
        return same("the undisturbed run", "exit 0", "not", place)
    expected = place.text("out.log")
    (place / "out.log").unlink()
    kills = place.killed_again_and_again(r, "out.log", len(expected) // 8, *words, "--state=state")
    print(f"{expected.count(chr(10))} lines of output, {kills} kills")
    return same("killed while reading", expected, place.text("out.log"), place) and same("kills", "some", "some" if kills > 0 else "none", place)


def identity(file):
    info = file.stat()
    return f"{info.st_dev}:{info.st_ino}"


def stands_in(database):
    """The file that was written down as the one being read."""
    if not database.exists():
        return None
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        try:
            row = db.execute("SELECT identity FROM cursor").fetchone()
        except sqlite3.OperationalError:  # it died while it made the tables
            return None
    return row and row[0]


@test
def killed_while_following(program, options, place):
    """A file that grows, and is rotated while nobody runs."""
    r = random.Random(options.seed + 1)
    (place / "rules.sec").write_text(COUNTING)
    lines = counting_lines(r, 4000).splitlines(True)
    (place / "in").write_text("".join(lines))
    if place.run("sec", "--conf=rules.sec", "--input=in", "--notail") != 0:
        return same("the undisturbed run", "exit 0", "not", place)
    expected = place.text("out.log")
    (place / "out.log").unlink()
    (place / "in").unlink()
    at = kills = rotations = 0
    while at < len(lines):
        process = place.start("sec", "--conf=rules.sec", "--input=in", "--fromstart", "--state=state", "--poll-timeout=0.01")
        for _ in range(r.randint(1, 4)):
            n = r.randint(1, 300)
            with open(place / "in", "a", encoding="latin-1") as file:
                file.write("".join(lines[at:at + n]))
            at += n
            time.sleep(r.uniform(0, 0.05))
        rotate = at < len(lines) // 2 or r.random() < 0.5
        end = time.monotonic() + 20 * SLOWER
        while rotate and stands_in(place / "state/sec.db") != identity(place / "in") and time.monotonic() < end:
            time.sleep(0.01)
        process.kill()
        process.wait()
        kills += 1
        with open(place / "in", "a", encoding="latin-1") as file:  # the rest of a file that gets another name now
            file.write("".join(lines[at:at + 10]))
        at += 10
        if rotate and stands_in(place / "state/sec.db") == identity(place / "in"):
            rotations += 1
            (place / "in").rename(place / f"in.{kills}")
            (place / "in").touch()
    if place.run("sec", "--conf=rules.sec", "--input=in", "--notail", "--state=state") != 0:
        return same("the last run", "exit 0", "not", place)
    print(f"{kills} kills, {rotations} rotations")
    return same("killed while following", expected, place.text("out.log"), place) and same("rotations", "some", "some" if rotations else "none", place)


def fuzzed(seed):
    made = fuzz.Rules(seed)
    rules, side, lines = made.main_file(), made.side_file(), made.lines()
    if fuzz.loops(rules + side):
        rules, side = (text.replace("event 0 ", "event 1 ") for text in (rules, side))
    return rules, side, lines.splitlines(True)[:-1]


@test
def goes_on(program, options, place):
    """Random rules on a timeline that is cut in pieces: windows, contexts, delayed events, calendars."""
    good, compared = True, 0
    words = ("sec", "--timeline", "--conf=main.sec", "--conf=side.sec", "--input=-", "--notail")
    for seed in range(options.seed, options.seed + options.seeds):
        r = random.Random(seed)
        rules, side, lines = fuzzed(seed)
        (place / "main.sec").write_text(rules)
        (place / "side.sec").write_text(side)

        def feed(n, *more, output):
            (place / "timeline").write_text("".join(lines[:n]))
            with open(place / "timeline", "rb") as stdin:
                return place.run(*words, *more, output=output, stdin=stdin)
        feed(len(lines), output=f"whole{seed}")
        for n in sorted(r.sample(range(1, len(lines)), min(4, len(lines) - 1))) + [len(lines)]:
            feed(n, f"--state=state{seed}", output=f"parts{seed}")
        expected = place.text(f"whole{seed}")
        compared += expected.count("\n")
        good = same(f"seed {seed}", expected, place.text(f"parts{seed}"), place) and good
    print(f"{options.seeds} seeds from {options.seed}, {compared} lines")
    return good and compared > 0


@test
def changed_rules(program, options, place):
    """What belongs to a rule that changed is dropped and named; all else goes on, also where rules moved."""
    rule = "type=SingleWithSuppress\nptype=RegExp\npattern=^(\\w+)\ncontinue=TakeNext\ndesc={0} $1\naction=write - {0} $1; create C_{0} 600 (write - over)\nwindow=600\n\n"
    feed = lambda: open(place / "timeline", "rb")  # noqa: E731
    words = ("sec", "--timeline", "--conf=rules.sec", "--input=-", "--notail", "--state=state")
    (place / "timeline").write_text("0\ta\n0\tb\n")
    (place / "rules.sec").write_text(rule.format("one") + rule.format("two"))
    with feed() as stdin:
        place.run(*words, stdin=stdin)
    (place / "timeline").write_text("0\ta\n0\tb\n1\ta\n1\tb\n")
    (place / "rules.sec").write_text("# a new first rule\ntype=Suppress\nptype=SubStr\npattern=nothing\n\n" + rule.format("two") + rule.format("one").replace("window=600", "window=599"))
    with feed() as stdin:
        place.run(*words, stdin=stdin)
    said = [line for line in place.text("err").splitlines() if "dropped" in line]
    expected = ("one a\ntwo a\none b\ntwo b\none a\none b\n"
                "dropped of the state: the action list of context C_one, whose rule is not there any more as it was\n"
                "dropped of the state: rule 1 of rules.sec is not there any more as it was: operations of it that were going on: 2\n")
    return same("changed rules", expected, place.text("out") + "".join(line + "\n" for line in said), place)


@test
def read_to_the_end(program, options, place):
    """What was read to its end is not read again; what came behind it is."""
    (place / "rules.sec").write_text("type=Single\nptype=RegExp\npattern=(.*)\ndesc=d\naction=write - $1\n")
    for text in ("a\nb\n", "", "c\nd", "e\n"):
        with open(place / "in", "a", encoding="latin-1") as file:
            file.write(text)
        place.run("sec", "--conf=rules.sec", "--input=in", "--notail", "--state=state")
    return same("read in parts", "a\nb\nc\nd\ne\n", place.text("out"), place)


@test
def disk_full(program, options, place):
    """A state that cannot be written is said once, and the rules go on as without it."""
    (place / "rules.sec").write_text(COUNTING)
    (place / "in").write_text(counting_lines(random.Random(options.seed), 200000))
    words = ("sec", "--conf=rules.sec", "--input=in", "--notail")
    place.run(*words)
    expected = place.text("out.log")
    (place / "out.log").unlink()
    (place / "state").mkdir()
    small = Place("unshare", place.path)
    code = small.run("-m", "sh", "-c", 'mount -t tmpfs -o size=200k none state || exit 77; exec "$@"', "sh", program, *words, "--state=state")
    if code == 77 or "unshare:" in place.text("err"):
        print("disk_full: skipped, no mount namespace can be made here")
        return True
    return same("a full disk", f"exit 0, said 1\n{expected}", f"exit {code}, said {place.text('err').count('[E305]')}\n{place.text('out.log')}", place)


@test
def replayed(program, options, place):
    """replay --sec --state on an archive, killed again and again; and what an archive grew by is all that is read then."""
    r = random.Random(options.seed)
    (place / "rules.sec").write_text(COUNTING.replace("write out.log", "write -").replace("writen out.log", "writen -").replace("pattern=^", "pattern=app: ").replace("\\ntwice", "\\n.*twice"))
    second, lines = 0, []
    for i, line in enumerate(counting_lines(r, 30000).splitlines()):
        second += r.choice((0, 0, 1, 5))
        lines.append(time.strftime("%b %e %H:%M:%S", time.gmtime(1690000000 + second)) + f" h1 app: {line}\n")
    words = ("replay", "--sec", "rules.sec", "messages")
    (place / "messages").write_text("".join(lines[:20000]))
    place.run(*words, output="half")
    (place / "messages").write_text("".join(lines))
    place.run(*words, output="whole")
    (place / "messages").write_text("".join(lines[:20000]))
    kills = place.killed_again_and_again(r, "out", place.size("half") // 6, *words, "--state", "state")
    if not same("replay", place.text("half"), place.text("out"), place) or place.text("half") == "":
        return False
    (place / "messages").write_text("".join(lines))
    place.run(*words, "--state", "state")
    print(f"{place.text('whole').count(chr(10))} lines of output, {kills} kills")
    return same("replay of an archive that grew", place.text("whole"), place.text("out"), place)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("correlator")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=12 if SLOWER > 1 else 40)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    program = str(pathlib.Path(options.correlator).resolve())
    failed = 0
    for name, function in TESTS.items():
        if options.only and name not in options.only:
            continue
        with tempfile.TemporaryDirectory() as directory:
            if not function(program, options, Place(program, directory)):
                failed += 1
                print(f"{name} (seed {options.seed}) FAILED")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
