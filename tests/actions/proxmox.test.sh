# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

here=$(hostname)
here=${here%%.*}
# This host runs two guests under HA and guest 300 and container 400 that are not.
cluster() {
  fresh "$1"
  mkdir -p "$WORLD"/pve/{ha,lrm,qm,pct}
  echo active >"$WORLD/pve/lrm/$here"
  echo active >"$WORLD/pve/lrm/pve2"
  echo "$here started" >"$WORLD/pve/ha/vm:101"
  echo "$here started" >"$WORLD/pve/ha/ct:102"
  echo "$here stopped" >"$WORLD/pve/ha/vm:103"
  echo "pve2 started" >"$WORLD/pve/ha/vm:201"
  echo running >"$WORLD/pve/qm/101"
  echo running >"$WORLD/pve/pct/102"
  echo stopped >"$WORLD/pve/qm/103"
}
others() { echo running >"$WORLD/pve/qm/300"; echo running >"$WORLD/pve/pct/400"; }
evacuate() { run proxmox-evacuate "$@"; }

cluster 'HA services go by maintenance mode, and it ends with --undo'
evacuate
exits 0
called "ha-manager crm-command node-maintenance enable $here"
says 'is in maintenance and runs no guest'
evacuate
exits 0
says 'in maintenance already'
not_called crm-command
evacuate --undo
exits 0
called "node-maintenance disable $here"
evacuate --undo
exits 0
not_called crm-command

cluster 'guests that are not under HA are named'
others
evacuate
exits 6
says 'qm 300 is not under HA and stays'
says 'pct 400 is not under HA and stays'
not_called 'qm migrate'
cluster 'and moved with --to; containers only by a restart'
others
evacuate --to pve2 --local-disks
exits 6
called 'qm migrate 300 pve2 --online 1 --with-local-disks 1'
not_called 'pct migrate'
evacuate --to pve2 --restart-containers
exits 0
called 'pct migrate 400 pve2 --restart 1'
cluster 'one does not go'
others
touch "$WORLD/pve/fail-qm"
evacuate --to pve2 --restart-containers
exits 1
says 'qm 300 is still here'

cluster 'no quorum'
touch "$WORLD/pve/quorum"
evacuate
exits 3
not_called crm-command
for state in 'old timestamp - dead?' 'maintenance mode' 'unable to read lrm status'; do
  cluster "the only other node: $state"
  echo "$state" >"$WORLD/pve/lrm/pve2"
  evacuate
  exits 6
  not_called crm-command
done
cluster 'one of three is in maintenance'
echo 'maintenance mode' >"$WORLD/pve/lrm/pve3"
evacuate
exits 6
says 'the limit is 1'
evacuate --max-maintenance 2
exits 0
cluster 'put in maintenance by somebody else'
echo 'maintenance mode' >"$WORLD/pve/lrm/$here"
evacuate
exits 0
evacuate --undo
exits 3
cluster 'no service under HA here: qm alone'
rm "$WORLD/pve/lrm/$here"
others
evacuate --to pve2 --restart-containers
says 'no service is under HA here'
called 'qm migrate 300 pve2'
cluster 'a guest that HA ignores goes by qm'
echo "$here ignored" >"$WORLD/pve/ha/vm:300"
echo running >"$WORLD/pve/qm/300"
evacuate --to pve2
exits 0
called 'qm migrate 300 pve2'
cluster 'a service does not move'
touch "$WORLD/pve/stuck"
evacuate --timeout 1
exits 4
says 'still here: ct:102 vm:101'
cluster 'older than 7.3'
touch "$WORLD/pve/old"
evacuate
exits 1
says '7.3'
cluster 'does not run; hangs'
touch "$WORLD/pve/down"
evacuate
exits 3
rm "$WORLD/pve/down"
cluster 'another host'
evacuate --node pve2
exits 3
evacuate --to "$here"
exits 3
cluster 'dry run'
others
dry proxmox-evacuate --to pve2 --restart-containers
exits 0
check 'three commands' 3 "$(wc -l <"$WORLD/out")"

report
