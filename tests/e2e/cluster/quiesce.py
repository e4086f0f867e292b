#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A guest that pacemaker manages (ocf:heartbeat:VirtualDomain, a real libvirtd in each node, a real QEMU) is kept for a post-mortem by
quiesce-guest: the cluster neither stops it nor starts it elsewhere, whatever happens meanwhile, until it is given back."""
import os
import shutil
import sys
import time

from cluster import Cluster, check, need_cluster, soon
from harness import PATIENCE, SOURCE, wait_until

ACTIONS = "/usr/lib/correlator/actions"
QUIESCE = [f"{ACTIONS}/quiesce-guest", "--domain", "guest1", "--keep-free", "0"]
PROGRAMS = ["libvirtd", "virtlogd", "virsh", "qemu-system-x86_64"]
AGENT = "/usr/lib/ocf/resource.d/heartbeat/VirtualDomain"
# What libvirtd finds out about QEMU in ten seconds, from the tests of guests where they ran before.
CAPABILITIES = os.path.join(SOURCE, "build", "guest-parts", "capabilities")

LIBVIRT = """set -eu
mkdir -p /run/libvirt/qemu /var/log/libvirt/qemu /var/lib/libvirt/qemu/dump
cat >/etc/libvirt/qemu.conf <<'CONF'
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
remember_owner = 0
CONF
printf 'auth_unix_rw = "none"\\nauth_unix_ro = "none"\\nlog_outputs = "3:file:/var/log/libvirt/libvirtd.log"\\n' >/etc/libvirt/libvirtd.conf
cat >/etc/libvirt/guest1.xml <<'XML'
<domain type='qemu'>
<name>guest1</name>
<uuid>5e0c2b4e-8f4e-4c55-9d3c-000000000001</uuid><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><memballoon model='none'/></devices></domain>
XML
virtlogd -d -p /run/virtlogd.pid
libvirtd -d -p /run/libvirtd.pid
"""
# Looked at each second. force_stop: stopping is pulling the plug, as it is for a guest that does not react.
RESOURCE = """<primitive id="guest1" class="ocf" provider="heartbeat" type="VirtualDomain">
  <instance_attributes id="guest1-attributes">
    <nvpair id="guest1-config" name="config" value="/etc/libvirt/guest1.xml"/>
    <nvpair id="guest1-hypervisor" name="hypervisor" value="qemu:///system"/>
    <nvpair id="guest1-force" name="force_stop" value="1"/>
  </instance_attributes>
  <operations>
    <op id="guest1-start" name="start" interval="0" timeout="60s"/>
    <op id="guest1-stop" name="stop" interval="0" timeout="60s"/>
    <op id="guest1-monitor" name="monitor" interval="1s" timeout="30s"/>
  </operations>
</primitive>"""
PLACE = '<rsc_location id="guest1-place" rsc="guest1" node="kvm1" score="100"/>'


def need_guests():
    missing = [name for name in PROGRAMS if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if missing or not os.path.exists(AGENT):
        print(f"skipped: {', '.join(missing) or AGENT} not installed (packaging/install-build-deps --for-guest-tests --for-cluster-tests installs it)")
        sys.exit(77)


def virsh(node, *words):
    return node.on("timeout", "20", "virsh", "-q", "-c", "qemu:///system", *words).stdout.strip()


def state(node):
    return virsh(node, "domstate", "guest1", "--reason").split("\n")[0]


def identity(node):
    """Of this very run of the guest: a guest that was started anew has others."""
    return virsh(node, "domid", "guest1"), node.on("cat", "/run/libvirt/qemu/guest1.pid").stdout


def start(cluster):
    for node in cluster.nodes.values():
        shutil.copytree(os.path.join(SOURCE, "actions"), node.path(ACTIONS))
        if os.path.isdir(CAPABILITIES):
            shutil.copytree(CAPABILITIES, node.path("/var/cache/libvirt"), dirs_exist_ok=True)
        done = node.bash(LIBVIRT)
        assert done.returncode == 0, done.stderr
    for node in cluster.nodes.values():
        wait_until("libvirtd answers", lambda node=node: "QEMU" in virsh(node, "version"))
    for section, xml in (("resources", RESOURCE), ("constraints", PLACE)):
        done = cluster.kvm1.on("cibadmin", "--create", "--scope", section, "--xml-text", xml)
        assert done.returncode == 0, done.stderr
    wait_until("pacemaker starts the guest on kvm1", lambda: state(cluster.kvm1).startswith("running"))


def act(node, *words):
    done = node.on(*QUIESCE, *words, timeout=6 * PATIENCE)
    return done.returncode, done.stderr


def stays(seconds, condition):
    """True when it is so all the time: several looks of the cluster at the guest."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            return False
        time.sleep(0.1)
    return True


