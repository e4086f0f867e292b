# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# keepalived-standby and probe-path with real keepalived, ip, ping and arping: two
# routers in network namespaces of their own, joined by a veth pair.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"
for program in keepalived ip ping arping; do
  command -v "$program" >/dev/null 2>&1 || { echo "$program is not installed: keepalived is not tried for real"; report; exit; }
done
one=cka$$ two=ckb$$
ip netns add "$one" 2>/dev/null || { echo 'no right to make network namespaces: keepalived is not tried for real'; report; exit; }
ip netns add "$two"
pids=()
leave() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  wait
  ip netns del "$one"
  ip netns del "$two"
  rm -rf -- "$BASE"
}
trap leave EXIT
for name in ip ping arping; do ln -sf "$(command -v "$name")" "$BIN/$name"; done

fresh 'real keepalived'
ip -n "$one" link add v0 type veth peer name v0 netns "$two"
for side in "$one:1" "$two:2"; do
  ip -n "${side%:*}" link set lo up
  ip -n "${side%:*}" link set v0 up
  ip -n "${side%:*}" address add "10.77.0.${side#*:}/24" dev v0
done
mkdir -m 755 "$WORLD/ka"
# router NAMESPACE PRIORITY
router() {
  cat >"$WORLD/ka/$1.conf" <<CONF
global_defs { router_id $1
  enable_script_security
}
track_file standby {
  file "$WORLD/ka/$1-standby"
  weight 0
  init_file 0
}
vrrp_instance v {
  state BACKUP
  interface v0
  virtual_router_id 77
  priority $2
  advert_int 0.2
  version 3
  virtual_ipaddress { 10.77.0.100/24 }
  track_file { standby }
}
CONF
  chmod 644 "$WORLD/ka/$1.conf"
  ip netns exec "$1" keepalived -n -l -P -f "$WORLD/ka/$1.conf" -p "$WORLD/ka/$1.pid" -r "$WORLD/ka/$1.vrrp" >"$WORLD/ka/$1.log" 2>&1 &
  pids+=($!)
}
router "$one" 200
router "$two" 100
has() { [[ -n $(ip -n "$1" -o address show to 10.77.0.100) ]] && echo yes || echo no; }
wait_for() { local i; for ((i = 0; i < 900; ++i)); do [[ $(has "$1") == "$2" ]] && return; sleep 0.1; done; }
wait_for "$one" yes
check 'the first router has the address' yes "$(has "$one")"
chmod 644 "$WORLD/ka/$one-standby"
inside() {
  : >"$WORLD/calls"
  ip netns exec "$one" env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" "$ACTIONS/$1" "${@:2}" \
    </dev/null >"$WORLD/out" 2>"$WORLD/err"
  code=$?
}
standby() { inside keepalived-standby --address 10.77.0.100 --peer 10.77.0.2 --file "$WORLD/ka/$one-standby" --pid-file "$WORLD/ka/$one.pid" "$@"; }
standby --dry-run
exits 0
check 'still here' yes "$(has "$one")"
standby
exits 0
check 'gone here' no "$(has "$one")"
check 'there' yes "$(has "$two")"
standby
exits 0
standby --undo
exits 0
wait_for "$one" yes
check 'and back by priority' yes "$(has "$one")"

case_name='a path that carries, and one that is up and does not'
inside probe-path v0=10.77.0.2
exits 0
check line 'answers: v0=10.77.0.2 (ping)' "$(cat "$WORLD/out")"
# It drops ICMP: ARP still answers.
ip netns exec "$two" sh -c 'echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all'
inside probe-path v0=10.77.0.2 --timeout 1
exits 0
check line 'answers: v0=10.77.0.2 (arping)' "$(cat "$WORLD/out")"
ip netns exec "$two" sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_all'
inside probe-path v0=10.77.0.2 --size 1400
exits 0
ip -n "$two" link set v0 mtu 1200
inside probe-path v0=10.77.0.2 --size 1400 --timeout 1
exits 1
inside probe-path v0=10.77.0.3 --timeout 1
exits 1
check line 'no answer: v0=10.77.0.3' "$(cat "$WORLD/out")"

case_name='the other router is gone: nobody would take the address'
kill "${pids[1]}"
ip -n "$two" link set v0 mtu 1500
standby --timeout 2
exits 6
check 'taken back' 0 "$(cat "$WORLD/ka/$one-standby")"
says 'no other host took the addresses'
wait_for "$one" yes
check 'here again' yes "$(has "$one")"
ip -n "$two" link set v0 down
standby
exits 6
says 'no peer answers'

report
