#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What pacemaker and corosync write into syslog when a node goes in standby, a resource fails, a node is lost and fenced, quorum is
lost: makes examples/captures/cluster-*.log anew, by doing just that. Not a test; run it where a newer pacemaker is to be looked at, and
read the difference.

capture.py [DIR]
"""
import os
import sys
import time

from cluster import Cluster, need_cluster
from harness import SOURCE, wait_until

# Agent of a fencing device that always succeeds: the node that it fences has lost its power already.
FENCE = """#!/bin/sh
action=$(sed -n 's/^action=//p')
case "$action" in
  metadata) cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="fence_test" shortdesc="succeeds"><longdesc>For a test.</longdesc><vendor-url></vendor-url>
<parameters><parameter name="action" required="1"><getopt mixed="-o"/><content type="string" default="reboot"/></parameter></parameters>
<actions><action name="on"/><action name="off"/><action name="reboot"/><action name="monitor"/><action name="status"/><action name="metadata"/></actions>
</resource-agent>
XML
  ;;
esac
exit 0
"""


class Recorder:
    def __init__(self, cluster, where):
        self.cluster, self.where, self.seen = cluster, where, {}

    def skip(self):
        self.seen = {name: len(node.syslog()) for name, node in self.cluster.nodes.items()}

    def save(self, name):
        """The lines of both nodes since the last time, in the order of their times, as a relay would have them."""
        time.sleep(1.5)  # what is said about it a moment later
        lines = []
        for node in self.cluster.nodes.values():
            lines += node.syslog()[self.seen.get(node.name, 0):]
        with open(os.path.join(self.where, f"cluster-{name}.log"), "w", encoding="utf-8") as out:
            out.write("\n".join(sorted(lines)) + "\n")
        print(f"cluster-{name}.log: {len(lines)} lines")
        self.skip()


def quiet(cluster):
    cluster.kvm1.on("crm_resource", "--wait", timeout=60)


def standby_and_failures(where):
    with Cluster() as cluster:
        recorder, kvm1 = Recorder(cluster, where), cluster.kvm1
        recorder.save("start")
        for words in (["--lifetime", "forever"], ["--lifetime", "reboot"]):
            kvm1.on("crm_attribute", "--node", "kvm1", "--name", "standby", "--update", "on", *words)
            wait_until("standby", lambda: cluster.running("kvm1") == set(), 30)
            kvm1.on("crm_attribute", "--node", "kvm1", "--name", "standby", "--delete", *words)
            wait_until("and back", cluster.at_home, 30)
            recorder.save(f"standby-{words[1]}")
        kvm1.bash("rm /run/Dummy-vm-web.state")  # as if it had died: the next monitor finds it
        wait_until("the failure is found", lambda: any("vm-web" in line and "not running" in line for line in recorder_lines(cluster, recorder)), 30)
        quiet(cluster)
        wait_until("and mended", cluster.at_home, 30)
        recorder.save("resource-failed")
        kvm1.on("crm_resource", "--fail", "--resource", "vm-db", "--node", "kvm1")
        quiet(cluster)
        recorder.save("resource-fail-command")


def recorder_lines(cluster, recorder):
    return [line for node in cluster.nodes.values() for line in node.syslog()[recorder.seen[node.name]:]]


def node_lost(where):
    with Cluster(fencing=FENCE) as cluster:
        recorder = Recorder(cluster, where)
        recorder.skip()
        cluster.kvm2.stop()
        wait_until("kvm2 is fenced and its resources run here", lambda: cluster.running("kvm1") == {"vm-web", "vm-db", "vm-mail"}, 60)
        recorder.save("node-fenced")


def quorum_lost(where):
    with Cluster(quorum="") as cluster:
        recorder = Recorder(cluster, where)
        recorder.skip()
        cluster.kvm2.stop()
        wait_until("kvm1 stops everything", lambda: cluster.running("kvm1") == set(), 60)
        recorder.save("quorum-lost")


def main():
    need_cluster()
    where = sys.argv[1] if len(sys.argv) > 1 else os.path.join(SOURCE, "examples", "captures")
    standby_and_failures(where)
    node_lost(where)
    quorum_lost(where)


if __name__ == "__main__":
    main()