def kept(cluster, with_tool):
    kvm1, kvm2 = cluster.kvm1, cluster.kvm2
    before = identity(kvm1)
    code, said = act(kvm1, "--with", with_tool)
    check(f"quiesce-guest --with {with_tool}: exit 0", code == 0, said)
    check("the guest is paused where it was", state(kvm1) == "paused (user)", state(kvm1))
    check("its memory is in a file", "kdump" in kvm1.on("ls", "/var/lib/libvirt/qemu/dump").stdout)
    soon("the node is in standby", lambda: cluster.standby() == {"kvm1"}, more=cluster.state)
    soon("everything else runs on the other", lambda: cluster.running("kvm2") == {"vm-web", "vm-db", "vm-mail"}, more=cluster.state)
    untouched = lambda: state(kvm1) == "paused (user)" and identity(kvm1) == before and virsh(kvm2, "list", "--name") == ""
    check("the cluster leaves it alone, and starts it nowhere else", stays(4, untouched), (state(kvm1), virsh(kvm2, "list")))
    kvm1.on("crm_resource", "--refresh", "--resource", "guest1")  # looked for on all nodes
    kvm1.on("crm_resource", "--wait")
    check("nor when somebody has it looked for anew", stays(2, untouched), (state(kvm1), virsh(kvm2, "list")))
    code, said = act(kvm1, "--with", with_tool)
    check("again: exit 0, nothing is done twice", code == 0 and untouched() and kvm1.on("sh", "-c", "ls /var/lib/libvirt/qemu/dump | wc -l").stdout.strip() == "1", said)


def given_back(cluster):
    before = identity(cluster.kvm1)
    code, said = act(cluster.kvm1, "--undo")
    check("--undo: exit 0", code == 0, said)
    check("the same guest runs on", state(cluster.kvm1) == "running (unpaused)" and identity(cluster.kvm1) == before, state(cluster.kvm1))
    soon("everything is at home", cluster.at_home)
    soon("and is the cluster's again", lambda: "is-managed" not in cluster.kvm1.on("cibadmin", "--query", "--scope", "resources").stdout)
    cluster.kvm1.bash("rm -f /var/lib/libvirt/qemu/dump/*")


def dies_while_kept(cluster):
    """Even a QEMU that dies while it is kept is started nowhere: a person has to say so."""
    kvm1, kvm2 = cluster.kvm1, cluster.kvm2
    code, said = act(kvm1, "--with", "crm_attribute")
    check("kept once more: exit 0", code == 0, said)
    kvm1.on("sh", "-c", "kill -KILL $(cat /run/libvirt/qemu/guest1.pid)")
    soon("its QEMU is killed", lambda: not state(kvm1).startswith("paused"))
    nowhere = lambda: virsh(kvm1, "list", "--name") == "" and virsh(kvm2, "list", "--name") == ""
    check("it is started nowhere", stays(4, nowhere), (virsh(kvm1, "list"), virsh(kvm2, "list")))
    code, said = act(kvm1, "--undo")
    check("--undo says that there is nothing to resume: exit 3 or 5", code in (3, 5), (code, said))


def without_it(cluster):
    """What the cluster does to a guest that it still manages; else all of the above would prove nothing."""
    kvm1, kvm2 = cluster.kvm1, cluster.kvm2
    done = kvm1.on("crm_resource", "--resource", "guest1", "--meta", "--delete-parameter", "is-managed")
    assert done.returncode == 0, done.stderr
    soon("managed again, and kvm1 in standby: it is started on kvm2", lambda: state(kvm2).startswith("running"))
    check("and only there", virsh(kvm1, "list", "--name") == "")


def main():
    need_cluster()
    need_guests()
    with Cluster() as cluster:
        print(f"cluster up after {cluster.up_after:.1f} s")
        start(cluster)
        kept(cluster, "crm")
        given_back(cluster)
        kept(cluster, "pcs")
        given_back(cluster)
        dies_while_kept(cluster)
        without_it(cluster)
        if check.failed:
            print(cluster.kvm1.bash("tail -n 40 /var/log/pacemaker/pacemaker.log").stdout)
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
