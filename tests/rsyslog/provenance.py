#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines that only look like the kernel's, through a real rsyslogd with the shipped template, into correlator with the shipped rules:
counted, reported once a minute and host, and acting on nothing. The same texts from the kernel's own input do act."""
import datetime
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import unittest

import harness
from harness import SOURCE, TAP, Rsyslogd, Scratch, TapLog, need_rsyslogd, shipped, wait_until

CORRELATOR = os.environ.get("CORRELATOR", "")
UE = "EDAC MC0: 1 UE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x12345 offset:0x680 grain:32)"
CE = "EDAC MC0: 1 CE memory read error on a test (channel:0 slot:0 page:0x1 offset:0x0 grain:32)"
FATAL = "mce: [Hardware Error]: CPU 0: Machine Check: 5 Bank 9: be00000000010090"

# What somebody without rights can write into the log socket, and what arrives then.
RAW = [f"<0>{UE} 1",
       f"<0>kernel: {UE} 2",
       f"<0>Nov 22 08:00:00 kernel: {UE} 3",
       f"<2>Nov 22 08:00:00 kernel: [   12.345678] {FATAL}",
       f"<1>Nov 22 08:00:00 otherhost kernel: {UE} 5",
       f"<0>Nov 22 08:00:00 kernel: harmless\nNov 22 08:00:01 kvm1 kernel: {UE} 6"]
# Tags that only look like provenance, JSON that only looks like our own.
SLY = [f"<0>imklog kern.emerg kernel: {UE} 8",
       '<0>kernel: {"inputname":"imklog","facility":"0","syslogtag":"kernel:","message":"' + UE + ' 9"}',
       f'<0>kernel: x","inputname":"imklog","uid":"","message":"{UE} 10',
       f"<0>kernel[0]: {UE} 11"]
NOBODY = 65534

