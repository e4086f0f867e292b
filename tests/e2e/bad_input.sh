#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What bad input gets: each part below is one sentence of the design, and its checks carry the words of that sentence.
. "$(dirname "$0")/lib.sh"

error() { # TIME TEXT: a line that decodes as an uncorrected memory error
  printf '%s kvm1 kernel: EDAC MC0: 1 UE memory read error on %s (channel:1 slot:1 page:0xabcde offset:0x40 grain:32 - err_code:0x0001:0x0090)\n' "$1" "$2"
}
number() { sed -nE "s/.*\"type\":\"summary\".*\"$1\":([0-9]+).*/\1/p" out; }
part() { printf -- '-- %s\n' "$*"; }

part "A line with NUL bytes, broken UTF-8, 1 MiB of text, no time or a year-2099 time is counted, handled by the policy above and never stops the stream."
# bad NAME FILE LINES: replayed, each line is counted, and the error behind it is decoded; live the same.
bad() {
  error 2026-01-01T00:00:10Z D1 >>"$2"
  code_of "$1" 0 "$CORRELATOR" replay --rules "$RULES" --events --json "$2"
  same "$1 is counted" "$3" "$(number lines)"
  contains "$1 does not stop the stream" out '"part":"D1"'
  check "$1: the output is JSON" python3 -c 'import json,sys; [json.loads(l) for l in sys.stdin]' <out
  code_of "$1, live" 0 "$CORRELATOR" run --rules "$RULES" --events --json --state "live-$2" <"$2"
  contains "$1 does not stop the stream, live" out '"part":"D1"'
}
printf '2026-01-01T00:00:00Z kvm1 kernel: EDAC MC0: 1 UE memory \0 read error on D\0X (channel:1 slot:1 page:0xabcde offset:0x40 grain:32)\n' >nul.log
bad "a line with NUL bytes" nul.log 2
printf '2026-01-01T00:00:00Z kvm1 kernel: EDAC MC0: 1 UE memory read error on D\xff\xfe\xc3 (channel:1 slot:1 page:0xabcdf offset:0x40 grain:32)\n' >utf8.log
bad "a line with broken UTF-8" utf8.log 2
same "broken UTF-8 is decoded, too" 2 "$("$CORRELATOR" replay --rules "$RULES" --events --json utf8.log | grep -c '"type":"event"')"
{ printf '2026-01-01T00:00:00Z kvm1 kernel: EDAC MC0: 1 UE '; head -c 1048576 /dev/zero | tr '\0' x; printf '\n'; } >long.log
bad "a line with 1 MiB of text" long.log 2
{ error '' D0 | sed 's/^ kvm1 kernel: //'; } >no-time.log
bad "a line with no time" no-time.log 2
code_of "no time" 0 "$CORRELATOR" replay --rules "$RULES" --events --json no-time.log
same "a line with no time is counted as undated" 1 "$(number undated)"
contains "and takes the time of its dated neighbour" out '"time":"2026-01-01T00:00:10Z"'
{ error 2026-01-01T00:00:00Z D2; error 2099-01-01T00:00:00Z D9; } >future.log
bad "a line with a year-2099 time" future.log 3
code_of "2099" 0 "$CORRELATOR" replay --rules "$RULES" --events --json future.log
check "a year-2099 time does not move the clock of an archive" sh -c '! grep -q "\"time\":\"2099" out'
same "so that nothing behind it is late" 0 "$(number late)"
code_of "2099, live" 0 "$CORRELATOR" status --state live-future.log --json
contains "a year-2099 time is clamped to its arrival and counted, live" out '"clamped":1'
check "and does not move the clock" sh -c '! grep -q 2099 out'

part "A truncated .gz gives what it held, then an error naming file and offset, exit 65."
for i in $(seq 1 3000); do error 2026-01-01T00:00:00Z "D$i"; done >errors.log
gzip -c errors.log | head -c 9000 >cut.log.gz
code_of "a truncated .gz" 65 "$CORRELATOR" replay --rules "$RULES" --events --json cut.log.gz
contains "it gives what it held" out '"type":"event"'
contains "then an error naming file and offset" err "cut.log.gz: error: the gzip stream is cut off: the file ends at byte 9000 in the middle of it [E202]"
same "the summary still comes" summary "$(tail -n 1 out | sed -E 's/.*"type":"([a-z]+)".*/\1/')"

part "A rule error leaves the old rules running."
cat >count.toml <<'T'
format = 1
[class.broken]
key = ["host"]
[[event]]
id = "broken"
class = "broken"
match = 'broken'
[[rule]]
id = "three"
on = "broken"
count = "3 in 24h"
T
printf '2026-01-01T00:00:00Z h k: broken\n2026-01-01T00:01:00Z h k: broken\n' >two.log
code_of "two of three" 0 "$CORRELATOR" replay --rules count.toml --state rules-st two.log
sed 's/count =/cuont =/' count.toml >bad.toml
printf '2026-01-01T00:02:00Z h k: broken\n' >third.log
code_of "a rule error" 78 "$CORRELATOR" replay --rules bad.toml --state rules-st third.log
contains "place" err "bad.toml:11:1: error: unknown key"
contains "what to type instead" err 'did you mean'
code_of "the old rules are in force" 0 "$CORRELATOR" windows --state rules-st
contains "with what they counted" out "2 of 3"
code_of "and decide with the third" 0 "$CORRELATOR" replay --rules count.toml --state rules-st --json third.log
contains "as if nothing had happened" out '"rule":"three"'

