#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From an error in a log to a node in standby, through the real parts: rsyslogd, the engine, the dispatcher, crm-standby and
pcs-standby, pacemaker. And what must not happen: the last node, no quorum, two at once, a stop that hangs, a cluster that is gone."""
import os
import subprocess
import sys
import threading
import time

from cluster import Cluster, check, need_cluster, soon
from harness import PATIENCE, wait_until
from readme import UE

SCRIPT, PCS = "/usr/lib/correlator/actions/crm-standby", "/usr/lib/correlator/actions/pcs-standby"
# The vendor's rules decide crm-standby; on kvm2 it is done with pcs.
WITH = {"kvm1": ("crm-standby", ', "--with", "crm_attribute"'), "kvm2": ("pcs-standby", "")}
SITE = """format = 1
[[override]]
action = "crm-standby"
set    = { mode = "live", run = "%s", args = ["--node", "${host}"%s] }
why    = "the test's cluster"
"""


def script(node, *words, path=SCRIPT, timeout=4 * PATIENCE):
    """Runs an action script by hand in a node; exit code and the last line that it wrote."""
    done = node.on(path, *words, timeout=timeout)
    return done.returncode, (done.stderr.splitlines() or [""])[-1]


def refused(name, got, code, words):
    check(f"{name}: exit {code}, {words}", got[0] == code and words in got[1], got)


def line_to_empty_node(cluster):
    """One error each; the parts are all real. kvm1's line comes from its kernel, kvm2's from rasdaemon."""
    for node, send in ((cluster.kvm1, lambda: cluster.kvm1.kernel(UE % (100, 1, 0xABCDE))),
                       (cluster.kvm2, lambda: cluster.kvm2.bash("logger -t rasdaemon 'mc_event: 2026-01-01 00:00:00 +0000 1 Uncorrected error: on unknown memory "
                                                                "(mc: 0 location: 0:0:-1 grain: 32)'"))):
        begin, clock = time.monotonic(), time.time()
        send()
        soon(f"{node.name}: in standby", lambda node=node: cluster.standby() == {node.name})
        attribute = time.monotonic() - begin
        soon(f"{node.name}: empty, everything runs on the other", lambda node=node: cluster.running(node.name) == set() and len(cluster.state()[1]) == 3)
        empty = time.monotonic() - begin
        print(f"{node.name}: from the line to the script's start {node.last_start() - clock:.3f} s, to the standby attribute {attribute:.2f} s, to the empty node "
              f"{empty:.2f} s; load {os.getloadavg()[0]:.1f}")
        soon("the dispatcher knows that it is done", lambda node=node: "done" in [job[2] for job in node.jobs() if job[1] == "crm-standby"])
        if node.name == "kvm1":
            restart_of_the_dispatcher(cluster, node)
        decision = node.bash("correlator decisions --json --rule ue.first").stdout
        decision = next(line for line in decision.splitlines() if '"action":"crm-standby"' in line).split('"id":"')[1].split('"')[0]
        done = node.bash(f"correlator undo {decision}")
        check(f"{node.name}: undo is accepted", done.returncode == 0, done.stderr)
        soon(f"{node.name}: undone, everything is at home", cluster.at_home)


def restart_of_the_dispatcher(cluster, node):
    """Killed and started again it does not act a second time on what it did."""
    moves = lambda: sum("Initiating stop" in line for n in cluster.nodes.values() for line in n.syslog())
    soon("all jobs have ended", lambda: not {"waiting", "running"} & {job[2] for job in node.jobs()}, more=node.jobs)
    all_is_written(cluster)
    before, jobs = moves(), node.jobs()
    node.signal("dispatch")
    node.dispatcher.wait()
    start_dispatcher(node)
    counted = lambda: [line for line in node.on("correlator", "metrics").stdout.splitlines() if line.startswith('correlator_events_total{class="memory.uncorrected"')]
    errors = counted()
    node.kernel(UE % (101, 1, 0xABCDE))  # the same error again: the case is open
    soon("the error is counted", lambda: counted() != errors)
    time.sleep(2.5)  # whatever the dispatcher would do about it, it looks each second
    all_is_written(cluster)
    check("no second start after a restart of the dispatcher", node.jobs() == jobs and moves() == before, node.jobs())


def all_is_written(cluster):
    """What the nodes have said so far is in their syslog: a line behind it is."""
    all_is_written.number += 1
    for node in cluster.nodes.values():
        text = f"this is mark {all_is_written.number} of the test"
        node.bash(f"logger -t test '{text}'")
        wait_until("rsyslogd writes what was said", lambda node=node, text=text: any(text in line for line in node.syslog()))


all_is_written.number = 0


def start_dispatcher(node):
    node.dispatcher = node.popen("sh", "-c", "echo $$ >/run/dispatch.pid; exec correlator dispatch", stdout=subprocess.DEVNULL, stderr=open(node.file("dispatch.out"), "ab"))
    soon(f"{node.name}: the dispatcher runs", lambda: node.up("correlator_dispatch_up"))


def killed_in_between(cluster):
    """The dispatcher dies while its script waits for a guest that takes its time; the script goes on, and is not started again."""
    node = cluster.kvm1
    slow_stop(cluster, "5")
    before = started(node)
    node.bash("correlator reset ue.first")
    node.kernel(UE % (102, 1, 0xABCE0))
    soon("a script is at work", lambda: cluster.standby() == {"kvm1"})
    node.signal("dispatch")
    node.dispatcher.wait()
    start_dispatcher(node)
    soon("the script of the dispatcher that died comes to its end", lambda: cluster.running("kvm1") == set())
    # How it ended nobody knows: an idempotent action waits for a start that its budget does not allow yet.
    soon("its job runs no more", lambda: "running" not in {job[2] for job in node.jobs()}, more=node.jobs)
    print("  job:", [job[2:] for job in node.jobs() if job[1] == "crm-standby"][-1])
    check("it was started once", started(node) == before + 1, started(node))
    slow_stop(cluster, None)
    check("undo by hand", script(node, "--node", "kvm1", "--undo")[0] == 0)
    soon("everything is at home", cluster.at_home)


def started(node):
    """How often scripts took the claim, as the cluster saw it."""
    return len([line for line in node.bash("grep -h 'Completed cib_create' /var/log/pacemaker/pacemaker.log || true").stdout.splitlines()
                if "crm_config: OK" in line and f"origin={node.name}/cibadmin" in line])


def slow_stop(cluster, seconds):
    """vm-web's agent needs so long for whatever it does."""
    change = ["--set-parameter", "op_sleep", "--parameter-value", seconds] if seconds else ["--delete-parameter", "op_sleep"]
    done = cluster.kvm1.on("crm_resource", "--resource", "vm-web", *change)
    assert done.returncode == 0, done.stderr
    cluster.kvm1.on("crm_resource", "--wait")


