# SPDX-License-Identifier: Apache-2.0
"""Real libvirtd's and guests of 512 bytes. The first runs where the test does, the second in a network and mount namespace of its
own, at the other end of a cable."""
import os
import subprocess

from harness import PATIENCE, wait_until
from host_kernel import connect
from parts import floppy, run

CONF = """auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_group = "root"
log_outputs = "2:file:{log}"
{more}
"""
QEMU_CONF = """user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
remember_owner = 0
"""
GUEST = """<domain type='qemu'>
  <name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='fd'/></os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>preserve</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='floppy'><driver name='qemu' type='raw'/><source file='{floppy}'/><target dev='fda' bus='fdc'/><readonly/></disk>
    <serial type='unix'><source mode='bind' path='{directory}/{name}.serial'/><target port='0'/></serial>
    <watchdog model='ib700' action='pause'/>
    <panic model='isa'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""
SECOND = """set -e
mount --make-rprivate /
mount -t tmpfs -o mode=0755 second /run
mkdir -p /run/lock /run/libvirt
for d in /var/lib /var/log /etc/libvirt; do mount -t tmpfs -o mode=0755 second $d; done
mkdir -p /var/lib/libvirt/qemu /var/log/libvirt/qemu /etc/libvirt/qemu
cp "$1/qemu.conf" /etc/libvirt/qemu.conf
hostname kvm2
ip link set lo up
ip addr add 10.97.0.2/24 dev cable2
ip link set cable2 up
virtlogd -p /run/virtlogd.pid &
exec libvirtd --listen -f "$1/second.conf" -p /run/libvirtd.pid
"""


def virsh(*command, uri="qemu:///system", check=True, seconds=PATIENCE):
    done = subprocess.run(["timeout", "-k", "2", str(seconds), "virsh", "-c", uri, *command], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise AssertionError(f"virsh {' '.join(command)}: {done.stderr}")
    return done.stdout.strip()


class Libvirt:
    """The libvirtd of this host."""

    def __init__(self, directory):
        self.directory = directory
        self.write("qemu.conf", QEMU_CONF)
        self.write("first.conf", CONF.format(log=self.path("libvirtd.log"), more=""))
        run("cp", self.path("qemu.conf"), "/etc/libvirt/qemu.conf")
        self.logger = subprocess.Popen(["virtlogd", "-p", "/run/virtlogd.pid"], stderr=subprocess.DEVNULL)
        self.daemon = None
        self.serials = {}
        self.start()

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)

    def start(self):
        self.daemon = subprocess.Popen(["libvirtd", "-f", self.path("first.conf"), "-p", "/run/libvirtd.pid"], stderr=open(self.path("libvirtd.err"), "ab"))
        wait_until("libvirtd answers", lambda: virsh("version", check=False), 2 * PATIENCE)

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def guest(self, name):
        self.write(f"{name}.xml", GUEST.format(name=name, directory=self.directory, floppy=floppy(self.directory)))
        virsh("create", self.path(f"{name}.xml"))
        self.serials[name] = connect(self.path(f"{name}.serial"))

    def tell(self, name, letter):
        """Types a letter at the guest: "p" panics, "w" starts its watchdog."""
        self.serials[name].sendall(letter)

    def process_of(self, name):
        with open(f"/run/libvirt/qemu/{name}.pid", encoding="utf-8") as file:
            return int(file.read())


def state(name, uri="qemu:///system"):
    return virsh("domstate", "--reason", name, uri=uri, check=False, seconds=20)


class Second:
    """The libvirtd of another host: qemu+tcp://10.97.0.2/system."""

    URI = "qemu+tcp://10.97.0.2/system"

    def __init__(self, first):
        first.write("second.conf", CONF.format(log=first.path("second.log"), more="""auth_tcp = "none"
listen_tls = 0
listen_tcp = 1
listen_addr = "10.97.0.2"
host_uuid = "00000000-1111-2222-3333-444444444444"
"""))
        first.write("second.sh", SECOND)
        run("ip", "link", "add", "cable1", "type", "veth", "peer", "name", "cable2")
        run("ip", "addr", "add", "10.97.0.1/24", "dev", "cable1")
        run("ip", "link", "set", "cable1", "up")
        # It waits for its end of the cable.
        self.process = subprocess.Popen(["unshare", "-m", "-n", "-u", "sh", "-c", 'read ready; exec sh "$0" "$1"', first.path("second.sh"), first.directory],
                                        stdin=subprocess.PIPE, stderr=open(first.path("second.err"), "ab"))
        wait_until("a network namespace", lambda: os.readlink(f"/proc/{self.process.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        run("ip", "link", "set", "cable2", "netns", str(self.process.pid))
        self.process.stdin.write(b"\n")
        self.process.stdin.close()

    def wait(self):
        wait_until("the second libvirtd answers", lambda: virsh("hostname", uri=self.URI, check=False) == "kvm2", 2 * PATIENCE)
