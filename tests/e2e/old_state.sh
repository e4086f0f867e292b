#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A state directory of an older schema goes on as if nothing had happened: windows, open cases and evidence that an earlier
# version wrote count, and what a person sees in the database is there.
. "$(dirname "$0")/lib.sh"

STORE="$SOURCE/tests/store"
cp "$STORE"/schema_1/rules.toml "$STORE"/schema_1/before.log "$STORE"/schema_1/after.log .
for log in before.log after.log; do
  "$CORRELATOR" replay --rules rules.toml --state new "$log" >/dev/null || fail "the undisturbed run"
done
for version in 1 3; do
  old=old_$version
  mkdir $old
  sqlite3 $old/engine.db <"$STORE/schema_$version/engine.sql" || fail "the database of schema $version"

  code_of "schema $version: a reader does not touch it" 78 "$CORRELATOR" windows --state $old
  contains "schema $version: and says what to do" err "open it once with the command that writes it"

  "$CORRELATOR" replay --rules rules.toml --state $old after.log >/dev/null || fail "the run on the state of schema $version"
  for state in $old new; do
    "$CORRELATOR" decisions --json --state "$state" >"$state.jsonl"
    "$CORRELATOR" windows --json --state "$state" >"$state.windows"
  done
  same "schema $version: decisions before and after" 19 "$(wc -l <$old.jsonl | tr -d ' ')"
  same_files "schema $version: decisions" new.jsonl $old.jsonl
  same_files "schema $version: windows" new.windows $old.windows
  code_of "schema $version: replay --recorded" 0 "$CORRELATOR" replay --recorded $old --json
  contains "schema $version: recorded decisions are the same to the byte" out '"different":0'
  for state in $old new; do
    sqlite3 "$state/engine.db" "SELECT at, stream, line, text FROM lines ORDER BY seq" >"$state.lines"
  done
  same_files "schema $version: the view of the lines" new.lines $old.lines

  # The view, for rows that changed since and for those that did not.
  rm -r $old/* && sqlite3 $old/engine.db <"$STORE/schema_$version/engine.sql"
  : >nothing.log
  "$CORRELATOR" replay --rules rules.toml --state $old nothing.log >/dev/null || fail "opening the state of schema $version"
  for state in $old new; do
    sqlite3 "$state/engine.db" "SELECT have, oldest, newest FROM windows WHERE rule = 'count' AND key = 'host=kvm1 part=sdb'" >"$state.view"
    same "the view of $state" '1|2026-01-01T10:05:00.000Z|2026-01-01T10:05:00.000Z' "$(cat "$state.view")"
  done
done
finish
