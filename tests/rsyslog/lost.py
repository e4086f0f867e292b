#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a real rsyslogd says of lines that its rate limit dropped, through the shipped configuration, is an event with their number: what is
told as lost and what came are together what was sent."""
import json
import os
import re
import socket
import subprocess
import time
import unittest

from harness import SOURCE, TAP, Rsyslogd, Scratch, TapLog, need_rsyslogd, shipped, wait_until

CORRELATOR = os.environ.get("CORRELATOR", "")
SENT, BURST = 60, 10
LINE = re.compile(rb"\bline (\d+) of it")


def told(log):
    """rsyslogd's own lines on what it dropped."""
    said = [json.loads(frame).get("message", "") for frame in log.frames().splitlines()]
    return [text for text in said if "messages lost due to rate-limiting" in text]


def number_of(text):
    return int(re.search(r"(\d+) messages lost", text)[1])


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
                sent = 0

                def send():
                    nonlocal sent
                    writer.send(f"<13>Jan  1 00:00:00 flood: line {sent} of it".encode())
                    sent += 1

                def accounted():
                    """How many, rsyslogd says with the next line of that process behind the interval; on a busy machine a flood may last
                    over several. Of lines up to the last that came each one came or was told of."""
                    came = [int(n) for n in LINE.findall(log.frames())]
                    return told(log) and came and len(came) + sum(map(number_of, told(log))) == max(came) + 1

                def told_of_all():
                    if not accounted():
                        send()
                        time.sleep(0.05)
                    return accounted()
                for _ in range(SENT):
                    send()
                wait_until("rsyslogd's word on all that did not come", told_of_all)
                writer.close()
            said = told(log)
            print("rsyslogd says:", said)
            out = subprocess.run([CORRELATOR, "run", "--events", "--json", "--rules", os.path.join(SOURCE, "rules"), "--state", scratch.file("state")],
                                 input=log.frames(), check=True, capture_output=True).stdout.decode()
            events = [e for e in map(json.loads, out.splitlines()) if e.get("event") == "logger.lost"]
            # That it begins to drop is an event as well, without a number.
            self.assertEqual(sorted(e["fields"]["lost"] for e in events if "lost" in e["fields"]), sorted(map(number_of, said)), out[-2000:])


if __name__ == "__main__":
    need_rsyslogd()
    unittest.main(verbosity=2)
