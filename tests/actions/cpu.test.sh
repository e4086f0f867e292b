# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

# machine NAME: CPUs 0-7 on two nodes, 2k and 2k+1 are threads of one core
machine() {
  fresh "$1"
  cpus=$WORLD/root/sys/devices/system/cpu
  local cpu
  for cpu in 0 1 2 3 4 5 6 7; do
    mkdir -p "$cpus/cpu$cpu/topology" "$cpus/cpu$cpu/hotplug" "$cpus/cpu$cpu/node$((cpu / 4))"
    echo "$((cpu / 2 * 2))-$((cpu / 2 * 2 + 1))" >"$cpus/cpu$cpu/topology/thread_siblings_list"
    echo "$((cpu / 4 * 4))-$((cpu / 4 * 4 + 3))" >"$cpus/cpu$cpu/node$((cpu / 4))/cpulist"
    echo 1 >"$cpus/cpu$cpu/online"
    echo 238 >"$cpus/cpu$cpu/hotplug/state"
  done
  rm "$cpus/cpu0/online"
  echo 0-7 >"$cpus/online"
  echo >"$cpus/isolated"
  mkdir -p "$WORLD/root/proc/sys/kernel/random"
  echo boot1 >"$WORLD/root/proc/sys/kernel/random/boot_id"
  rm -f "$BIN/tee"
  ln -s "$TESTS/stand-ins/hotplug" "$BIN/tee"
}
list() { cat "$cpus/online"; }

machine 'one CPU, and back'
run offline-cpu --cpu 5
exits 0
check online 0-4,6-7 "$(list)"
says 'CPU 5 is offline'
run offline-cpu --cpu 5
exits 0
says 'offline already'
run offline-cpu --cpu 5 --undo
exits 0
check online 0-7 "$(list)"
run offline-cpu --cpu 5 --undo
exits 0

machine 'with its sibling, and both back'
run offline-cpu --cpu 2 --with-siblings
exits 0
check online 0-1,4-7 "$(list)"
run offline-cpu --cpu 2 --with-siblings --undo
exits 0
check online 0-7 "$(list)"

machine 'CPU 0, one without a switch, none at all'
run offline-cpu --cpu 0
exits 3
run offline-cpu --cpu 1 --with-siblings
exits 3
says 'CPU 0 is never'
rm "$cpus/cpu3/online"
run offline-cpu --cpu 3
exits 3
says 'has no switch'
run offline-cpu --cpu 99
exits 5
check online 0-7 "$(list)"

machine 'the last ones'
run offline-cpu --cpu 7 --keep 7
exits 0
run offline-cpu --cpu 6 --keep 7
exits 3
says 'fewer than 7'
run offline-cpu --cpu 6 --keep 0
exits 2

machine 'the last of its node'
for cpu in 5 6 7; do run offline-cpu --cpu "$cpu"; exits 0; done
run offline-cpu --cpu 4
exits 3
says 'last of NUMA node1'

machine 'isolated'
echo 6-7 >"$cpus/isolated"
run offline-cpu --cpu 6
exits 3
run offline-cpu --cpu 6 --isolated
exits 0

machine 'the budget'
run offline-cpu --cpu 3 --at-most 1
exits 0
run offline-cpu --cpu 5 --at-most 1
exits 3
says 'the limit is 1'

machine 'taken offline by somebody else; by us, before the last boot'
echo 0-4,6-7 >"$cpus/online"
run offline-cpu --cpu 5 --undo
exits 3
machine 'before the last boot'
run offline-cpu --cpu 5
echo boot2 >"$WORLD/root/proc/sys/kernel/random/boot_id"
run offline-cpu --cpu 5 --undo
exits 3

machine 'the kernel refuses'
touch "$WORLD/busy"
run offline-cpu --cpu 5
exits 1
run offline-cpu --cpu 5 --undo
exits 0
check 'no marker' '' "$(find "$WORLD/state/cpu" -type f)"
machine 'success reported, nothing done; stopped half way'
touch "$WORLD/lie"
run offline-cpu --cpu 5
exits 1
says 'is not offline'
machine 'half way'
touch "$WORLD/half"
run offline-cpu --cpu 5
exits 1
says 'half way, at hotplug state 72'
machine 'no answer'
touch "$WORLD/hang"
run offline-cpu --cpu 5 --timeout 1
exits 4
machine 'dry run'
dry offline-cpu --cpu 2 --with-siblings
exits 0
check output "'tee' '$cpus/cpu2/online' <<< '0'"$'\n'"'tee' '$cpus/cpu3/online' <<< '0'" "$(cat "$WORLD/out")"
for bad in '' -1 1-3 0x1 01 '1 2' a; do
  machine "hostile: $bad"
  run offline-cpu --cpu "$bad"
  exits 2
done

report
