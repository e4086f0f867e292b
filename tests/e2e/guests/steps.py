# SPDX-License-Identifier: Apache-2.0
"""What happens to guests, and what is done about it: one function for each story. `lab` has the parts (guests.py)."""
import os
import signal
import statistics
import subprocess
import sys
import time

from harness import PATIENCE
from libvirt import Second, state, virsh, wait_until



class Checks:
    def __init__(self):
        self.failed = 0
        self.begin = time.monotonic()

    def __call__(self, what, holds, told=""):
        print(f"{'ok' if holds else 'FAILED'}: {what}" + ("" if holds else f" ({told})"), flush=True)
        self.failed += not holds

    def step(self, what):
        print(f"-- {what} ({time.monotonic() - self.begin:.1f} s)", flush=True)


check = Checks()


def percentile(times, part):
    times = sorted(times)
    return times[min(len(times) - 1, int(part * len(times)))]


def figures(what, times):
    print(f"   {what}: p50 {statistics.median(times):.1f} ms, p99 {percentile(times, 0.99):.1f} ms, worst {max(times):.1f} ms, n={len(times)}", flush=True)


def done(lab, action, number):
    """The job number `number` of an action, once it has ended."""
    def ended():
        jobs = lab.site.jobs(action)
        return jobs[number] if len(jobs) > number and jobs[number][2] not in ("waiting", "running") else None
    return wait_until(f"job {number} of {action} ends; jobs: {lab.site.jobs()}", ended)


# ---------------------------------------------------------------- a kernel's corrected errors

def suspended(lab, repetitions):
    """The tenth corrected error of a bank suspends the guest that must not compute on. Each repetition is a new register's ten
    errors; before it the guest is resumed and the rules' cases are closed and the cooldown of
    site.evacuate is ended, as a person would."""
    from_line, from_injection, from_start = [], [], []
    for number in range(repetitions):
        bank = 4 + number % 6
        before, lines = time.monotonic(), len(lab.delivered)
        lab.kernel.inject(bank, 10, 0x12345000 + number * 0x1000)
        at = lab.lifecycle.wait("'db1': Suspended Paused", before)
        said = [(text, sent) for text, sent in lab.delivered[lines:] if "PROCESSOR" in text]
        assert said, lab.kernel.lines[-10:]
        from_line.append((at - said[0][1]) * 1000)
        from_injection.append((at - before) * 1000)
        if number == 0:
            check("libvirt says that the guest is paused by a user", state("db1") == "paused (user)", state("db1"))
            check("the one that is to be left runs", state("build1").startswith("running"), state("build1"))
        job = done(lab, "virsh-suspend", number)
        from_start.append((at - lab.site.attempts("virsh-suspend")[number][0]) * 1000)
        if job[2:4] != ("done", 0):
            check(f"suspend {number} says that it is done", False, job)
        if number + 1 < repetitions:
            resume(lab, "db1")
            reset(lab, "dimm.failing", "dimm.burst", "site.evacuate")
    check("each of them was suspended by the action", len(lab.site.jobs("virsh-suspend")) == repetitions, lab.site.jobs())
    figures("the kernel's line enters the log socket -> libvirt says Suspended", from_line)
    figures("   of that, from the start of the script", from_start)
    figures("injection -> Suspended, with the kernel's polling", from_injection)
    decision = [d for d in lab.site.decisions("site.evacuate") if d["action"] == "virsh-suspend"][0]
    check("and why is told", "memory.dimm-bad" in decision["why"], decision["why"])


def reset(lab, *rules):
    """As a person would: what these rules met is over, its cooldown as well."""
    for rule in rules:
        lab.site.ask("reset", rule, "--state", lab.site.state)


