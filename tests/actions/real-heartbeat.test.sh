# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# heartbeat-standby on a real Heartbeat 3: two nodes in namespaces of their own, joined
# by a veth pair, and one resource that is a file.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"
for program in cl_status ip nsenter; do
  command -v "$program" >/dev/null 2>&1 || { echo "$program is not installed: Heartbeat is not tried for real"; report; exit; }
done
unshare -m -u -n true 2>/dev/null || { echo 'no right to make namespaces: Heartbeat is not tried for real'; report; exit; }

fresh 'a real Heartbeat'
pids=()
leave() {
  local pid
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf -- "$BASE"
}
trap leave EXIT
cp -a /etc/ha.d "$WORLD/ha.d"
cat >"$WORLD/node" <<'SH'
#!/bin/bash
# node NAME ADDRESS WORLD: one node, as init of its namespaces
hostname "$1"
mount -t tmpfs none /run
mount -t tmpfs none /var/lib/heartbeat
mount -t tmpfs none /etc/ha.d
cp -a "$3/ha.d/." /etc/ha.d
mkdir -p /run/lock /run/heartbeat/{ccm,crm,dopd,rsctmp} /var/lib/heartbeat/{crm,pengine,cores/{root,nobody,hacluster}} /etc/ha.d/resource.d
chown -R hacluster:haclient /var/lib/heartbeat /run/heartbeat
chown root:root /run/heartbeat
printf '%s\n' "logfile $3/$1.log" 'keepalive 300ms' 'deadtime 3' 'warntime 1' 'initdead 6' 'ucast eth0 10.88.0.1' 'ucast eth0 10.88.0.2' \
  'node hb1 hb2' 'auto_failback off' 'crm off' >/etc/ha.d/ha.cf
printf 'auth 1\n1 sha1 test\n' >/etc/ha.d/authkeys
chmod 600 /etc/ha.d/authkeys
echo 'hb1 a-file' >/etc/ha.d/haresources
cat >/etc/ha.d/resource.d/a-file <<'RES'
#!/bin/sh
# the resource of the test
case $1 in
  start) touch /run/a-file ;;
  stop) rm -f /run/a-file ;;
  status) if [ -e /run/a-file ]; then echo running; else echo stopped; fi ;;
esac
RES
chmod 755 /etc/ha.d/resource.d/a-file
ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.1; done
ip address add "$2/24" dev eth0
ip link set eth0 up
for program in /usr/libexec/heartbeat/heartbeat /usr/lib/heartbeat/heartbeat; do
  [[ -x $program ]] && "$program" && break
done
exec sleep 300
SH
node_pid=()
for i in 1 2; do
  unshare -m -u -n -p -f --kill-child --mount-proc bash "$WORLD/node" "hb$i" "10.88.0.$i" "$WORLD" >"$WORLD/node$i.out" 2>&1 &
  pids+=($!)
  for ((n = 0; n < 900; ++n)); do read -r child _ <"/proc/$!/task/$!/children" && break; sleep 0.1; done
  node_pid+=("$child")
done
ip link add eth0 netns "${node_pid[0]}" type veth peer name eth0 netns "${node_pid[1]}"
# on NODE COMMAND...
on() { nsenter -t "${node_pid[$1 - 1]}" -m -u -n -p -- env CORRELATOR_ACTION_STATE=/run/actions "${@:2}"; }
held() { on "$1" cl_status rscstatus 2>/dev/null | tail -n 1; }
has_file() { on "$1" test -e /run/a-file && echo yes || echo no; }
standby() { on 1 "$ACTIONS/heartbeat-standby" --timeout 30 "$@" </dev/null >"$WORLD/out" 2>"$WORLD/err"; code=$?; }
settled() { [[ $(held 1) =~ ^(local|all)$ && $(has_file 1) == yes && $(held 2) != transition ]]; }
for ((n = 0; n < 240; ++n)); do
  settled && break
  # On a busy machine the second node may be up first, and keeps what it took: auto_failback is off.
  if ((n % 20 == 19)) && [[ $(has_file 2) == yes ]]; then on 1 /usr/share/heartbeat/hb_takeover all >/dev/null 2>&1; fi
  sleep 0.5
done
check 'the first node has the resource' yes "$(has_file 1)"

standby --dry-run
exits 0
check 'still' yes "$(has_file 1)"
standby
exits 0
check 'holds' none "$(held 1)"
check 'gone here' no "$(has_file 1)"
check 'there' yes "$(has_file 2)"
standby
exits 0
standby --undo
exits 0
check 'back' yes "$(has_file 1)"

case_name='the other node is dead'
kill -KILL "${pids[1]}"  # unshare does not die of TERM; its child dies with it
{ wait "${pids[1]}"; } 2>/dev/null
for ((n = 0; n < 900; ++n)); do [[ $(on 1 cl_status nodestatus hb2 2>/dev/null | tail -n 1) == dead ]] && break; sleep 0.5; done
for ((n = 0; n < 900; ++n)); do [[ $(held 1) != transition ]] && break; sleep 0.5; done
standby
exits 6
says 'is dead, not active'
check 'still here' yes "$(has_file 1)"

report
