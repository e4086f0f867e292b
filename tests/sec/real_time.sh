#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The programme in real time: inputs, rotation, signals, children, outputs.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
is() { # WHAT EXPECTED GOT
  [ "$2" = "$3" ] && return
  echo "$1: expected"; echo "$2"; echo "got"; echo "$3"; failed=1
}
# until COMMAND...: until it succeeds. 90 s say that something is wrong, not how fast a machine must be.
until_it() {
  for _ in $(seq 1 $((1800 * SLOWER))); do "$@" && return; sleep 0.05; done
  echo "not so in 90 s: $*"; failed=1
}
wait_for() { until_it grep -qs -- "$1" "$2"; } # TEXT FILE: until it stands there
stands_at_the_end_of() { # PID FILE: the process has it open, and has gone to its end
  local fd
  for fd in "/proc/$1/fd/"*; do
    [ "$fd" -ef "$2" ] && [ "$(awk '$1 == "pos:" { print $2 }' "/proc/$1/fdinfo/${fd##*/}")" = "$(stat -c %s "$2")" ] && return
  done
  return 1
}
cat > all.sec <<'X'
type=Single
ptype=RegExp
pattern=^(.*)$
desc=d
action=write - got $1
X

# a file that grows, is renamed, is cut, is made anew
echo before > in.log
"$CORRELATOR" sec --conf=all.sec --input=in.log --poll-timeout=0.02 > out & pid=$!
until_it stands_at_the_end_of $pid in.log
printf 'one\nha' >> in.log; wait_for 'got one' out
printf 'lf\n' >> in.log; wait_for 'got half' out
mv in.log in.log.1; echo rest >> in.log.1; echo renamed > in.log; wait_for 'got renamed' out
: > in.log; sleep 0.2; echo cut > in.log; wait_for 'got cut' out
rm in.log; sleep 0.1; echo anew > in.log; wait_for 'got anew' out
kill $pid; wait $pid; is "exit after TERM" 0 $?
is "tail" "got one
got half
got rest
got renamed
got cut
got anew" "$(cat out)"

# signals, internal events, the dump
mkfifo fifo
cat > signals.sec <<'X'
type=SingleWithSuppress
ptype=SubStr
pattern=keep
desc=op
action=write - opened
window=600

type=Single
ptype=RegExp
pattern=^(SEC_\w+)
context=SEC_INTERNAL_EVENT
desc=d
action=write - $1
X
"$CORRELATOR" sec --conf=signals.sec --input=fifo --intevents --dump=dump --dumpfjson --log=log --pid=pid > out & pid=$!
wait_for SEC_STARTUP out
is "pid file" $pid "$(cat pid)"
echo keep > fifo; wait_for opened out
kill -ABRT $pid; wait_for SEC_SOFTRESTART out
echo keep > fifo
kill -USR1 $pid; until_it python3 -c 'import json, os, sys; sys.exit(not os.path.exists("dump") or not open("dump").read().endswith("\n"))'
python3 -c 'import json; d = json.load(open("dump")); assert list(d["operations"]) == ["signals.sec | 0 | op"], d["operations"]; assert d["inputs"]["fifo"]["status"] == "Open"' || failed=1
kill -USR2 $pid; wait_for SEC_LOGROTATE out
kill -HUP $pid; wait_for SEC_RESTART out
opened_twice() { [ "$(grep -c opened out)" = 2 ]; }
echo keep > fifo; until_it opened_twice
kill -TERM $pid; wait $pid; is "exit after TERM" 0 $?
is "signals" "SEC_STARTUP
opened
SEC_PRE_SOFTRESTART
SEC_SOFTRESTART
SEC_PRE_LOGROTATE
SEC_LOGROTATE
SEC_PRE_RESTART
SEC_RESTART
opened
SEC_SHUTDOWN" "$(cat out)"

# new rules for lines that were read before they came: nothing is lost, and the old scan is not believed
printf 'first line\nchange\nfirst line\nsecond line\n' > lines
cat > both.sec <<'X'
type=Single
ptype=RegExp
pattern=^(first|second) line
context=LATER
desc=d
action=write - $1

type=Single
ptype=SubStr
pattern=change
desc=d
action=write - changed; sigemul HUP; event make later

type=Single
ptype=SubStr
pattern=line
desc=d
action=write - line
X
is "HUP in the middle of a block" "line
changed
line
line" "$("$CORRELATOR" sec --conf=both.sec --input=lines --notail 2>/dev/null)"

# files, sockets, children
cat > world.sec <<'X'
type=Single
ptype=RegExp
pattern=^(\w+)$
desc=text $1
action=write w.txt %s; writen w.txt !; owritecl o.txt %s%.nl; closef w.txt; udgram dgram $1; ustream stream $1%.nl; \
  tcpsock 127.0.0.1:PORT $1%.nl; udpsock 127.0.0.1:PORT $1; pipe '$1' cat; spawn echo from child
continue=TakeNext

type=Single
ptype=SubStr
pattern=from child
desc=d
action=write - $0 child line
X
python3 - > sockets.out <<'X' & sockets=$!
import os, socket
def bound(family, kind, address):
    s = socket.socket(family, kind); s.bind(address); s.settimeout(90)
    return s
dgram = bound(socket.AF_UNIX, socket.SOCK_DGRAM, "dgram")
stream = bound(socket.AF_UNIX, socket.SOCK_STREAM, "stream"); stream.listen()
tcp = bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)); tcp.listen()
udp = bound(socket.AF_INET, socket.SOCK_DGRAM, tcp.getsockname())
open("port.new", "w").write(str(tcp.getsockname()[1])); os.rename("port.new", "port")
print("dgram", dgram.recv(99).decode()); print("stream", stream.accept()[0].recv(99).decode().strip())
print("tcp", tcp.accept()[0].recv(99).decode().strip()); print("udp", udp.recv(99).decode())
X
wait_for . port
sed -i "s/PORT/$(cat port)/g" world.sec
mkfifo in
"$CORRELATOR" sec --conf=world.sec --input=in > out & pid=$!
echo hello > in
wait_for 'child line' out; wait_for hello out
wait $sockets; kill $pid; wait $pid
is "sockets" "dgram hello
stream hello
tcp hello
udp hello" "$(cat sockets.out)"
is "file" "text hello
!" "$(cat w.txt)"
is "file once" "text hello" "$(cat o.txt)"
# shellcheck disable=SC2016  # what the rules leave as it was typed
is "stdout" '$0 child line
hello' "$(sort out)"

