# SPDX-License-Identifier: Apache-2.0
"""A host as examples/host sets it up: rsyslogd with the shipped configurations, the engine as its plug-in, the dispatcher, the
forwarder of libvirt's events. Only paths and what the test must have differ (`rules`)."""
import datetime
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time

import harness
from libvirt import wait_until
from parts import SOURCE, run

CORRELATOR = os.environ["CORRELATOR"]
KERNEL_PORT = 5140


class Site:
    def __init__(self, directory, rules):
        self.directory = directory
        for name in ("rules", "actions"):
            shutil.copytree(os.path.join(SOURCE, name), self.path(name))
        shutil.copytree(os.path.join(SOURCE, "examples", "host", "rules.d"), self.path("site"))
        os.mkdir(self.path("test"), 0o755)
        with open(self.path("test/test.toml"), "w", encoding="utf-8") as out:
            out.write(rules)
        run("chmod", "-R", "go-w", self.path("rules"), self.path("actions"), self.path("site"), self.path("test"))
        self.rules = [word for name in ("rules", "site", "test") for word in ("--rules", self.path(name))]
        self.state, self.ledger = self.path("state"), self.path("ledger")
        self.scratch = harness.Scratch()
        self.processes = []
        self.log = open(self.path("site.log"), "ab")
        self.check_rules()
        self.dispatcher = self.spawn("dispatch", "--state", self.state, "--ledger", self.ledger, "--actions", self.path("actions"), "--group", "root", *self.rules)
        wait_until("the dispatcher is there", lambda: os.path.exists(os.path.join(self.ledger, "dispatch.bell")))
        self.rsyslogd = self.start_rsyslogd()
        self.forwarder = self.spawn("forward-events", "--alive", "1s")
        self.kernel = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def spawn(self, *arguments):
        process = subprocess.Popen([CORRELATOR, *arguments], stdout=self.log, stderr=self.log)
        self.processes.append(process)
        return process

    def ask(self, *arguments):
        done = subprocess.run([CORRELATOR, *arguments], capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"))
        if done.returncode not in (0, 1):
            raise AssertionError(f"correlator {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def check_rules(self):
        done = subprocess.run([CORRELATOR, "check", self.path("rules"), self.path("site"), self.path("test")], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def start_rsyslogd(self):
        # The directory as packaging/tmpfiles makes it.
        with open(os.path.join(SOURCE, "packaging", "tmpfiles", "correlator-events.conf"), encoding="utf-8") as file:
            kind, where, mode, user, group = [line.split() for line in file if line.startswith("d ")][0]
        run("install", "-d", "-m", mode, "-o", user, "-g", group, where)
        engine = f"{CORRELATOR} run --omprog --greeted --user root --state {self.state} --ledger {self.ledger} {' '.join(self.rules)}"
        with open(os.path.join(SOURCE, "rsyslog.d", "50-correlator-events.conf"), encoding="utf-8") as file:
            events = file.read()
        # Marks are what moves the clock while nobody says anything: the shipped one comes each minute.
        conf = events + harness.shipped("60-correlator.conf", engine, self.scratch, interval="1")
        # Where the kernel of this host is another machine's: its lines come by a port that [input] trusted names.
        modules = f'module(load="imtcp")\ninput(type="imtcp" port="{KERNEL_PORT}" address="127.0.0.1" name="host-kernel")'
        daemon = harness.Rsyslogd(self.scratch, conf, modules=modules)
        return daemon.start()

    def wait(self):
        """Until the engine has read its rules; the first line that starts it is the forwarder's."""
        wait_until("the engine listens", lambda: os.path.exists(os.path.join(self.state, "engine.sock")))

    def connect_kernel(self):
        harness.wait_for_port(KERNEL_PORT)
        self.kernel = socket.create_connection(("127.0.0.1", KERNEL_PORT))
        self.kernel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say_as_kernel(self, priority, text):
        """A line of the host's kernel."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.kernel.sendall(f"{priority}{now} kvm1 kernel: {text}\n".encode())

    def decisions(self, rule=None):
        more = ["--rule", rule] if rule else []
        return [json.loads(line) for line in self.ask("decisions", "--json", "--state", self.state, *more).splitlines()]

    def counters(self):
        return json.loads(self.ask("status", "--json", "--state", self.state))["counters"]

    def jobs(self, action=None):
        """(rule, action, state, exit code, what it said), in the order they were decided."""
        rows = self.from_ledger("SELECT rule, action, state, exit_code, output, reason FROM actions")
        return [row for row in rows if action in (None, row[1])]

    def attempts(self, action):
        """When scripts of an action were started and ended (0: not yet), by the clock that time.monotonic() is."""
        ahead = time.time() - time.monotonic()
        rows = self.from_ledger("SELECT action, started, ended FROM job JOIN attempt USING (decision) ORDER BY job.n, number")
        return [(started / 1e6 - ahead, ended / 1e6 - ahead if ended else 0) for name, started, ended in rows if name == action]

    def from_ledger(self, query):
        db = sqlite3.connect(f"file:{self.ledger}/dispatch.db?mode=ro", uri=True)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def log_lines(self):
        """All that went through rsyslogd, as inputname and text."""
        return self.rsyslogd.control_lines()

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(harness.PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.rsyslogd.__exit__()
        self.scratch.__exit__()


class Lifecycle:
    """When libvirt says what of its guests: virsh event, read with the time of arrival."""

    def __init__(self):
        self.seen, self.condition = [], threading.Condition()
        self.process = subprocess.Popen(["virsh", "-c", "qemu:///system", "uri; event --event lifecycle --loop"], stdout=subprocess.PIPE, text=True, bufsize=1)
        self.process.stdout.readline()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.condition:
                self.seen.append((time.monotonic(), line.strip()))
                self.condition.notify_all()

    def wait(self, text, after, seconds=harness.PATIENCE):
        """The moment at which `text` came, the first after `after`."""
        def found():
            return next((at for at, line in self.seen if at > after and text in line), None)
        with self.condition:
            if not self.condition.wait_for(lambda: found() is not None, seconds):
                raise AssertionError(f"not within {seconds} s: {text}; seen: {self.seen[-5:]}")
            return found()
