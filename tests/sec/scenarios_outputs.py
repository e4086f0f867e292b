# SPDX-License-Identifier: Apache-2.0
"""Scenarios of programme.py: files, sockets, children."""
import os
import pathlib
import signal
import socket
import time

from engines import PATIENCE, SLOWER, scenario


@scenario("a\nb\n--\nc\n")
def close_file(engine):
    """A file stays open under another name until closef."""
    rules = ("type=Single\nptype=RegExp\npattern=^write (\\w)\ndesc=d\naction=write f $1; owritecl done $1%.nl\n\n"
             "type=Single\nptype=SubStr\npattern=close\ndesc=d\naction=closef f; owritecl done closed%.nl\n")
    os.mkfifo(engine.path("in"))
    engine.start("--input=in", "--poll-timeout=0.02", rules=rules)
    engine.reads("in")
    engine.write("in", "write a\n")
    engine.wait("a", "done")
    engine.path("f").rename(engine.path("g"))
    engine.write("in", "write b\nclose\n")
    engine.wait("closed", "done")
    engine.write("in", "write c\n")
    engine.wait("c\n", "f")
    engine.stop()
    return engine.text("g") + "--\n" + engine.text("f")


def listen(family, kind, address):
    out = socket.socket(family, kind)
    out.bind(address)
    out.settimeout(PATIENCE)
    return out


@scenario("one|two|stream closed|three|tcp closed|four|two ports\n")
def close_sockets(engine):
    """A datagram socket goes to the new owner of the name after closeudgr; streams see their end; UDP gets a new port."""
    dgram = listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(engine.path("dgram")))
    stream = listen(socket.AF_UNIX, socket.SOCK_STREAM, str(engine.path("stream")))
    tcp = listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
    udp = listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
    stream.listen()
    tcp.listen()
    tcp_peer, udp_peer = (f"127.0.0.1:{s.getsockname()[1]}" for s in (tcp, udp))
    rules = "".join(f"type=Single\nptype=RegExp\npattern=^{name} (\\w+)\ndesc=d\naction={action}\n\n" for name, action in (
        ("dgram", "udgram dgram $1; closeudgr dgram"), ("stream", "ustream stream $1"), ("endstream", "closeustr stream"),
        ("tcp", f"tcpsock {tcp_peer} $1"), ("endtcp", f"closetcp {tcp_peer}"), ("udp", f"udpsock {udp_peer} $1; closeudp {udp_peer}")))
    os.mkfifo(engine.path("in"))
    engine.start("--input=in", "--poll-timeout=0.02", rules=rules)
    engine.reads("in")
    out = []
    engine.write("in", "dgram one\n")
    out.append(dgram.recv(9).decode())
    dgram.close()
    engine.path("dgram").unlink()
    dgram = listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(engine.path("dgram")))
    engine.write("in", "dgram two\n")
    out.append(dgram.recv(9).decode())
    engine.write("in", "stream x\n")
    peer = stream.accept()[0]
    peer.settimeout(PATIENCE)
    peer.recv(1)
    engine.write("in", "endstream x\n")
    out.append("stream closed" if peer.recv(1) == b"" else "stream open")
    engine.write("in", "tcp three\n")
    peer = tcp.accept()[0]
    peer.settimeout(PATIENCE)
    out.append(peer.recv(9).decode())
    engine.write("in", "endtcp x\n")
    out.append("tcp closed" if peer.recv(1) == b"" else "tcp open")
    engine.write("in", "udp four\n")
    text, first = udp.recvfrom(9)
    engine.write("in", "udp five\n")
    _, second = udp.recvfrom(9)
    out += [text.decode(), "two ports" if first != second else "one port"]
    engine.stop()
    return "|".join(out) + "\n"


@scenario("given up, sent\n")
def socket_timeout(engine):
    """A connection that nobody takes is given up after --socket-timeout; until then what is to be sent waits."""
    out = []
    for seconds in ("1", "30"):
        full = socket.socket()
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]  # nobody is taken any more
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        time.sleep(0.1)
        rules = f"type=Single\nptype=RegExp\npattern=^go\ndesc=d\naction=tcpsock 127.0.0.1:{address[1]} hello; owritecl done{seconds} x\n"
        pipe = f"in{seconds}"
        os.mkfifo(engine.path(pipe))
        engine.start(f"--input={pipe}", f"--socket-timeout={seconds}", "--poll-timeout=0.02", rules=rules)
        engine.reads(pipe)
        engine.write(pipe, "go\n")
        engine.wait("x", f"done{seconds}")
        time.sleep(3.2)
        full.settimeout(10 * SLOWER)  # the kernel tries again after 1, 3 and 7 s
        heard = b""
        try:
            while not heard:
                peer = full.accept()[0]
                peer.settimeout(2 * SLOWER)
                if peer.getpeername() in [one.getsockname() for one in waiting]:
                    continue
                heard = peer.recv(9)
        except OSError:
            pass
        out.append("sent" if heard == b"hello" else "given up")
        engine.stop()
        full.close()
        for one in waiting:
            one.close()
    return ", ".join(out) + "\n"


@scenario("ended, alive\n")
def children_at_the_end(engine):
    """--childterm ends children with the programme, --nochildterm leaves them."""
    out = []
    for option in ("--childterm", "--nochildterm"):
        rules = "type=Single\nptype=RegExp\npattern=^go\ndesc=d\naction=cmdexec sh child.sh\n"
        engine.path("pid").unlink(missing_ok=True)
        engine.write("child.sh", "echo $$ > pid.new; mv pid.new pid; exec sleep 30\n")
        pipe = "in" + option
        os.mkfifo(engine.path(pipe))
        engine.start(f"--input={pipe}", option, "--poll-timeout=0.02", rules=rules)
        engine.reads(pipe)
        engine.write(pipe, "go\n")
        engine.wait("\n", "pid")
        child = pathlib.Path("/proc", engine.text("pid").strip())
        engine.stop()

        def alive():
            try:
                return "State:\tZ" not in child.joinpath("status").read_text()
            except OSError:
                return False
        if option == "--childterm":
            engine.until(lambda: not alive(), "the end of the child")
        else:
            time.sleep(0.3)
        out.append("alive" if alive() else "ended")
        if alive():
            os.kill(int(child.name), signal.SIGKILL)
    return ", ".join(out) + "\n"


@scenario("a status and a command in the log")
def status_of_children(engine):
    """A child that ends with another status than 0 is warned of, with its command."""
    os.mkfifo(engine.path("in"))
    engine.start("--input=in", "--poll-timeout=0.02", "--debug=3", rules="type=Single\nptype=SubStr\npattern=go\ndesc=d\naction=shellcmd sh -c 'exit 37'\n")
    engine.reads("in")
    engine.write("in", "go\n")
    engine.wait("37", "log")
    line = next(line for line in engine.text("log").splitlines() if "37" in line)
    engine.stop()
    return "a status and a command in the log" if line.count("37") == 2 and "sh -c 'exit 37'" in line else line


@scenario("started done\n")
def shutdown_waits(engine):
    """What SEC_SHUTDOWN starts has time to end."""
    engine.write("last.sh", "printf 'started ' >> last; sleep 0.5; echo done >> last\n")
    engine.write("in", "x\n")
    rules = "type=Single\nptype=SubStr\npattern=SEC_SHUTDOWN\ncontext=SEC_INTERNAL_EVENT\ndesc=d\naction=cmdexec sh last.sh\n"
    engine.finish("--input=in", "--notail", "--intevents", rules=rules)
    engine.wait("done", "last")
    return engine.text("last")
