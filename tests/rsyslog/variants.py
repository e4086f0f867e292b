#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every shipped configuration is loaded by a real rsyslogd, and lines go through it the way it says."""
import json
import os
import socket
import ssl
import subprocess
import unittest

import harness
from harness import SHIPPED, TAP, Rsyslogd, Scratch, TapLog, need_rsyslogd, shipped, wait_until

FIELDS = {"id", "timereported", "timegenerated", "hostname", "fromhost-ip", "inputname", "uid", "exe", "facility",
          "severity", "programname", "syslogtag", "procid", "sequence", "message"}
UE = "EDAC MC0: 1 UE memory read error on D1 (channel:0 slot:0 page:0x1 offset:0x0 grain:32)"


def openssl(*args, cwd):
    subprocess.run(["openssl", *args], cwd=cwd, check=True, capture_output=True)


def make_certificates(scratch):
    """A certificate authority, and what a relay, a host and a stranger with a certificate of the same authority have."""
    where = scratch.path
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test authority", cwd=where)
    for name, host in (("relay", "relay.example.org"), ("host", "kvm1.hosts.example.org"), ("stranger", "kvm1.example.net")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}-key.pem", "-out", f"{name}.csr",
                "-subj", f"/CN={host}", cwd=where)
        scratch.write("san", f"subjectAltName=DNS:{host}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
                "-days", "2", "-extfile", "san", "-out", f"{name}.pem", cwd=where)


def client(scratch, name):
    context = ssl.create_default_context(cafile=scratch.file("ca.pem"))
    context.load_cert_chain(scratch.file(f"{name}.pem"), scratch.file(f"{name}-key.pem"))
    return context


def say_goodbye(tls):
    """Ends what was sent. GnuTLS closes without an answer, which Python takes for an error."""
    try:
        tls.unwrap()
    except OSError:
        pass


def in_clear(port):
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(b"<4>x kernel: plain\n")


def with_files_in(scratch, text):
    return text.replace("/etc/correlator/tls/", scratch.path + "/")


def name_of_loopback():
    """What rsyslogd calls a sender on 127.0.0.1; a minimal root has no name for it."""
    try:
        return socket.getnameinfo(("127.0.0.1", 0), socket.NI_NAMEREQD)[0].split(".")[0]
    except socket.gaierror:
        return "127.0.0.1"


