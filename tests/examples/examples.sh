#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The examples load with the shipped rules, pass their own tests, and are installed as their READMEs say.
. "$SOURCE/tests/e2e/lib.sh"

for kind in host guest; do
  code_of "$kind: rules, samples and tests" 0 "$CORRELATOR" check "$RULES" "$SOURCE/examples/$kind/rules.d"
  same "$kind: no warning but that a destructive action has no second opinion" "" "$(grep -E 'W0[0-9]+' err out | grep -F "examples/$kind" | grep -v W007 | head -n 3)"
  code_of "$kind: install" 0 "$SOURCE/examples/install" "$kind" --root "$WORK/$kind"
  code_of "$kind: again" 0 "$SOURCE/examples/install" "$kind" --root "$WORK/$kind"
  same "$kind: writable by others" "" "$(find "$WORK/$kind" -type f -perm /022)"
  # What each README promises in its table is there.
  grep -oE '^\| `[^`]+`(, `[^`]+`)* \| `/[^`]+`' "$SOURCE/examples/$kind/README.md" | while IFS='|' read -r _ files where; do
    where=${where//[\` ]/}
    for file in ${files//[\`,]/}; do
      [[ $file == .timer ]] && file="service-beat@.timer"
      test -e "$WORK/$kind$where/${file##*/}" || echo "$kind: $where/${file##*/}"
    done
  done >missing
  same "$kind: the table of the README" "" "$(cat missing)"
  echo "# mine" >>"$WORK/$kind/etc/rsyslog.d/60-correlator.conf"
  code_of "$kind: a file that was changed" 1 "$SOURCE/examples/install" "$kind" --root "$WORK/$kind"
  contains "is named" err "left as it is: $WORK/$kind/etc/rsyslog.d/60-correlator.conf"
  check "and kept" grep -q '^# mine$' "$WORK/$kind/etc/rsyslog.d/60-correlator.conf"
done
code_of "no such example" 2 "$SOURCE/examples/install" cluster
code_of "no root" 2 "$SOURCE/examples/install" host --root

# The rules are told apart from those that would break them: a threshold that a site changes moves the boundary.
cp -r "$SOURCE/examples/host/rules.d" changed
sed -i 's/dimm_ce = "10 in 24h"/dimm_ce = "11 in 24h"/' changed/10-site.toml
code_of "another threshold fails the tests of this one" 1 "$CORRELATOR" check "$RULES" changed

# Units: systemd itself reads them, where it is there.
if command -v systemd-analyze >/dev/null; then
  mkdir -p units
  cp "$SOURCE"/packaging/systemd/*.service "$SOURCE"/examples/guest/systemd/service-beat@.* units
  for unit in correlator-events.service service-beat@nginx.service service-beat@nginx.timer; do
    SYSTEMD_UNIT_PATH=$WORK/units: systemd-analyze verify --man=no "$unit" >verified 2>&1 || true
    same "$unit" "" "$(grep -E "$(printf %s "${unit%@*}" | cut -d. -f1)" verified | grep -vE 'not executable|No such file' | head -n 3)"
  done
fi
finish
