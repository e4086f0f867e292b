#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 in the middle of `replay --state`, start again: the decisions are those of an undisturbed run (R1, L10).
. "$(dirname "$0")/lib.sh"

# Some 60,000 lines of three hosts with a corrected error every 40th line, a few of them reordered.
awk 'BEGIN {
  srand(7)
  for (i = 0; i < 60000; ++i) {
    s = i * 7
    printf "2026-01-%02dT%02d:%02d:%02d.%03dZ kvm%d ", 1 + int(s / 86400), int(s / 3600) % 24, int(s / 60) % 60, s % 60, i % 1000, i % 3
    if (i % 40 == 0) printf "kernel: EDAC MC0: %d CE memory read error on DIMM_%d (channel:0 slot:0 page:0x%x offset:0x0 grain:32 syndrome:0x0)\n", 1 + i % 4, i % 7, i
    else printf "sshd[%d]: Accepted publickey for root from 10.0.0.%d port %d ssh2\n", i, i % 250, i
  }
}' >archive.log

began=$(date +%s%3N)
"$CORRELATOR" replay --rules "$RULES" --state whole archive.log >/dev/null || fail "the undisturbed run"
took=$(($(date +%s%3N) - began))
"$CORRELATOR" decisions --json --state whole >whole.jsonl
check "the undisturbed run decides something" test -s whole.jsonl

kills=0
for attempt in $(seq 1 40); do
  # Small blocks and commits after each of some, of the state too or of the records alone; the delay grows to that of a whole run, so that every run comes further.
  if ((attempt % 2 == 0)); then often=(--commit-bytes 20000); else often=(--record-bytes 1000); fi
  "$CORRELATOR" replay --rules "$RULES" --state killed --block-size 4096 "${often[@]}" --no-read-ahead archive.log >/dev/null 2>&1 &
  pid=$!
  delay=$((took * attempt / 40))
  sleep "$((delay / 1000)).$(printf '%03d' $((delay % 1000)))"
  if kill -9 "$pid" 2>/dev/null; then kills=$((kills + 1)); fi
  wait "$pid" 2>/dev/null && break
done
"$CORRELATOR" replay --rules "$RULES" --state killed archive.log >/dev/null || fail "the last run"
"$CORRELATOR" decisions --json --state killed >killed.jsonl
same_files "decisions after $kills kills" whole.jsonl killed.jsonl
check "it was killed at least once" test "$kills" -gt 0
for state in whole killed; do
  code_of "replay --recorded $state" 0 "$CORRELATOR" replay --recorded "$state" --json
  contains "recorded decisions of $state are the same to the byte" out '"different":0'
done
printf 'kills: %d\n' "$kills"
finish