def resume(lab, guest):
    """What --undo of the action does."""
    said = subprocess.run([lab.site.path("actions/virsh-suspend"), "--domain", guest, "--undo"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert said.returncode == 0, said.stderr


def dumped(lab):
    """The suspended guest's memory is kept."""
    said = subprocess.run([lab.site.path("actions/virsh-dump"), "--domain", "db1"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    file = said.stdout.strip()
    check("the suspended guest is dumped", said.returncode == 0 and os.path.exists(file), said.stderr)
    with open(file, "rb") as dump:
        check("into a file that crash(8) reads", dump.read(8).startswith((b"KDUMP", b"makedump")), file)
    check("and is paused as before", state("db1") == "paused (user)", state("db1"))


def migrated(lab):
    """The guest that is to move is on the other host."""
    job = done(lab, "site-migrate", 0)
    check("the migration says that it is done", job[2:4] == ("done", 0), job)
    check("the guest runs there", state("web1", Second.URI).startswith("running"), state("web1", Second.URI))
    check("and not here", "web1" not in virsh("list", "--all", "--name").split(), virsh("list", "--all"))
    check("its coming to rest here is an echo of ours and no crash", not lab.site.decisions("guest.crashed"), lab.site.decisions("guest.crashed"))


# ---------------------------------------------------------------- a guest's own end

def panicked(lab, repetitions):
    """A guest panics: no line anywhere, but for the forwarder's. It is dumped."""
    times = []
    for number in range(repetitions):
        name = f"panic{number}"
        lab.libvirt.guest(name)
        wait_until(f"{name} runs its program", lambda: state(name).startswith("running"))
        count = len(lab.site.jobs("virsh-dump"))
        begin = time.monotonic()
        at = None
        while at is None:  # what is typed before its program runs is lost
            lab.libvirt.tell(name, b"p")
            try:
                at = lab.lifecycle.wait(f"'{name}': Crashed Panicked", begin, 0.5)
            except AssertionError:
                assert time.monotonic() < begin + PATIENCE, state(name)
        wait_until("a decision to dump it", lambda: len(lab.site.jobs("virsh-dump")) > count)
        times.append((time.monotonic() - at) * 1000)
        job = done(lab, "virsh-dump", count)
        check(f"{name} is dumped", job[2:4] == ("done", 0), job)
    figures("libvirt says Panicked -> the decision is the dispatcher's", times)
    check("it is still there for a post-mortem", state("panic0") == "crashed (panicked)", state("panic0"))
    decision = lab.site.decisions("guest.panicked")[0]
    check("on a line that root wrote, by the kernel's word", decision["trust"] == "vouched", decision["trust"])
    for number in range(1, repetitions):
        virsh("destroy", f"panic{number}", check=False)


def hung(lab):
    """A guest hangs: its watchdog stops it, and it is dumped as examples/host says."""
    count, begin = len(lab.site.jobs("virsh-dump")), time.monotonic()
    while True:
        lab.libvirt.tell("build1", b"w")
        try:
            lab.lifecycle.wait("'build1': Suspended Watchdog", begin, 3)
            break
        except AssertionError:
            assert time.monotonic() < begin + PATIENCE, state("build1")
    job = done(lab, "virsh-dump", count)
    check("a guest that its watchdog stopped is dumped", (job[0], job[2], job[3]) == ("site.hung-guest", "done", 0), job)


SEND = """
import socket, sys
client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
client.connect(sys.argv[1])
for line in sys.argv[2:]:
    client.send(line.encode())
"""
PANIC = "<30>virsh-event: event 'lifecycle' for domain 'db1': Crashed Panicked"


def forged(lab):
    """Somebody with an account writes what the forwarder writes."""
    before, jobs, decided = lab.site.counters()["forged"], len(lab.site.jobs()), len(lab.site.decisions())
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    subprocess.run([python, "-c", SEND, lab.site.rsyslogd.socket_path, PANIC, PANIC.replace("Crashed Panicked", "Stopped Failed")], check=True, **nobody)
    wait_until("they are counted as forged", lambda: lab.site.counters()["forged"] == before + 2)
    check("nothing was decided or done", (len(lab.site.jobs()), len(lab.site.decisions())) == (jobs, decided), lab.site.jobs())
    refused = subprocess.run([python, "-c", SEND, "/run/correlator-events/socket", PANIC], capture_output=True, text=True, **nobody)
    check("the forwarder's own socket is not to be reached", "Permission denied" in refused.stderr, refused.stderr)
    private = os.stat("/run/correlator-events")
    check("its directory is root's alone", (private.st_uid, private.st_mode & 0o777) == (0, 0o700), oct(private.st_mode))


# ---------------------------------------------------------------- parts that do not answer

EDAC = "EDAC MC0: 16 CE memory read error on D{0} (channel:0 slot:0 page:0x9{0} offset:0x0 grain:32 syndrome:0x0)"


def hung_qemu(lab):
    """A QEMU that does not answer: the action gives up in its time and says that it may still take effect; meanwhile others go on."""
    resume(lab, "db1")
    reset(lab, "site.evacuate")
    pid = lab.libvirt.process_of("db1")
    count = len(lab.site.jobs("virsh-suspend"))
    os.kill(pid, signal.SIGSTOP)
    begin = time.monotonic()
    lab.site.say_as_kernel("<4>", EDAC.format(8))
    wait_until("the suspend is under way", lambda: len(lab.site.jobs("virsh-suspend")) > count)
    notified = len(lab.site.jobs("notify"))
    lab.site.say_as_kernel("<0>", "Uhhuh. NMI received for unknown reason 31 on CPU 0.")
    done(lab, "notify", notified)
    job = done(lab, "virsh-suspend", count)
    took = time.monotonic() - begin
    notify, suspend = lab.site.attempts("notify")[notified], lab.site.attempts("virsh-suspend")[count]
    check("the dispatcher went on meanwhile", suspend[0] < notify[0] < suspend[1], (notify, suspend))
    check(f"the action gives up with exit code 4 after its 5 s (took {took:.1f} s)", job[3] == 4 and suspend[1] - suspend[0] >= 5, job)
    check("and says that it may still take effect", b"it may still take effect" in job[4].encode(), job)
    at = time.monotonic()
    os.kill(pid, signal.SIGCONT)
    lab.lifecycle.wait("'db1': Suspended Paused", at)
    resume(lab, "db1")
    check("which it does, and it is known as ours: --undo resumes it", state("db1").startswith("running"), state("db1"))


def dead_libvirtd(lab):
    """libvirtd is gone: the forwarder says so, the action says so, the rule fires; all is well when it is back."""
    count = len(lab.site.jobs("virsh-suspend"))
    reset(lab, "site.evacuate")
    lab.lifecycle.process.terminate()
    lab.libvirt.kill()
    wait_until("the forwarder says that it sees nothing", lambda: any("lost qemu:///system: events of guests are not seen" in line for line in lab.site.log_lines()))
    lab.site.say_as_kernel("<4>", EDAC.format(6))
    job = done(lab, "virsh-suspend", count)
    check("the action is refused: libvirt does not answer", job[3] == 3 and "libvirt does not answer" in job[4], job)
    wait_until("the rule says that guests' panics are not seen", lambda: lab.site.decisions("test.blind"))
    wait_until("libvirt unreachable is told to people", lambda: any(job[0] == "test.blind" for job in lab.site.jobs("notify-critical")))
    seen = sum("connected to qemu:///system" in line for line in lab.site.log_lines())
    begin = time.monotonic()
    lab.libvirt.start()
    wait_until("the forwarder is back", lambda: sum("connected to qemu:///system" in line for line in lab.site.log_lines()) > seen)
    print(f"   libvirtd started -> events are seen again: {time.monotonic() - begin:.1f} s", flush=True)
    virsh("destroy", "build1")
    wait_until("an event after that comes through", lambda: any("'build1': Stopped Destroyed" in line for line in lab.site.log_lines()))


def log_daemon_restarts(lab):
    """What happens while rsyslogd is away comes when it is back, with its own time."""
    lab.site.rsyslogd.stop()
    virsh("suspend", "db1")
    time.sleep(0.3)  # time for the forwarder to find that nobody listens; it must not need it
    before = len(lab.site.log_lines())
    lab.site.rsyslogd.start()
    came = lambda text: sum(text in line for line in lab.site.log_lines()[before:])
    wait_until("the event of the meantime comes", lambda: came("'db1': Suspended Paused"))
    virsh("resume", "db1")
    wait_until("one behind it, too", lambda: came("'db1': Resumed"))
    check("and is one line", came("'db1': Suspended Paused") == 1, lab.site.log_lines()[before:])


