#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The exact text of every diagnostic a user can meet outside of the rule language and of expressions: errors/CODE-*.txt is what
# stands on stderr (`check` prints warnings there, too). CORRELATOR_UPDATE_GOLDEN=1 writes them anew; read the difference.
. "$(dirname "$0")/../e2e/lib.sh"
golden=$SOURCE/tests/cli/errors
compared=

# says NAME CODE COMMAND...: the exit code, and stderr as errors/NAME.txt has it.
says() {
  local name=$1
  code_of "$1" "$2" "${@:3}"
  sed -E -e "s|$WORK|WORK|g" -e 's/\(process [0-9]+\)/(process N)/' -e "s/(knows|reads) [0-9]+/\\1 N/" -e 's/[0-9a-f]{64}|[0-9a-f]{32}/HASH/g' err >err.seen
  [ -z "${CORRELATOR_UPDATE_GOLDEN:-}" ] || cp err.seen "$golden/$name.txt"
  same_files "the text of $name" "$golden/$name.txt" err.seen
  compared="$compared $name"
}

cat >rules.toml <<'T'
format = 1
[class.error]
key = ["host"]
[[event]]
id = "error"
class = "error"
match = 'broken (?P<what>\w+)'
[[rule]]
id = "two"
on = "error"
count = "2 in 1h"
T
for i in $(seq 0 999); do printf '2026-01-01T%02d:%02d:00Z h%d k: broken x\n' "$((i / 60))" "$((i % 60))" "$((i % 7))"; done >a.log
replay() { "$CORRELATOR" replay --rules rules.toml "$@"; }

# Rules.
says E036-no-such-path 66 "$CORRELATOR" check nowhere.toml
cat >fails.toml <<'T'
format = 1
[class.error]
key = ["host"]
requires = { what = "text" }
[[event]]
id = "error"
class = "error"
match = 'broken (?P<what>\w+)'
[[event.sample]]
line = 'broken x'
expect = { class = "error", what = "y" }
[[event.sample]]
line = 'broken x'
reject = true
[[event.sample]]
line = 'whole'
expect = { class = "error" }
[[rule]]
id = "two"
on = "error"
count = "2 in 1h"
[[rule.test]]
name = "one is enough"
log = '''
2026-01-01T00:00:00Z h k: broken x
'''
expect = [{ at = "+0s", key = { host = "h" } }]
[[rule.test]]
name = "two are nothing"
log = '''
2026-01-01T00:00:00Z h k: broken x
+59m h k: broken x
'''
expect = []
T
says E070-E071-samples-and-tests 1 "$CORRELATOR" check fails.toml
says E504-does-not-load 78 "$CORRELATOR" replay --rules fails.toml a.log
cat >warns.toml <<'T'
format = 1
[class.error]
key = ["host"]
[class.never]
key = ["host"]
[settings]
unused = 7
[[event]]
id = "error"
class = "error"
match = '.*(?P<what>\d+)'
channel = "nobody"
[[event]]
id = "twin"
class = "error"
match = 'twin'
channel = "somebody"
weight = "2"
[[event.sample]]
line = 'twin'
expect = { class = "error" }
[action.wipe]
run = "wipe"
destructive = true
[[rule]]
id = "two"
on = "error"
count = "2 in 1h"
[[rule]]
id = "each"
on = "error"
then = "wipe"
[[rule]]
id = "waits"
on = "never"
[[rule]]
id = "odd"
on = "error"
count = "3 in 1h"
[[rule.test]]
name = "two lines are four"
log = '''
2026-01-01T00:00:00Z h k: twin
+1m h k: twin
'''
expect = [{ at = "+1m", key = { host = "h" } }]
[class.total]
key = ["host"]
[[event]]
id = "total"
class = "total"
match = 'total (?P<n>\d+)'
types = { n = "int" }
weight = { increase_of = "n", per = ["host"] }
[[event.sample]]
line = 'total 7'
expect = { class = "total" }
[same_error.one]
classes = ["error"]
key = ["host"]
channels = ["somebody"]
within = "5s"
[[rule]]
id = "rises"
on = "total"
count = "3 in 1h"
[[rule.test]]
name = "a counter that rises"
log = '''
2026-01-01T00:00:00Z h k: total 7
+1m h k: total 9
'''
expect = [{ at = "+1m", key = { host = "h" } }]
T
says W-warnings 0 "$CORRELATOR" check warns.toml
cat >costs.toml <<'T'
format = 1
[class.error]
key = ["host"]
[[event]]
id = "common"
class = "error"
match = 'session (?P<what>\w+)'
[[event.sample]]
line = 'session x'
expect = { class = "error" }
[[event]]
id = "short"
class = "error"
match = 'xqz (?P<what>\w+)'
[[event.sample]]
line = 'xqz x'
expect = { class = "error" }
[[event]]
id = "shorter"
class = "error"
match = 'zqxj (?P<what>\w+)'
[[event.sample]]
line = 'zqxj x'
expect = { class = "error" }
T
says W-costs 0 "$CORRELATOR" check costs.toml

