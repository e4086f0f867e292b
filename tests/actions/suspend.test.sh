# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

fresh 'suspend a running guest'
run virsh-suspend --domain vm1
exits 0
check state 'paused (user)' "$(state vm1)"
says 'vm1 is paused (user)'
run virsh-suspend --domain vm1
exits 0
says 'paused (user) already'
not_called ' suspend '

fresh 'one virsh asks, acts and looks again'
run virsh-suspend --domain vm1
check 'started' 1 "$(wc -l <"$WORLD/sessions")"
check 'in this order' 'dominfo domstate suspend domstate' "$(awk '{ for (i = 1; i <= NF; ++i) if ($i == "qemu:///system") print $(i + 1) }' "$WORLD/calls" | tr '\n' ' ' | sed 's/ $//')"
run virsh-resume --domain vm1
check 'started' 2 "$(wc -l <"$WORLD/sessions")"

fresh 'a virsh that does not repeat what it reads (built without readline)'
touch "$WORLD/no-echo"
run virsh-suspend --domain vm1
exits 0
says 'vm1 is paused (user)'

fresh 'the connection is lost on the way, and made anew by virsh'
touch "$WORLD/lost"
run virsh-suspend --domain vm1
exits 0
check state 'paused (user)' "$(state vm1)"

fresh 'virsh dies on the way: nobody knows whether it was heard, so the marker stays'
touch "$WORLD/die-suspend"
run virsh-suspend --domain vm1
exits 1
says 'suspend vm1: exit 1'
set_guest vm1 state 'paused (user)'
run virsh-suspend --domain vm1 --undo
exits 0
check state 'running (unpaused)' "$(state vm1)"

fresh 'by UUID'
run virsh-suspend --domain "$(cat "$WORLD/here/domains/vm1/uuid")"
exits 0
check state 'paused (user)' "$(state vm1)"

fresh 'paused by somebody else: fine, but not ours to resume'
set_guest vm1 state 'paused (user)'
run virsh-suspend --domain vm1
exits 0
run virsh-resume --domain vm1
exits 3
says 'was not suspended by this action'
check state 'paused (user)' "$(state vm1)"

for reason in dumping migrating saving; do
  fresh "paused only for a job: $reason"
  set_guest vm1 state "paused ($reason)"
  run virsh-suspend --domain vm1
  exits 3
  says 'runs on when that job ends'
done

fresh 'crashed guest'
set_guest vm1 state 'crashed (panicked)'
run virsh-suspend --domain vm1
exits 0
says 'does not run, left as it is'
not_called ' suspend '
run virsh-suspend --domain vm1 --undo
exits 3
says 'a crashed guest is never resumed'
check state 'crashed (panicked)' "$(state vm1)"

fresh 'crashed after we suspended it'
run virsh-suspend --domain vm1
set_guest vm1 state 'crashed (panicked)'
run virsh-resume --domain vm1
exits 3
not_called ' resume '

fresh 'shut off'
set_guest vm1 state 'shut off (destroyed)'
run virsh-suspend --domain vm1
exits 3
run virsh-resume --domain vm1
exits 3

fresh 'unknown guest'
run virsh-suspend --domain vm9
exits 5
says 'vm9 is unknown on this host'

fresh 'libvirtd down'
touch "$WORLD/here/down"
run virsh-suspend --domain vm1
exits 3
says 'libvirt does not answer'

fresh 'hung QEMU: virsh is stopped, the marker stays, the late pause is ours'
touch "$WORLD/hang-suspend"
run virsh-suspend --domain vm1 --timeout 1
exits 4
says 'it may still take effect'
rm "$WORLD/hang-suspend"
set_guest vm1 state 'paused (user)'
run virsh-suspend --domain vm1 --undo
exits 0
check state 'running (unpaused)' "$(state vm1)"

fresh 'a virsh that ignores TERM is killed'
echo deaf >"$WORLD/hang-suspend"
began=$SECONDS
run virsh-suspend --domain vm1 --timeout 1
exits 4
check 'before it ends by itself after 60 s' 1 $((SECONDS - began < 50))

fresh 'virsh hangs already at the question'
touch "$WORLD/hang-domstate"
env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" "$ACTIONS/virsh-suspend" --domain vm1 \
  </dev/null >"$WORLD/out" 2>"$WORLD/err" &
script=$!
for ((i = 0; i < 900; ++i)); do grep -q domstate "$WORLD/calls" && break; sleep 0.1; done
kill -TERM "$script"
wait "$script"
code=$?
exits 4
says 'told to stop by a signal'

fresh 'success reported, nothing done'
touch "$WORLD/lie-suspend"
run virsh-suspend --domain vm1
exits 1
says 'after a suspend that reported success'

fresh 'another job holds the guest'
echo 'Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatchDomainSuspend)' >"$WORLD/fail-suspend"
run virsh-suspend --domain vm1
exits 4
says 'another job holds vm1'

fresh 'refused by libvirt for another reason: no marker is left'
echo 'internal error' >"$WORLD/fail-suspend"
run virsh-suspend --domain vm1
exits 1
check 'no marker' '' "$(find "$WORLD/state/suspended" -type f)"

fresh 'dry run'
dry virsh-suspend --domain vm1
exits 0
check output "'virsh' '-c' 'qemu:///system' 'suspend' 'vm1'" "$(cat "$WORLD/out")"
dry virsh-suspend --domain vm9
exits 5
check 'no output' '' "$(cat "$WORLD/out")"

fresh 'undo'
run virsh-suspend --domain vm1
dry virsh-suspend --domain vm1 --undo
exits 0
check output "'virsh' '-c' 'qemu:///system' 'resume' 'vm1'" "$(cat "$WORLD/out")"
run virsh-suspend --domain vm1 --undo
exits 0
check state 'running (unpaused)' "$(state vm1)"
run virsh-suspend --domain vm1 --undo
exits 0
says 'already'
not_called ' resume '
set_guest vm1 state 'paused (user)'
run virsh-resume --domain vm1
exits 3

fresh 'an I/O error paused it, too'
run virsh-suspend --domain vm1
set_guest vm1 state 'paused (ioerror)'
run virsh-resume --domain vm1
exits 3
says 'not the pause that was ours'

fresh 'started anew since'
run virsh-suspend --domain vm1
set_guest vm1 id 77
run virsh-resume --domain vm1
exits 3
says 'was started anew'

fresh 'resume that fails'
run virsh-suspend --domain vm1
echo 'internal error' >"$WORLD/fail-resume"
run virsh-resume --domain vm1
exits 1
rm "$WORLD/fail-resume"
touch "$WORLD/hang-resume"
run virsh-resume --domain vm1 --timeout 1
exits 4
rm "$WORLD/hang-resume"
run virsh-resume --domain vm1
exits 0

fresh 'two at once: the second waits, then gives up'
mkdir -p "$WORLD/state/lock"
exec 7>"$WORLD/state/lock/domain-$(cat "$WORLD/here/domains/vm1/uuid")"
flock 7
run virsh-suspend --domain vm1 --lock-wait 1
exits 4
says 'another action has held the lock'
exec 7>&-

fresh 'state directory that cannot be'
rm -rf "$WORLD/state"
: >"$WORLD/state"
run virsh-suspend --domain vm1
exits 3
says 'state directory cannot be written'
check state 'running (booted)' "$(state vm1)"

report