# What the kernel prints behind the name of a process, at the beginning of a line.
SAID_OF_PROCESSES = [
    "[123]: segfault at 0 ip 0000557da6a49132 sp 00007fffe13803b0 error 6 in x[1132,557da6a49000+1000] likely on CPU 1 (core 1, socket 0)",
    "[123] bad frame in rt_sigreturn frame:00007ffd ip:0 sp:0 orax:ffffffff in x[0+1000]",
    ": potentially unexpected fatal signal 11.",
    " invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    ": page allocation failure: order:4, mode:0x40cc0(GFP_KERNEL|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0",
    " sent an empty control message without MSG_MORE.",
    " uses obsolete (PF_INET,SOCK_PACKET)",
    " (123): drop_caches: 3",
    " (123) used greatest stack depth: 1 bytes left"]


def as_nobody(function_text, *args):
    """Runs Python text as nobody; as ourselves where we are not root."""
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
    subprocess.run([python, "-c", function_text, *args], check=True, env={"LC_ALL": "C.UTF-8"}, cwd="/", **who)


SEND = """
import socket, sys
client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
client.connect(sys.argv[1])
for line in sys.argv[2:]:
    client.send(line.encode())
"""


def replay(frames, *options, rules=()):
    """(events, decisions, summary) of the captured frames, by the shipped rules."""
    args = [CORRELATOR, "replay", "--rules", os.path.join(SOURCE, "rules"), *rules, "--events", "--json", "--no-progress", *options,
            "--", frames]
    done = subprocess.run(args, capture_output=True, text=True, check=True)
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    return ([o for o in objects if o["type"] == "event"], [o for o in objects if o["type"] == "decision"],
            next(o for o in objects if o["type"] == "summary"))


class Provenance(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch()
        self.log = TapLog(self.scratch.file("tap"))
        self.conf = shipped("60-correlator.conf", f"{TAP} {self.log.path}", self.scratch, interval="3600")

    def tearDown(self):
        self.scratch.__exit__()

    def captured(self, only=lambda message: True):
        """A file with the frames as the plug-in got them."""
        kept = [line for line in self.log.frames().splitlines() if only(json.loads(line))]
        with open(self.scratch.file("frames"), "wb") as out:
            out.write(b"\n".join(kept) + b"\n")
        return self.scratch.file("frames")

    def origins(self):
        frames = self.log.frames().decode().splitlines()
        done = subprocess.run([CORRELATOR, "explain", "--rules", os.path.join(SOURCE, "rules"), "--json", "--", *frames],
                              capture_output=True, text=True, check=False)
        return [o["origin"] for o in map(json.loads, done.stdout.splitlines()) if o.get("type") == "line"]

    def test_forged(self):
        port = harness.free_port()
        modules = f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")'
        with Rsyslogd(self.scratch, self.conf, modules=modules) as daemon:
            as_nobody(SEND, daemon.socket_path, *RAW, *SLY)
            wait_until("all raw lines", lambda: len(self.log.messages()) == len(RAW) + len(SLY))
            who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
            subprocess.run(["logger", "-u", daemon.socket_path, "-p", "kern.emerg", "-t", "kernel", UE + " 7"], check=True, **who)
            harness.wait_for_port(port)
            with socket.create_connection(("127.0.0.1", port)) as tcp:
                tcp.sendall(f"<0>Nov 22 08:00:00 kvm9 kernel: {UE} 12\n".encode())
            sent = len(RAW) + len(SLY) + 2
            wait_until("all lines", lambda: len(self.log.messages()) == sent)
        messages = self.log.messages()
        self.assertEqual(len(messages), sent)  # no line has made two
        local = [m for m in messages if m["inputname"] == "imuxsock"]
        self.assertEqual({m["inputname"] for m in messages}, {"imuxsock", "imtcp"})
        self.assertTrue(all(m["uid"] == str(NOBODY if os.getuid() == 0 else os.getuid()) for m in local))
        # The daemon does hand on what was forged: facility kern and tag kernel. It is the input that tells.
        self.assertGreaterEqual(sum(1 for m in messages if m["facility"] == "0" and m["programname"] == "kernel"), 5)

        origins = self.origins()
        self.assertEqual(len(origins), sent)
        self.assertEqual(set(origins) - {"forged kernel", "program"}, set(), origins)
        self.assertGreaterEqual(origins.count("forged kernel"), 8, origins)

        events, decisions, summary = replay(self.captured())
        self.assertEqual({e["event"] for e in events}, {"logger.forged"}, events)
        self.assertGreaterEqual(summary["counters"]["forged"] if "counters" in summary else summary["forged"], 6)
        for host in {e["host"] for e in events}:
            times = sorted(datetime.datetime.fromisoformat(e["time"].replace("Z", "+00:00")) for e in events if e["host"] == host)
            self.assertTrue(all(b - a >= datetime.timedelta(minutes=1) for a, b in zip(times, times[1:])), f"more than one a minute and host: {events}")
        self.assertEqual([d for d in decisions if d.get("action")], [])

    def test_the_kernel_itself(self):
        """The very texts, from imklog: they count and decide, so it is the origin that made the difference above."""
        ring = self.scratch.file("ring")
        os.mkfifo(ring)
        keep_open = os.open(ring, os.O_RDWR)
        with Rsyslogd(self.scratch, self.conf, modules=f'module(load="imklog" LogPath="{ring}")') as daemon:
            os.write(keep_open, f"<4>[   12.345678] {UE}\n<12>[   12.4] {UE} by a writer of /dev/kmsg\n".encode())
            wait_until("the line", lambda: any(m["message"].endswith("grain:32)") for m in self.log.messages()))
            daemon.send(["<14>app: a line behind it"])
            wait_until("the last line", lambda: any(m["inputname"] == "imuxsock" for m in self.log.messages()))
        os.close(keep_open)
        # imklog drops what is not facility kern.
        self.assertEqual([m["inputname"] for m in self.log.messages()], ["imklog", "imuxsock"])
        self.assertEqual(self.origins()[0], "kernel")
        events, decisions, _ = replay(self.captured())
        self.assertEqual([(e["event"], e["trust"]) for e in events], [("memory.uncorrected", "vouched")])
        acting = [d for d in decisions if d.get("action")]
        self.assertTrue(acting, "the shipped rules act on an uncorrected error")
        self.assertEqual({d["trust"] for d in acting}, {"vouched"})

    def test_programs(self):
        """A program is believed by the user that the socket reports, never by its name."""
        with Rsyslogd(self.scratch, self.conf) as daemon:
            line = "<27>libvirtd[77]: vm1 crashed"
            as_nobody(SEND, daemon.socket_path, line)
            wait_until("the first line", lambda: len(self.log.messages()) == 1)
            daemon.send([line])
            wait_until("the second line", lambda: len(self.log.messages()) == 2)
        site = self.scratch.write("site.toml", '''format = 1
[class."site.crashed"]
key = ["host"]
[[event]]
id = "site-crashed"
class = "site.crashed"
from = "libvirtd"
match = ' crashed$'
[[event.sample]]
line = "libvirtd: vm1 crashed"
expect = { class = "site.crashed" }
''')
        users = [int(m["uid"]) for m in self.log.messages()]
        trusts = [e["trust"] for e in replay(self.captured(), rules=["--rules", site])[0]]
        self.assertEqual(trusts, ["vouched" if uid == 0 else "claimed" for uid in users])
        # A site that names the user believes it.
        writers = self.scratch.write("writers.toml", f"format = 1\n[input]\nwriters = [{{ uid = {users[0]} }}]\n")
        trusts = [e["trust"] for e in replay(self.captured(), rules=["--rules", site, "--rules", writers])[0]]
        self.assertEqual(trusts[0], "vouched")

    def test_names_of_processes(self):
        """The eighth way: a user may give a process any name of 15 bytes, and the kernel says that name itself when the process dies or asks
        for too much. No beginning of any line that the rules know, said so, is an event."""
        beginnings = {extra[:15] for extra in ("Kernel panic: A", "EDAC MC0: 1 UE ", "EDAC MC0: 9 CE ")}
        for file in sorted(os.listdir(os.path.join(SOURCE, "rules"))):
            if not file.endswith(".toml"):
                continue
            with open(os.path.join(SOURCE, "rules", file), "rb") as text:
                events = tomllib.load(text).get("event", [])
            samples = [s["line"] for e in events if e.get("from") == "kernel" for s in e.get("sample", [])]
            for line in "\n".join(samples).splitlines():
                line = re.sub(r"^(?:.*?kernel: )?(?:\[ *\d+\.\d+\] )?", "", line)
                beginnings |= {line[:n] for n in range(6, 16)}
        self.assertGreater(len(beginnings), 300)
        frames = self.scratch.file("frames")
        with open(frames, "w", encoding="utf-8") as out:
            for number, text in enumerate(name + end for name in sorted(beginnings) for end in SAID_OF_PROCESSES):
                out.write(json.dumps({"id": str(number), "timegenerated": "2026-01-01T00:00:00Z", "timereported": "2026-01-01T00:00:00Z",
                                      "hostname": f"h{number}", "inputname": "imklog", "facility": "0", "severity": "6",
                                      "programname": "kernel", "syslogtag": "kernel:", "procid": "-", "message": text}) + "\n")
        events, decisions, _ = replay(frames)
        self.assertEqual([e["fields"]["text"] for e in events], [])
        self.assertEqual(decisions, [])

    @unittest.skipUnless(os.getuid() == 0 and os.access("/dev/kmsg", os.R_OK | os.W_OK), "root and /dev/kmsg")
    def test_the_ring_of_this_machine(self):
        """Real lines of this kernel through imkmsg, which takes nothing away from other readers; writers of /dev/kmsg are not the kernel."""
        with Rsyslogd(self.scratch, self.conf, modules='module(load="imkmsg")'):
            mark = f"correlator test {os.getpid()}"
            with open("/dev/kmsg", "w", encoding="ascii") as ring:
                ring.write(f"<7>{mark}: {CE}\n")  # facility kern is asked for; the kernel makes it user
            wait_until("our own line", lambda: any(mark in m["message"] for m in self.log.messages()))
        messages = self.log.messages()
        ours = next(m for m in messages if mark in m["message"])
        self.assertEqual((ours["inputname"], ours["facility"]), ("imkmsg", "1"))
        self.assertTrue(any(m["facility"] == "0" and m["syslogtag"] == "kernel:" for m in messages))
        events, decisions, _ = replay(self.captured(lambda m: mark in m["message"]))
        self.assertEqual({e["event"] for e in events} - {"logger.forged"}, set())
        self.assertEqual([d for d in decisions if d.get("action")], [])
        numbers = [int(m["sequence"]) for m in messages]
        self.assertEqual(numbers, sorted(set(numbers)))


if __name__ == "__main__":
    need_rsyslogd()
    unittest.main(verbosity=2)