# the command line
"$CORRELATOR" sec --testonly --conf=all.sec 2>/dev/null; is "testonly of good rules" 0 $?
echo nonsense > bad.sec; printf 'type=Single\n' >> bad.sec
"$CORRELATOR" sec --testonly --conf=bad.sec 2>err; is "testonly of bad rules" 1 $?
grep -q '^bad.sec:2:' err || { echo "no place in: $(cat err)"; failed=1; }
is "an option that is none" "got x" "$(echo x | "$CORRELATOR" sec --conf=all.sec --nosuch --debug=9 --input=- --notail 2>err)"
is "what is said of it" 2 "$(grep -c '^warning: ' err)"
"$CORRELATOR" sec --testonly --conf='none*.sec' 2>/dev/null; is "testonly of no file at all" 0 $?
"$CORRELATOR" sec --testonly --conf=none.sec 2>/dev/null; is "testonly of a file that is missing" 1 $?
printf 'x\n' | "$CORRELATOR" sec -conf all.sec -input=- --notai --time=true --s_t=3 > out 2>err; is "short forms" "got x" "$(cat out)"
is "an option that could be two" "1" "$(grep -c '^warning: ' err)"
printf 'x\n' | "$CORRELATOR" sec -conf all.sec -input=- --notai --time=true --so=3 > out 2>err; is "short forms" "got x" "$(cat out)"
is "what is said of short forms" "" "$(cat err)"
printf -- '--conf=all.sec\n# a comment\n--notail\n' > rc
printf 'y' | SECRC=rc "$CORRELATOR" sec --input=- > out; is "resource file" "got y" "$(cat out)"
exit $failed