part "A full disk or a locked or corrupt database: nothing acknowledged is lost, the message says what to do."
"$CORRELATOR" replay --rules "$RULES" --state roomy errors.log >/dev/null
"$CORRELATOR" decisions --json --state roomy >roomy.jsonl
check "the undisturbed run decides" test -s roomy.jsonl
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=600k none small 2>/dev/null; then
  code_of "a full disk" 74 "$CORRELATOR" replay --rules "$RULES" --state small/st errors.log
  contains "a full disk: the message says what to do" err "the disk is full: free some space; nothing that was acknowledged is lost"
  mount -o remount,size=64m small
  code_of "with room again" 0 "$CORRELATOR" replay --rules "$RULES" --state small/st errors.log
  "$CORRELATOR" decisions --json --state small/st >small.jsonl
  same_files "a full disk: nothing is lost or doubled" roomy.jsonl small.jsonl
  code_of "a full disk: R1" 0 "$CORRELATOR" replay --recorded small/st --json
  contains "a full disk: the recorded run is the same to the byte" out '"different":0'
  umount small
else
  echo "skipped: a full disk needs root and tmpfs"
fi
head -n 1500 errors.log >first.log
cp first.log grows.log
code_of "half of it" 0 "$CORRELATOR" replay --rules "$RULES" --state lock grows.log
cp errors.log grows.log
sqlite3 lock/engine.db >/dev/null <<'S' &
PRAGMA locking_mode = EXCLUSIVE;
BEGIN EXCLUSIVE;
INSERT INTO meta VALUES ('held', '1');
.shell touch held; while [ -e held ]; do sleep 0.1; done
S
holder=$!
for _ in $(seq 1 200); do [ -e held ] && break; sleep 0.05; done
code_of "a locked database" 74 "$CORRELATOR" replay --rules "$RULES" --state lock grows.log
contains "a locked database: the message says what to do" err 'another process holds lock/engine.db locked: find it with `fuser lock/engine.db`'
rm -f held
wait "$holder"
code_of "unlocked again" 0 "$CORRELATOR" replay --rules "$RULES" --state lock grows.log
"$CORRELATOR" decisions --json --state lock | sed 's/grows.log/errors.log/g' >lock.jsonl
same_files "a locked database: nothing is lost or doubled" roomy.jsonl lock.jsonl
cp -r roomy corrupt
dd if=/dev/urandom of=corrupt/engine.db bs=4096 count=1 conv=notrunc 2>/dev/null
code_of "a corrupt database" 65 "$CORRELATOR" replay --rules "$RULES" --state corrupt errors.log
contains "a corrupt database: the message says what to do" err "move corrupt/engine.db away and start again, or save what is left with"
# Damage behind the header, a page of each table in turn: said, never taken for an empty state.
bytes=$(sqlite3 roomy/engine.db 'PRAGMA page_size')
pages=$(($(stat -c %s roomy/engine.db) / bytes))
damage() { head -c "$bytes" /dev/zero | tr '\0' '\377' | dd of="$1" bs="$bytes" seek=$(($2 - 1)) conv=notrunc 2>/dev/null; }
for table in meta owner live_window live_case intake intake_block cursor decision; do
  page=$(sqlite3 roomy/engine.db "SELECT rootpage FROM sqlite_master WHERE name = '$table'")
  [ "$page" -le "$pages" ] || continue
  rm -rf corrupt && cp -r roomy corrupt
  damage corrupt/engine.db "$page"
  case $table in
    decision) code_of "a corrupt page of $table" 65 "$CORRELATOR" decisions --state corrupt ;;
    cursor) code_of "a corrupt page of $table" 65 "$CORRELATOR" replay --rules "$RULES" --state corrupt errors.log ;;
    intake | intake_block) code_of "a corrupt page of $table" 65 "$CORRELATOR" replay --recorded corrupt ;;
    *) code_of "a corrupt page of $table" 65 "$CORRELATOR" status --state corrupt ;;
  esac
  contains "a corrupt page of $table: the message says what to do" err "move corrupt/engine.db away"
done

