# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

# The guest vm1 belongs to resource res1, which runs with another one on nodeA.
owned() {
  fresh "$1"
  cat >"$WORLD/cluster/cib.xml" <<'XML'
<xpath-query><primitive id="res1" type="VirtualDomain"><nvpair id="n" name="config" value="/etc/libvirt/qemu/vm1.xml"/></primitive></xpath-query>
XML
  mkdir -p "$WORLD/cluster/resources/res1"
  echo nodeA >"$WORLD/cluster/resources/res1/node"
}
managed() { cat "$WORLD/cluster/resources/res1/managed" 2>/dev/null || echo unset; }
dumps() { find "$WORLD/dumps" -type f | wc -l; }
quiesce() { run quiesce-guest --domain vm1 --dir "$WORLD/dumps" --keep-free 0 "$@"; }
order() { grep -nE "$1" "$WORLD/calls" | head -n 1 | cut -d : -f 1; }

for with in crm crm_standby crm_attribute pcs; do
  owned "the whole way with $with"
  quiesce --with "$with"
  exits 0
  check guest 'paused (user)' "$(state vm1)"
  check dump 1 "$(dumps)"
  check 'its name on stdout' "$(find "$WORLD/dumps" -type f)" "$(cat "$WORLD/out")"
  check node true "$(standby_of nodeA)"
  check 'the cluster leaves it alone' false "$(managed)"
  check 'unmanaged before it is stopped' 1 $(($(order 'is-managed --parameter-value false') < $(order 'virsh .* suspend ')))
  check 'stopped before it is dumped' 1 $(($(order 'virsh .* suspend ') < $(order ' dump ')))
  check 'dumped before the node is emptied' 1 $(($(order ' dump ') < $(order 'node standby|crm_standby --node|--name standby')))

  quiesce --with "$with"
  exits 0
  check 'a second time changes nothing' 1 "$(dumps)"
  not_called ' suspend '
  not_called --parameter-value

  quiesce --with "$with" --undo
  exits 0
  check 'undo: guest' 'running (unpaused)' "$(state vm1)"
  check 'undo: cluster' unset "$(managed)"
  check 'undo: node' false "$(standby_of nodeA)"
  check 'undo: the node before the guest, which would be moved' 0 "$(awk '/--delete-parameter is-managed/ { on = 1; next } on' "$WORLD/calls" | grep -c standby)"
  quiesce --with "$with" --undo
  exits 3
done

owned 'managed explicitly: given back as it was'
printf true >"$WORLD/cluster/resources/res1/managed"
quiesce
check unmanaged false "$(managed)"
quiesce --undo
exits 0
check 'as before' true "$(managed)"

owned 'unmanaged by somebody: not ours to give back'
printf false >"$WORLD/cluster/resources/res1/managed"
quiesce
exits 0
quiesce --undo
exits 0
check 'as before' false "$(managed)"

owned 'cannot be set unmanaged: stopped and dumped, but the node is not emptied'
touch "$WORLD/cluster/fail-managed"
quiesce
exits 6
check guest 'paused (user)' "$(state vm1)"
check dump 1 "$(dumps)"
check node false "$(standby_of nodeA)"
says 'the cluster would destroy vm1'

owned 'not suspended: nothing else is done, the resource is given back'
echo 'internal error' >"$WORLD/fail-suspend"
quiesce
exits 1
check node false "$(standby_of nodeA)"
check dump 0 "$(dumps)"
check cluster unset "$(managed)"

owned 'a hung QEMU: run again when it wakes up, and it goes on'
touch "$WORLD/hang-suspend"
quiesce
exits 4
check cluster false "$(managed)"
rm "$WORLD/hang-suspend"
set_guest vm1 state 'paused (user)'
quiesce
exits 0
says 'goes on after: unmanage'
quiesce --undo
exits 0
check 'the late pause was ours' 'running (unpaused)' "$(state vm1)"

owned 'the dump fails: it stays suspended, the node is emptied, the code says so'
echo 'no space' >"$WORLD/fail-dump"
quiesce
exits 1
check guest 'paused (user)' "$(state vm1)"
check node true "$(standby_of nodeA)"
rm "$WORLD/fail-dump"
quiesce
exits 0
says 'goes on after: standby'
check 'dumped now' 1 "$(dumps)"

owned 'a poisoned page: not read, a person decides'
qemu_log vm1 'BUS_MCEERR_AR injected'
quiesce
exits 6
check dump 0 "$(dumps)"
check guest 'paused (user)' "$(state vm1)"
check node true "$(standby_of nodeA)"

owned 'the dump kills it'
touch "$WORLD/kill-dump"
quiesce --accept-loss
exits 6
says 'lost for a post-mortem'
check node false "$(standby_of nodeA)"

owned 'the last node: kept, and not emptied'
node nodeB true true 0
quiesce
exits 6
check guest 'paused (user)' "$(state vm1)"
check dump 1 "$(dumps)"
check node false "$(standby_of nodeA)"

owned 'killed in the middle of the dump, and run again'
touch "$WORLD/hang-dump"
background quiesce-guest --domain vm1 --dir "$WORLD/dumps" --keep-free 0
until_called ' dump '
read -ra steps <"/proc/$script/task/$script/children"  # the virsh that it asks, and virsh-dump
kill -KILL "$script"
wait "$script" 2>/dev/null
kill -TERM "${steps[-1]}"
rm "$WORLD/hang-dump"
for ((i = 0; i < 900; ++i)); do [[ -e $WORLD/here/domains/vm1/job ]] || break; sleep 0.1; done
quiesce
exits 0
says 'goes on after: suspended'
check node true "$(standby_of nodeA)"

fresh 'a crashed guest that is kept: the useful case'
set_guest vm1 state 'crashed (panicked)'
quiesce
exits 0
check guest 'crashed (panicked)' "$(state vm1)"
check dump 1 "$(dumps)"
quiesce --undo
exits 3
says 'so that nothing else was taken back'
check node true "$(standby_of nodeA)"

fresh 'no cluster here'
rm -f "$BIN"/{crm,crm_standby,crm_attribute,pcs,crm_mon,cibadmin}
quiesce
exits 0
says 'no cluster here'
quiesce --undo
exits 0
install_stand_ins

fresh 'steps left out'
quiesce --no-dump --with none
exits 0
check dump 0 "$(dumps)"
check node false "$(standby_of nodeA)"

fresh 'unknown, shut off, libvirtd down'
run quiesce-guest --domain vm9
exits 5
set_guest vm1 state 'shut off (destroyed)'
quiesce
exits 3
touch "$WORLD/here/down"
quiesce
exits 3

owned 'dry run: all commands, nothing done'
dry quiesce-guest --domain vm1 --dir "$WORLD/dumps" --keep-free 0
exits 0
check 'four commands' 4 "$(wc -l <"$WORLD/out")"
check 'in this order' 'is-managed suspend dump standby' "$(grep -oE "is-managed|'suspend'|'dump'|'standby'" "$WORLD/out" | tr -d "'" | paste -sd ' ')"

report
