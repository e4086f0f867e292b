#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every command once, as the README shows it, and what it prints.
. "$(dirname "$0")/lib.sh"
captures="$SOURCE/examples/captures"

code_of "replay of a capture" 0 "$CORRELATOR" replay --rules "$RULES" --events --json --state st "$captures/edac-skx-ce-count.log"
contains "the event" out '"event":"memory.corrected"'
contains "its weight" out '"weight":37'
contains "the decision" out '"rule":"dimm.failing"'
contains "the summary" out '"type":"summary"'
id=$(grep '"type":"decision"' out | head -n 1 | sed -E 's/.*"id":"([0-9a-f]+)".*/\1/')

code_of "decisions" 0 "$CORRELATOR" decisions --state st --json
contains "decisions has it" out "$id"
code_of "why" 0 "$CORRELATOR" why "${id:0:8}" --state st
contains "why says why" out "why"
code_of "why of nothing" 1 "$CORRELATOR" why 00000000 --state st
code_of "windows" 0 "$CORRELATOR" windows --state st
contains "windows names the rule" out "dimm.failing"
code_of "status" 0 "$CORRELATOR" status --state st --json
contains "status is one object" out '"type":"status"'
cp -r st dropped
sqlite3 dropped/engine.db "INSERT INTO meta VALUES ('decisions_dropped', '3 3 1767225600000000')"
code_of "status of a state that dropped decisions" 0 "$CORRELATOR" status --state dropped
contains "status says what was dropped" out 'dropped  the oldest 3 decisions, up to 2026-01-01T00:00:00'
code_of "explain of a decision that was dropped" 1 "$CORRELATOR" explain 0123456789 --state dropped
contains "explain says that it may have been dropped" err 'the oldest 3 decisions, up to 2026-01-01T00:00:00'
code_of "check" 0 "$CORRELATOR" check "$RULES"
contains "check counts" out "ok:"
code_of "explain a line" 0 "$CORRELATOR" explain --rules "$RULES" "$(cat "$captures/edac-skx-ue.log")"
contains "explain shows the event" out "memory.uncorrected"
code_of "explain a decision" 0 "$CORRELATOR" explain "$id" --state st
code_of "schema" 0 "$CORRELATOR" schema
contains "schema is a JSON schema" out '"$schema"'
code_of "help" 0 "$CORRELATOR" help E003
contains "help explains" out "E003"
code_of "version" 0 "$CORRELATOR" --version
code_of "usage" 2 "$CORRELATOR" replay --no-such-option
code_of "no log" 2 "$CORRELATOR" replay
code_of "--to before --from" 2 "$CORRELATOR" replay --rules "$RULES" --from 2026-01-02 --to 2026-01-01 "$captures/edac-skx-ue.log"
code_of "an unknown command" 2 "$CORRELATOR" repaly
contains "it says which was meant" err "did you mean replay?"
for command in "status" "windows" "decisions" "why abc" "explain abcdef"; do
  # shellcheck disable=SC2086
  code_of "$command without a state" 66 "$CORRELATOR" $command --state nowhere
done
code_of "--recorded without a state" 66 "$CORRELATOR" replay --recorded nowhere
code_of "explain with a state that is not there" 66 "$CORRELATOR" explain --rules "$RULES" --state nowhere x
code_of "a full disk behind stdout" 74 sh -c '"$1" replay --rules "$2" --events "$3" >/dev/full' - "$CORRELATOR" "$RULES" "$captures/edac-skx-ue.log"
code_of "a reader that has seen enough" 0 sh -c '"$1" schema | head -n 1' - "$CORRELATOR"
code_of "not a time" 2 "$CORRELATOR" replay --rules "$RULES" --from yesterday "$captures/edac-skx-ue.log"

# run: lines on stdin, and the same windows go on in the next process.
line='kvm1 kernel: EDAC MC0: 4 CE memory read error on DX (channel:0 slot:0 page:0x1 offset:0x0 grain:32 syndrome:0x0)'
stamp() { date -u +%Y-%m-%dT%H:%M:%SZ; }
for i in 1 2 3; do
  printf '%s %s\n' "$(stamp)" "$line" | "$CORRELATOR" run --rules "$RULES" --state live --json >"run$i" || fail "run $i"
done
same "run 1 decides nothing" 0 "$(grep -c '"rule":"dimm.failing"' run1)"
check "run 3 decides: the window outlived two processes" grep -q '"rule":"dimm.failing"' run3

# run --dispatch: a decision starts its script once, with its arguments and the document on stdin.
mkdir actions
cat >actions/record <<'S'
#!/bin/sh
{ echo "$@"; cat; } >>"$OUT.tmp"
mv "$OUT.tmp" "$(dirname "$0")/../ran"
S
sed -i 's|"$OUT.tmp"|"$(dirname "$0")/../ran.tmp"|' actions/record
chmod +x actions/record
cat >site.toml <<'T'
format = 1
[[rule]]
id    = "test.seen"
match = 'needle (?P<name>\w+)'
key   = ["name"]
then  = [{ do = "record", with = { name = "${name}" } }]
[action.record]
run  = "record"
args = ["--name", "${name}"]
T
printf '%s h prog: needle one\n' "$(stamp)" | "$CORRELATOR" run --rules site.toml --state disp --dispatch --actions actions >out 2>err || fail "run --dispatch"
contains "the script got its argument" ran "--name one"
contains "the script got the document" ran '"rule":"test.seen"'
code_of "why says what became of it" 0 "$CORRELATOR" why "$("$CORRELATOR" decisions --state disp --json | sed -E 's/.*"id":"([0-9a-f]+)".*/\1/')" --state disp
contains "the outcome" out "exit code 0"
same "the ledger says done" "done" "$(sqlite3 disp/dispatch.db 'SELECT state FROM job')"
finish
