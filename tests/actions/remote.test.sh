# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

# run-on-host through a stand-in for ssh that starts accept-action as sshd starts a
# forced command; the real sshd is in real-ssh.test.sh.
site() {
  fresh "$1"
  mkdir "$WORLD/etc"
  printf '# our hosts\nkvm7\nkvm8 root@10.0.0.8:2222\nkvm9 bad/address\n' >"$WORLD/etc/hosts"
  : >"$WORLD/etc/key"
  chmod 755 "$WORLD/etc"
  chmod 644 "$WORLD/etc/hosts"
  ln -sf "$TESTS/stand-ins/ssh" "$BIN/ssh"
}
remote() { run run-on-host --hosts "$WORLD/etc/hosts" --key "$WORLD/etc/key" "$@"; }

site 'an action on another host'
remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 0
check guest 'paused (user)' "$(state vm1)"
called '-o BatchMode=yes'
called '-o StrictHostKeyChecking=yes'
called '-p 22 -l root'
called '-- kvm7 correlator-action'
called 'logger -t correlator -p auth.notice'
remote --host kvm7 --action virsh-suspend --undo -- --domain vm1
exits 0
check 'undo is passed on' 'running (unpaused)' "$(state vm1)"
remote --host kvm7 --action virsh-suspend -- --domain vm1 --undo
exits 0

site 'where it is found'
remote --host kvm8 --action virsh-suspend -- --domain vm1
called '-p 2222 -l root'
called '-- 10.0.0.8 correlator-action'
remote --host kvm9 --action virsh-suspend -- --domain vm1
exits 3
says 'is not NAME'

site 'a dry run there'
remote --host kvm7 --action virsh-suspend --dry-run -- --domain vm1
exits 0
check output "'virsh' '-c' 'qemu:///system' 'suspend' 'vm1'" "$(cat "$WORLD/out")"
check guest 'running (booted)' "$(state vm1)"

site 'exit codes come back'
remote --host kvm7 --action virsh-suspend -- --domain vm9
exits 5
set_guest vm1 state 'shut off (destroyed)'
remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 3
remote --host kvm7 --action virsh-suspend -- --frobnicate
exits 2

site 'the decision goes along'
printf '{"id":"5f3a","why":"a \\"reason\\"","rule":"r"}' >"$WORLD/decision"
STDIN=$WORLD/decision
remote --host kvm7 --action notify -- --syslog
exits 0
says 'a "reason"' logger.args
STDIN=/dev/null

# shellcheck disable=SC2016
for text in '-rf' 'a b' "a'b" 'a"b' '$(touch x)' '`touch x`' 'a;touch x' $'a\nb' $'a\eb' '' '*' $'\\' 'é' "$(printf 'x%.0s' {1..8000})"; do
  site "hostile argument: ${text:0:20}"
  remote --host kvm7 --action notify -- --syslog --title t --text "$text"
  exits 0
  remote --host kvm7 --action virsh-suspend -- --domain "$text"
  exits 2
  check 'no file x' no "$([[ -e x || -e $WORLD/x ]] && echo yes || echo no)"
done
site 'an argument as it was given'
# shellcheck disable=SC2016
remote --host kvm7 --action notify -- --syslog --title '$(id) "x" '"'y'" --text '*'
# shellcheck disable=SC2016
says '$(id) "x" '"'y'"': *' logger.args
site 'too long, too many'
remote --host kvm7 --action notify -- --syslog --text "$(printf 'x%.0s' {1..8192})"
exits 2
mapfile -t many < <(seq 65)
remote --host kvm7 --action notify -- "${many[@]}"
exits 2

site 'hosts that are not in the list'
for host in kvm1 kvm77 kvm our '#' root; do
  remote --host "$host" --action virsh-suspend -- --domain vm1
  check 'not reached' no "$(holds "$WORLD/calls" ssh)"
done
# shellcheck disable=SC2016
for bad in -oProxyCommand=x 'kvm7;x' 'kvm7 kvm8' '$(x)' '' '../kvm7'; do
  remote --host "$bad" --action virsh-suspend -- --domain vm1
  exits 2
