#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A larger set of differential cases, where a checkout of them is named by CORRELATOR_SEC_CASES or stands beside this one.
set -u
cases=${CORRELATOR_SEC_CASES:-$SOURCE/../shared/sec/cases}
[ -x "$cases/run.sh" ] || { echo "skipped: no further cases (CORRELATOR_SEC_CASES names none)"; exit 0; }
perl=""
"$CORRELATOR" sec --version | grep -q 'with Perl' || perl="-x perl"
# shellcheck disable=SC2086  # words
"$cases/run.sh" -v -j 2 -t $perl -x secbug "$CORRELATOR sec --timeline"
