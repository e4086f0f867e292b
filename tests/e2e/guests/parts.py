# SPDX-License-Identifier: Apache-2.0
"""What these tests are made of: programs, a kernel, an initramfs of one program, and namespaces in which libvirt's files are nobody
else's."""
import gzip
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["SOURCE"]
PARTS = os.environ.get("GUEST_PARTS") or os.path.join(SOURCE, "build", "guest-parts")
SKIPPED = 77
INSIDE = "CORRELATOR_GUESTS_INSIDE"

# Nothing of this is waited for longer: a test that hangs tells nobody what it waited for.
PROGRAMS = ["qemu-system-x86_64", "libvirtd", "virtlogd", "virsh", "rsyslogd", "unshare", "ip", "busybox"]


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def need():
    """Ends the test as skipped, with one line, where a part is missing."""
    if os.geteuid() != 0:
        skip("namespaces and libvirtd need root")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        skip(f"{', '.join(missing)} missing (packaging/install-build-deps --for-guest-tests installs them)")
    if not os.path.exists(kernel()):
        skip("no kernel for the guest (packaging/guest-kernel build/guest-parts fetches it)")
    done = subprocess.run(["unshare", "-m", "-n", "-u", "-p", "--fork", "--mount-proc", "true"], capture_output=True, text=True)
    if done.returncode != 0:
        skip(f"no namespaces here: {done.stderr.strip()}")


def kernel():
    return os.path.join(PARTS, "vmlinuz")


def enter():
    """Goes on in namespaces of its own, whose end takes everything with it that was started in them."""
    if os.environ.get(INSIDE):
        return
    need()
    # The first process must take leave of the others' dead: libvirt waits until a QEMU that it ended is gone, and QEMUs are orphans.
    init = '"$@" & main=$!; wait $main'
    command = ["unshare", "-m", "-n", "-u", "-p", "--fork", "--kill-child", "--mount-proc", "sh", "-c", init, "sh", sys.executable, *sys.argv]
    sys.exit(subprocess.run(command, env=dict(os.environ, **{INSIDE: "1"})).returncode)


def run(*command, **more):
    return subprocess.run(command, check=True, **more)


def private_directories(capabilities):
    """Fresh /run, /var/lib, /var/log and /etc/libvirt, in the mount namespace we are in. What libvirtd found out about QEMU in
    ten seconds is kept in `capabilities`."""
    os.makedirs(capabilities, exist_ok=True)
    run("mount", "--make-rprivate", "/")
    for directory in ("/run", "/var/lib", "/var/log", "/etc/libvirt"):
        run("mount", "-t", "tmpfs", "-o", "mode=0755", "private", directory)
    for directory in ("/run/lock", "/run/libvirt", "/var/lib/libvirt/qemu/dump", "/var/log/libvirt/qemu", "/etc/libvirt/qemu"):
        os.makedirs(directory)
    run("mount", "--bind", capabilities, "/var/cache/libvirt")


INIT = b"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
# Corrected errors are polled for each 300 s; QEMU has no interrupt for them.
echo 1 >/sys/devices/system/machinecheck/machinecheck0/check_interval
/bin/busybox stty -F /dev/ttyS1 115200 raw -echo
echo '<6>guest is ready' >/dev/kmsg
# Each record with its priority, as a log daemon of this machine would read it.
exec /bin/busybox cat /dev/kmsg >/dev/ttyS1
"""


def _entry(name, content, mode, inode):
    """One file in the format "newc" of cpio."""
    fields = [inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def initramfs(directory):
    """A file with an initramfs: busybox, which must be a static one, and INIT."""
    with open(shutil.which("busybox"), "rb") as file:
        busybox = file.read()
    tree = [("bin", b"", 0o40755), ("dev", b"", 0o40755), ("bin/busybox", busybox, 0o100755), ("init", INIT, 0o100755), ("TRAILER!!!", b"", 0)]
    path = os.path.join(directory, "initramfs.gz")
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(b"".join(_entry(name, content, mode, number + 1) for number, (name, content, mode) in enumerate(tree)))
    return path


# A guest of 512 bytes. It sleeps until the timer wakes it (18 times a second) and looks at its serial port: "p" writes to the port
# of the pvpanic device, "w" starts the ib700 watchdog with two seconds. Nothing else runs in it.
#   sti; again: hlt; mov dx,3fd; in al,dx; test al,1; jz again; mov dx,3f8; in al,dx
#   cmp al,'p'; jne 1f; mov dx,505; mov al,1; out dx,al; jmp again
#   1: cmp al,'w'; jne again; mov dx,443; mov al,0e; out dx,al; jmp again
BOOT_SECTOR = bytes.fromhex("fb f4 ba fd 03 ec a8 01 74 f7 ba f8 03 ec"
                            "3c 70 75 08 ba 05 05 b0 01 ee eb e7"
                            "3c 77 75 e3 ba 43 04 b0 0e ee eb db")


def floppy(directory):
    image = bytearray(1_474_560)
    image[:len(BOOT_SECTOR)] = BOOT_SECTOR
    image[510:512] = b"\x55\xaa"
    path = os.path.join(directory, "boot.img")
    with open(path, "wb") as out:
        out.write(image)
    return path


def scratch():
    path = tempfile.mkdtemp(prefix="correlator-guests-", dir="/tmp")
    os.chmod(path, 0o755)
    return path
