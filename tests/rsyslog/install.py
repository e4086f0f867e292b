#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rule and the test lines of docs/install.md, through a real rsyslogd, to the decision that the document promises."""
import json
import os
import re
import subprocess
import unittest

from harness import SOURCE, Rsyslogd, Scratch, need_rsyslogd, shipped, wait_until

CORRELATOR = os.environ.get("CORRELATOR", "")


def document():
    with open(os.path.join(SOURCE, "docs", "install.md"), encoding="utf-8") as file:
        return file.read()


class Install(unittest.TestCase):
    def test_the_first_decision(self):
        rule = re.search(r"```toml\n(.*?)```", document(), re.S)[1]
        commands = re.findall(r"^logger (.*)$", document(), re.M)
        self.assertEqual(len(commands), 4)
        with Scratch() as scratch:
            rules = ["--rules", os.path.join(SOURCE, "rules"), "--rules", scratch.write("site-test.toml", rule)]
            state = scratch.file("state")
            # The command of the shipped file, with the shell that greets; only paths, rules and the user are this test's.
            program = f"{CORRELATOR} run --omprog --greeted --user root --state {state} {' '.join(rules)}"
            with Rsyslogd(scratch, shipped("60-correlator.conf", program, scratch)) as daemon:
                for command in commands:
                    subprocess.run(["sh", "-c", f"logger -u {daemon.socket_path} {command}"], check=True)
                wait_until("the decision and the forged line", lambda: self.status(state).get("decisions") == 1 and self.status(state).get("forged") == 1)
            said = subprocess.run([CORRELATOR, "decisions", "--state", state], check=True, capture_output=True, text=True).stdout
            self.assertEqual(said.count("DECISION"), 1, said)
            self.assertIn("3 site.test of 3 in 10m", said)
            status = subprocess.run([CORRELATOR, "status", "--state", state], check=True, capture_output=True, text=True).stdout
            self.assertRegex(status, r"forged +1\b")

    def status(self, state):
        said = subprocess.run([CORRELATOR, "status", "--json", "--state", state], capture_output=True, text=True)
        return json.loads(said.stdout)["counters"] if said.returncode == 0 else {}

    def test_files_named_are_shipped(self):
        for name in re.findall(r"/usr/share/correlator/(rsyslog\.d/[\w.-]+)", document()):
            self.assertTrue(os.path.exists(os.path.join(SOURCE, name)), name)


if __name__ == "__main__":
    need_rsyslogd()
    unittest.main(verbosity=2)