# Logs.
says E201-no-such-log 66 replay nothing.log
gzip -c a.log | head -c 900 >cut.log.gz
says E202-truncated 65 replay cut.log.gz
gzip -c a.log >damaged.log.gz
printf '\377\377\377\377\377\377\377\377\377\377\377\377' | dd of=damaged.log.gz bs=1 seek=600 conv=notrunc 2>/dev/null
says E203-damaged 65 replay damaged.log.gz
{ gzip -c a.log; echo "2026-01-01T00:00:00Z h k: appended as text"; } >appended.log.gz
says E204-foreign-bytes 65 replay appended.log.gz
says E205-unreadable 74 replay /proc/self/mem
says E208-empty-directory 66 sh -c 'mkdir -p empty && "$0" replay --rules rules.toml empty' "$CORRELATOR"
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
says E209-a-socket 66 replay sock
mkdir -p hosts
for i in 1 2 3; do cp a.log "hosts/h$i.log"; done
says E211-too-many-logs 74 sh -c 'ulimit -n 60; "$0" replay --rules rules.toml --threads 1 hosts' "$CORRELATOR"
mkdir -p rotated
cp a.log rotated/messages
head -n 30 a.log >rotated/messages.1
tail -n 30 a.log | gzip -c >rotated/messages.1.gz
says E210-two-of-one-place 0 replay rotated/messages rotated/messages.1 rotated/messages.1.gz
replay --state pos a.log >/dev/null 2>&1
cp a.log whole.log
head -n 500 whole.log >a.log
says E206-shorter 65 replay --state pos a.log
{ echo "2026-01-01T00:00:00Z h k: another file"; cat whole.log whole.log; } >a.log
says E207-another-file 65 replay --state pos a.log
cp whole.log a.log

# Lookups: said, and the replay goes on without their rows.
cat >lookup.toml <<'T'
format = 1
[lookup.hosts]
file = "hosts.csv"
key = "host"
columns = ["host", "rack"]
T
says E222-no-lookup-file 0 "$CORRELATOR" replay --rules rules.toml --rules lookup.toml a.log
printf 'host,rakc\nh1,r1\n' >hosts.csv
says E220-no-column 0 "$CORRELATOR" replay --rules rules.toml --rules lookup.toml a.log
printf 'host,rack\nh1,r1\nh2\n' >hosts.csv
says E221-short-row 0 "$CORRELATOR" replay --rules rules.toml --rules lookup.toml a.log

# State.
says E301-no-state 66 "$CORRELATOR" decisions --state nowhere
touch not-a-directory
says E301-cannot-write 74 replay --state not-a-directory a.log
replay --state st a.log >/dev/null 2>&1
mkfifo pipe
"$CORRELATOR" run --rules rules.toml --state st <pipe >/dev/null 2>&1 &
first=$!
exec 9>pipe
for _ in $(seq 1 1800); do [ "$(cat st/lock 2>/dev/null)" = "$first" ] && break; sleep 0.05; done
says E302-second-instance 74 replay --state st a.log
exec 9>&-
wait "$first"
copy() { rm -rf "$1" && cp -r st "$1"; }
copy newer && sqlite3 newer/engine.db 'PRAGMA user_version = 99'
says E303-newer-to-write 78 replay --state newer a.log
says E303-newer-to-read 78 "$CORRELATOR" decisions --state newer
copy damaged && printf 'not a database at all, whatever its name says' >damaged/engine.db
says E304-no-database 65 replay --state damaged a.log
copy damaged && sqlite3 damaged/engine.db 'DELETE FROM rule_set'
says E304-no-rule-set 65 "$CORRELATOR" status --state damaged
copy damaged && sqlite3 damaged/engine.db "UPDATE intake SET extra = '{\"times\":[]}' WHERE seq > 2; UPDATE intake_block SET records = '[[1]]'; UPDATE meta SET value = '3' WHERE name = 'snapshot_seq'"
says E304-intake 65 "$CORRELATOR" replay --recorded damaged
copy locked
sqlite3 locked/engine.db >/dev/null <<'S' &
PRAGMA locking_mode = EXCLUSIVE;
BEGIN EXCLUSIVE;
INSERT INTO meta VALUES ('held', '1');
.shell touch held; while [ -e held ]; do sleep 0.1; done
S
holder=$!
for _ in $(seq 1 1800); do [ -e held ] && break; sleep 0.05; done
says E305-locked 74 replay --state locked a.log
rm -f held
wait "$holder"
copy nothing && sqlite3 nothing/engine.db "DELETE FROM meta; DELETE FROM intake; DELETE FROM intake_block"
says E306-nothing-recorded 66 "$CORRELATOR" replay --recorded nothing
copy older && sqlite3 older/engine.db "UPDATE rule_set SET files = replace(files, 'count = ', 'cuont = ')"
says E307-recorded-rules 78 "$CORRELATOR" replay --recorded older
copy row && sqlite3 row/engine.db "UPDATE live_window SET body = X'7b7d'"
says E310-row 65 replay --state row a.log

# Usage.
says E501-not-a-time 2 replay --from yesterday a.log
says E501-not-a-code 2 "$CORRELATOR" help E999
says E502-zone 2 replay --zone Mars/Olympus a.log
if [ ! -e /usr/share/correlator/rules ] && [ ! -e /etc/correlator/rules.d ]; then
  says E503-no-rules 66 "$CORRELATOR" replay a.log
else
  compared="$compared E503-no-rules"
fi
says E505-full-disk 74 sh -c '"$0" replay --rules rules.toml --events a.log >/dev/full' "$CORRELATOR"
says E506-no-log 2 "$CORRELATOR" replay --rules rules.toml
says E508-act-without-state 2 replay --act a.log
says E507-no-decision 1 "$CORRELATOR" why ffffffffffff --state st

for file in "$golden"/*.txt; do
  name=$(basename "$file" .txt)
  case " $compared " in *" $name "*) pass ;; *) fail "errors/$name.txt is compared by nothing" ;; esac
done
finish
