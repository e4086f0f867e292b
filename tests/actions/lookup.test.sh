# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

short=$(hostname)
short=${short%%.*}
# device BDF DRIVER
device() {
  mkdir -p "$WORLD/root/sys/bus/pci/devices/$1" "$WORLD/root/drivers/$2"
  ln -s "$WORLD/root/drivers/$2" "$WORLD/root/sys/bus/pci/devices/$1/driver"
}
hostdev() { # BUS: as libvirt prints it, with the address inside the guest behind
  printf "<hostdev mode='subsystem' type='pci' managed='yes'>\n<driver name='vfio'/>\n<source>\n<address domain='0x0000' bus='0x%s' slot='0x00' function='0x0'/>\n</source>\n<alias name='hostdev0'/>\n<address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>\n</hostdev>" "$1"
}
pci() {
  fresh "$1"
  guest here vm2 'running (booted)'
  guest here vm3 'running (booted)'
  device 0000:3b:00.0 vfio-pci
  device 0000:3c:00.0 vfio-pci
  device 0000:05:00.0 e1000e
  set_guest vm1 xml "$(hostdev 3b)"
  set_guest vm2 xml "<disk type='file'><source file='/x'/><target dev='vda'/><address type='pci' domain='0x0000' bus='0x3c' slot='0x00' function='0x0'/></disk><interface type='hostdev' managed='yes'><source><address type='pci' domain='0x0000' bus='0x3c' slot='0x00' function='0x0'/></source></interface>"
  set_guest vm3 xml "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><address bus='1' device='3'/></source></hostdev>$(hostdev 05)"
}

pci 'the table'
run pci-device-guest
exits 0
check table "host,bdf,guest
$short,0000:3b:00.0,vm1
$short,0000:3c:00.0,vm2" "$(cat "$WORLD/out")"
says 'vm3 names 0000:05:00.0, whose driver is e1000e'
run pci-device-guest --host kvm7
check 'another name for the host' 1 "$(grep -c '^kvm7,0000:3b:00.0,vm1$' "$WORLD/out")"

pci 'one device'
run pci-device-guest --bdf 0000:3c:00.0
exits 0
check name vm2 "$(cat "$WORLD/out")"
run pci-device-guest --bdf 0000:05:00.0
exits 5
says 'belongs to the host'
run pci-device-guest --bdf 0000:77:00.0
exits 5
says 'there is no device'
device 0000:3d:00.0 vfio-pci
run pci-device-guest --bdf 0000:3d:00.0
exits 5
says 'no active guest holds it'
check 'no output' '' "$(cat "$WORLD/out")"

pci 'libvirt is down: no table at all, or what was known would be forgotten'
touch "$WORLD/here/down"
run pci-device-guest
exits 3
check 'no header' '' "$(cat "$WORLD/out")"

pci 'a name that no command gets'
mv "$WORLD/here/domains/vm1" "$WORLD/here/domains/-rf"
run pci-device-guest
exits 0
check 'left out' 0 "$(grep -c -- -rf "$WORLD/out")"

# ------------------------------------------------------------------ processes
# process PID NAME-ARGUMENT [TASK...]
process() {
  local pid=$1 name=$2 task
  mkdir -p "$WORLD/root/proc/$pid"
  printf 'qemu-system-x86_64\0-name\0%s\0-S\0' "$name" >"$WORLD/root/proc/$pid/cmdline"
  echo '0::/user.slice' >"$WORLD/root/proc/$pid/cgroup"
  shift 2
  for task in "$pid" "$@"; do
    mkdir -p "$WORLD/root/proc/$pid/task/$task" "$WORLD/root/proc/$task"
    printf 'Name:\tx\nTgid:\t%s\nPid:\t%s\n' "$pid" "$task" >"$WORLD/root/proc/$task/status"
  done
}
machine() {
  fresh "$1"
  mkdir -p "$WORLD/root/run/libvirt/qemu"
  guest here web-1 'running (booted)'
  process 812 guest=vm1,debug-threads=on 813 814
  echo 812 >"$WORLD/root/run/libvirt/qemu/vm1.pid"
  process 900 guest=web-1 901
  # shellcheck disable=SC2028  # systemd's own escapes
  echo '0::/machine.slice/machine-qemu\x2d3\x2dweb\x2d1.scope/libvirt/emulator' >"$WORLD/root/proc/900/cgroup"
}

machine 'the table: processes by pid file or cgroup, and their threads'
run pid-guest
exits 0
check table "host,pid,guest
$short,812,vm1
$short,813,vm1
$short,814,vm1
$short,900,web-1
$short,901,web-1" "$(cat "$WORLD/out")"

machine 'one process, one thread'
run pid-guest --pid 812
exits 0
check name vm1 "$(cat "$WORLD/out")"
run pid-guest --pid 901
exits 0
check name web-1 "$(cat "$WORLD/out")"
run pid-guest --pid 4711
exits 5

machine 'a program of anybody that calls itself a guest'
process 666 guest=vm1
run pid-guest --pid 666
exits 5
says 'is no guest of libvirt'
run pid-guest
check 'not in the table' 0 "$(grep -c 666 "$WORLD/out")"

machine 'a pid file left behind, its number is somebody else'"'"'s now'
echo 666 >"$WORLD/root/run/libvirt/qemu/vm1.pid"
process 666 guest=other
run pid-guest --pid 666
exits 5
rm -rf "$WORLD/root/proc/666"
run pid-guest
exits 0

machine 'a cgroup of one machine, a name of another'
process 900 guest=vm1 901
# shellcheck disable=SC2028
echo '0::/machine.slice/machine-qemu\x2d3\x2dweb\x2d1.scope' >"$WORLD/root/proc/900/cgroup"
run pid-guest --pid 900
exits 5

machine 'libvirt does not know it; is not asked; does not answer'
rm -r "$WORLD/here/domains/vm1"
run pid-guest --pid 812
exits 5
says 'which libvirt does not know'
for none in '--connect none' --connect=none; do
  read -ra words <<<"$none"
  run pid-guest --pid 812 "${words[@]}"
  exits 0
done
touch "$WORLD/here/down"
run pid-guest --pid 812
exits 3

machine 'no guests'
rm -r "$WORLD/root/run/libvirt" "$WORLD/root/proc"
mkdir "$WORLD/root/proc"
run pid-guest
exits 0
check 'a table without rows' host,pid,guest "$(cat "$WORLD/out")"
# shellcheck disable=SC2016
for bad in '' -1 0x1 1e3 '1 2' '../1' '1/../../x' '$(x)'; do
  machine "hostile: $bad"
  run pid-guest --pid "$bad"
  exits 2
done

report
