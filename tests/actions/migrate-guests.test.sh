# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

three() {
  fresh "$1"
  guest here vm2 'running (booted)'
  guest here vm3 'paused (user)'
}
order() { grep -oE 'migrate --live.* vm[0-9]+' "$WORLD/calls" | grep -oE 'vm[0-9]+$' | tr '\n' ' '; }

three 'all guests'
guest here off 'shut off (destroyed)'
run migrate-guests --to kvm2
exits 0
says '3 of 3 guests migrated'
check order 'vm1 vm2 vm3 ' "$(order)"
check 'stays' 'shut off (destroyed)' "$(state off)"
run migrate-guests --to kvm2
exits 0
says '0 of 0 guests'

three 'the important ones first, the one that was hit stays'
run migrate-guests --to kvm2 --first vm3,vm9 --except vm1
exits 0
check order 'vm3 vm2 ' "$(order)"
check 'stays' 'running (booted)' "$(state vm1)"

three 'one that cannot go does not stop the others'
qemu_log vm1 'of type BUS_MCEERR_AR injected'
run migrate-guests --to kvm2
exits 6
says '2 of 3 guests'
check 'vm1 here' 'running (booted)' "$(state vm1)"
check 'vm3 there' 'paused (user)' "$(state vm3 there)"

three 'the gravest code wins, a refusal is seen'
set_guest vm2 state 'crashed (panicked)'
run migrate-guests --to kvm2
exits 3

three 'dealt out in turn'
run migrate-guests --to kvm2,kvm3
exits 0
called 'vm1 qemu+ssh://kvm2/'
called 'vm2 qemu+ssh://kvm3/'
called 'vm3 qemu+ssh://kvm2/'

three 'offered to the next host'
touch "$WORLD/there/down"
run migrate-guests --to kvm2,kvm3
exits 3
called 'virsh -c qemu+ssh://kvm3/system?no_tty=1 hostname'
says '0 of 3'

three 'hang: each has its limit, all together too'
touch "$WORLD/hang-migrate"
run migrate-guests --to kvm2 --each 1 --timeout 2
exits 4
says 'no time left'

three 'told to stop: the job under way is aborted'
touch "$WORLD/hang-migrate"
env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" "$ACTIONS/migrate-guests" --to kvm2 \
  </dev/null >"$WORLD/out" 2>"$WORLD/err" &
script=$!
for ((i = 0; i < 900; ++i)); do [[ -e $WORLD/here/domains/vm1/job ]] && break; sleep 0.1; done
kill -TERM "$script"
wait "$script"
code=$?
exits 4
called domjobabort
check 'no job' no "$([[ -e $WORLD/here/domains/vm1/job ]] && echo yes || echo no)"
check 'no other was begun' 'vm1 ' "$(order)"

three 'a guest whose name is hostile'
guest here '-rf' 'running (booted)'
# shellcheck disable=SC2016
guest here 'a$(touch x);b' 'running (booted)'
run migrate-guests --to kvm2
exits 6
says '3 of 3'
check 'stays' 'running (booted)' "$(state -rf)"

fresh 'libvirtd down'
touch "$WORLD/here/down"
run migrate-guests --to kvm2
exits 3

fresh 'URIs go with one destination'
run migrate-guests --to kvm2,kvm3 --dest-uri qemu+tcp://a/system
exits 2

three 'dry run'
dry migrate-guests --to kvm2
exits 0
check 'three lines' 3 "$(wc -l <"$WORLD/out")"

report
