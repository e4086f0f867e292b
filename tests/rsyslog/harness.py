# SPDX-License-Identifier: Apache-2.0
"""A private rsyslogd with sockets and files of its own in a scratch directory. Nothing of the system's is touched."""
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.abspath(os.environ.get("SOURCE") or os.path.join(os.path.dirname(__file__), "..", ".."))
TAP = os.environ.get("TAP", "")
SHIPPED = os.path.join(SOURCE, "rsyslog.d")


def rsyslogd():
    """Path of rsyslogd, or None."""
    return shutil.which("rsyslogd") or next((p for p in ("/usr/sbin/rsyslogd",) if os.path.exists(p)), None)


def version():
    return subprocess.run([rsyslogd(), "-v"], capture_output=True, text=True).stdout.split()[1]


def need_rsyslogd():
    """Ends the test program, as skipped, where there is no rsyslogd."""
    if rsyslogd() is None:
        print("skipped: rsyslogd is not installed (packaging/install-build-deps --for-tests installs it)")
        sys.exit(77)


# How long a test waits for what it wants to see. It says when something is wrong, not how fast a machine must be: ten processes that want
# a core each are no failure.
PATIENCE = 90


def wait_until(what, condition, seconds=PATIENCE):
    """Polls; a test waits for what it wants to see, never for a time. Gives what the condition was at last."""
    begin = time.monotonic()
    while True:
        found = condition()
        if found:
            return found
        waited = time.monotonic() - begin
        if waited > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01 if waited < 2 else 0.1)


class Scratch:
    """A directory that goes away, with what a configuration needs in it."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="correlator-rsyslog-")
        os.chmod(self.path, 0o755)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as out:
            out.write(text)
        return self.file(name)


ENGINE = "/usr/bin/correlator run --omprog --greeted"


def shipped(name, program, scratch, **changes):
    """Text of a shipped configuration with the program and all paths put into `scratch`; `changes` are settings to replace
    (queue__size="100"). A setting that is not there is an error: a test must not test what is not shipped."""
    with open(os.path.join(SHIPPED, name), encoding="utf-8") as file:
        text = file.read()
    assert text.count(ENGINE) == 1, f"{name} does not start the engine"
    text = text.replace(ENGINE, program)
    text = re.sub(r'"/var/log/correlator/([^"]*)"', lambda m: f'"{scratch.file(m[1])}"', text)
    for key, value in changes.items():
        setting = key.replace("__", ".")
        text, found = re.subn(rf'\b{re.escape(setting)}="[^"]*"', f'{setting}="{value}"', text)
        assert found, f"{name} does not set {setting}"
    return text


class Rsyslogd:
    """One rsyslogd in the foreground. `conf` is put behind a socket of its own, DIR/log.sock, in the way of Debian's
    rsyslog.conf; `modules` replaces the loading of modules before it."""

    ANNOTATED = 'Annotate="on" ParseTrusted="on" UsePIDFromSystem="on"'

    def __init__(self, scratch, conf, modules="", sock_options=ANNOTATED, name="log", control=True):
        self.scratch = scratch
        self.name = name
        self.socket_path = scratch.file(f"{name}.sock")
        self.control = scratch.file(f"{name}.control")
        os.makedirs(scratch.file("spool"), exist_ok=True)
        scratch.write("drop-in.conf", conf)
        lines = [f'global(workDirectory="{scratch.file("spool")}")',
                 'module(load="imuxsock" SysSock.Use="off")',
                 modules,
                 f'input(type="imuxsock" Socket="{self.socket_path}" CreatePath="on" {sock_options})',
                 'template(name="control" type="string" string="%inputname% %msg%\\n")',
                 f'include(file="{scratch.file("drop-in.conf")}")']
        if control:
            lines.append(f'*.* action(type="omfile" file="{self.control}" template="control")')
        self.conf = scratch.write(f"{name}.conf", "\n".join(lines) + "\n")
        self.process = None
        self.out = scratch.file(f"{name}.out")

    def check(self):
        """rsyslogd -N1: its exit code and what it says."""
        done = subprocess.run([rsyslogd(), "-N1", "-f", self.conf, "-i", self.scratch.file("check.pid")],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def start(self):
        if os.path.exists(self.socket_path):
            os.unlink(self.socket_path)
        with open(self.out, "a", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [rsyslogd(), "-n", "-f", self.conf, "-i", self.scratch.file(f"{self.name}.pid")], stdout=out, stderr=out,
                start_new_session=True)
        wait_until("the log socket", lambda: os.path.exists(self.socket_path) or self.process.poll() is not None)
        assert self.process.poll() is None, open(self.out, encoding="utf-8").read()
        os.chmod(self.socket_path, 0o666)
        return self

    def stop(self, number=signal.SIGTERM, seconds=PATIENCE):
        """Ends it; gives the seconds that it took."""
        begin = time.monotonic()
        self.process.send_signal(number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"rsyslogd did not end within {seconds} s of signal {number}") from None
        finally:
            pid_file = self.scratch.file(f"{self.name}.pid")
            if os.path.exists(pid_file):
                os.unlink(pid_file)
        return time.monotonic() - begin

    def kill(self):
        self.stop(signal.SIGKILL)

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.stop()

    def send(self, lines):
        """Datagrams as they are into the log socket. Blocks while rsyslogd is slow, as syslog(3) does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(self.socket_path)
            for line in lines:
                client.send(line if isinstance(line, bytes) else line.encode())

    def log(self):
        """What rsyslogd said on its own stderr."""
        with open(self.out, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_control(self, lines):
        """Waits until so many messages of the log socket have gone through rsyslogd's rules."""
        wait_until(f"{lines} messages", lambda: sum(1 for x in self.control_lines() if x.startswith("imuxsock")) >= lines, 2 * PATIENCE)

    def control_lines(self):
        if not os.path.exists(self.control):
            return []
        with open(self.control, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()


class TapLog:
    """What tap wrote: the lines that plug-ins received, in order."""

    def __init__(self, path):
        self.path = path

    def entries(self):
        """(pid, text) of everything, START, EOF and SIGNAL included. A line that is being written is left out."""
        if not os.path.exists(self.path):
            return []
        with open(self.path, "rb") as file:
            data = file.read()
        lines = data[:data.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]
        return [tuple(line.split("\t", 1)) for line in lines if "\t" in line]

    def messages(self):
        """The JSON objects in the order they came; marks and rsyslogd's own left out. "answered" says whether it got its OK."""
        out = []
        for _, text in self.entries():
            refused = text.startswith("NO ")
            if text.startswith("{") or refused:
                message = json.loads(text.removeprefix("NO "))
                message["answered"] = not refused
                if message["inputname"] not in ("immark", "rsyslogd"):
                    out.append(message)
        return out

    def frames(self):
        """The JSON lines as they came, as bytes of a file."""
        return "".join(text + "\n" for _, text in self.entries() if text.startswith("{")).encode()

    def pids(self):
        return [int(pid) for pid, text in self.entries() if text == "START"]


def end_by_pid(pid, number=signal.SIGKILL):
    """Ends a plug-in that its rsyslogd left behind."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on. Not one of those that the kernel gives to whoever asks for any: such a one may be
    somebody else's before it is used here."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        low = int(file.read().split()[0])
    for port in random.SystemRandom().sample(range(min(10000, low // 2), low), 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def wait_for_port(port):
    """Waits until somebody listens."""
    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    wait_until(f"port {port}", listens)
