# SPDX-License-Identifier: Apache-2.0
"""A real cluster of two nodes, kvm1 and kvm2, each in namespaces of its own on this machine: corosync, pacemaker, rsyslogd with
its own /dev/log. Resources are the agent ocf:pacemaker:Dummy. Nothing of the system's is touched, and nothing outlives the test."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from harness import SOURCE, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
NODES = {"kvm1": "10.98.0.1", "kvm2": "10.98.0.2"}
PROGRAMS = ["corosync", "pacemakerd", "crm", "pcs", "crm_mon", "cibadmin", "ip", "nsenter", "unshare", "rsyslogd"]

COROSYNC = """totem {
  version: 2
  cluster_name: test
  transport: knet
  crypto_cipher: none
  crypto_hash: none
}
nodelist {
%s}
quorum {
  provider: corosync_votequorum
  %s
}
logging {
  to_logfile: no
  to_stderr: no
  to_syslog: yes
}
"""

CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="stonith-enabled" name="stonith-enabled" value="%(fencing)s"/>
        <nvpair id="dc-deadtime" name="dc-deadtime" value="2s"/>
        <nvpair id="have-watchdog" name="have-watchdog" value="false"/>
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources>
      <primitive id="vm-web" class="ocf" provider="pacemaker" type="Dummy">
        <operations><op id="vm-web-monitor" name="monitor" interval="10s"/></operations>
      </primitive>
      <primitive id="vm-db" class="ocf" provider="pacemaker" type="Dummy"/>
      %(stonith)s
    </resources>
    <constraints>
      <rsc_location id="web-place" rsc="vm-web" node="kvm1" score="100"/>
      <rsc_location id="db-place" rsc="vm-db" node="kvm1" score="100"/>
    </constraints>
  </configuration>
  <status/>
</cib>
"""

# What Debian's /etc/rsyslog.conf loads, with the settings that docs/install.md asks for; the kernel's ring is a pipe of the test's own.
RSYSLOG = """global(workDirectory="{dir}/spool")
module(load="imuxsock" SysSock.Annotate="on" SysSock.ParseTrusted="on" SysSock.UsePIDFromSystem="on" SysSock.RateLimit.Interval="0")
module(load="imklog" LogPath="/run/kernel-ring")
template(name="iso" type="string" string="%timestamp:::date-rfc3339% %HOSTNAME% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\\n")
*.* action(type="omfile" file="{dir}/syslog" template="iso")
{more}
"""


def need_cluster():
    """Ends the test program, as skipped, where something is missing."""
    missing = [program for program in PROGRAMS if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if missing:
        print(f"skipped: {', '.join(missing)} not installed (packaging/install-build-deps --for-tests --for-cluster-tests installs it)")
        sys.exit(77)
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "true"], capture_output=True).returncode:
        print("skipped: a cluster needs namespaces of its own, and root to make them")
        sys.exit(77)


class Node:
    def __init__(self, cluster, name):
        self.cluster, self.name, self.address = cluster, name, NODES[name]
        self.dir = os.path.join(cluster.dir, name)
        self.process = self.pid = None
        os.makedirs(os.path.join(self.dir, "spool"))

    def start(self):
        if os.path.exists(self.file("up")):
            os.unlink(self.file("up"))
        self.process = subprocess.Popen(["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc",
                                         "bash", os.path.join(HERE, "node.sh"), self.name, self.address, self.cluster.dir], stdin=subprocess.PIPE)
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        wait_until("the node's init", lambda: open(children, encoding="ascii").read().strip())
        self.pid = open(children, encoding="ascii").read().split()[0]

    def stop(self):
        """Pulls the plug: every process of the node is killed at once."""
        if self.process and self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)

    def file(self, name):
        return os.path.join(self.dir, name)

    def command(self, *words):
        return ["nsenter", "--target", self.pid, "--mount", "--net", "--uts", "--pid", "--", *words]

    def on(self, *words, timeout=90, **more):
        """Runs a command in the node; its exit code and output."""
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout, **more)

    def popen(self, *words, **more):
        return subprocess.Popen(self.command(*words), **more)

    def kernel(self, text):
        """One line into the ring that the node's imklog reads."""
        self.on("sh", "-c", "cat >/run/kernel-ring", input=text + "\n")

    def syslog(self):
        with open(self.file("syslog"), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def signal(self, daemon, number="KILL"):
        """To a daemon of the node, by the pid that it had at its start."""
        return self.on("sh", "-c", f"kill -{number} $(cat /run/{daemon}.pid)").returncode == 0


class Cluster:
    def __init__(self, rsyslog="", fencing=False, quorum="two_node: 1\n  wait_for_all: 0"):
        self.dir = tempfile.mkdtemp(prefix="correlator-cluster-")
        os.chmod(self.dir, 0o755)
        self.nodes = {name: Node(self, name) for name in NODES}
        for node in self.nodes.values():
            self.write(f"{node.name}/rsyslog.conf", RSYSLOG.format(dir=node.dir, more=rsyslog.replace("@NODE@", node.dir)))
        members = "".join(f"  node {{\n    ring0_addr: {a}\n    name: {n}\n    nodeid: {i}\n  }}\n" for i, (n, a) in enumerate(NODES.items(), 1))
        self.write("corosync.conf", COROSYNC % (members, quorum))
        self.write("hosts", "127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for n, a in NODES.items()))
        stonith = '<primitive id="fence" class="stonith" type="fence_legacy"/>' if fencing else ""
        self.write("cib.xml", CIB % {"fencing": str(fencing).lower(), "stonith": stonith})

    def __getattr__(self, name):
        return self.nodes[name]

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def wire(self):
        """The cable between the two; plugged in anew after one of them was started again."""
        subprocess.run(["ip", "link", "add", "eth0", "netns", self.kvm1.pid, "type", "veth", "peer", "name", "eth0", "netns", self.kvm2.pid], check=True)

    def start(self):
        begin = time.monotonic()
        for node in self.nodes.values():
            node.start()
        self.wire()
        wait_until("both nodes are up and the resources run", lambda: self.running("kvm1") == {"vm-web", "vm-db"}, 60)
        self.up_after = time.monotonic() - begin
        return self

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *unused):
        for node in self.nodes.values():
            node.stop()
        if os.environ.get("KEEP"):
            print(f"kept: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def state(self, on="kvm1"):
        """What crm_mon says: {node: (online, standby)} and {resource: node}."""
        import xml.etree.ElementTree as tree
        said = self.nodes[on].on("crm_mon", "-1", "--output-as=xml", timeout=30)
        if said.returncode:
            return {}, {}
        root = tree.fromstring(said.stdout)
        nodes = {n.get("name"): (n.get("online") == "true", n.get("standby") == "true") for n in root.findall("./nodes/node")}
        places = {r.get("id"): n.get("name") for r in root.iter("resource") for n in r.findall("node") if r.get("active") == "true"}
        return nodes, places

    def running(self, node, on="kvm1"):
        nodes, places = self.state(on)
        if len([1 for online, _ in nodes.values() if online]) == 0:
            return None
        return {resource for resource, place in places.items() if place == node and resource.startswith("vm-")}

    def standby(self, on="kvm1"):
        """Names of the nodes that are in standby."""
        return {name for name, (_, standby) in self.state(on)[0].items() if standby}
