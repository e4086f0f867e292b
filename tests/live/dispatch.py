#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two processes: an engine that decides and a dispatcher of its own that acts. The dispatcher believes its own rules, not the
engine's database; a second opinion, approval, probes, lookup commands and outcomes go their way; what others could write is
refused."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from harness import PATIENCE, wait_until
from omprog import CORRELATOR, Engine, check, correlator, same_as_recorded

RULES = """format = 1
[class.hit]
key = ["host"]
requires = { what = "text" }
[class."probe.ok"]
key = ["host"]
[class."probe.failed"]
key = ["host"]
[class."probe.broken"]
key = ["host"]
[[event]]
id = "hit"
class = "hit"
match = 'hit (?P<what>\\S+)'
[[event.sample]]
line = "Jan  1 00:00:00 h app: hit x"
expect = { class = "hit" }
[[rule]]
id = "plain"
on = { on = "hit", where = "what == 'plain'" }
then = ["act"]
[[rule]]
id = "doubted"
on = { on = "hit", where = "what == 'doubted'" }
then = ["doubt"]
[[rule]]
id = "asked"
on = { on = "hit", where = "what == 'asked'" }
then = ["ask"]
[[rule]]
id = "network"
on = "probe.failed"
then = ["act-on-probe"]
[action.act]
run = "act"
args = ["--what", "${what}", "fixed", "host=${host}"]
[action.doubt]
run = "act"
confirm = "second"
args = ["--what", "doubted"]
[action.ask]
run = "act"
approve = true
args = ["--what", "asked"]
[action.act-on-probe]
run = "act"
args = ["--what", "probe"]
[lookup.nets]
run = "nets"
every = "1h"
key = ["net"]
columns = ["net"]
[probe.path]
run = "probe"
each = "nets"
every = "1h"
timeout = "10s"
"""


class Site:
    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="correlator-dispatch-")
        os.chmod(self.work, 0o755)
        self.state, self.ledger = os.path.join(self.work, "state"), os.path.join(self.work, "ledger")
        self.actions, self.rules = os.path.join(self.work, "actions"), os.path.join(self.work, "rules.toml")
        os.mkdir(self.actions, 0o755)
        self.write("rules.toml", RULES, 0o644)
        self.write("actions/act", f"#!/bin/sh\necho \"$@\" >>{self.work}/acted\n")
        self.write("actions/second", f"#!/bin/sh\ntest -e {self.work}/sure || {{ echo 'the counters say no'; exit 1; }}\n")
        self.write("actions/nets", "#!/bin/sh\necho net; echo lan1; echo lan2\n")
        self.write("actions/probe", "#!/bin/sh\necho \"$1 does not carry\"; test \"$1\" = lan1\n")
        self.log = open(os.path.join(self.work, "dispatch.log"), "ab")

    def write(self, name, text, mode=0o755):
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def dispatcher(self, more=()):
        return subprocess.Popen([CORRELATOR, "dispatch", "--state", self.state, "--ledger", self.ledger, "--rules", self.rules,
                                 "--actions", self.actions, "--group", "root", *more], stdout=self.log, stderr=self.log)

    def engine(self, more=()):
        return Engine(self.work, self.state, program=CORRELATOR, more=["--ledger", self.ledger, *more])

    def acted(self):
        path = os.path.join(self.work, "acted")
        return open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []

    def forged(self):
        db = sqlite3.connect(f"file:{self.ledger}/dispatch.db?mode=ro", uri=True)
        try:
            return [state for state, in db.execute("SELECT state FROM job WHERE decision LIKE 'forged%' ORDER BY decision")]
        finally:
            db.close()

    def clean(self):
        shutil.rmtree(self.work, ignore_errors=True)

    def jobs(self):
        db = sqlite3.connect(f"file:{self.ledger}/dispatch.db?mode=ro", uri=True)
        try:
            return dict(db.execute("SELECT rule, state || ': ' || reason FROM job"))
        finally:
            db.close()


def wait_for(what, condition, seconds=PATIENCE):
    """Checks that it becomes so. Whether it did."""
    try:
        wait_until(what, condition, seconds)
    except AssertionError:
        check(what, False)
        return False
    check(what, True)
    return True


def hit(what):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    hit.number += 1
    return json.dumps({"id": f"hit-{hit.number}", "timegenerated": now, "timereported": now, "hostname": "h1", "inputname": "imuxsock",
                       "programname": "app", "syslogtag": "app:", "facility": "1", "severity": "6", "message": f" hit {what}"})


hit.number = 0


