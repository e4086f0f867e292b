#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A state directory of the first schema goes on as if nothing had happened: windows, open cases and evidence that an earlier
# version wrote count, and what a person sees in the database is there.
. "$(dirname "$0")/lib.sh"

OLD="$SOURCE/tests/store/schema_1"
cp "$OLD"/rules.toml "$OLD"/before.log "$OLD"/after.log .
mkdir old
sqlite3 old/engine.db <"$OLD/engine.sql" || fail "the old database"

code_of "a reader does not touch it" 78 "$CORRELATOR" windows --state old
contains "and says what to do" err "open it once with the command that writes it"

for log in before.log after.log; do
  "$CORRELATOR" replay --rules rules.toml --state new "$log" >/dev/null || fail "the undisturbed run"
done
"$CORRELATOR" replay --rules rules.toml --state old after.log >/dev/null || fail "the run on the old state"
for state in old new; do
  "$CORRELATOR" decisions --json --state "$state" >"$state.jsonl"
  "$CORRELATOR" windows --json --state "$state" >"$state.windows"
done
same "decisions before and after" 19 "$(wc -l <old.jsonl | tr -d ' ')"
same_files "decisions" new.jsonl old.jsonl
same_files "windows" new.windows old.windows
code_of "replay --recorded" 0 "$CORRELATOR" replay --recorded old --json
contains "recorded decisions are the same to the byte" out '"different":0'

# The view, for rows that changed since and for those that did not.
rm -r old/* && sqlite3 old/engine.db <"$OLD/engine.sql"
: >nothing.log
"$CORRELATOR" replay --rules rules.toml --state old nothing.log >/dev/null || fail "opening the old state"
for state in old new; do
  sqlite3 "$state/engine.db" "SELECT have, oldest, newest FROM windows WHERE rule = 'count' AND key = 'host=kvm1 part=sdb'" >"$state.view"
  same "the view of $state" '1|2026-01-01T10:05:00.000Z|2026-01-01T10:05:00.000Z' "$(cat "$state.view")"
done
finish
