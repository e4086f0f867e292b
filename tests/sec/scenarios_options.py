# SPDX-License-Identifier: Apache-2.0
"""Scenarios of programme.py: options, the log, dumps, users."""
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import time

from engines import EVERY_LINE, PATIENCE, Skipped, scenario


@scenario("a said b\nEND d\n1 4\n")
def log_levels(engine):
    """logonly is told at level 4, and not above --debug=3."""
    rules = "type=Single\nptype=RegExp\npattern=^a (.*)\ndesc=a said $1\naction=logonly; logonly END d\n"
    engine.write("in", "a b\n")
    out = ""
    counts = []
    for level in ("4", "3"):
        engine.path("log").unlink(missing_ok=True)
        engine.finish("--input=in", "--notail", f"--debug={level}", rules=rules)
        lines = [line.split(": ", 1)[1] for line in engine.text("log").splitlines()]
        wanted = [line for line in lines if line.startswith(("a said", "END"))]
        counts.append(len(wanted))
        out = out or "\n".join(wanted) + "\n"
    return out + f"{counts[1] + 1} {counts[0] + 2}\n"


@scenario("every action")
def action_log(engine):
    """At --debug=6 each action is told, with its values."""
    actions = ["write f.txt W-$1", "writen f.txt N-$1", "owritecl o.txt O-$1", "closef f.txt", "udgram S-1 a", "closeudgr S-2", "ustream S-3 a",
               "closeustr S-4", "udpsock 127.0.0.1:9 U-$1", "closeudp 127.0.0.1:9", "tcpsock 127.0.0.1:9 T-$1", "closetcp 127.0.0.1:9",
               "shellcmd true H-$1", "cmdexec true E-$1", "spawn true P-$1", "spawnexec true Q-$1", "cspawn X true R-$1", "cspawnexec X true V-$1",
               "pipe 'I-$1' true", "pipeexec 'J-$1' true", "create C-1 10", "set C-1 20", "alias C-1 C-2", "unalias C-2", "add C-1 A-$1",
               "prepend C-1 B-$1", "fill C-1 F-$1", "report C-1 true M-$1", "reportexec C-1 true K-$1", "copy C-1 %vcopy", "shift C-1 %vshift",
               "pop C-1 %vpop", "empty C-1 %vempty", "exists %vexists C-1", "getsize %vsize C-1", "getaliases %valias C-1", "getltime %vltime C-1",
               "setltime C-1 77", "getctime %vctime C-1", "setctime %u C-1", "obsolete C-1", "delete C-3", "event 5 G-$1", "tevent 6 L-$1",
               "cevent X 7 D-$1", "reset 1 no-op", "getwpos %vwpos 1 no-wpos", "setwpos 5 1 no-set", "assign %vassign Y-$1", "assignsq %vsq Z-$1",
               "free %vfree", "rewrite 1 RW-$1", "addinput no-such", "dropinput no-such2", "varset %vset CACHE-1", "sigemul USR2"]
    marks = ["W-x", "N-x", "O-x", "f.txt", "S-1", "S-2", "S-3", "S-4", "U-x", "127.0.0.1:9", "T-x", "H-x", "E-x", "P-x", "Q-x", "R-x", "V-x", "I-x", "J-x",
             "C-1", "C-2", "A-x", "B-x", "F-x", "M-x", "K-x", "%vcopy", "%vshift", "%vpop", "%vempty", "%vexists", "%vsize", "%valias", "%vltime", "77",
             "%vctime", "C-3", "G-x", "L-x", "D-x", "no-op", "no-wpos", "no-set", "Y-x", "Z-x", "%vfree", "RW-x", "no-such", "no-such2", "CACHE-1", "USR2"]
    engine.write("in", "go x\n")
    engine.finish("--input=in", "--notail", rules=f"type=Single\nptype=RegExp\npattern=^go (.)\ndesc=d\naction={'; '.join(actions)}\n")
    log = engine.text("log")
    missing = [mark for mark in marks if mark not in log]
    return f"not told: {missing}\n{log}" if missing else "every action"


