#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/install.md as a stranger reads it, on a fresh Debian 12 that runs under systemd (systemd-nspawn of a debootstrap root): every
command of the document, the first decision, the units, restarts and signals with an action under way.

Runs where CORRELATOR_CONTAINER=1 is set, as root; it loads a base system from Debian's mirror.
  container.py           the program as built here is installed, with the libraries it is linked to
  container.py --build   the document's first commands, too: packages, compiler and build inside (long)
CORRELATOR_ROOT names a debootstrap root to be copied instead of a new one.
"""
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

SOURCE, BUILD, CMAKE = os.environ["SOURCE"], os.environ.get("BUILD", ""), os.environ.get("CMAKE", "cmake")
PACKAGES = "systemd,systemd-sysv,dbus,rsyslog,adduser,procps,ca-certificates"
ACTION_RULES = """format = 1
[class."act.test"]
key = ["host", "what"]
requires = { what = "text" }
[[event]]
id = "act-test"
class = "act.test"
from = "correlator-test"
match = '^act (?P<what>\\w+)$'
[[event.sample]]
line = "2026-01-01T00:00:00Z kvm1 correlator-test: act one"
expect = { class = "act.test" }
[[rule]]
id = "act.test"
on = "act.test"
then = ["site-act"]
[action.site-act]
run = "site-act"
args = ["--what", "${what}"]
"""
# What scripts do: temporary files, /run, the log, a program as root, time.
SCRIPT = """#!/bin/sh
set -eu
echo "begin $2" >>/var/lib/site-acted
temporary=$(mktemp)
rm "$temporary"
: >/run/site-act
logger -t site-act "working on $2"
chown root:adm /run/site-act
echo "said before"
while [ ! -e "/run/go-$2" ]; do sleep 0.1; done
echo "said after"
echo "end $2" >>/var/lib/site-acted
"""


class Check:
    failed = 0

    def __call__(self, name, good, more=""):
        print(f"{'ok' if good else 'FAILED'}: {name}{'' if good else ' ' + str(more)}", flush=True)
        self.failed += 0 if good else 1


check = Check()


def document():
    with open(os.path.join(SOURCE, "docs", "install.md"), encoding="utf-8") as file:
        return file.read()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", document(), re.S)


class Machine:
    def __init__(self, work):
        self.work, self.root, self.nspawn, self.leader = work, os.path.join(work, "root"), None, 0

    def make(self):
        base = os.environ.get("CORRELATOR_ROOT")
        if base:
            subprocess.run(["cp", "-a", base, self.root], check=True)
            return
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", self.root], check=True,
                       stdout=open(os.path.join(self.work, "debootstrap.log"), "w", encoding="utf-8"))

    def chroot(self, script):
        """Before the first boot."""
        subprocess.run(["systemd-nspawn", "-q", "-D", self.root, "--register=no", "--keep-unit", "--pipe", "/bin/bash", "-euc", script], check=True)

    def boot(self):
        self.nspawn = subprocess.Popen(["systemd-nspawn", "-q", "-D", self.root, "-b", "--register=no", "--keep-unit", "--console=pipe"], stdin=subprocess.DEVNULL,
                                       stdout=open(os.path.join(self.work, "boot.log"), "w", encoding="utf-8"), stderr=subprocess.STDOUT)
        return wait_until(self.find_leader, 30) and wait_until(lambda: self.run("systemctl is-system-running").stdout.strip() in ("running", "degraded"), 60)

    def find_leader(self):
        try:
            with open(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children", encoding="utf-8") as file:
                for child in file.read().split():
                    with open(f"/proc/{child}/comm", encoding="utf-8") as comm:
                        if comm.read().strip() == "systemd":
                            self.leader = int(child)
        except OSError:
            pass
        return self.leader > 0

    def run(self, script):
        return subprocess.run(["nsenter", "-t", str(self.leader), "-a", "-r", "-w", "--", "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                               "NO_COLOR=1", "/bin/bash", "-uc", script], capture_output=True, text=True)

    def says(self, script):
        return self.run(script).stdout.strip()

    def write(self, path, text, mode=0o644):
        path = self.root + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def stop(self):
        if self.nspawn is not None and self.nspawn.poll() is None:
            if self.leader:
                self.run("systemctl poweroff")
            try:
                self.nspawn.wait(60)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def install(machine, build):
    """Section 1 of the document."""
    if build:
        tree = machine.root + "/root/correlator"
        os.makedirs(tree)
        archive = subprocess.run(["git", "-C", SOURCE, "archive", "HEAD"], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", tree], input=archive, check=True)
        machine.chroot("cd /root/correlator\n" + blocks("shell")[0])
        return
    subprocess.run([CMAKE, "--install", BUILD, "--prefix", "/usr"], env=dict(os.environ, DESTDIR=machine.root), check=True, stdout=subprocess.DEVNULL)
    linked = subprocess.run(["ldd", machine.root + "/usr/bin/correlator"], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"=> (/\S+)", linked):
        if not os.path.exists(machine.root + os.path.realpath(library)) and not os.path.exists(machine.root + library):
            shutil.copy(os.path.realpath(library), machine.root + "/usr/lib/" + os.path.basename(library))
    machine.chroot("ldconfig")


def follow_the_document(machine):
    """Sections 2 to 6; each command as it is written."""
    shell = blocks("shell")
    for block in shell[1:2]:
        done = machine.run("set -e\n" + block)
        check("a user and directories", done.returncode == 0, done.stderr)
    machine.write("/etc/correlator/rules.d/site-test.toml", blocks("toml")[0])
    done = machine.run("set -e\n" + shell[2])
    check("correlator check ends with ok:", done.returncode == 0 and done.stdout.splitlines()[-1:] and "ok:" in done.stdout.splitlines()[-1], done.stdout[-300:] + done.stderr[-500:])
    imuxsock = re.search(r"```\n(module\(load=\"imuxsock\".*?\))\n```", document(), re.S)[1]
    with open(machine.root + "/etc/rsyslog.conf", encoding="utf-8") as file:
        text = file.read()
    changed = re.sub(r'^module\(load="imuxsock"\).*$', imuxsock, text, flags=re.M)
    check("rsyslog.conf has the line that the document changes", changed != text)
    machine.write("/etc/rsyslog.conf", changed)
    done = machine.run("set -e\n" + shell[3])
    check("the drop-in: rsyslogd -N1 names no error, rsyslog restarts", done.returncode == 0 and "error" not in done.stderr.replace("0 errors", ""), done.stderr)
    done = machine.run(shell[4])  # three lines and a look; the look may come before the third decision
    decided = lambda: machine.says("correlator decisions --rule site.test").count("DECISION")
    check("three lines, one decision", wait_until(lambda: decided() == 1), done.stderr + machine.says("cat /var/log/correlator/engine.log; journalctl -u rsyslog -n 20"))
    check("with the reason that the document shows", "3 site.test of 3 in 10m for host=" in machine.says("correlator decisions --rule site.test"))
    machine.run(shell[5])
    check("a line that plays the kernel is counted as forged", wait_until(lambda: re.search(r"^forged +1$", machine.says("correlator status"), re.M)), machine.says("correlator status"))
    check("and decides nothing", machine.says("correlator decisions").count("DECISION") == 1)
    check("the engine runs as user correlator", machine.says("ps -C correlator -o user= | sort -u") == "correlator", machine.says("ps -ef"))
    check("every shell block of the document was run", len(shell) == 6, len(shell))


def running(machine):
    return machine.says("systemctl show -P MainPID correlator-dispatch")


def acted(machine):
    return machine.says("cat /var/lib/site-acted 2>/dev/null").splitlines()


def units(machine):
    machine.write("/usr/lib/correlator/actions/site-act", SCRIPT, 0o755)
    machine.write("/etc/correlator/rules.d/site-act.toml", ACTION_RULES)
    done = machine.run("correlator reload && systemctl enable --now correlator-dispatch")
    check("the dispatcher's unit is active once it says so (Type=notify)", done.returncode == 0 and machine.says("systemctl is-active correlator-dispatch") == "active",
          done.stderr + machine.says("journalctl -u correlator-dispatch -n 20"))
    check("its watchdog is on", machine.says("systemctl show -P WatchdogUSec correlator-dispatch") == "30s" and machine.says("systemctl show -P Type correlator-dispatch") == "notify")
    machine.run("logger -t correlator-test 'act one'")
    check("an action starts, as root, under the unit's hardening", wait_until(lambda: acted(machine) == ["begin one"]) and wait_until(lambda: machine.says("stat -c %G /run/site-act") == "adm"),
          machine.says("journalctl -u correlator-dispatch -n 20; correlator metrics | grep dispatch"))

    dispatcher = running(machine)
    machine.run("systemctl restart rsyslog")
    engine = lambda: machine.says("pgrep -u correlator correlator")
    machine.run("logger -t correlator-test 'is anybody there'")
    check("rsyslog restarted: the engine is back", wait_until(lambda: engine() != "", 40), machine.says("tail /var/log/correlator/engine.log"))
    before = engine()
    machine.write("/etc/correlator/rules.d/half.toml", "format = 1\n[[rule]\nid = ")
    machine.run("systemctl kill -s HUP rsyslog")  # all of its cgroup, as logrotate does
    time.sleep(1)
    machine.run("logger -t correlator-test 'count me'")
    check("a HUP to rsyslog's whole cgroup with a half-written rule file: the same engine, the same rules",
          engine() == before and re.search(r"^correlator_rules_last_reload_successful 1$", machine.says("correlator metrics"), re.M), machine.says("ps -ef"))
    check("L30: the same dispatcher, the action still under way", running(machine) == dispatcher and acted(machine) == ["begin one"] and machine.says("pgrep -f site-act") != "")
    os.unlink(machine.root + "/etc/correlator/rules.d/half.toml")
    machine.run("touch /run/go-one")
    check("it ends once, as if nothing had been", wait_until(lambda: acted(machine) == ["begin one", "end one"]))
    outcome = lambda: re.search(r'outcomes_total\{action="site-act",outcome="done"\} 1$', machine.says("correlator metrics"), re.M)
    check("done, says the ledger", wait_until(outcome), machine.says("correlator metrics | grep dispatch"))
    check("and the engine, which reads the ledger as user correlator", wait_until(lambda: re.search(r"^correlator_outcomes_total [1-9]", machine.says("correlator metrics"), re.M), 30),
          machine.says("ls -la /var/lib/correlator-dispatch; tail -5 /var/log/correlator/engine.log"))


def dispatcher_dies(machine):
    machine.run("logger -t correlator-test 'act two'")
    check("another action", wait_until(lambda: "begin two" in acted(machine)))
    first = running(machine)
    machine.run(f"kill -9 {first}")
    check("a dispatcher that is killed is started again by systemd", wait_until(lambda: running(machine) not in (first, "0") and machine.says("systemctl is-active correlator-dispatch") == "active"))
    check("its action was not killed with it, nor started twice", machine.says("pgrep -fc 'site-act --what two'") == "1" and acted(machine).count("begin two") == 1,
          machine.says("ps -ef; journalctl -u correlator-dispatch -n 20"))
    machine.run("touch /run/go-two")
    check("it works to its end although who started it is gone", wait_until(lambda: "end two" in acted(machine)), acted(machine))
    output = "correlator metrics | grep -c 'outcome=\"unknown\"} 1'"
    check("the ledger says that its end is not known", wait_until(lambda: machine.says(output) == "1"), machine.says("correlator metrics | grep dispatch"))
    said = read_ledger(machine)
    check("and what it said, before and after", said == "said before\nsaid after\n", repr(said))

    machine.write("/etc/systemd/system/correlator-dispatch.service.d/quick.conf", "[Service]\nWatchdogSec=3s\n")
    machine.run("systemctl daemon-reload; systemctl restart correlator-dispatch")
    first = running(machine)
    machine.run(f"kill -STOP {first}")
    check("one that hangs is replaced by the watchdog", wait_until(lambda: running(machine) not in (first, "0") and machine.says("systemctl is-active correlator-dispatch") == "active", 40))


def read_ledger(machine):
    db = sqlite3.connect(f"file:{machine.root}/var/lib/correlator-dispatch/dispatch.db?mode=ro", uri=True)
    try:
        row = db.execute("SELECT output FROM attempt JOIN job USING (decision) WHERE state = 'unknown'").fetchone()
    finally:
        db.close()
    return bytes(row[0]).decode() if row and row[0] is not None else None


def security(machine):
    for unit in ("correlator-dispatch", "correlator", "rsyslog"):
        figure = machine.says(f"systemd-analyze security --no-pager {unit} | tail -1")
        print(f"{unit}: {figure}")


def possible():
    if os.environ.get("CORRELATOR_CONTAINER") != "1":
        return "set CORRELATOR_CONTAINER=1 to boot a Debian 12 (it loads a base system)"
    if os.geteuid() != 0:
        return "booting a container takes root"
    for program in ("debootstrap", "systemd-nspawn", "nsenter"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return ""


def main():
    missing = possible()
    if missing:
        print(f"skipped: {missing}")
        return 77
    work = tempfile.mkdtemp(prefix="correlator-container-")
    machine = Machine(work)
    try:
        machine.make()
        install(machine, "--build" in sys.argv)
        if not machine.boot():
            with open(os.path.join(work, "boot.log"), encoding="utf-8", errors="replace") as file:
                print("skipped: no container boots here: " + file.read()[-300:])
            return 77
        follow_the_document(machine)
        units(machine)
        dispatcher_dies(machine)
        security(machine)
    finally:
        machine.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
