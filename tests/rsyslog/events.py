#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`correlator forward-events` through its private socket of a real rsyslogd. libvirt is a stand-in here, which prints what virsh prints
and dies when it is told to; tests/e2e/guests has the real one."""
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

from harness import PATIENCE, SHIPPED, TAP, Rsyslogd, Scratch, TapLog, need_rsyslogd, shipped, wait_until
from provenance import CORRELATOR, NOBODY, SEND, as_nobody, replay

# Says what is written into the file `say` beside it, and ends when `end` is there. As virsh does, it prints an event at once.
VIRSH = """#!/bin/sh
cd "$(dirname "$0")"
echo "$@" >>calls
[ ! -e away ] || { echo "error: failed to connect to the hypervisor" >&2; exit 1; }
printf 'qemu:///system\\n\\n'
while [ -e calls ]; do  # until the directory is gone: it may have outlived who started it
  [ ! -e end ] || { rm end; echo "error: Disconnected from qemu:///system due to end of file" >&2; exit 1; }
  [ ! -e say ] || { mv say said; cat said; rm said; }
  sleep 0.02
done
"""
PANIC = "event 'lifecycle' for domain '{}': Crashed Panicked"


class Events(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch()
        self.log = TapLog(self.scratch.file("tap"))
        self.private = self.scratch.file("private")
        os.mkdir(self.private, 0o700)
        os.chmod(self.scratch.write("virsh", VIRSH), 0o755)
        with open(os.path.join(SHIPPED, "50-correlator-events.conf"), encoding="utf-8") as file:
            events = file.read()
        assert events.count('"/run/correlator-events/socket"') == 1
        events = events.replace("/run/correlator-events/socket", self.private + "/socket")
        self.daemon = Rsyslogd(self.scratch, events + shipped("60-correlator.conf", f"{TAP} {self.log.path}", self.scratch, interval="3600")).start()
        self.forwarder = None

    def tearDown(self):
        if self.forwarder is not None and self.forwarder.poll() is None:
            self.forwarder.kill()
            self.forwarder.wait()
        self.daemon.__exit__()
        self.scratch.__exit__()

    def forward(self, *more):
        self.forwarder = subprocess.Popen([CORRELATOR, "forward-events", "--to", self.private + "/socket", "--virsh", self.scratch.file("virsh"), *more])
        self.wait_for("connected to qemu:///system: events of guests are seen from now on")

    def say(self, text):
        os.rename(self.scratch.write("saying", text), self.scratch.file("say"))
        wait_until("virsh says it", lambda: not os.path.exists(self.scratch.file("say")))

    def texts(self):
        return [m["message"].removeprefix(" ") for m in self.log.messages() if m["programname"] == "virsh-event"]

    def wait_for(self, text, times=1):
        wait_until(f"{text!r} {times} times", lambda: sum(text in x for x in self.texts()) >= times)

    def captured(self):
        with open(self.scratch.file("frames"), "wb") as out:
            out.write(self.log.frames())
        return self.scratch.file("frames")

    def test_a_panic_is_believed_and_a_forged_one_is_not(self):
        self.forward()
        at = time.time() - 1
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)) + ".090+0000"
        self.say(f"{stamp}: {PANIC.format('vm1')}\n")
        self.wait_for(PANIC.format("vm1"))
        as_nobody(SEND, self.daemon.socket_path, *(f"<30>{tag}: {PANIC.format('vm2')}" for tag in ("virsh-event", "virsh-event[1]", "sshd")))
        as_nobody(SEND, self.daemon.socket_path, f"<30>Nov 22 08:47:40 kvm9 virsh-event: {PANIC.format('vm2')}",
                  '<30>virsh-event: {"inputname":"imuxsock","uid":"0","message":"' + PANIC.format("vm2") + '"}',
                  '<30>virsh-event: x","uid":"0","message":"' + PANIC.format("vm2"))
        wait_until("all lines", lambda: sum(PANIC.format("vm2") in m["message"] for m in self.log.messages()) == 6)
        events, decisions, summary = replay(self.captured())
        self.assertEqual([(e["event"], e["part"], e["trust"], e["time"]) for e in events if e["event"] == "guest.panicked"],
                         [("guest.panicked", "vm1", "vouched", stamp.replace(" ", "T").replace("+0000", "Z"))])
        self.assertEqual(summary["forged"], 2)  # those whose tag is virsh-event and whose text is an event
        acting = [(d["action"], d["key"]["guest"]) for d in decisions if d.get("action") and d["rule"] == "guest.panicked"]
        self.assertEqual(acting, [("notify", "vm1"), ("virsh-dump", "vm1")])
        self.assertEqual([d for d in decisions if "vm2" in str(d)], [])

    @unittest.skipUnless(os.getuid() == 0, "root")
    def test_the_socket_is_private(self):
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
        done = subprocess.run([python, "-c", SEND, self.private + "/socket", PANIC.format("vm2")], capture_output=True, text=True, cwd="/", **who)
        self.assertIn("PermissionError", done.stderr)

    def test_without_its_directory_rsyslogd_opens_nothing(self):
        self.daemon.stop()
        if os.path.exists(self.private + "/socket"):
            os.unlink(self.private + "/socket")
        os.rmdir(self.private)
        self.daemon.start()
        wait_until("an error", lambda: f"cannot create '{self.private}/socket'" in self.daemon.log())
        self.assertFalse(os.path.exists(self.private))

    def test_several_lines_are_one(self):
        self.forward()
        self.say("event 'memory-failure' for domain 'vm1':\nrecipient: guest\naction: inject\nflags:\n\taction required: 1\n\trecursive: 0\n")
        self.wait_for("event 'memory-failure' for domain 'vm1': recipient: guest action: inject flags: action required: 1 recursive: 0")
        self.assertEqual(sum("recipient" in x for x in self.texts()), 1)

    def test_libvirtd_restarts(self):
        self.forward("--alive", "1s")
        self.wait_for("watching qemu:///system: 0 events so far")
        self.scratch.write("away", "")
        self.scratch.write("end", "")
        self.wait_for("lost qemu:///system: events of guests are not seen: error: Disconnected from qemu:///system due to end of file")
        calls = lambda: len(open(self.scratch.file("calls"), encoding="utf-8").readlines())
        wait_until("it tries again", lambda: calls() >= 3)
        os.unlink(self.scratch.file("away"))
        self.wait_for("connected to qemu:///system", 2)
        blind = next(at for at, x in enumerate(self.texts()) if "lost qemu" in x)
        seeing = [at for at, x in enumerate(self.texts()) if "connected to qemu" in x][1]
        self.assertEqual(self.texts()[blind + 1:seeing], [])  # said once, however often it tries; no sign of life while it was blind
        self.say(PANIC.format("vm1") + "\n")
        self.wait_for(PANIC.format("vm1"))
        events, _, _ = replay(self.captured())
        states = [e["fields"]["state"] for e in events if e["event"] == "source.feed" and e["fields"]["state"] != "watching"]
        self.assertEqual(states, ["seen", "lost", "seen"])

    def test_virsh_is_killed(self):
        self.forward()
        children = subprocess.run(["pgrep", "-P", str(self.forwarder.pid)], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(len(children), 1)
        os.kill(int(children[0]), signal.SIGKILL)
        self.wait_for("lost qemu:///system: events of guests are not seen: virsh died of signal 9")
        self.wait_for("connected to qemu:///system", 2)

    def test_rsyslogd_restarts(self):
        self.forward()
        self.daemon.stop()
        for number in range(50):
            self.say(f"2026-11-22 08:47:40.{number:03d}+0000: event 'reboot' for domain 'vm{number}'\n")
        self.daemon.start()
        self.wait_for("event 'reboot' for domain 'vm49'")
        came = [m for m in self.log.messages() if "event 'reboot'" in m["message"]]
        self.assertEqual([m["message"].split("'")[3] for m in came], [f"vm{number}" for number in range(50)])
        self.assertEqual([m["timereported"] for m in came], [f"2026-11-22T08:47:40.{number:03d}000+00:00" for number in range(50)])

    def test_it_says_that_it_was_stopped(self):
        self.forward()
        self.forwarder.terminate()
        self.assertEqual(self.forwarder.wait(PATIENCE), 0)
        self.wait_for("stopped: events of guests are not seen at qemu:///system")

    def test_a_libvirtd_that_is_not_there_is_asked_less_and_less(self):
        self.scratch.write("away", "")
        begin = time.monotonic()
        self.forwarder = subprocess.Popen([CORRELATOR, "forward-events", "--to", self.private + "/socket", "--virsh", self.scratch.file("virsh")])
        self.wait_for("lost qemu:///system: events of guests are not seen: error: failed to connect to the hypervisor")
        calls = lambda: len(open(self.scratch.file("calls"), encoding="utf-8").readlines())
        wait_until("the third try", lambda: calls() >= 3)
        self.assertGreaterEqual(time.monotonic() - begin, 3)  # after 1 s and 2 s
        self.assertEqual(sum("lost qemu" in x for x in self.texts()), 1)

    def test_systemd_is_told(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(self.scratch.file("notify"))
            manager.settimeout(PATIENCE)
            os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"] = self.scratch.file("notify"), "200000"
            try:
                self.forward("--alive", "1s")
            finally:
                del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
            said = []
            while not {"READY=1", "WATCHDOG=1", "STOPPING=1"} <= set(said):
                if "WATCHDOG=1" in said and self.forwarder.poll() is None:
                    self.forwarder.terminate()
                said += manager.recv(4096).decode().split("\n")
            self.assertTrue(any(x.startswith("STATUS=") for x in said), said)

    def test_what_monitors_say(self):
        self.forward("--monitor")
        self.wait_for("connected to qemu:///system: events of QEMU's monitors are seen from now on")
        with open(self.scratch.file("calls"), encoding="utf-8") as file:
            calls = file.read()
        self.assertIn("event --all --loop --timestamp", calls)
        self.assertIn("qemu-monitor-event --loop --timestamp", calls)


class Usage(unittest.TestCase):
    def test_wrong_calls(self):
        for more, code, text in ((["--virsh", "/nowhere/virsh"], 66, "error: there is no program /nowhere/virsh [E501]\n"
                                  "  hint: install libvirt-clients, or name virsh with its whole path: --virsh PATH\n"),
                                 (["--alive", "soon"], 2, "error: --alive: soon is no time of a second or more [E501]\n  hint: write 1m, or 30s\n")):
            done = subprocess.run([CORRELATOR, "forward-events", *more], capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"))
            self.assertEqual((done.returncode, done.stderr), (code, text))


if __name__ == "__main__":
    need_rsyslogd()
    unittest.main(verbosity=2)