@scenario("not at 2, at 4, at 6, not at 1")
def signal_int(engine):
    """Without a terminal SIGINT raises the level of the log by one, and the sixth begins anew."""
    rules = "type=Single\nptype=RegExp\npattern=^(.*)$\ndesc=d\naction=logonly said $1; owritecl seen $1%.nl\n"
    os.mkfifo(engine.path("in"))
    process = engine.start("--input=in", "--poll-timeout=0.02", "--debug=2", rules=rules)
    engine.reads("in")
    told, sent = [], 0
    for number, times in enumerate((0, 2, 2, 1)):
        for _ in range(times):
            process.send_signal(signal.SIGINT)  # two that wait could be one
            sent += 1
            engine.until(lambda: sum("SIGINT" in line for line in engine.text("log").splitlines()) == sent, f"SIGINT {sent}")
        engine.write("in", f"m{number}\n")
        engine.wait(f"m{number}", "seen")
        told.append(f"said m{number}" in engine.text("log"))
    engine.stop()
    return ", ".join(f"{'at' if yes else 'not at'} {level}" for yes, level in zip(told, (2, 4, 6, 1)))


@scenario("24\n")
def usage(engine):
    """--help names every option, -? does too; --version ends with 0."""
    def ask(word):
        done = subprocess.run(engine.command + [word], cwd=engine.place, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout + done.stderr
    names = ["conf", "input", "input-timeout", "timeout-script", "reopen-timeout", "check-timeout", "poll-timeout", "socket-timeout", "blocksize",
             "bufsize", "evstoresize", "cleantime", "log", "syslog", "debug", "pid", "dump", "user", "group", "umask", "quoting", "detach",
             "intevents", "testonly"]
    code, text = ask("--help")
    also, same = ask("-?")
    version, _ = ask("--version")
    if (code, also, version) != (0, 0, 0) or text != same:
        return f"{code} {also} {version}"
    return f"{sum(name in text for name in names)}\n"


@scenario("dump 2\ntext dump\nnot over another\n")
def dump_files(engine):
    """--dumpfts gives each a name of its own; without it a file that exists stays."""
    def dumps():
        return sorted(p.name for p in engine.place.glob("state*"))
    os.mkfifo(engine.path("in"))
    process = engine.start("--input=in", "--dump=state", "--dumpfts", "--poll-timeout=0.02")
    engine.reads("in")
    time.sleep(0.2)
    process.send_signal(signal.SIGUSR1)
    engine.until(lambda: len(dumps()) == 1, "a dump")
    time.sleep(1.1)
    process.send_signal(signal.SIGUSR1)
    engine.until(lambda: len(dumps()) == 2, "a second dump")
    out = f"dump {len(dumps())}\n"
    engine.stop()
    engine.write("plain", "mine\n")
    process = engine.start("--input=in", "--dump=plain", "--poll-timeout=0.02", "--intevents", rules=EVERY_LINE)
    engine.wait("SEC_STARTUP")
    process.send_signal(signal.SIGUSR1)
    process.send_signal(signal.SIGUSR2)
    engine.wait("SEC_LOGROTATE")
    out += "text dump\n" if "rules.sec" in engine.path(dumps()[0]).read_text() else "no text\n"
    out += "not over another\n" if engine.text("plain") == "mine\n" else "over another\n"
    engine.stop()
    return out


@scenario("2 and 3 lines, their rules' time")
def rule_costs(engine):
    """--ruleperf: how many lines each rule looked at and what that took."""
    rules = ("type=Single\nptype=RegExp\npattern=^(.*)x\ncontinue=TakeNext\ndesc=d\naction=none\n\n"
             "type=Suppress\nptype=RegExp\npattern=^a\n\n" + EVERY_LINE)
    os.mkfifo(engine.path("in"))
    process = engine.start("--input=in", "--dump=state", "--dumpfjson", "--ruleperf", "--poll-timeout=0.02", rules=rules)
    engine.reads("in")
    engine.write("in", "a x\nb x\nc x\n")
    engine.wait("got c x")
    process.send_signal(signal.SIGUSR1)
    engine.until(lambda: engine.text("state").rstrip().endswith("}"), "the dump")
    found = json.loads(engine.text("state"))["rulestats"]["rules.sec"]["stats"]
    engine.stop()
    if [rule["events"] for rule in found] != [3, 3, 2] or [rule["matches"] for rule in found] != [3, 1, 2]:
        return str(found)
    return "2 and 3 lines, their rules' time" if all(0 <= rule["cputime"] < 1 for rule in found) else str(found)


# One of each operation, contexts, a variable, an entry of the cache, a delayed event, a child.
DUMPED = """type=SingleWithThreshold
ptype=RegExp
pattern=^t (?<who>\\S+)
varmap=MA; w=1
continue=TakeNext
context=!nope
desc=many $1
action=none
action2=write - over
window=60
thresh=2

type=SingleWith2Thresholds
ptype=SubStr
pattern=t\\s
continue=TakeNext
desc=two
action=none
thresh=1
window=10
desc2=low
action2=none
thresh2=3
window2=100

type=SingleWithSuppress
ptype=TValue
pattern=TRUE
continue=TakeNext
desc=quiet
action=none
window=1000

type=Pair
ptype=RegExp
pattern=^t (\\S+)
continue=TakeNext
desc=pair $1
action=none
ptype2=SubStr
pattern2=q $1
context2=nope
desc2=x
action2=none
continue2=EndMatch

type=PairWithWindow
ptype=NRegExp
pattern=^z
continue=TakeNext
desc=late
action=none
ptype2=Cached
pattern2=MB
desc2=x %1
action2=none
window=400

type=EventGroup2
ptype=RegExp
pattern=^t
thresh=4
egtoken=$0
continue=TakeNext
count=none
ptype2=NSubStr
pattern2=b
thresh2=2
desc=group
action=none
init=none
multact=yes
egptype=NSubStr
egpattern=zz
window=50

type=Single
ptype=RegExp
pattern=^t (.*)
desc=d
action=create C1 100 (none); create C2; add C2 a; alias C1 AL; assign %v x; event 50 later; spawn sleep 3; sigemul USR1
"""


def dumped(engine, *options):
    engine.write("in", "t u\n")
    engine.start("--input=in", "--fromstart", "--dump=state", "--poll-timeout=0.02", "--intcontexts", *options, rules=DUMPED)
    engine.until(lambda: engine.text("state").rstrip().endswith(("}", "elements")), "the dump")
    engine.stop()
    return engine.text("state")


@scenario("""buffer bufmode bufsize lastinputs lastlines
child cmdline context pid status
context action buffer creationtime lifetime name
input context dev file inode lines offset size status type
late action action2 configfile context context2 continue continue2 desc desc2 key pattern pattern2 ruleid starttime type window windowend windowstart | cached match: MB
group action configfile context context2 continue continue2 count count2 desc egpattern egstring egtoken egtoken2 end eventpatterns eventtimes eventtokens init key \
pattern pattern2 ruleid slide starttime status threshold threshold2 type window windowend windowstart | negative substring for 1 line(s): b
many u action action2 configfile context continue desc eventtimes key pattern ruleid starttime status threshold type window windowend windowstart | -
pair u action action2 configfile context context2 continue continue2 desc desc2 key pattern pattern2 ruleid starttime type window windowstart | substring for 1 line(s): q u
quiet action configfile context continue desc key pattern ruleid starttime type window windowend windowstart | -
two action action2 configfile context continue desc desc2 eventtimes key pattern ruleid starttime status threshold threshold2 type window window2 windowend windowstart | -
pending context event time
perf childsystem childuser lines runtime system user
cache 0 1 _inputsrc _intcontext w who
rules desc loadtime matches ruleline stats
variable x
""")
def dump_fields(engine):
    """--dumpfjson: what scripts find in it. Fields of our own may stand beside these."""
    ours = {"sets", "listdesc"}
    found = json.loads(dumped(engine, "--dumpfjson"))
    names = lambda what, fields: what + " " + " ".join(sorted(f for f in fields if f not in ours)) + "\n"  # noqa: E731
    out = names("buffer", found["buffer"]) + names("child", next(iter(found["children"].values())))
    out += names("context", next(c for c in found["contexts"] if set(c["name"]) == {"C1", "AL"})) + names("input", found["inputs"]["in"])
    for key in sorted(found["operations"], key=lambda k: ("late group many pair quiet two".split().index(found["operations"][k]["desc"].split()[0]))):
        op = found["operations"][key]
        out += names(op["desc"], op).rstrip() + " | " + op.get("pattern2", "-") + "\n"
    out += names("pending", found["pendingevents"][0]) + names("perf", found["perf"]) + names("cache", found["pmatchcache"]["MA"])
    stats = found["rulestats"]["rules.sec"]
    out += names("rules", set(stats) | set(stats["stats"][0])) + names("variable", [found["variables"]["v"]])
    return out


@scenario(pathlib.Path(__file__).with_name("dump-text").read_text())
def dump_as_text(engine):
    """The dump for people, and for scripts that look for its lines."""
    text = dumped(engine)
    text = text[text.index("Performance statistics"):text.index("Action list variables")]
    text = re.sub(r"[A-Z]\w\w \w\w\w [ \d]\d \d\d:\d\d:\d\d \d{4}", "TIME", text)
    text = re.sub(r"[\d.]+ seconds\n", "N seconds\n", text)
    text = re.sub(r"(device/inode: |PID: )[\d/]+", r"\1N", text)
    text = text.replace("Context Name: C1\nContext Name: AL\n", "Context Name: AL\nContext Name: C1\n")
    head, operations = text.split("List of event correlation operations:\n")
    operations, tail = operations.split("List of contexts:\n")
    title, *blocks = re.split(r"(?=^Key: |^Total: )", operations, flags=re.M)
    first, *contexts = re.split(r"(?=^Context Name: (?:AL|C2)|^Total: )", tail, maxsplit=3, flags=re.M)
    return head + title + "".join(sorted(blocks)) + first + "".join(sorted(contexts))


@scenario("nobody nogroup 600\n", root=True)
def user_and_mask(engine):
    """Root is given up; what is written has the mask."""
    engine.place.chmod(0o777)
    rules = "type=Single\nptype=RegExp\npattern=go\ndesc=d\naction=owritecl made x; shellcmd id -un > who; shellcmd id -gn > whose\n"
    os.mkfifo(engine.path("in"))
    engine.path("in").chmod(0o666)
    engine.start("--input=in", "--user=nobody", "--group=nogroup", "--umask=0077", "--poll-timeout=0.02", rules=rules, log=False)
    engine.reads("in")
    engine.write("in", "go\n")
    engine.wait("\n", "who")
    engine.wait("\n", "whose")
    engine.until(lambda: engine.path("made").exists(), "the file")
    info = engine.path("made").stat()
    engine.stop()
    owner = pwd.getpwuid(info.st_uid).pw_name
    return f"{engine.text('who').strip()} {engine.text('whose').strip()} {owner if owner != 'nobody' else oct(info.st_mode & 0o777)[2:]}\n"


@scenario("022 066 006 060\n")
def masks(engine):
    """Octal, decimal, hexadecimal, binary."""
    out = []
    rules = "type=Single\nptype=RegExp\npattern=^go\ndesc=d\naction=owritecl made x\n"
    engine.write("in", "go\n")
    for mask in ("022", "63", "0x7", "0b111000"):
        engine.path("made").unlink(missing_ok=True)
        engine.finish("--input=in", "--notail", f"--umask={mask}", rules=rules)
        out.append(f"{0o666 & ~engine.path('made').stat().st_mode & 0o777:03o}")
    return " ".join(out) + "\n"


@scenario("a daemon: /, its own session, alive\ngot one\n")
def detach(engine):
    """It goes on without us, from /, and its pid file says who it is."""
    os.mkfifo(engine.path("in"))
    rules = EVERY_LINE.replace("write -", f"write {engine.path('result')}")
    first = engine.start(f"--conf={engine.path('rules.sec')}", f"--input={engine.path('in')}", f"--pid={engine.path('pid')}", "--detach",
                         f"--log={engine.path('log')}", rules=rules, log=False)
    code = first.wait(PATIENCE)
    engine.until(lambda: engine.text("pid").endswith("\n"), "the pid file")
    pid = int(engine.text("pid"))
    facts = os.readlink(f"/proc/{pid}/cwd") + ", " + ("its own session" if os.getsid(pid) == pid or os.getsid(pid) != os.getsid(0) else "our session")
    try:
        engine.until(lambda: any(os.path.realpath(f"/proc/{pid}/fd/{fd}") == str(engine.path("in")) for fd in os.listdir(f"/proc/{pid}/fd")), "the FIFO")
        engine.write("in", "one\n")
        engine.wait("one", "result")
    finally:
        os.kill(pid, signal.SIGTERM)
    engine.until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "its end")
    return f"a daemon: {facts}, alive\n{engine.text('result')}" if code == 0 else f"exit {code}"


