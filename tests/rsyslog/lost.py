#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a real rsyslogd says of lines that its rate limit dropped, through the shipped configuration, is an event with their number."""
import json
import os
import socket
import subprocess
import unittest

from harness import SOURCE, TAP, Rsyslogd, Scratch, TapLog, need_rsyslogd, shipped, wait_until

CORRELATOR = os.environ.get("CORRELATOR", "")
SENT, BURST = 60, 10


class Lost(unittest.TestCase):
    def test_rate_limit_of_the_log_socket(self):
        with Scratch() as scratch:
            log = TapLog(scratch.file("tap"))
            limited = Rsyslogd.ANNOTATED + f' RateLimit.Interval="1" RateLimit.Burst="{BURST}"'
            # What it has to say itself rsyslogd hands to /dev/log, from where it comes back; a private one has no such way.
            own = 'global(processInternalMessages="on")'
            with Rsyslogd(scratch, shipped("60-correlator.conf", f"{TAP} {log.path}", scratch), modules=own, sock_options=limited) as daemon:
                writer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)  # one process: the limit is one for each
                writer.connect(daemon.socket_path)
                for i in range(SENT):
                    writer.send(f"<13>Jan  1 00:00:00 flood: line {i}".encode())

                # How many, rsyslogd says with the next line of that process behind the interval.
                def told():
                    writer.send(b"<13>Jan  1 00:00:00 flood: still there")
                    return any("messages lost due to rate-limiting" in json.loads(frame).get("message", "") for frame in log.frames().splitlines())
                wait_until("rsyslogd's word on it", told)
                writer.close()
            said = [m["message"] for m in map(json.loads, log.frames().splitlines()) if "rate-limiting" in m.get("message", "")]
            print("rsyslogd says:", said)
            out = subprocess.run([CORRELATOR, "run", "--events", "--json", "--rules", os.path.join(SOURCE, "rules"), "--state", scratch.file("state")],
                                 input=log.frames(), check=True, capture_output=True).stdout.decode()
            events = [e for e in map(json.loads, out.splitlines()) if e.get("event") == "logger.lost"]
            self.assertEqual(len(events), len(said), out[-2000:])
            self.assertGreaterEqual(max(e["fields"].get("lost", 0) for e in events), SENT - BURST, events)


if __name__ == "__main__":
    need_rsyslogd()
    unittest.main(verbosity=2)
