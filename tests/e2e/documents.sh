#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every command of the documents that is marked ```sh is run, in a copy of the tree's layout, and must succeed. What
# changes the machine (docs/install.md) is marked ```shell and is not run.
. "$(dirname "$0")/lib.sh"
ln -s "$SOURCE/rules" "$SOURCE/examples" "$SOURCE/actions" .
mkdir bin
ln -s "$CORRELATOR" bin/correlator
export PATH="$WORK/bin:$PATH"
for document in "$SOURCE"/README.md "$SOURCE"/docs/*.md "$SOURCE"/correlator/*/README.md "$SOURCE"/examples/{host,guest,collecting}/README.md; do
  awk '/^```sh$/ { on = 1; next } /^```$/ { if (on) print ""; on = 0 } on' "$document" >script
  [ -s script ] || continue
  if bash -eu script >log 2>&1; then pass; else
    fail "a command in ${document#"$SOURCE"/}"
    tail -n 10 log >&2
  fi
done
finish