@scenario("got one\ngot x two\n")
def resource_file(engine):
    """SECRC is read again at SIGABRT."""
    os.mkfifo(engine.path("in"))
    engine.write("second.sec", EVERY_LINE.replace("got", "got x"))
    engine.write("rc", "# inputs\n--input=in\n--poll-timeout=0.02\n--intevents\n")
    process = engine.start(rules=EVERY_LINE, env={"SECRC": "rc"})
    engine.wait("SEC_STARTUP")
    engine.write("in", "one\n")
    engine.wait("one")
    engine.write("rc", "--input=in\n--poll-timeout=0.02\n--intevents\n--conf=second.sec\n")
    process.send_signal(signal.SIGABRT)
    engine.wait("got x SEC_SOFTRESTART")
    engine.write("in", "two\n")
    engine.wait("x two")
    engine.stop()
    return "".join(line for line in engine.text("out").splitlines(True) if line in ("got one\n", "got x two\n"))


# A /dev of our own, so that nobody else's /dev/log is touched.
SYSLOG = r"""
mkdir old && mount --bind /dev old && mount -t tmpfs none /dev || exit 77
for device in null urandom tty; do touch /dev/$device; mount --bind old/$device /dev/$device; done
exec python3 -c '
import socket, subprocess, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("/dev/log")
listener.settimeout(10)
subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, timeout=60)
try:
    while True:
        text = listener.recv(9999).decode()
        if "to syslog" in text: print(text[:text.index(">") + 1], "sec[" in text, text[text.index("to syslog"):].strip("\0\n"))
        listener.settimeout(0.2)
except OSError: pass
' "$@"
"""


