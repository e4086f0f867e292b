#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# replay --act: what a replay decides is run by the dispatcher, once, within the brakes that hold live.
. "$(dirname "$0")/lib.sh"

mkdir scripts
cat >scripts/record <<'S'
#!/bin/sh
here=$(dirname "$0")
echo "$1 $CORRELATOR_DECISION" >>"$here/../ran"
cat >>"$here/../documents"
S
printf '#!/bin/sh\nexit 3\n' >scripts/broken
chmod +x scripts/*
cat >site.toml <<'T'
format = 1
[[rule]]
id    = "test.seen"
match = 'needle (?P<name>\w+)'
key   = ["name"]
then  = [{ do = "record", with = { name = "${name}" } }]
[[rule]]
id    = "test.breaks"
match = 'breaks (?P<name>\w+)'
key   = ["name"]
then  = [{ do = "break", or_else = "record-instead" }]
[[rule]]
id    = "test.limited"
match = 'often (?P<name>\w+)'
key   = ["name"]
then  = "limited"
[[rule]]
id    = "test.asked"
match = 'asks (?P<name>\w+)'
key   = ["name"]
then  = "asked"
[[rule]]
id    = "test.serial"
match = 'turn (?P<name>\w+)'
key   = ["name"]
then  = "in-turn"
[action.record]
run  = "record"
args = ["${name}"]
[action.record-instead]
run  = "record"
args = ["instead-of-${name}"]
[action.break]
run  = "broken"
[action.limited]
run   = "record"
args  = ["${name}"]
limit = "2 in 1h"
[action.asked]
run     = "record"
args    = ["${name}"]
approve = true
[action.in-turn]
run    = "record"
args   = ["${name}"]
serial = "one"
budget = "few"
[budget.few]
at_most   = 9
per       = "1h"
in_flight = 1
T
stamp() { date -u -d "${1:-now}" +%Y-%m-%dT%H:%M:%SZ; }
replay() { "$CORRELATOR" replay --rules site.toml --actions scripts "$@"; }
runs() { grep -c "^$1 " ran 2>/dev/null || true; }
states() { sqlite3 "$1/dispatch.db" 'SELECT state FROM job ORDER BY n' | tr '\n' ' '; }

# Without a ledger nothing could keep an action from running twice.
printf '%s h prog: needle one\n' "$(stamp)" >now.log
code_of "--act without --state" 2 replay --act now.log
contains "it says what to type" err "--state"

code_of "--act" 0 replay --act --state st --json now.log
contains "the outcome is printed" out '"type":"outcome"'
contains "with its result" out '"state":"done"'
same "the script ran once, with its argument" 1 "$(runs one)"
contains "the document came on stdin" documents '"rule":"test.seen"'
contains "the outcome is counted" out '"outcomes":1'

# Again, and again with the position forgotten: the same decision, the same key, no second run.
code_of "--act again" 0 replay --act --state st now.log
same "not a second time" 1 "$(runs one)"
code_of "R1 with an outcome in the intake" 0 "$CORRELATOR" replay --recorded st --json
contains "to the byte" out '"different":0'
mkdir moved
cp st/dispatch.db moved/
code_of "--act with the old ledger alone" 0 replay --act --state moved now.log
same "the ledger knows the decision by its id" 1 "$(runs one)"

# What was decided and not handed over, because the process died or nobody said --act, is handed over by the next one.
printf '%s h prog: needle two\n' "$(stamp)" >later.log
code_of "a replay that does not act" 0 replay --state later later.log
same "it runs nothing" 0 "$(runs two)"
code_of "the next one acts" 0 replay --act --state later later.log
same "on what is there" 1 "$(runs two)"
printf '%s h prog: needle three\n' "$(stamp)" >warm.log
code_of "what only warms up is not acted on" 0 replay --act --state warm --from "$(stamp '1 hour')" warm.log
same "before --from nothing runs" 0 "$(runs three)"

# max_age: an archive is old; its decisions are recorded and not acted on.
printf '%s h prog: needle old\n' "$(stamp '2 hours ago')" >old.log
code_of "an old archive" 0 replay --act --state old old.log
contains "it says why nothing runs" out "acts within 15m"
same "nothing ran" 0 "$(runs old)"
same "it is in the ledger" "skipped " "$(states old)"

# limit, budget and serial, approval, the kill switch.
for i in 1 2 3 4; do printf '%s h prog: often l%d\n' "$(stamp)" "$i"; done >limit.log
code_of "a limit" 0 replay --act --state limit limit.log
same "two of four ran" 2 "$(grep -c '^l[1-4] ' ran)"
contains "the others say why" out "over the limit of 2 in 1h"
for i in 1 2 3; do printf '%s h prog: turn s%d\n' "$(stamp)" "$i"; done >serial.log
code_of "serial and budget" 0 replay --act --state serial serial.log
same "one after the other, all of them" "s1 s2 s3 " "$(grep -o '^s[1-3] ' ran | tr -d '\n')"
printf '%s h prog: asks a1\n' "$(stamp)" >asks.log
code_of "approval" 0 timeout 60 "$CORRELATOR" replay --rules site.toml --actions scripts --act --state asks asks.log
contains "it waits for a person, and does not hang" out "waits for approval"
same "nothing ran without it" 0 "$(runs a1)"
mkdir stop
touch stop/stop-actions
printf '%s h prog: needle stopped\n' "$(stamp)" >stopped.log
code_of "the kill switch" 0 timeout 60 "$CORRELATOR" replay --rules site.toml --actions scripts --act --state stop stopped.log
contains "it says so" out "stop-actions exists"
same "nothing runs" 0 "$(runs stopped)"
rm stop/stop-actions
code_of "without it" 0 replay --act --state stop stopped.log
same "it goes on" 1 "$(runs stopped)"

# A failure decides the step's or_else, which runs in the same replay.
printf '%s h prog: breaks b1\n' "$(stamp)" >breaks.log
code_of "a script that fails" 0 replay --act --state breaks breaks.log
contains "the failure is printed" out "exit code 3"
same "or_else ran" 1 "$(runs instead-of-b1)"
code_of "R1 of it" 0 "$CORRELATOR" replay --recorded breaks

# --shadow records and runs nothing.
printf '%s h prog: needle shade\n' "$(stamp)" >shade.log
code_of "--shadow" 0 replay --shadow --state shade shade.log
contains "it says what would run" out "would run: record shade"
contains "and what became of it" out "shadow mode"
same "nothing ran" 0 "$(runs shade)"
same "it is in the ledger" "shadow " "$(states shade)"
finish
