# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

# nodeA is this host, nodeB is to be fenced.
broken() {
  fresh "$1"
  node nodeB true false 1
  printf true >"$WORLD/cluster/nodes/nodeB/unclean"
  echo fence_dev >"$WORLD/cluster/device"
}
fence() { run cluster-fence --node nodeB "$@"; }

broken 'it is not done without --really'
fence
exits 3
says 'needs --really'
not_called --reboot

broken 'a node that does not answer'
fence --really
exits 0
called 'stonith_admin --reboot nodeB --timeout 180'
says 'nodeB is fenced, completed'
fence --really
exits 0
says 'was fenced at'
not_called --reboot
printf true >"$WORLD/cluster/nodes/nodeB/unclean"
fence --really --again-after 0
exits 0

broken 'power off'
fence --really --off
exits 0
called 'stonith_admin --fence nodeB'
rm "$WORLD/cluster/nodes/nodeB/fenced"
fence --really --off
exits 0
says 'down and clean already'
not_called --fence

for with in crm pcs; do
  broken "with $with"
  fence --really --with "$with"
  exits 0
  says 'is fenced'
  case $with in crm) called 'crm --force node fence nodeB' ;; *) called 'pcs stonith fence nodeB' ;; esac
done
broken 'crm leaves off or reset to the cluster'
fence --really --with crm --off
exits 2

broken 'no quorum'
printf false >"$WORLD/cluster/quorum"
fence --really
exits 3
says 'no quorum'
not_called --reboot

broken 'fencing is switched off'
printf false >"$WORLD/cluster/stonith"
fence --really
exits 3

broken 'no device'
rm "$WORLD/cluster/device"
fence --really
exits 3
says 'no fence device'

broken 'maintenance'
printf true >"$WORLD/cluster/maintenance"
fence --really
exits 3

broken 'this host'
run cluster-fence --node nodeA --really
exits 3
says 'does not fence itself'

broken 'nobody healthy would be left: this host is in standby'
printf true >"$WORLD/cluster/nodes/nodeA/standby"
fence --really
exits 6
says 'no healthy node'
not_called --reboot
node nodeC true false 0
fence --really
exits 0

broken 'unknown node, cluster down'
run cluster-fence --node nodeX --really
exits 5
touch "$WORLD/cluster/down"
fence --really
exits 3

broken 'success reported, nothing fenced'
touch "$WORLD/cluster/lie-fence"
fence --really --timeout 1
exits 4
says 'is not seen to be'

broken 'hang'
touch "$WORLD/cluster/hang-pcs"
fence --really --with pcs --timeout 1
exits 4

broken 'the tool fails'
touch "$WORLD/cluster/fail-pcs"
fence --really --with pcs
exits 1

broken 'dry run'
dry cluster-fence --node nodeB
exits 0
check output "'stonith_admin' '--reboot' 'nodeB' '--timeout' '180'" "$(cat "$WORLD/out")"

broken 'no undo'
fence --undo
exits 2

report
