#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All of it at once, as examples/host sets it up: a real kernel with failing memory, a real rsyslogd, the engine, the dispatcher, the
forwarder, two real libvirtd's, real guests. Prints how long it takes from the kernel's line until libvirt says that the guest is
suspended.

guests.py [--repetitions N] [--keep]
"""
import argparse
import os
import shutil
import sys
import time
import traceback

from harness import PATIENCE
from parts import PARTS, enter, private_directories, run, scratch

RULES = """# SPDX-License-Identifier: Apache-2.0
format = 1
[input]
trusted = ["host-kernel"]
# The shipped guest.events-blind with less patience.
[[rule]]
id = "test.blind"
title = "libvirt cannot be reached"
absence = { after = { on = "source.feed", where = "state == 'lost'" }, of = { on = "source.feed", where = "state in ['seen', 'watching']" }, within = "3s" }
then = ["notify-critical"]
[budget.test]
at_most = 10000
[[override]]
action = "virsh-suspend"
set = { budget = "test", args = ["--domain", "${guest}", "--timeout", "5"] }
why = "more of them in an hour than a host may have"
[[override]]
action = "virsh-dump"
set = { budget = "test", args = ["--domain", "${guest}", "--keep-free", "16"] }
why = "the same; the directory is in memory"
[[override]]
action = "migrate-guests"
set = { mode = "shadow" }
why = "guests are moved one by one here"
[[override]]
action = "site-migrate"
set = { budget = "test", retry = 3, retry_after = "2s", args = ["--domain", "${guest}", "--to", "kvm2", "--dest-uri", "qemu+tcp://10.97.0.2/system", "--migrate-uri", "tcp://10.97.0.2"] }
why = "no ssh between these two"
[[override]]
action = "notify"
set = { limit = "100000 in 1h" }
why = "as often as the test wants"
"""


class Lab:
    def __init__(self, directory):
        # Behind enter(): they start programs or read files that are this namespace's.
        from host_kernel import HostKernel
        from libvirt import Libvirt, Second
        from site_of_host import Lifecycle, Site
        self.directory = directory
        self.delivered = []
        run("hostname", "kvm1")
        run("ip", "link", "set", "lo", "up")
        private_directories(os.path.join(PARTS, "capabilities"))
        self.kernel = HostKernel(directory, self.deliver)  # boots meanwhile
        self.libvirt = Libvirt(directory)
        self.second = Second(self.libvirt)
        for name in ("db1", "web1", "build1"):
            self.libvirt.guest(name)
        self.lifecycle = Lifecycle()
        self.site = Site(directory, RULES)
        self.site.wait()
        self.site.connect_kernel()
        self.second.wait()  # or a migration that is decided early fails as often as it may be tried
        assert self.kernel.ready.wait(2 * PATIENCE), self.kernel.lines[-5:]

    def deliver(self, priority, text, arrived):
        site = getattr(self, "site", None)
        if site is None or site.kernel is None:
            return  # of its boot, when nobody listened yet
        self.delivered.append((text, time.monotonic()))
        site.say_as_kernel(priority, text)


def stories(lab, repetitions):
    import steps
    check = steps.check
    check.step("corrected errors of a kernel suspend a guest")
    steps.suspended(lab, repetitions)
    check.step("its memory is dumped")
    steps.dumped(lab)
    check.step("another one is migrated")
    steps.migrated(lab)
    check.step("a guest panics")
    steps.panicked(lab, min(repetitions, 3))
    check.step("a guest hangs")
    steps.hung(lab)
    check.step("panics that a user made up")
    steps.forged(lab)
    check.step("a QEMU that does not answer")
    steps.hung_qemu(lab)
    check.step("libvirtd dies")
    steps.dead_libvirtd(lab)
    check.step("rsyslogd restarts")
    steps.log_daemon_restarts(lab)
    check.step(f"{check.failed} failed")
    return check.failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=8)
    parser.add_argument("--keep", action="store_true", help="leave the logs in /tmp")
    options = parser.parse_args()
    enter()
    directory = scratch()
    lab, failed = None, 1
    try:
        lab = Lab(directory)
        failed = stories(lab, options.repetitions)
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
    if failed:
        tell(directory, lab)
    if lab is not None:
        lab.site.stop()
    if not options.keep:
        shutil.rmtree(directory, ignore_errors=True)
    # The rest ends with the namespace.
    sys.stdout.flush()
    os._exit(1 if failed else 0)


def tell(directory, lab):
    for name in ("site.log", "libvirtd.log", "libvirtd.err", "second.log", "second.err", "qemu"):
        path = os.path.join(directory, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                print(f"== {name}", *file.read().splitlines()[-25:], sep="\n")
    if lab is not None:
        print("== log", *lab.site.log_lines()[-25:], sep="\n")
        print("== jobs", *lab.site.jobs(), sep="\n")


if __name__ == "__main__":
    main()
