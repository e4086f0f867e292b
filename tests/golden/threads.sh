#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# R3 over the golden archives: what a replay says does not depend on threads, block sizes or who reads.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${CORRELATOR:=$here/../../build/release/correlator/cli/correlator}"
export NO_COLOR=1 TZ=UTC

result() { # FOLDER OPTIONS...
  (cd "$1" || exit 1
   shift
   args=()
   [ -f args ] && mapfile -t args <args
   "$CORRELATOR" replay "${args[@]}" --rules rules.toml "$@" --events --json log* 2>&1 | sed -E 's/,"seconds":[0-9.e+-]+//')
}

failed=0 count=0
for folder in "$here"/*/; do
  for options in "--threads 1 --block-size 61" "--threads 2" "--threads 2 --block-size 300" "--threads 5 --block-size 61" "--threads 5 --no-read-ahead"; do
    count=$((count + 1))
    # shellcheck disable=SC2086  # a list of words
    if ! result "$folder" $options | diff -u "$folder/expected.jsonl" - >&2; then
      printf 'FAILED: %s %s\n' "$(basename "$folder")" "$options" >&2
      failed=$((failed + 1))
    fi
  done
done
printf '%d replays, %d failed\n' "$count" "$failed"
[ "$count" -ge 30 ] && [ "$failed" = 0 ]