done
site 'a list that others can change, a link, none'
chmod 666 "$WORLD/etc/hosts"
remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 3
says 'others than root can change it'
chmod 644 "$WORLD/etc/hosts"
chmod 777 "$WORLD/etc"
remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 3
chmod 755 "$WORLD/etc"
mv "$WORLD/etc/hosts" "$WORLD/etc/h"
ln -s h "$WORLD/etc/hosts"
remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 3
check 'not reached' no "$(holds "$WORLD/calls" ssh)"

site 'names that are no action'
for bad in ../x /bin/sh lib.sh README.md run-on-host accept-action -x 'a b' Notify; do
  remote --host kvm7 --action "$bad"
  exits 2
  check 'not reached' no "$(holds "$WORLD/calls" ssh)"
done
remote --host kvm7 --action no-such-action
exits 5

site 'ssh does not get there; the connection breaks'
echo 255 >"$WORLD/fail-ssh"
remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 3
says 'cannot be reached'
echo 77 >"$WORLD/fail-ssh"
remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 1
rm "$WORLD/fail-ssh"
touch "$WORLD/hang-ssh"
remote --host kvm7 --action virsh-suspend --timeout 1 -- --domain vm1
exits 4
says 'it may go on there'
site 'no key'
rm "$WORLD/etc/key"
remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 3

site 'this host needs no ssh'
remote --host "$(hostname)" --action virsh-suspend -- --domain vm1
exits 0
check guest 'paused (user)' "$(state vm1)"
check 'no ssh' no "$(holds "$WORLD/calls" ssh)"

# ------------------------------------------------------------------ the other end
# accept OPTIONS... with the frame on stdin
accept() {
  : >"$WORLD/calls"
  env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" CORRELATOR_ACTION_SYSROOT="$WORLD/root" \
    SSH_CONNECTION='10.0.0.1 1 10.0.0.2 22' "${ORIGINAL:-SSH_ORIGINAL_COMMAND=correlator-action}" \
    "$DIR/accept-action" "$@" >"$WORLD/out" 2>"$WORLD/err"
  code=$?
}
DIR=$ACTIONS
frame() { printf '%s\0' "$@"; }

site 'only what is allowed'
frame correlator-action-1 virsh-suspend 2 --domain vm1 | accept --allow notify,crm-standby
code=$?
frame correlator-action-1 virsh-suspend 2 --domain vm1 >"$WORLD/frame"
accept --allow notify,crm-standby <"$WORLD/frame"
exits 3
says 'is not allowed here'
called 'auth.warning'
accept --allow notify,virsh-suspend <"$WORLD/frame"
exits 0

site 'frames that are none'
# shellcheck disable=SC2016
for broken in '' 'x' 'correlator-action-2\0notify\0000\0' 'correlator-action-1\0notify' 'correlator-action-1\0notify\0002\0--syslog\0' \
  'correlator-action-1\0notify\0-1\0' 'correlator-action-1\0notify\000a[$(touch x)]\0' 'correlator-action-1\0notify\000999\0' \
  'correlator-action-1\0../../bin/sh\0000\0' 'correlator-action-1\0accept-action\0000\0' 'correlator-action-1\0lib.sh\0000\0'; do
  printf '%b' "$broken" >"$WORLD/frame"
  accept <"$WORLD/frame"
  exits 2
  check 'no file x' no "$([[ -e x ]] && echo yes || echo no)"
done

site 'another command, and none: it is for a key'
frame correlator-action-1 virsh-suspend 2 --domain vm1 >"$WORLD/frame"
ORIGINAL='SSH_ORIGINAL_COMMAND=bash -i' accept <"$WORLD/frame"
exits 2
ORIGINAL=NOTHING=x accept <"$WORLD/frame"
exits 3
check guest 'running (booted)' "$(state vm1)"

site 'a script that others can change, or that is a link'
DIR=$WORLD/actions
mkdir "$DIR"
cp "$ACTIONS"/lib*.sh "$ACTIONS/accept-action" "$ACTIONS/virsh-suspend" "$DIR"
chmod 755 "$DIR" "$DIR/accept-action"
chmod 777 "$DIR/virsh-suspend"
frame correlator-action-1 virsh-suspend 2 --domain vm1 >"$WORLD/frame"
accept <"$WORLD/frame"
exits 3
rm "$DIR/virsh-suspend"
ln -s "$ACTIONS/virsh-suspend" "$DIR/virsh-suspend"
accept <"$WORLD/frame"
exits 3
says 'is a link'

report
