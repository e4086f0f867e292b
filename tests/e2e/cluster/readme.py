#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/two-node-cluster/README.md, followed command by command on a real cluster of two nodes; then what it says happens when a
kernel reports an error, when both do, and when somebody only claims to be the kernel."""
import os
import re
import sys
import time

from cluster import Cluster, blocks, check, need_cluster, soon
from harness import SOURCE

README = "examples/two-node-cluster/README.md"
UE = "<4>[  %d.%06d] EDAC MC0: 1 UE memory read error on CPU_SrcID#0_MC#0_Chan#1_DIMM#1 (channel:1 slot:1 page:0x%x offset:0x40 grain:32 - err_code:0x0001:0x0090)"


def follow(cluster, script, where):
    """One block on the nodes that it is for; what it printed, by node."""
    said = {}
    for node in cluster.nodes.values():
        if where in ("", node.name):
            done = node.bash(f"cd {SOURCE}\n{script}")
            said[node.name] = done.stdout + done.stderr
            check(f"{node.name}: {script.strip().splitlines()[-1][:90]}", done.returncode == 0, said[node.name][-800:])
    return said


def told(node, rule):
    return [line for line in node.syslog() if " correlator" in line and rule in line]


def the_document(cluster):
    """What each block must lead to, by a word in it."""
    kvm1, kvm2 = cluster.kvm1, cluster.kvm2
    found = 0
    for where, script in blocks(README, "sh"):
        begin = time.monotonic()
        said = follow(cluster, script, where)
        if "crm_node -n" in script:
            check("host and node have one name", all(text.split() == [name, name] for name, text in said.items()), said)
        elif script.startswith("install -m 0644 examples"):
            check("all rules load", all(re.search("^ok:", text, re.M) for text in said.values()), said)
        elif "scp -r" in script:
            kvm2.bash(f"cp -r {kvm2.dir}/copied/. /root/")
        elif "rsyslogd -N1" in script:
            check("rsyslogd finds no error", not any("error" in text.lower().replace("0 errors", "") for text in said.values()), said)
        elif "Corrected error" in script:
            soon("a line of kvm1 is counted on kvm2", lambda: "host=kvm1" in kvm2.bash("correlator windows").stdout)
        elif "--dry-run" in script:
            check("the dry run shows the command", "'crm_attribute' '--node' 'kvm1' '--name' 'standby' '--update' 'on' '--lifetime' 'forever'" in said["kvm1"], said)
            check("and changes nothing", cluster.standby() == set() and cluster.at_home(), cluster.state())
        elif "enable --now" in script:
            for node in cluster.nodes.values():
                soon(f"{node.name}: the dispatcher runs", lambda node=node: node.up("correlator_dispatch_up"))
        elif "Uncorrected error" in script:
            soon("the drill: kvm1 is in standby", lambda: cluster.standby() == {"kvm1"})
            soon("and empty", lambda: cluster.running("kvm1") == set() and cluster.running("kvm2") == {"vm-web", "vm-db", "vm-mail"})
            print(f"from the line to the empty node, and seen by us: {time.monotonic() - begin:.2f} s")
            soon("the job is done", lambda: ("node.drain", "standby", "done") in [job[:3] for job in kvm1.jobs()])
            soon("kvm2 does not act on a program's line of kvm1", lambda: "refused" in [job[2] for job in kvm2.jobs() if job[1] == "standby"])
        elif "correlator undo" in script:
            soon("undone: all is where it was", cluster.at_home)
            # The script looks once more when the cluster has come to rest: no other error may be in its way.
            soon("and the job is done", lambda: [job[2] for job in kvm1.jobs() if job[1] == "standby"] == ["done", "done"], more=kvm1.jobs)
        found += 1
    check("the document was read", found >= 12, found)


def judged(node):
    """Nothing that was decided still runs, or waits for anything but a person, the budget or the time."""
    jobs = node.jobs()
    return jobs and not any(job[2] == "running" or (job[2] == "waiting" and not job[3]) for job in jobs)


def the_kernel(cluster):
    """A kernel's line reaches both; kvm1 has used up its budget in the drill, so that kvm2 does it for kvm1."""
    kvm1, kvm2 = cluster.kvm1, cluster.kvm2
    kvm1.bash("printf '<0>kernel: EDAC MC0: 1 UE memory read error on D1 (channel:1 slot:1 page:0xbad offset:0x40 grain:32)' | "
              "python3 -c 'import socket,sys; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(sys.stdin.buffer.read(),\"/dev/log\")'")
    soon("who plays the kernel is counted as forged", lambda: re.search(r"^forged +[1-9]", kvm1.bash("correlator status").stdout, re.M))
    check("and nothing happens", not cluster.standby())
    begin = time.monotonic()
    kvm1.kernel(UE % (100, 1, 0xABCDE))
    soon("a kernel's error on kvm1: kvm1 is in standby", lambda: cluster.standby(on="kvm2") == {"kvm1"})
    print(f"from kvm1's kernel line over the network to standby by kvm2: {time.monotonic() - begin:.2f} s")
    soon("kvm2's dispatcher did it", lambda: [job[2] for job in kvm2.jobs() if job[1] == "standby"] == ["refused", "done"], more=kvm2.jobs)
    soon("kvm1's has used up its budget and says so", lambda: any(job[1] == "standby" and "budget standby: 1 started" in job[3] for job in kvm1.jobs()), more=kvm1.jobs)
    soon("the guests are on kvm2", lambda: cluster.running("kvm2", on="kvm2") == {"vm-web", "vm-db", "vm-mail"})

    kvm2.kernel(UE % (200, 2, 0xABCDF))
    soon("errors on both: told by both nodes", lambda: all(told(node, "cluster.both-sick") for node in cluster.nodes.values()))
    soon("both dispatchers have judged it", lambda: all(judged(node) for node in cluster.nodes.values()), more=lambda: [node.jobs() for node in cluster.nodes.values()])
    check("the second node stays", cluster.standby() == {"kvm1"} and cluster.running("kvm2") == {"vm-web", "vm-db", "vm-mail"}, cluster.state())


def main():
    need_cluster()
    with Cluster(installed=True) as cluster:
        print(f"cluster up after {cluster.up_after:.1f} s")
        for node in cluster.nodes.values():
            node.install()
        the_document(cluster)
        the_kernel(cluster)
        if check.failed:
            for node in cluster.nodes.values():
                print(node.name, *node.ledger("SELECT at, rule, action, argv, state, reason, output FROM actions"), sep="\n  ")
                print(node.bash("tail -n 20 /var/log/correlator/*.log").stdout)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