@scenario("<133> True to syslog x\n", root=True)
def syslog(engine):
    """--syslog names the facility; logonly is a notice (local0.notice is 133)."""
    engine.write("in", "x\n")
    engine.write("rules.sec", "type=Single\nptype=RegExp\npattern=(.*)\ndesc=d\naction=logonly to syslog $1\n")
    engine.write("namespace.sh", SYSLOG)
    words = ["unshare", "-m", "sh", "namespace.sh", *engine.command, "--conf=rules.sec", "--input=in", "--notail", "--syslog=local0", "--debug=4"]
    done = subprocess.run(words, cwd=engine.place, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode == 77 or "unshare" in done.stderr:
        raise Skipped("no mount namespace can be made here")
    return done.stdout + done.stderr


def on_words(engine, *words, stdin="x\n", **more):
    """What it prints of standard input with these options."""
    engine.write("stdin", stdin)
    with open(engine.path("stdin"), "rb") as lines:
        code = engine.finish("--input=-", *words, stdin=lines, output="said", log=False, **more)
    said = engine.text("said")
    engine.path("said").unlink()
    return f"{code} {said}"


@scenario("0 got x\n")
def resource_file_is_last(engine):
    """Of two options that differ that of the resource file counts; one that cannot be read is told, and no more."""
    engine.write("rc", "--notail\n")
    return on_words(engine, "--tail", env={"SECRC": "rc"})


@scenario("0 got x\n0 got x\n0 got x\n0 got x\n")
def odd_options(engine):
    """Values that cannot be are passed over, as are flags with a value and groups without a user."""
    return "".join([on_words(engine, "--notail", "--tail=1", "--blocksize=0", "--debug=0", "--bufsize=-1", "--umask=999"), on_words(engine, "--notail", "--group=nogroup"),
                    on_words(engine, "--NoTail", "--poll-timeout=1e-1", "--evstore_size=1", "stray"), on_words(engine, "--notail", env={"SECRC": ""})])


@scenario("0 got x\nstays\n1 \n")
def pid_file(engine):
    """The pid file is there when all is over; where it cannot be written nothing begins."""
    out = on_words(engine, "--notail", "--pid=pid")
    out += "stays\n" if engine.text("pid").strip().isdigit() else "is gone\n"
    return out + on_words(engine, "--notail", "--pid=none/pid") + "\n"


@scenario("0 got one\ngot \ngot three\ngot no newline\n1\n")
def block_size(engine):
    """What is read at once; nothing else depends on it."""
    text = "one\n\nthree\nno newline"
    small = on_words(engine, "--notail", "--blocksize=1", stdin=text)
    return small + ("1\n" if small == on_words(engine, "--notail", "--blocksize=100000000", stdin=text) == on_words(engine, "--notail", stdin=text) else "differ\n")


@scenario("1 0 1 0 1 0\n")
def faults_of_rules(engine):
    """--testonly: which faults make it 1."""
    good = EVERY_LINE
    files = [good + "stray\n", "type=Options\nprocallin=maybe\n\n" + good, good + "label=\n", good + "continue=GoTo nowhere\ndesc=again\n", good.rstrip() + " \\\n", good + "rem=more \\\n"]
    return " ".join(str(engine.finish("--testonly", rules=text)) for text in files) + "\n"
