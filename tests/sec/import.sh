#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `import sec` writes decides as SEC's rules do: the example, then random rules and logs. CORRELATOR_SEED and CORRELATOR_SEEDS
# choose others. And docs/coming-from-sec.md shows what it really says; CORRELATOR_UPDATE_GOLDEN=1 writes that anew.
set -u
import=$SOURCE/tests/sec/import.py
"$import" "$CORRELATOR" document "$SOURCE" || exit 1
"$import" "$CORRELATOR" files --without-texts "$SOURCE"/examples/migrating-from-sec/{rules.sec,messages} || exit 1
exec "$import" "$CORRELATOR" random --seed "${CORRELATOR_SEED:-1}" --seeds "${CORRELATOR_SEEDS:-$((SLOWER > 1 ? 20 : 150))}"
