#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run --dispatch: the engine and its dispatcher in one process. Outcomes are taken back and printed when they come, whether lines do or not;
metrics tell of both; new rules are the dispatcher's, too."""
import json
import os
import subprocess
import sys
import time

from dispatch import Site, wait_for
from metrics import samples
from omprog import CORRELATOR, check, correlator, same_as_recorded

RULES = """format = 1
[[rule]]
id = "seen"
match = 'needle (?P<name>\\w+)'
key = ["name"]
then = [{ do = "act", with = { name = "${name}" }, or_else = "instead" }]
[action.act]
run = "waits"
args = ["${name}"]
budget = "few"
[action.instead]
run = "act"
args = ["instead-of-${name}"]
[budget.few]
at_most = BUDGET
per = "1h"
"""
# Ends when the file go-NAME is there, with what stands in it.
WAITS = """#!/bin/sh
while [ ! -e "$0.go-$1" ]; do sleep 0.01; done
exit "$(cat "$0.go-$1")"
"""


class OneProcess:
    def __init__(self):
        self.site = Site()
        self.site.write("actions/waits", WAITS)
        self.rules("5")
        self.log, self.said = os.path.join(self.site.work, "log"), os.path.join(self.site.work, "said")
        open(self.log, "w", encoding="utf-8").close()
        self.process = None

    def rules(self, budget):
        self.site.write("rules.toml", RULES.replace("BUDGET", budget), 0o644)

    def start(self):
        with open(self.said, "ab") as out:
            self.process = subprocess.Popen([CORRELATOR, "run", "--dispatch", "--json", "--follow", self.log, "--state", self.site.state, "--rules", self.site.rules,
                                             "--actions", self.site.actions], stdin=subprocess.DEVNULL, stdout=out, stderr=self.site.log)
        wait_for("it reads", lambda: "\ncorrelator_up 1\n" in self.page())  # the help text has the words, too

    def page(self):
        """Nothing while the state is being made."""
        return subprocess.run([CORRELATOR, "metrics", "--state", self.site.state], capture_output=True, text=True).stdout

    def write(self, text):
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} h1 prog: {text}\n")

    def end_script(self, name, code):
        self.site.write(f"actions/new-{name}", f"{code}\n", 0o644)
        os.rename(os.path.join(self.site.actions, f"new-{name}"), os.path.join(self.site.actions, f"waits.go-{name}"))

    def printed(self, kind):
        with open(self.said, encoding="utf-8") as file:
            return [o for o in map(json.loads, filter(None, file.read().splitlines())) if o["type"] == kind]

    def value(self, sample):
        return samples(self.page()).get(sample)


def main():
    one = OneProcess()
    try:
        one.start()
        one.write("needle a")
        wait_for("a decision is printed", lambda: len(one.printed("decision")) == 1)
        wait_for("its script runs, say the metrics", lambda: one.value('correlator_dispatch_jobs{state="running"}') == 1)
        check("no outcome yet", one.printed("outcome") == [])
        begin = time.monotonic()
        one.end_script("a", 0)
        wait_for("no line comes, and the outcome is printed", lambda: [o["state"] for o in one.printed("outcome")] == ["done"])
        print(f"after {time.monotonic() - begin:.3f} s")
        wait_for("the engine has it", lambda: one.value("correlator_outcomes_total") == 1)
        check("and the metrics", one.value('correlator_dispatch_outcomes_total{action="act",outcome="done"}') == 1 and one.value("correlator_dispatch_up") == 1)
        one.write("needle b")
        wait_for("another one", lambda: len(one.printed("decision")) == 2)
        one.end_script("b", 1)
        wait_for("no line comes, and what its failure decides is done", lambda: one.site.acted() == ["instead-of-b"])
        wait_for("and printed", lambda: sorted(o["state"] for o in one.printed("outcome")) == ["done", "done", "failed"])
        check("the budget of the rules in force", one.value('correlator_dispatch_budget_starts{budget="few"}') == 5 and one.value('correlator_dispatch_budget_left{budget="few"}') == 3)
        one.rules("9")
        correlator("reload", "--state", one.site.state)
        wait_for("after a reload it is the new one", lambda: one.value('correlator_dispatch_budget_starts{budget="few"}') == 9)
        open(os.path.join(one.site.state, "stop-actions"), "w", encoding="utf-8").close()
        check("the kill switch is where the state is", one.value("correlator_dispatch_kill_switch") == 1)
        one.process.terminate()
        check("it ends cleanly", one.process.wait() == 0)
        check("what it left tells that nobody runs", one.value("correlator_up") == 0 and one.value("correlator_dispatch_up") == 0)
        check("replay --recorded agrees", same_as_recorded(one.site.state))
    finally:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        if check.failed:
            print(open(os.path.join(one.site.work, "dispatch.log"), encoding="utf-8", errors="replace").read()[-2000:])
        one.site.clean()
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
