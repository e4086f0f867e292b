#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs all tests of the action scripts against stand-ins: tests/actions/run.sh [NAME...]
set -u
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
out=$(mktemp -d)
trap 'rm -rf -- "$out"' EXIT
if (($# == 0)); then
  for file in "$here"/*.test.sh; do set -- "$@" "$(basename "$file" .test.sh)"; done
fi

# They mostly wait for hanging stand-ins, so several run at once; not all, as time limits of
# the scripts are tested in them, which a starved machine would reach.
most=$(($(nproc) * 3))
for name in "$@"; do
  while (($(jobs -rp | wc -l) >= most)); do wait -n; done
  { bash "$here/$name.test.sh" >"$out/$name" 2>&1; echo "exit $?" >>"$out/$name"; } &
done
if command -v shellcheck >/dev/null 2>&1; then
  # SC2317: functions that a trap or wait_until calls look unreachable to it.
  mapfile -t scripts < <(grep -lE '^#!/bin/bash' "$here"/../../actions/*)
  (cd "$here/../.." && shellcheck -x -P . -e SC2317 actions/lib*.sh "${scripts[@]}" tests/actions/*.sh tests/actions/stand-ins/* \
    && echo '1 passed, 0 failed' || echo '0 passed, 1 failed') >"$out/shellcheck" 2>&1 &
  set -- "$@" shellcheck
else
  echo 'shellcheck is not installed: not run'
fi
wait

passed=0 failed=0
for name in "$@"; do
  grep -vE '^([0-9]+ passed, [0-9]+ failed|exit [0-9]+)$' "$out/$name"
  if [[ $(grep -vE '^exit [0-9]+$' "$out/$name" | tail -n 1) =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    printf '%-16s %s\n' "$name" "${BASH_REMATCH[0]}"
  else
    failed=$((failed + 1))
    printf '%-16s did not end\n' "$name"
  fi
done

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
