# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

save() { run virsh-managedsave --domain vm1 --dir "$WORLD/dumps" --keep-free 0 "$@"; }

fresh 'a running guest is saved, and started again by --undo'
save
exits 0
called 'managedsave vm1'
check state 'shut off (saved)' "$(state vm1)"
save
exits 0
says 'saved already'
not_called ' managedsave '
save --undo
exits 0
called 'start vm1'
check state 'running (restored)' "$(state vm1)"
save --undo
exits 0
not_called ' start '

fresh 'a paused guest comes back paused'
set_guest vm1 state 'paused (user)'
save
exits 0
save --undo
exits 0
check state 'paused (user)' "$(state vm1)"

fresh 'saved by somebody else: not ours to start'
set_guest vm1 state 'shut off (saved)'
set_guest vm1 saved running
save
exits 0
save --undo
exits 3
says 'was not saved by this action'

fresh 'the saved state is gone: a start would boot it afresh'
save
rm "$WORLD/here/domains/vm1/saved"
save --undo
exits 6
not_called ' start '

for state in 'crashed (panicked)' 'shut off (destroyed)' 'pmsuspended (unknown)'; do
  fresh "state: $state"
  set_guest vm1 state "$state"
  save
  exits 3
  not_called ' managedsave '
done

fresh 'unknown guest, libvirtd down'
run virsh-managedsave --domain vm9
exits 5
touch "$WORLD/here/down"
save
exits 3

fresh 'no room: nothing is begun'
set_guest vm1 memory 999999999999999
save
exits 3
says 'MiB are wanted'
not_called ' managedsave '

fresh 'a passed-through device'
set_guest vm1 xml "<hostdev mode='subsystem' type='pci' managed='yes'>"
save
exits 3
set_guest vm1 xml "<interface type='hostdev' managed='yes'>"
save
exits 3
says 'passed-through device'

fresh 'a guest that was hit'
qemu_log vm1 'BUS_MCEERR_AR injected'
save
exits 6
not_called ' managedsave '

fresh 'a guest of the cluster'
cat >"$WORLD/cluster/cib.xml" <<'XML'
<xpath-query><primitive id="res1" type="VirtualDomain"><nvpair id="n" name="config" value="/etc/libvirt/qemu/vm1.xml"/></primitive></xpath-query>
XML
save
exits 3
says 'resource res1'

fresh 'a job is under way'
echo dump >"$WORLD/here/domains/vm1/job"
save
exits 3

fresh 'hang: the job is aborted, the guest runs on'
touch "$WORLD/hang-managedsave"
save --timeout 1
exits 4
called domjobabort
check state 'running (booted)' "$(state vm1)"
check 'no marker' '' "$(find "$WORLD/state/saved" -type f)"

fresh 'hang, and the job cannot be aborted: what is saved later is ours'
touch "$WORLD/hang-managedsave" "$WORLD/job-stuck"
save --timeout 1
exits 4
says 'may still end either way'
rm "$WORLD/hang-managedsave" "$WORLD/here/domains/vm1/job"
set_guest vm1 state 'shut off (saved)'
set_guest vm1 saved running
save --undo
exits 0

fresh 'told to stop in the middle'
touch "$WORLD/hang-managedsave"
background virsh-managedsave --domain vm1 --dir "$WORLD/dumps" --keep-free 0
until_called managedsave
stopped_by_term
exits 4
called domjobabort

fresh 'refused: transient'
echo 'Requested operation is not valid: cannot do managed save for transient domain' >"$WORLD/fail-managedsave"
save
exits 3
says 'is transient'

fresh 'fails; success without a save'
echo 'internal error' >"$WORLD/fail-managedsave"
save
exits 1
rm "$WORLD/fail-managedsave"
touch "$WORLD/lie-managedsave"
save
exits 6
says 'after a save that reported success'

fresh 'dry run'
dry virsh-managedsave --domain vm1 --dir "$WORLD/dumps" --keep-free 0
exits 0
check output "'virsh' '-c' 'qemu:///system' 'managedsave' 'vm1'" "$(cat "$WORLD/out")"
save
dry virsh-managedsave --domain vm1 --undo
exits 0
check output "'virsh' '-c' 'qemu:///system' 'start' 'vm1'" "$(cat "$WORLD/out")"

report
