# SPDX-License-Identifier: Apache-2.0
"""A real cluster of two nodes, kvm1 and kvm2, each in namespaces of its own on this machine: corosync, pacemaker, rsyslogd with
its own /dev/log. Resources are the agent ocf:pacemaker:Dummy. Nothing of the system's is touched, and nothing outlives the test."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as tree

from harness import PATIENCE, SOURCE, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
NODES = {"kvm1": "10.98.0.1", "kvm2": "10.98.0.2"}
PROGRAMS = ["corosync", "pacemakerd", "crm", "pcs", "crm_mon", "cibadmin", "ip", "nsenter", "unshare", "rsyslogd", "sqlite3"]

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
      <primitive id="vm-mail" class="ocf" provider="pacemaker" type="Dummy"/>
      %(stonith)s
    </resources>
    <constraints>
      <rsc_location id="web-place" rsc="vm-web" node="kvm1" score="100"/>
      <rsc_location id="db-place" rsc="vm-db" node="kvm1" score="100"/>
      <rsc_location id="mail-place" rsc="vm-mail" node="kvm2" score="100"/>
    </constraints>
  </configuration>
  <status/>
</cib>
"""

STONITH = """<primitive id="fence" class="stonith" type="fence_legacy">
        <instance_attributes id="fence-attributes">
          <nvpair id="fence-hosts" name="pcmk_host_list" value="kvm1 kvm2"/>
          <nvpair id="fence-check" name="pcmk_host_check" value="static-list"/>
        </instance_attributes>
      </primitive>"""

# Every line in a form that can be compared and kept as a capture; it stands beside Debian's own configuration.
RSYSLOG = """template(name="iso" type="string" string="%timestamp:::date-rfc3339% %HOSTNAME% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\\n")
*.* action(type="omfile" file="{dir}/syslog" template="iso")
"""

STAND_INS = {
    "systemctl": """#!/bin/sh
# Stands in for systemctl in a node without systemd: what the documents ask of it, done by hand.
set -eu
dispatcher() { setsid correlator dispatch </dev/null >>/var/log/correlator/dispatch.log 2>&1 & echo $! >/run/dispatch.pid; }
case "$*" in
  daemon-reload) ;;
  "restart rsyslog")
    pid=$(cat /run/rsyslogd.pid); kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    rsyslogd ;;
  "enable --now correlator-dispatch") dispatcher ;;
  "reload correlator-dispatch") kill -HUP "$(cat /run/dispatch.pid)" ;;
  *) echo "stand-in for systemctl: $*?" >&2; exit 1 ;;
esac
""",
    "scp": """#!/bin/sh
# Stands in for scp -r DIR HOST:DIR between two nodes of a test.
set -eu
mkdir -p "@DIR@/${3%%:*}/copied"
cp -r "$2" "@DIR@/${3%%:*}/copied/"
"""}


def need_cluster():
    """Ends the test program, as skipped, where something is missing."""
    missing = [program for program in PROGRAMS if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if missing:
        print(f"skipped: {', '.join(missing)} not installed (packaging/install-build-deps --for-tests --for-cluster-tests installs it)")
        sys.exit(77)
    layer = "mount -t tmpfs tmpfs /run && mkdir /run/a /run/b && mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/a,workdir=/run/b /etc"
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "sh", "-c", layer], capture_output=True).returncode:
        print("skipped: a cluster needs root, namespaces and overlay mounts of its own")
        sys.exit(77)


def check(name, good, more=""):
    print(f"{'ok' if good else 'FAILED'}: {name}{'' if good else f' ({more})'}", flush=True)
    check.failed += 0 if good else 1
    return good


check.failed = 0


def soon(name, condition, seconds=PATIENCE, more=lambda: ""):
    """Checks that it becomes so, and says how long it took. What two nodes and their daemons come to is never looked at once: it is on
    its way, and passes through states of its own."""
    begin = time.monotonic()
    try:
        wait_until(name, condition, seconds)
    except AssertionError as error:
        check(name, False, f"{error} {more()}")
    else:
        check(name, True)
    return time.monotonic() - begin


def blocks(document, kind):
    """Blocks of a document that begin with ```KIND, with what stands behind the kind."""
    with open(os.path.join(SOURCE, document), encoding="utf-8") as file:
        return re.findall(rf"^```{kind}(?: (\S+))?\n(.*?)^```", file.read(), re.S | re.M)


