#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Replays each triple and compares; see README.md. Without names: all of them.
#   tests/golden/run.sh [--accept] [NAME...]
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${CORRELATOR:=$here/../../build/release/correlator/cli/correlator}"
export NO_COLOR=1 TZ=UTC
accept=no
if [ "${1:-}" = --accept ]; then
  accept=yes
  shift
fi

result() { # FOLDER: what the triple gives, without the time it took
  (cd "$1" || exit 1
   args=()
   [ -f args ] && mapfile -t args <args
   set -- log*
   "$CORRELATOR" replay "${args[@]}" --rules rules.toml --events --json "$@" 2>&1 | sed -E 's/,"seconds":[0-9.e+-]+//')
}

failed=0 count=0
[ $# -gt 0 ] || set -- "$here"/*/
for folder in "$@"; do
  [ -d "$folder" ] || folder=$here/$folder
  name=$(basename "$folder")
  count=$((count + 1))
  if [ "$accept" = yes ]; then
    result "$folder" >"$folder/expected.jsonl"
  elif [ ! -s "$folder/expected.jsonl" ]; then
    printf 'FAILED: %s has no expected.jsonl\n' "$name" >&2
    failed=$((failed + 1))
  elif ! result "$folder" | diff -u "$folder/expected.jsonl" - >&2; then
    printf 'FAILED: %s: %s\n' "$name" "$(sed -n '1s/^# *//p' "$folder/rules.toml")" >&2
    failed=$((failed + 1))
  fi
done
printf '%d triples, %d failed\n' "$count" "$failed"
[ "$count" -gt 0 ] && [ "$failed" = 0 ]