def reload_of_both(site, engine):
    """One command for the rules of both processes; where the dispatcher refuses them, neither has them."""
    reload = lambda: subprocess.run([CORRELATOR, "reload", "--state", site.state, "--ledger", site.ledger], capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"))
    failed = lambda: json.loads(correlator("status", "--json", "--state", site.state))["engine"]["reload_failed"]
    changed = RULES.replace('"fixed"', '"changed"')
    site.write("rules.toml", changed, 0o644)
    said = reload()
    check("a reload is told of both", said.returncode == 0 and said.stdout == "4 rules in force, in the dispatcher, too\n")
    engine.send(hit("plain"))
    wait_for("the dispatcher acts by the new rules", lambda: "--what plain changed host=h1" in site.acted())
    for what, text, mode, words in (("a bad rule", changed + "[[rule]]\nnonsense = 1\n", 0o644, "the rules in force stay: "), ("a file that others can write", RULES, 0o666, "is writable by everybody")):
        site.write("rules.toml", text, mode)
        said = reload()
        check(f"{what} is in force in neither", said.returncode != 0 and "the dispatcher refuses, so the engine was not asked; " in said.stderr and words in said.stderr and not failed())
    site.write("rules.toml", changed, 0o644)
    engine.send(hit("plain"))
    wait_for("and the rules before it stay", lambda: site.acted().count("--what plain changed host=h1") == 2)


def main():
    if os.geteuid() != 0:
        print("skipped: a dispatcher's directory belongs to root")
        return 77
    site = Site()
    engine, dispatcher = site.engine(), None
    try:
        dispatcher = site.dispatcher()
        wait_for("the dispatcher is there", lambda: os.path.exists(os.path.join(site.ledger, "dispatch.bell")))
        engine.send(hit("plain"))
        begin = time.monotonic()
        wait_for("a decision runs its action, argv made of the rules' text and what was captured",
                 lambda: "--what plain fixed host=h1" in site.acted())
        print(f"line to script's end: {(time.monotonic() - begin) * 1000:.1f} ms")
        engine.send(hit("doubted"))
        wait_for("a second opinion that says no refuses", lambda: site.jobs().get("doubted") == "refused: the second opinion is no: the counters say no")
        site.write("sure", "")
        engine.send(hit("doubted"))
        wait_for("one that says yes lets it run", lambda: "--what doubted" in site.acted())
        engine.send(hit("asked"))
        wait_for("approval is waited for", lambda: site.jobs().get("asked", "").startswith("waiting: ask waits for approval"))
        db = sqlite3.connect(f"file:{site.ledger}/dispatch.db?mode=ro", uri=True)
        decision = db.execute("SELECT decision FROM job WHERE rule = 'asked'").fetchone()[0]
        db.close()
        said = correlator("approve", "--state", site.state, "--ledger", site.ledger, decision[:10])
        check("approve says what it did", said == "ask of asked approved\n")
        wait_for("and then it runs", lambda: "--what asked" in site.acted())
        wait_for("a lookup's command and a probe over its rows: the path that does not carry is acted on", lambda: "--what probe" in site.acted())
        wait_for("outcomes come back to the engine", lambda: json.loads(correlator("status", "--json", "--state", site.state))["counters"]["outcomes"] >= 4)

        # A compromised engine: what it writes into its own database asks for what the rules do not allow.
        db = sqlite3.connect(os.path.join(site.state, "engine.db"), isolation_level=None)
        row = "INSERT INTO decision (id, time, seq, rule, key, step, action, fate, document, arguments) VALUES (?, ?, 1, ?, '', 1, ?, 'decided', ?, ?)"
        now = int(time.time() * 1e6)
        document = json.dumps({"id": "x", "time": "2026-01-01T00:00:00Z", "argv": ["rm", "-rf"], "key": {}, "trust": "vouched"})
        for number, (rule, action, arguments) in enumerate([("plain", "ask", [[]]), ("nowhere", "act", [[]]), ("plain", "act", [[], ["-rf"], [], ["h"]]),
                                                            ("plain", "act", [["evil"]]), ("plain", "act", [[], ["captured"], ["evil"], ["h9"]])]):
            db.execute(row, (f"forged{number}", now, rule, action, document, json.dumps(arguments)))
        db.close()
        wait_for("the step, the fixed arguments and the action are the rules'", lambda: "--what captured fixed host=h9" in site.acted())
        wait_for("what the rules do not say is refused", lambda: site.forged() == ["refused"] * 4 + ["done"])
        check("and nothing of it ran", not any("rm" in line or "evil" in line for line in site.acted()))

        open(os.path.join(site.ledger, "stop-actions"), "w", encoding="utf-8").close()
        before = len(site.acted())
        engine.send(hit("plain"))
        wait_for("the kill switch stops every start and says so", lambda: any("stop-actions" in text for text in site.jobs().values()))
        os.unlink(os.path.join(site.ledger, "stop-actions"))
        wait_for("taken away, it goes on", lambda: len(site.acted()) == before + 1)

        dispatcher.send_signal(signal.SIGKILL)
        dispatcher.wait()
        engine.send(hit("plain"))
        dispatcher = site.dispatcher()
        wait_for("a dispatcher that was killed goes on where it was", lambda: len(site.acted()) == before + 2)
        wait_for("all jobs have ended", lambda: not any(text.startswith(("waiting", "running")) for text in site.jobs().values()))
        check("nothing ran twice", len([line for line in site.acted() if line.startswith("--what plain")]) == 3)

        reload_of_both(site, engine)
        os.chmod(os.path.join(site.actions, "act"), 0o777)
        second = subprocess.run([CORRELATOR, "dispatch", "--state", site.state, "--ledger", site.work + "/other", "--rules", site.rules,
                                 "--actions", site.actions, "--group", "root"], capture_output=True, text=True)
        check("a script that others can write is refused in words", second.returncode == 74 and "is writable by everybody" in second.stderr and "chmod o-w" in second.stderr)
        check("the engine ends cleanly", engine.end())
        db = sqlite3.connect(os.path.join(site.state, "engine.db"), isolation_level=None)
        db.execute("DELETE FROM decision WHERE id LIKE 'forged%'")
        db.close()
        check("replay --recorded agrees over outcomes, probes and lookups", same_as_recorded(site.state))
    finally:
        for process in (engine.process, dispatcher):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        if check.failed:
            for name in ("dispatch.log", "engine.log"):
                print(open(os.path.join(site.work, name), encoding="utf-8", errors="replace").read()[-2000:])
            print(site.acted())
        site.clean()
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