def guards(cluster):
    kvm1, kvm2 = cluster.kvm1, cluster.kvm2
    check("a node that is unknown: exit 5", script(kvm1, "--node", "kvm9")[0] == 5)
    check("by hand", script(kvm1, "--node", "kvm1")[0] == 0 and cluster.standby() == {"kvm1"})
    refused("again", script(kvm1, "--node", "kvm1"), 0, "kvm1 is in standby and runs no resource")
    refused("again, from the other node, with pcs", script(kvm2, "--node", "kvm1", path=PCS), 0, "kvm1 is in standby and runs no resource")
    for path in (SCRIPT, PCS):
        refused("the last healthy node", script(kvm2, path=path), 6, "kvm2 is the last healthy node")
    refused("not ours to undo", script(kvm2, "--node", "kvm1", "--undo"), 3, "not put in standby by this action")
    refused("undo", script(kvm1, "--node", "kvm1", "--undo"), 0, "kvm1 is back")
    soon("everything is at home", cluster.at_home)
    for tool in ("crm", "crm_attribute"):
        more = ["--with", tool, "--lifetime", "reboot"]
        refused(f"{' '.join(more)}", script(kvm1, "--node", "kvm2", *more), 0, "kvm2 is in standby and runs no resource")
        refused("  and back", script(kvm1, "--node", "kvm2", "--undo", *more), 0, "kvm2 is back")
        check("  no attribute is left", not cluster.standby(), cluster.state())
    check("no claim is left in the configuration", "correlator-standby" not in kvm1.on("cibadmin", "--query").stdout)