# Texts of evidence are read when a decision needs them, out of the block of intake records in which the line stands.
awk 'BEGIN {
  pad = sprintf("%2000s", "")  # so that a block has several pages of whatever size, each with the number of the next
  for (i = 0; i < 20; ++i) printf "2026-01-01T00:00:%02dZ %s k: broken %s\n", i, (i < 2 ? "h" : "h" i), pad
}' >two_of_many.log
"$CORRELATOR" replay --rules count.toml --state evidence two_of_many.log >/dev/null
"$CORRELATOR" replay --rules count.toml --state whole_evidence two_of_many.log >/dev/null
"$CORRELATOR" replay --rules count.toml --state whole_evidence --json third.log >out
contains "evidence out of a block" out '"file":"two_of_many.log","line":2'
page=$(sqlite3 evidence/engine.db "SELECT pageno FROM dbstat WHERE name = 'intake_block' AND pagetype = 'overflow' AND path = '/000+000000'")
damage evidence/engine.db "$page"
code_of "a corrupt page of evidence" 65 "$CORRELATOR" replay --rules count.toml --state evidence --json third.log
contains "a corrupt page of evidence: the message says what to do" err "move evidence/engine.db away"
check "a corrupt page of evidence: nothing is decided on it" sh -c '! grep -q \"type\":\"decision\" out'

part "A script that hangs, forks, floods its output, dies or does not exist is killed, bounded, recorded, retried as told; death by a signal is failure."
mkdir actions
script() { cat >"actions/$1"; chmod +x "actions/$1"; }
here=$WORK
script hang <<S
#!/bin/sh
echo \$\$ >$here/hang.pid
exec sleep 1000
S
script forks <<S
#!/bin/sh
sleep 1000 &
echo \$! >$here/child.pid
sleep 1000
S
script flood <<'S'
#!/bin/sh
head -c 5000000 /dev/zero | tr '\0' y
S
script dies <<'S'
#!/bin/sh
kill -9 $$
S
script fails <<S
#!/bin/sh
echo x >>$here/tries
exit 7
S
{
  echo 'format = 1'
  for name in hang forks flood dies fails missing; do
    printf '[[rule]]\nid = "%s"\nmatch = "do %s"\nkey = ["host"]\nthen = "%s"\n[action.%s]\nrun = "%s"\ntimeout = "1s"\n' $name $name $name $name $name
    [ "$name" = fails ] && printf 'retry = 2\nretry_after = "100ms"\n'
  done
} >scripts.toml
for name in hang forks flood dies fails missing; do printf '%s h k: do %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$name"; done >do.log
code_of "scripts" 0 "$CORRELATOR" run --rules scripts.toml --state scripts --dispatch --actions actions <do.log
ledger() { sqlite3 scripts/dispatch.db "SELECT $2 FROM job JOIN attempt USING (decision) WHERE action = '$1' ORDER BY number DESC LIMIT 1"; }
gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; }
same "a script that hangs is recorded" "timed_out|killed after 1s" "$(ledger hang "state, reason")"
check "a script that hangs is killed" gone "$(cat hang.pid)"
same "a script that forks is recorded" "timed_out|killed after 1s" "$(ledger forks "state, reason")"
for _ in $(seq 1 100); do gone "$(cat child.pid)" && break; sleep 0.05; done
check "what a script forked is killed" gone "$(cat child.pid)"
same "a script that floods its output is bounded" "done|65536" "$(ledger flood "state, length(output)")"
same "death by a signal is failure" "failed|killed by signal 9" "$(ledger dies "state, reason")"
same "a script that does not exist is recorded" "refused|cannot start $here/actions/missing: No such file or directory" "$(ledger missing "state, reason")"
same "a script that fails is retried as told" "failed|3|exit code 7" "$(ledger fails "state, tries, reason")"
same "and not more often" 3 "$(wc -l <tries)"

part "A second instance on one state directory waits or refuses in words."
mkfifo pipe
"$CORRELATOR" run --rules "$RULES" --state st <pipe >/dev/null 2>&1 &
first=$!
exec 9>pipe
for _ in $(seq 1 200); do [ "$(cat st/lock 2>/dev/null)" = "$first" ] && break; sleep 0.05; done
code_of "a second instance" 74 "$CORRELATOR" replay --rules "$RULES" --state st errors.log
contains "it refuses in words" err "another correlator (process $first) uses st [E302]"
exec 9>&-
wait "$first" || fail "the first instance did not end cleanly"
code_of "after the first one ended" 0 "$CORRELATOR" replay --rules "$RULES" --state st errors.log

part "Beside the design: missing and empty files, hostile text on a terminal."
code_of "a missing file" 66 "$CORRELATOR" replay --rules "$RULES" nothing.log
contains "it says which" err "nothing.log"
: >empty.log
code_of "an empty file" 0 "$CORRELATOR" replay --rules "$RULES" --json empty.log
contains "an empty file has a summary" out '"lines":0'
printf '2026-01-01T00:00:00Z kvm1 kernel: EDAC MC0: 1 UE \x1b]0;owned\x07 error on D1 (channel:1 slot:1 page:0xabcde offset:0x40 grain:32)\n' >esc.log
"$CORRELATOR" replay --rules "$RULES" --events esc.log >out 2>&1
check "no escape sequence in the output" sh -c '! grep -q "$(printf "\033")" out'
finish
