# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the whole-program tests: a scratch directory, checks that count, a closing line.
set -u
: "${CORRELATOR:?path of the binary}" "${SOURCE:?source directory}"
export NO_COLOR=1 TZ=UTC LC_ALL=C.UTF-8
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1
PASSED=0
FAILED=0
RULES="$SOURCE/rules"
# Under sanitizers a start with the shipped rules takes seconds, most of them for samples and tests that the other build runs.
if [ "${SLOWER:-1}" -gt 1 ]; then
  mkdir "$WORK/shipped"
  for file in "$RULES"/*.toml; do
    awk '/^\[\[?[a-z_]+[."\]]/ { skip = /^\[\[(event\.sample|rule\.test)\]\]/ } !skip' "$file" >"$WORK/shipped/$(basename "$file")"
  done
  cp "$RULES"/*.csv "$WORK/shipped"
  RULES="$WORK/shipped"
fi

pass() { PASSED=$((PASSED + 1)); }
fail() {
  FAILED=$((FAILED + 1))
  printf 'FAILED: %s\n' "$*" >&2
}
# check NAME COMMAND...: the command must succeed.
check() {
  local name=$1
  shift
  if "$@"; then pass; else fail "$name"; fi
}
same() { # NAME EXPECTED GOT
  if [ "$2" = "$3" ]; then pass; else fail "$1: expected [$2], got [$3]"; fi
}
same_files() { # NAME A B
  if cmp -s "$2" "$3"; then pass; else
    fail "$1"
    diff "$2" "$3" | head -n 20 >&2
  fi
}
contains() { # NAME FILE TEXT
  if grep -qF -- "$3" "$2"; then pass; else
    fail "$1: \"$3\" is not in:"
    head -n 20 "$2" >&2
  fi
}
code_of() { # NAME CODE COMMAND...: the exit code must be CODE; output to out and err
  local name=$1 wanted=$2 got=0
  shift 2
  "$@" >out 2>err || got=$?
  if [ "$got" = "$wanted" ]; then pass; else
    fail "$name: exit code $got, expected $wanted"
    head -n 20 err >&2
  fi
}
finish() {
  printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
  [ "$FAILED" = 0 ]
}