def both_at_once(cluster, rounds):
    """Both nodes put themselves in standby at the same moment. A watch on each node sees whether there is a moment with both."""
    moments, stop = [], threading.Event()

    def watch(name):
        while not stop.is_set():
            if len(cluster.standby(on=name)) > 1:
                moments.append(name)

    watchers = [threading.Thread(target=watch, args=(name,)) for name in cluster.nodes]
    for watcher in watchers:
        watcher.start()
    codes = []
    try:
        for number in range(rounds):
            words = [["--with", "crm_attribute"], ["--with", "crm_attribute", "--lifetime", "reboot"], ["--with", "crm"]][number % 3]
            at_work = [node.popen(SCRIPT, *words, stderr=subprocess.PIPE, text=True) for node in cluster.nodes.values()]
            said = [work.communicate(timeout=4 * PATIENCE)[1] for work in at_work]
            got = [work.returncode for work in at_work]
            codes.append(got)
            check(f"two at once, round {number + 1}: one goes, the other is refused", sorted(got) == [0, 6], (got, said))
            soon("  and it is the one that said so", lambda: cluster.standby() == {name for name, code in zip(cluster.nodes, got) if code == 0}, more=cluster.state)
            for node in cluster.nodes.values():
                script(node, "--undo", *words)
            soon("  everything is at home", cluster.at_home)
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()
    print(f"two at once: exit codes of kvm1 and kvm2 in each round {codes}")
    check("there was no moment with both in standby", not moments, moments)
    stops = [line for node in cluster.nodes.values() for line in node.syslog() if "Actions: Stop" in line]
    check("the cluster never stopped a resource for want of a node", not stops, stops)


def a_stop_that_hangs(cluster):
    slow_stop(cluster, "7")
    got = script(cluster.kvm1, "--node", "kvm1", "--timeout", "1")
    refused("a stop that hangs", got, 4, "resources are still moving after 1 s")
    check("in its time: the resource is not moved yet", cluster.state()[1].get("vm-web") != "kvm2", cluster.state())
    check("the node stays in standby", cluster.standby() == {"kvm1"})
    refused("asked again with time enough", script(cluster.kvm1, "--node", "kvm1"), 0, "kvm1 is in standby and runs no resource")
    slow_stop(cluster, None)
    check("undo", script(cluster.kvm1, "--node", "kvm1", "--undo")[0] == 0)
    soon("everything is at home", cluster.at_home)


def a_cluster_that_is_gone(cluster):
    """kvm2 loses its power: kvm1 is without quorum. Then kvm1's cluster hangs, and then it ends."""
    kvm1 = cluster.kvm1
    cluster.kvm2.stop()
    soon("kvm2 is lost", lambda: any("Quorum lost" in line for line in kvm1.syslog()))
    soon("crm_mon knows it", lambda: 'with_quorum="false"' in kvm1.bash("crm_mon -1 --output-as=xml").stdout)
    refused("no quorum", script(kvm1), 3, "the cluster has no quorum")
    refused("no quorum, pcs", script(kvm1, path=PCS), 3, "the cluster has no quorum")
    kvm1.signal("pacemakerd", "STOP")
    for pid in kvm1.bash("pidof pacemaker-based pacemaker-controld").stdout.split():
        kvm1.on("kill", "-STOP", pid)
    got = script(kvm1)
    check("a cluster that hangs: exit 4", got[0] == 4 and "did not answer" in got[1], got)
    for daemon in ("pacemakerd", "pacemaker-based", "pacemaker-controld", "pacemaker-schedulerd", "pacemaker-attrd", "pacemaker-execd", "pacemaker-fenced"):
        for pid in kvm1.bash(f"pidof {daemon}").stdout.split():
            kvm1.on("kill", "-KILL", pid)
    got = script(kvm1)
    check("a cluster that is not there: exit 3", got[0] == 3 and "not running on this host" in got[1], got)


def main():
    need_cluster()
    with Cluster(installed=True, quorum="") as cluster:
        print(f"cluster up after {cluster.up_after:.1f} s")
        for node in cluster.nodes.values():
            node.install(SITE % WITH[node.name])
            start_dispatcher(node)
        for step in (line_to_empty_node, guards, lambda c: both_at_once(c, 3), killed_in_between, a_stop_that_hangs, a_cluster_that_is_gone):
            step(cluster)
        if check.failed:
            print(cluster.kvm1.bash("tail -n 20 /var/log/correlator/*.log").stdout, *cluster.kvm1.jobs(), sep="\n")
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
