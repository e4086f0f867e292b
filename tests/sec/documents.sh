#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The commands of examples/migrating-from-sec run as they stand there, and say what its README says.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" && ln -s "$CORRELATOR" "$work/bin/correlator"
export PATH=$work/bin:$PATH
cd "$SOURCE" || exit 1
failed=0
blocks() { awk -v want="$2" '/^```sh$/ { n++; inside = 1; next } /^```/ { inside = 0 } inside && n == want' "$1"; }
run() { # FILE BLOCK
  blocks "$1" "$2" > "$work/block"
  [ -s "$work/block" ] || { echo "$1 has no block $2"; failed=1; }
  TMPDIR=$work sh -e "$work/block" > "$work/out.$2" 2> "$work/err" || { echo "$1: block $2 fails"; cat "$work/block" "$work/err"; failed=1; }
  [ -s "$work/out.$2" ] || { echo "$1: block $2 says nothing"; failed=1; }
}
run examples/migrating-from-sec/README.md 1
run examples/migrating-from-sec/README.md 2
correlator replay --sec examples/migrating-from-sec/rules.sec examples/migrating-from-sec/messages > "$work/once" 2>/dev/null
cmp "$work/once" "$work/out.2" || { echo "with a state the second run says something, or the first one something else"; failed=1; }
exit $failed
