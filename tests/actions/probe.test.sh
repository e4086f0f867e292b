# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

# A probe says in one line what it saw: 0 well, 1 not, anything else nothing.
answer() { cat "$WORLD/out"; }

fresh 'libvirt answers'
run probe-libvirt
exits 0
check line 'libvirt at qemu:///system answers, 1 active guest(s)' "$(answer)"
rm -r "$WORLD/here/domains/vm1"
run probe-libvirt qemu:///system
exits 0
check line 'libvirt at qemu:///system answers, 0 active guest(s)' "$(answer)"

fresh 'libvirt is down, or hangs: both are failures, not a broken probe'
touch "$WORLD/here/down"
run probe-libvirt
exits 1
check 'one line' 1 "$(wc -l <"$WORLD/out")"
rm "$WORLD/here/down"
touch "$WORLD/hang-list"
run probe-libvirt --timeout 1
exits 1
check line 'libvirt at qemu:///system did not answer in 1 s' "$(answer)"
fresh 'no virsh: nothing is known'
rm "$BIN/virsh"
run probe-libvirt
exits 5
install_stand_ins
fresh 'a row that is no URI'
run probe-libvirt 'x;y'
exits 2

for agent in answers:0 gone:1 mute:1 none:5; do
  fresh "the agent: $agent"
  set_guest vm1 agent "${agent%:*}"
  run probe-guest-agent vm1
  exits "${agent#*:}"
done
fresh 'the agent hangs'
touch "$WORLD/hang-qemu-agent-command"
run probe-guest-agent vm1 --timeout 1
exits 1
fresh 'a guest that does not run is not missed'
set_guest vm1 state 'shut off (destroyed)'
run probe-guest-agent --domain vm1
exits 0
check line 'vm1 is shut off (destroyed)' "$(answer)"
fresh 'unknown guest, libvirt down, no name: nothing is known'
run probe-guest-agent vm9
exits 5
touch "$WORLD/here/down"
run probe-guest-agent vm1
exits 3
run probe-guest-agent
exits 2
run probe-guest-agent 'vm1;x'
exits 2

network() {
  fresh "$1"
  mkdir -p "$WORLD"/net/{local,answers,arp} "$WORLD/root/sys/class/net/bond0" "$WORLD/root/sys/class/net/bond1"
}
network 'a neighbour answers'
: >"$WORLD/net/answers/10.0.0.1"
run probe-path bond0=10.0.0.1
exits 0
check line 'answers: bond0=10.0.0.1 (ping)' "$(answer)"
called 'ping -n -q -c 3 -i 0.2 -W 1 -w 3 -I bond0 10.0.0.1'
not_called arping
network 'it drops ICMP, and answers ARP'
: >"$WORLD/net/arp/10.0.0.1"
run probe-path bond0=10.0.0.1
exits 0
check line 'answers: bond0=10.0.0.1 (arping)' "$(answer)"
network 'up, and carries nothing'
run probe-path bond0=10.0.0.1
exits 1
check line 'no answer: bond0=10.0.0.1' "$(answer)"
network 'small packets only: ARP would not tell'
echo 1000 >"$WORLD/net/answers/10.0.0.1"
: >"$WORLD/net/arp/10.0.0.1"
run probe-path bond0=10.0.0.1 --size 1000
exits 0
run probe-path bond0=10.0.0.1 --size 1001
exits 1
not_called arping
network 'IPv6'
run probe-path bond0=fe80::1
exits 1
not_called arping
network 'a file of paths'
: >"$WORLD/net/answers/10.0.0.1"
printf '# path\nbond0=10.0.0.1\n\nbond1=10.1.0.1\n' >"$WORLD/paths"
run probe-path --paths "$WORLD/paths"
exits 1
check line 'no answer: bond1=10.1.0.1; answers: bond0=10.0.0.1 (ping)' "$(answer)"
network 'no interface, no file, an empty one: nothing is known'
run probe-path bond7=10.0.0.1
exits 5
run probe-path --paths "$WORLD/none"
exits 3
: >"$WORLD/paths"
run probe-path --paths "$WORLD/paths"
exits 3
# shellcheck disable=SC2016
for bad in bond0 =10.0.0.1 bond0= 'bond0=10.0.0.1 -c9' 'bond0=$(x)' '../x=10.0.0.1' 'bond0=host' $'bond0=10.0.0.1\n'; do
  network "hostile: $bad"
  run probe-path "$bad"
  exits 2
  check 'nothing called' '' "$(cat "$WORLD/calls")"
done

report
