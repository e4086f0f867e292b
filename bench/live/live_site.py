# SPDX-License-Identifier: Apache-2.0
"""What the measurements of this folder share: a site of engine and dispatcher below a real rsyslogd, CPU time and memory of processes,
and how a distribution is printed."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.abspath(os.path.join(HERE, "..", ".."))
BUILD = os.environ.get("BUILD", os.path.join(SOURCE, "build", "release"))
CORRELATOR = os.environ.get("CORRELATOR", os.path.join(BUILD, "correlator", "cli", "correlator"))
FIRST_INSTRUCTION = os.path.join(BUILD, "bench", "first_instruction")
os.environ.setdefault("TAP", os.path.join(BUILD, "tests", "rsyslog", "rsyslog_tap"))
os.environ.setdefault("SOURCE", SOURCE)
sys.path.insert(0, os.path.join(SOURCE, "tests", "rsyslog"))
sys.dont_write_bytecode = True


class Site:
    """Directories, rules and actions of one run, on a real disk (WORK names another place than /var/tmp)."""

    def __init__(self, rules, scripts=()):
        self.work = tempfile.mkdtemp(prefix="correlator-bench-", dir=os.environ.get("WORK", "/var/tmp"))
        os.chmod(self.work, 0o755)
        self.path = self.work
        self.state, self.ledger, self.actions = (os.path.join(self.work, name) for name in ("state", "ledger", "actions"))
        os.mkdir(self.actions, 0o755)
        self.rules = self.write("rules.toml", rules)
        for script in scripts:
            shutil.copy(script, self.actions)
        self.processes = []

    def file(self, name):
        return os.path.join(self.work, name)

    def write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.file(name), 0o644)
        return self.file(name)

    def plug_in(self, more="", rules=None):
        return (f"{CORRELATOR} run --omprog --greeted --user root --rules {rules or self.rules} --state {self.state} "
                f"--ledger {self.ledger} {more}").strip()

    def dispatcher(self, *more):
        log = open(self.file("dispatch.log"), "ab")
        process = subprocess.Popen([CORRELATOR, "dispatch", "--state", self.state, "--ledger", self.ledger, "--rules", self.rules,
                                    "--actions", self.actions, "--group", "root", *more], stdout=log, stderr=log)
        self.processes.append(process)
        until(lambda: os.path.exists(os.path.join(self.ledger, "dispatch.bell")) or process.poll() is not None, 20)
        if process.poll() is not None:
            raise RuntimeError(open(log.name, encoding="utf-8").read())
        return process

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                process.wait(20)
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.work, ignore_errors=True)


def until(condition, seconds, pause=0.001):
    """True once the condition holds, False when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(pause)
    return False


def children(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                    if int(file.read().rsplit(")", 1)[1].split()[1]) == pid:
                        found.append(int(entry))
            except OSError:
                continue
    return found


def plug_in_of(daemon):
    """Process id of the engine that rsyslogd has started, or None."""
    for pid in children(daemon.process.pid):
        try:
            if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(CORRELATOR):
                return pid
        except OSError:
            continue
    return None


def cpu(pid):
    """CPU seconds of a process so far, of its ended threads, too."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss(pid):
    """Resident memory in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def prefer(pid=None):
    """On a machine that others use: gives this process's session, or that of `pid`, the CPUs before theirs, with PREFER=1. What is compared
    in one run is preferred alike."""
    if os.environ.get("PREFER"):
        with open(f"/proc/{pid or 'self'}/autogroup", "w", encoding="ascii") as file:
            file.write("-19")


def machine():
    return f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}{', preferred' if os.environ.get('PREFER') else ''}"


def distribution(name, values):
    """p50, p90, p99 and max of milliseconds, as a row of a table."""
    values = sorted(values)
    at = lambda share: values[min(len(values) - 1, int(len(values) * share))]
    print(f"| {name} | {at(0.5):.2f} | {at(0.9):.2f} | {at(0.99):.2f} | {values[-1]:.2f} |", flush=True)
    return at(0.5), at(0.99)


def histogram(values, edges=(0.5, 1, 1.5, 2, 3, 5, 10, 20, 50)):
    values, below = sorted(values), 0.0
    for edge in [*edges, float("inf")]:
        count = sum(below <= v < edge for v in values)
        print(f"  {below:5.1f} ms.. {count:6d} {'#' * round(60 * count / len(values))}")
        below = edge
