# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# run-on-host and accept-action with a real sshd on loopback, its own keys and port.
# What is acted on there is the world of stand-ins.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"
for program in /usr/sbin/sshd ssh ssh-keygen; do
  command -v "$program" >/dev/null 2>&1 || { echo "$program is not installed: run-on-host is not tried with a real sshd"; report; exit; }
done

fresh 'a real sshd'
ln -sf "$(command -v ssh)" "$BIN/ssh"
etc=$WORLD/etc
mkdir -m 755 "$etc"
ssh-keygen -q -t ed25519 -N '' -f "$etc/host"
ssh-keygen -q -t ed25519 -N '' -f "$etc/key"
ssh-keygen -q -t ed25519 -N '' -f "$etc/stranger"
# Ports that nobody has, and that the kernel gives to nobody who asks for any.
free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
read -r low _ </proc/sys/net/ipv4/ip_local_port_range
for ((i = 0; i < 100; ++i)); do
  port=$((low / 2 + RANDOM % (low / 2 - 1)))
  free "$port" && free "$((port + 1))" && break
done
user=$(id -un)
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d ' ' -f 1,2 "$etc/host.pub")" >"$etc/known"
printf 'kvm7 %s@127.0.0.1:%s\n' "$user" "$port" >"$etc/hosts"
printf 'kvm8 %s@127.0.0.1:%s\n' "$user" "$((port + 1))" >>"$etc/hosts"
chmod 644 "$etc/hosts"
# The forced command as documented, in the world of the stand-ins: sshd gives it no
# variable of ours, so that a script in front of it does.
cat >"$WORLD/forced" <<SH
#!/bin/bash
# as sshd would start it, but with the stand-ins on PATH
export PATH='$BIN' WORLD='$WORLD' CORRELATOR_ACTION_STATE='$WORLD/state' CORRELATOR_ACTION_SYSROOT='$WORLD/root'
exec '$ACTIONS/accept-action' --allow virsh-suspend,notify
SH
chmod 755 "$WORLD/forced"
printf 'restrict,command="%s" %s\n' "$WORLD/forced" "$(<"$etc/key.pub")" >"$etc/authorized"
cat >"$etc/sshd_config" <<CONF
Port $port
ListenAddress 127.0.0.1
HostKey $etc/host
PidFile none
AuthorizedKeysFile $etc/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel ERROR
CONF
[[ $EUID != 0 ]] || mkdir -p /run/sshd
/usr/sbin/sshd -D -e -f "$etc/sshd_config" 2>"$WORLD/sshd.log" &
sshd=$!
trap 'kill "$sshd" 2>/dev/null; rm -rf -- "$BASE"' EXIT
for ((i = 0; i < 900; ++i)); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
remote() { run run-on-host --hosts "$etc/hosts" --known "$etc/known" --key "$etc/key" "$@"; }

remote --host kvm7 --action virsh-suspend -- --domain vm1
exits 0
check guest 'paused (user)' "$(state vm1)"
says 'vm1 is paused (user)'
remote --host kvm7 --action virsh-suspend --undo -- --domain vm1
exits 0
remote --host kvm7 --action virsh-suspend -- --domain vm9
exits 5
remote --host kvm7 --action virsh-suspend --dry-run -- --domain vm1
check output "'virsh' '-c' 'qemu:///system' 'suspend' 'vm1'" "$(cat "$WORLD/out")"

case_name='arguments over a real connection are what they were'
# shellcheck disable=SC2016
for text in '-rf' 'a b' "a'b" '$(touch x)' '`id`' 'a;b|c&d' $'a\nb' '' '*' $'\\' '~' '#'; do
  remote --host kvm7 --action notify -- --syslog --title t --text "$text"
  exits 0
  check text "t: ${text//$'\n'/ }" "$(sed -n 6p "$WORLD/logger.args" | sed "s/t: no text was given/t: /")"
done

case_name='not allowed for this key'
remote --host kvm7 --action crm-standby
exits 3
says 'is not allowed here'

case_name='nothing but the forced command comes through'
ssh -F none -T -i "$etc/key" -p "$port" -l "$user" -o BatchMode=yes -o UserKnownHostsFile="$etc/known" 127.0.0.1 \
  "touch $WORLD/x" </dev/null >"$WORLD/out" 2>"$WORLD/err"
check 'exit code' 2 $?
says 'another command was asked for'
check 'nothing was run' no "$([[ -e $WORLD/x ]] && echo yes || echo no)"

case_name='another key, an unknown host key, a closed port'
run run-on-host --hosts "$etc/hosts" --known "$etc/known" --key "$etc/stranger" --host kvm7 --action virsh-suspend -- --domain vm1
exits 3
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d ' ' -f 1,2 "$etc/stranger.pub")" >"$etc/wrong"
run run-on-host --hosts "$etc/hosts" --known "$etc/wrong" --key "$etc/key" --host kvm7 --action virsh-suspend -- --domain vm1
exits 3
remote --host kvm8 --action virsh-suspend -- --domain vm1
exits 3
check guest 'running (unpaused)' "$(state vm1)"

case_name='the time is over'
touch "$WORLD/hang-suspend"
began=$SECONDS
remote --host kvm7 --action virsh-suspend --timeout 1 -- --domain vm1 --timeout 50
exits 4
check 'and not when the script there gives up' 1 $((SECONDS - began < 40))

report
