#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plug-in that hangs, is not there, or is slow holds back nobody else's logging, and its queue stays bounded."""
import os
import shutil
import socket
import statistics
import time
import unittest

import harness
from harness import TAP, Rsyslogd, Scratch, TapLog, end_by_pid, need_rsyslogd, shipped, wait_until

LINES = 20000


def line(number):
    return f"<14>Nov 22 08:00:00 app[1]: n={number} {'x' * 100}"


def send_by_tcp(port, count):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall("".join(line(i) + "\n" for i in range(count)).encode())


def directory_size(path):
    return sum(os.path.getsize(os.path.join(path, name)) for name in os.listdir(path))


def hanging(log):
    """A plug-in that never answers, and a queue that is soon full in memory and on disk."""
    return dict(program=f"{TAP} {log.path} --stall-at 1", queue__size="2000", queue__highWatermark="1000",
                queue__lowWatermark="200", queue__maxDiskSpace="1m", queue__maxFileSize="256k", interval="3600")


class Isolation(unittest.TestCase):
    def seconds_until_logged(self, conf, log):
        """How long until rsyslog's other file has what one client sends, and then one message more: the median of some, as a busy machine
        delays any of them, but a full queue would delay all."""
        scratch = self.scratch
        with Rsyslogd(scratch, conf) as daemon:
            begin = time.monotonic()
            daemon.send(line(i) for i in range(LINES))
            daemon.wait_for_control(LINES)
            seconds = time.monotonic() - begin
            more = []
            for number in range(LINES, LINES + 9):
                begin = time.monotonic()
                daemon.send([line(number)])
                daemon.wait_for_control(number + 1)
                more.append(time.monotonic() - begin)
            daemon.kill()  # a full queue on disk lets it end no other way
        for pid in log.pids():
            end_by_pid(pid)
        return seconds, statistics.median(more)

    def setUp(self):
        self.scratch = Scratch()
        self.log = TapLog(self.scratch.file("tap"))

    def tearDown(self):
        self.scratch.__exit__()

    def test_hanging(self):
        alone, _ = self.seconds_until_logged("", self.log)
        os.unlink(self.scratch.file("log.control"))
        conf = shipped("60-correlator.conf", scratch=self.scratch, **hanging(self.log))
        seconds, last = self.seconds_until_logged(conf, self.log)
        self.assertEqual(len(self.log.messages()), 1)  # it did hang
        self.assertLess(last, 1.5, "a message behind a full queue waits")  # rsyslog's own timeoutEnqueue is 2 s
        self.assertLess(seconds, 10 * alone + 30)  # ... for each of them
        self.assertLess(directory_size(self.scratch.file("spool")), 3 << 20)
        print(f"{LINES} lines: {alone:.2f} s without the drop-in, {seconds:.2f} s with a plug-in that hangs; "
              f"the next message {last * 1000:.1f} ms")

    def test_hanging_and_tcp(self):
        """Inputs with flow control do not see the queue of correlator, either."""
        port = harness.free_port()
        conf = shipped("60-correlator.conf", scratch=self.scratch, **hanging(self.log))
        modules = f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")'
        with Rsyslogd(self.scratch, conf, modules=modules) as daemon:
            harness.wait_for_port(port)
            send_by_tcp(port, LINES)
            wait_until("all lines in the other file",
                       lambda: sum(1 for x in daemon.control_lines() if x.startswith("imtcp")) >= LINES)
            daemon.kill()
        for pid in self.log.pids():
            end_by_pid(pid)

    def test_not_there(self):
        """A program that is missing, or cannot start: logging goes on, and nothing is lost once it is there."""
        program = self.scratch.file("program")
        conf = shipped("60-correlator.conf", f"{program} {self.log.path}", self.scratch, interval="3600")
        with Rsyslogd(self.scratch, conf) as daemon:
            daemon.send(line(i) for i in range(1000))
            daemon.wait_for_control(1000)
            self.assertEqual(self.log.messages(), [])
            shutil.copy(TAP, program + ".new")  # somebody installs it
            os.rename(program + ".new", program)
            wait_until("all lines", lambda: len(self.log.messages()) >= 1000)
        numbers = [int(m["message"].split()[0][2:]) for m in self.log.messages()]
        self.assertEqual(numbers, list(range(1000)))


if __name__ == "__main__":
    need_rsyslogd()
    unittest.main(verbosity=2)
