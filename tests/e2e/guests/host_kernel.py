# SPDX-License-Identifier: Apache-2.0
"""The kernel of a host with failing memory: a real one under QEMU, into which machine checks are injected. What it prints leaves by
a serial line, each record with its priority, and goes into a log daemon as that kernel's."""
import json
import os
import re
import select
import socket
import subprocess
import threading
import time

from harness import PATIENCE
from parts import initramfs, kernel

# MCi_STATUS of Skylake: a corrected error of a memory controller (valid, enabled, with address and misc), code 0x90; the count
# stands in bits 52 to 38.
CORRECTED = 0x8C00000000010090


def connect(path, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
            return client
        except OSError:
            client.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class HostKernel:
    """`deliver(datagram, arrived)` gets each record, as <PRI>text, the moment its newline has come."""

    def __init__(self, directory, deliver):
        self.directory, self.deliver = directory, deliver
        self.lines, self.ready = [], threading.Event()
        serial, control = os.path.join(directory, "serial"), os.path.join(directory, "qmp")
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "Skylake-Server-v1", "-smp", "1", "-m", "160",
             "-display", "none", "-nodefaults", "-no-user-config", "-kernel", kernel(), "-initrd", initramfs(directory),
             "-append", "console=ttyS0 quiet panic=0", "-serial", "file:" + os.path.join(directory, "console"),
             "-serial", f"unix:{serial},server=on,wait=on", "-qmp", f"unix:{control},server=on,wait=off"],
            stdin=subprocess.DEVNULL, stdout=open(os.path.join(directory, "qemu"), "ab"), stderr=subprocess.STDOUT)
        self.serial = connect(serial)
        self.control = connect(control).makefile("rw")
        self.control.readline()
        self.ask("qmp_capabilities")
        threading.Thread(target=self.read, daemon=True).start()

    def ask(self, command, **arguments):
        self.control.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.control.flush()
        while True:
            answer = json.loads(self.control.readline())
            if "event" not in answer:
                return answer["return"]

    def read(self):
        text = b""
        while True:
            select.select([self.serial], [], [])
            piece = self.serial.recv(65536)
            arrived = time.monotonic()
            if not piece:
                return
            text += piece
            *whole, text = text.split(b"\n")
            for line in whole:
                self.record(line.decode(errors="replace").rstrip("\r"), arrived)

    def record(self, line, arrived):
        found = re.match(r"(\d+),\d+,\d+,[^;]*;(.*)", line)
        if found is None:
            return  # " KEY=value" of the record before
        self.lines.append(found[2])
        if found[2] == "guest is ready":
            self.ready.set()
        elif int(found[1]) < 8:  # facility kern
            self.deliver(f"<{found[1]}>", found[2], arrived)

    def inject(self, bank, count, address=0x12345000):
        """`count` corrected errors in one register. The kernel finds them when it polls next."""
        status = CORRECTED | count << 38
        self.ask("human-monitor-command", **{"command-line": f"mce 0 {bank} {status:#x} 0 {address:#x} 0x8c"})

    def stop(self):
        self.process.kill()
        self.process.wait()