class Node:
    def __init__(self, cluster, name):
        self.cluster, self.name, self.address = cluster, name, NODES[name]
        self.dir = os.path.join(cluster.dir, name)
        self.process = self.pid = None
        os.makedirs(self.dir)

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
            self.process.wait(PATIENCE)

    def file(self, name):
        return os.path.join(self.dir, name)

    def command(self, *words):
        return ["nsenter", "--target", self.pid, "--mount", "--net", "--uts", "--pid", "--", *words]

    def on(self, *words, timeout=2 * PATIENCE, **more):
        """Runs a command in the node; its exit code and output."""
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout, **more)

    def popen(self, *words, **more):
        return subprocess.Popen(self.command(*words), **more)

    def kernel(self, text):
        """One line into the ring that the node's imklog reads."""
        self.on("sh", "-c", "cat >/run/kernel-ring", input=text + "\n")

    def bash(self, script, **more):
        """A script as a person at the node would type it; the first command that fails ends it."""
        return self.on("env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "NO_COLOR=1", "LC_ALL=C.UTF-8",
                       "bash", "-euc", script, **more)

    def path(self, path):
        """A file of the node, from outside."""
        return f"/proc/{self.pid}/root{path}"

    def syslog(self):
        with open(self.file("syslog"), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def install(self, rules=None):
        """docs/install.md, its user and directories and its drop-in; and rules of a site."""
        commands = [text for _, text in blocks("docs/install.md", "shell")]
        done = self.bash(commands[1])
        assert done.returncode == 0, done.stderr
        if rules is not None:
            done = self.on("tee", "/etc/correlator/rules.d/site.toml", input=rules)
        done = self.bash(commands[3])
        assert done.returncode == 0, done.stderr
        self.bash("logger -t test 'the first line starts the engine'")
        wait_until("the engine runs", lambda: self.up("correlator_up"))

    def up(self, metric):
        """Whether the engine (correlator_up) or the dispatcher (correlator_dispatch_up) answers; a socket may be of one that was killed."""
        return f"{metric} 1" in self.on("correlator", "metrics").stdout.splitlines()

    def jobs(self):
        """(rule, action, state, reason) of what the dispatcher was given, in order."""
        return self.ledger("SELECT rule, action, state, reason FROM job ORDER BY n")

    def last_start(self):
        """When the dispatcher started its last script, by the clock."""
        return self.ledger("SELECT max(started) FROM attempt")[0][0] / 1e6

    def ledger(self, query):
        said = self.on("sqlite3", "-readonly", "-json", "/var/lib/correlator-dispatch/dispatch.db", query).stdout
        return [tuple(row.values()) for row in json.loads(said or "[]")]

    def signal(self, daemon, number="KILL"):
        """To a daemon of the node, by the pid that it had at its start."""
        return self.on("sh", "-c", f"kill -{number} $(cat /run/{daemon}.pid)").returncode == 0


class Cluster:
    def __init__(self, installed=False, fencing=None, quorum="two_node: 1\n  wait_for_all: 0"):
        self.dir = tempfile.mkdtemp(prefix="correlator-cluster-")
        os.chmod(self.dir, 0o755)
        self.nodes = {name: Node(self, name) for name in NODES}
        for node in self.nodes.values():
            self.write(f"{node.name}/rsyslog.conf", RSYSLOG.format(dir=node.dir))
        members = "".join(f"  node {{\n    ring0_addr: {a}\n    name: {n}\n    nodeid: {i}\n  }}\n" for i, (n, a) in enumerate(NODES.items(), 1))
        self.write("corosync.conf", COROSYNC % (members, quorum))
        os.mkdir(os.path.join(self.dir, "stand-ins"))
        for name, text in STAND_INS.items():
            os.chmod(self.write(f"stand-ins/{name}", text.replace("@DIR@", self.dir)), 0o755)
        if installed:
            subprocess.run([os.environ["CMAKE"], "--install", os.environ["BUILD"], "--prefix", "/usr"], check=True, stdout=subprocess.DEVNULL,
                           env=dict(os.environ, DESTDIR=os.path.join(self.dir, "install")))
        self.write("hosts", "127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for n, a in NODES.items()))
        if fencing:
            os.chmod(self.write("fence", fencing), 0o755)
        self.write("cib.xml", CIB % {"fencing": "true" if fencing else "false", "stonith": STONITH if fencing else ""})

    def __getattr__(self, name):
        return self.nodes[name]

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def wire(self):
        """The cable between the two."""
        subprocess.run(["ip", "link", "add", "eth0", "netns", self.kvm1.pid, "type", "veth", "peer", "name", "eth0", "netns", self.kvm2.pid], check=True)

    def start(self):
        begin = time.monotonic()
        for node in self.nodes.values():
            node.start()
        self.wire()
        wait_until("both nodes are up and the resources run", self.at_home, 2 * PATIENCE)
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
        """What crm_mon says: {node: (online, standby)} and {resource: node}. Where it says nothing at first it is asked again: pacemaker may be
        busy, and nothing is no answer. Empty ones where the cluster is gone."""
        end = time.monotonic() + 20
        while (said := self.nodes[on].on("crm_mon", "-1", "--output-as=xml")).returncode:
            if time.monotonic() > end:
                return {}, {}
            time.sleep(0.1)
        root = tree.fromstring(said.stdout)
        nodes = {n.get("name"): (n.get("online") == "true", n.get("standby") == "true") for n in root.findall("./nodes/node")}
        places = {r.get("id"): n.get("name") for r in root.iter("resource") for n in r.findall("node") if r.get("active") == "true"}
        return nodes, places

    def running(self, node, on="kvm1"):
        nodes, places = self.state(on)
        if len([1 for online, _ in nodes.values() if online]) == 0:
            return None
        return {resource for resource, place in places.items() if place == node and resource.startswith("vm-")}

    def at_home(self):
        """Everything is where it belongs: web and db on kvm1, mail on kvm2."""
        nodes, places = self.state()
        home = {"vm-web": "kvm1", "vm-db": "kvm1", "vm-mail": "kvm2"}
        return {r: n for r, n in places.items() if r in home} == home and not any(standby for _, standby in nodes.values())

    def standby(self, on="kvm1"):
        """Names of the nodes that are in standby."""
        return {name for name, (_, standby) in self.state(on)[0].items() if standby}