class Variants(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch()
        self.log = TapLog(self.scratch.file("tap"))
        self.program = f"{TAP} {self.log.path}"

    def tearDown(self):
        self.scratch.__exit__()

    def check(self, daemon):
        code, said = daemon.check()
        self.assertEqual(code, 0, said)
        self.assertEqual([x for x in said.splitlines() if "version" not in x and "End of config" not in x], [])

    def wait_for(self, count):
        wait_until(f"{count} lines", lambda: len(self.log.messages()) >= count)
        return self.log.messages()

    def test_all_are_tested(self):
        here = {name for name in os.listdir(SHIPPED) if ".conf" in name}
        self.assertEqual(here, {"50-correlator-events.conf", "60-correlator.conf",  # the first one: events.py
                                "60-correlator-disk.conf.example",
                                "60-correlator-kernel.conf.example", "60-correlator-relay.conf.example",
                                "60-correlator-relay-tcp.conf.example", "60-correlator-sender.conf.example"})

    def test_default_and_disk(self):
        for name in ("60-correlator.conf", "60-correlator-disk.conf.example"):
            with self.subTest(name), Scratch() as scratch:
                log = TapLog(scratch.file("tap"))
                others = (f'template(name="others" type="string" string="%$!%\\n")\n'
                          f'if $inputname == "imuxsock" then action(type="omfile" file="{scratch.file("others")}" template="others")\n')
                daemon = Rsyslogd(scratch, shipped(name, f"{TAP} {log.path}", scratch, interval="1") + others)
                self.check(daemon)
                with daemon:
                    daemon.send(['<14>Nov 22 08:00:00 app[1]: "quoted" \\ {"a":1} \x07 \u00e9', b"<14>app: \xff\xfe"])
                    wait_until("two lines and a mark", lambda: len(log.messages()) == 2 and any(
                        '"immark"' in text and '"-- MARK --"' in text for _, text in log.entries()))
                first, second = log.messages()
                self.assertEqual(set(first) - {"answered"}, FIELDS)
                self.assertEqual(first["message"], ' "quoted" \\ {"a":1} #007 \u00e9')
                self.assertEqual((first["uid"], first["inputname"], first["facility"], first["severity"]),
                                 (str(os.getuid()), "imuxsock", "1", "6"))
                self.assertNotEqual(first["id"], second["id"])
                self.assertEqual(len(first["id"]), 32)
                # A stop gives the plug-in its end of input, and nothing else.
                self.assertEqual([text for _, text in log.entries() if text.startswith(("SIGNAL", "EOF"))], ["EOF"])
                self.assertEqual(daemon.log(), "")
                # Rules behind the file see the message as it was.
                with open(scratch.file("others"), encoding="utf-8") as file:
                    seen = [json.loads(line) for line in file]
                self.assertEqual([("cid" in s, s["uid"]) for s in seen], [(False, os.getuid())] * 2)

    def test_immark_loaded_already(self):
        """rsyslogd says so and goes on without the second one."""
        conf = shipped("60-correlator.conf", self.program, self.scratch)
        with Rsyslogd(self.scratch, conf, modules='module(load="immark" interval="60")') as daemon:
            daemon.send(["<14>app: x"])
            self.wait_for(1)
            self.assertIn("immark", daemon.log())

    def test_settings_of_the_log_socket_cannot_come_from_a_drop_in(self):
        """Why 60-correlator.conf asks for a change of rsyslog.conf: a second load is refused, old-style settings are ignored."""
        for attempt in ('module(load="imuxsock" SysSock.Annotate="on")', "$SystemLogSocketAnnotate on"):
            with self.subTest(attempt), Scratch() as scratch:
                daemon = Rsyslogd(scratch, attempt + "\n")
                _, said = daemon.check()
                self.assertRegex(said, "already in this config|currently not permitted")

    def test_kernel_lines_only(self):
        ring = self.scratch.file("ring")
        os.mkfifo(ring)
        keep_open = os.open(ring, os.O_RDWR)
        conf = shipped("60-correlator-kernel.conf.example", self.program, self.scratch, interval="3600")
        daemon = Rsyslogd(self.scratch, conf, modules=f'module(load="imklog" LogPath="{ring}")')
        self.check(daemon)
        with daemon:
            daemon.send([f"<0>kernel: {UE}", "<14>app: x"])
            daemon.wait_for_control(2)
            os.write(keep_open, f"<4>[   12.345678] {UE}\n".encode())
            (message,) = self.wait_for(1)
        os.close(keep_open)
        self.assertEqual((message["inputname"], message["facility"], message["syslogtag"]), ("imklog", "0", "kernel:"))
        self.assertEqual(message["message"].strip(), f"[   12.345678] {UE}")

    def relay(self, name, **ports):
        make_certificates(self.scratch)
        text = with_files_in(self.scratch, shipped(name, self.program, self.scratch, interval="3600"))
        for old, new in ports.items():
            self.assertIn(f'port="{old[1:]}"', text)
            text = text.replace(f'port="{old[1:]}"', f'port="{new}"')
        return Rsyslogd(self.scratch, text, name="relay")

    def test_relay_tcp(self):
        kernel, others = harness.free_port(), harness.free_port()
        daemon = self.relay("60-correlator-relay-tcp.conf.example", p6515=kernel, p6514=others)
        self.check(daemon)
        name = name_of_loopback()
        with daemon:
            def send(port, who, line):
                with socket.create_connection(("127.0.0.1", port)) as plain, client(self.scratch, who).wrap_socket(
                        plain, server_hostname="relay.example.org") as tls:
                    tls.sendall(line.encode() + b"\n")
                    say_goodbye(tls)
            harness.wait_for_port(kernel)
            harness.wait_for_port(others)
            send(kernel, "host", f"<4>2026-01-01T00:00:00.5Z {name} kernel: {UE}")
            self.wait_for(1)
            send(kernel, "host", f"<4>2026-01-01T00:00:00.5Z otherhost kernel: {UE}")
            self.wait_for(2)
            send(others, "host", f"<4>2026-01-01T00:00:00.5Z {name} kernel: {UE}")
            self.wait_for(3)
            # A certificate of the authority with a name that is not permitted, and no TLS at all. More than once: rsyslog's driver for
            # OpenSSL lets some through.
            for _ in range(5):
                for attempt in (lambda: send(kernel, "stranger", f"<4>{name} kernel: {UE} from a stranger"), lambda: in_clear(kernel)):
                    try:
                        attempt()
                    except OSError:
                        pass
            send(others, "host", f"<14>2026-01-01T00:00:00.5Z {name} app: last")
            messages = self.wait_for(4)
        self.assertEqual([m["inputname"] for m in messages], ["relay-kernel", "relay-other-host", "relay", "relay"])
        self.assertEqual([m["facility"] for m in messages], ["0", "0", "0", "1"])
        self.assertEqual(messages[3]["message"], " last")
        self.assertEqual(len({m["id"] for m in messages}), 4)

    def test_relay_and_sender(self):
        """A host's rsyslogd with the sender's configuration, its kernel's lines by imklog, and the relay's rsyslogd."""
        kernel, others = harness.free_port(), harness.free_port()
        relay = self.relay("60-correlator-relay.conf.example", p2515=kernel, p2514=others)
        self.check(relay)
        name = name_of_loopback()
        ring = self.scratch.file("ring")
        os.mkfifo(ring)
        keep_open = os.open(ring, os.O_RDWR)
        with open(os.path.join(SHIPPED, "60-correlator-sender.conf.example"), encoding="utf-8") as file:
            text = with_files_in(self.scratch, file.read()).replace('target="relay.example.org"', 'target="127.0.0.1"')
        text = text.replace('port="2515"', f'port="{kernel}"').replace('port="2514"', f'port="{others}"')
        sender_conf = Scratch()
        self.addCleanup(sender_conf.__exit__)
        host = Rsyslogd(sender_conf, text, name="host",
                        modules=f'module(load="imklog" LogPath="{ring}")\nglobal(localHostname="{name}")')
        self.check(host)
        # A machine with a certificate of the authority whose name is not permitted.
        stranger_conf = Scratch()
        self.addCleanup(stranger_conf.__exit__)
        stranger = Rsyslogd(stranger_conf, text.replace("/host.pem", "/stranger.pem").replace("/host-key.pem", "/stranger-key.pem"),
                            name="stranger", modules=f'global(localHostname="{name}")')
        with relay:
            with stranger:
                stranger.send([f"<14>app: from a stranger {i}" for i in range(5)])
                wait_until("the relay's refusal", lambda: "peer" in relay.log() or "suspended" in stranger.log())
                stranger.kill()  # it would go on trying
            with host:
                host.send([f"<0>kernel: {UE}"])
                (forged,) = self.wait_for(1)
                os.write(keep_open, f"<4>[   12.345678] {UE}\n".encode())
                _, real = self.wait_for(2)
        os.close(keep_open)
        self.assertEqual((forged["inputname"], forged["facility"]), ("relay", "0"))
        self.assertEqual((real["inputname"], real["facility"], real["hostname"]), ("relay-kernel", "0", name))


if __name__ == "__main__":
    need_rsyslogd()
    unittest.main(verbosity=2)
