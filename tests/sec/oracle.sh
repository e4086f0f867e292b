#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our cases and random ones, beside Debian's sec (which is only run). CORRELATOR_SEED and CORRELATOR_SEEDS choose others.
set -u
[ -x /usr/bin/sec ] || { echo "skipped: Debian's package sec is not installed"; exit 0; }
"$SOURCE/tests/sec/run-cases" "$CORRELATOR" --oracle || exit 1
"$SOURCE/tests/sec/fuzz.py" "$CORRELATOR" --seed "${CORRELATOR_SEED:-1}" --seeds "${CORRELATOR_SEEDS:-$((SLOWER > 1 ? 20 : 120))}" || exit 1
exec "$SOURCE/tests/sec/corners.py" "$CORRELATOR" --seed "${CORRELATOR_SEED:-1}" --seeds "${CORRELATOR_SEEDS:-$((SLOWER > 1 ? 3 : 20))}"
