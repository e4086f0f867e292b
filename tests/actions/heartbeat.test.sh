# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

cluster() { fresh "$1"; mkdir "$WORLD/hb"; }
holds_now() { cat "$WORLD/hb/rsc" 2>/dev/null || echo all; }

cluster 'all go, and the local ones come back'
run heartbeat-standby
exits 0
called 'hb_standby all'
check holds none "$(holds_now)"
run heartbeat-standby
exits 0
not_called hb_standby
run heartbeat-standby --undo
exits 0
called 'hb_takeover local'
check holds local "$(holds_now)"
run heartbeat-standby --undo
exits 3

for what in local:foreign foreign:local; do
  cluster "only ${what%:*}"
  run heartbeat-standby --what "${what%:*}"
  exits 0
  check holds "${what#*:}" "$(holds_now)"
done

cluster 'in transition'
echo transition >"$WORLD/hb/rsc"
run heartbeat-standby
exits 3
not_called hb_standby
cluster 'the other node is dead'
echo dead >"$WORLD/hb/peer"
run heartbeat-standby
exits 6
not_called hb_standby
cluster 'there is no other node; there are two'
uname -n >"$WORLD/hb/nodes"
run heartbeat-standby
exits 6
printf '%s\na\nb\n' "$(uname -n)" >"$WORLD/hb/nodes"
run heartbeat-standby
exits 3
cluster 'pacemaker on top'
touch "$WORLD/hb/managed"
run heartbeat-standby
exits 3
says 'use crm-standby'
cluster 'not running'
touch "$WORLD/hb/down"
run heartbeat-standby
exits 3
cluster 'the request is lost'
touch "$WORLD/hb/stuck"
run heartbeat-standby --timeout 1
exits 4
cluster 'a request that was forgotten is made again'
touch "$WORLD/hb/stuck"
background heartbeat-standby --timeout 40
until_called 'hb_standby all'
rm "$WORLD/hb/stuck"
wait "$script"
code=$?
exits 0
check 'asked twice' 2 "$(grep -c 'hb_standby all' "$WORLD/calls")"

cluster 'not accepted'
touch "$WORLD/hb/fail"
run heartbeat-standby
exits 1
check 'no marker' '' "$(find "$WORLD/state/heartbeat" -type f)"
cluster 'nothing given up by us: nothing taken'
echo none >"$WORLD/hb/rsc"
run heartbeat-standby --undo
exits 3
cluster 'not installed'
rm "$WORLD/root/usr/share/heartbeat/hb_standby"
run heartbeat-standby
exits 5
cluster 'dry run'
dry heartbeat-standby
exits 0
check output "'$WORLD/root/usr/share/heartbeat/hb_standby' 'all'" "$(cat "$WORLD/out")"

report
