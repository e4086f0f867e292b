# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# Runs every command shown in actions/README.md, in the world it describes, and
# compares what is shown below it: output, and [exit N] when it is not 0.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

fresh README
size=$(getconf PAGESIZE)
guest here db1 'running (booted)'
guest here db2 'running (booted)'
mkdir -p "$WORLD"/root/sys/devices/system/memory "$WORLD"/root/proc
: >"$WORLD/root/sys/devices/system/memory/soft_offline_page"
cpus=$WORLD/root/sys/devices/system/cpu
for cpu in 0 1 2 3; do mkdir -p "$cpus/cpu$cpu/hotplug"; echo 1 >"$cpus/cpu$cpu/online"; echo 238 >"$cpus/cpu$cpu/hotplug/state"; done
echo 0-3 >"$cpus/online"
ln -sf "$TESTS/stand-ins/hotplug" "$BIN/tee"
echo fence_dev >"$WORLD/cluster/device"
printf '00000000-%08x : System RAM\n' $((4096 * size - 1)) >"$WORLD/root/proc/iomem"

command='' wanted='' wanted_code=0 examples=0
finish_example() {
  [[ -n $command ]] || return 0
  case_name="README: $command"
  examples=$((examples + 1))
  # The words are read as a shell would; the directory that only root has is replaced.
  local -a words
  eval "words=($command)"
  words=("${words[@]//\/var\/lib\/libvirt\/qemu\/dump/$WORLD/dumps}")
  [[ ${words[0]} != virsh-dump ]] || words+=(--keep-free 0)
  run "${words[@]}"
  exits "$wanted_code"
  [[ -z $wanted ]] || check output "$wanted" "$(cat "$WORLD/out")"
  command='' wanted='' wanted_code=0
}
inside=0
while IFS= read -r line; do
  case $line in
    '```console') inside=1 ;;
    '```') finish_example; inside=0 ;;
    '$ '*) ((inside)) && finish_example && command=${line#??} ;;
    '[exit '*) ((inside)) && wanted_code=${line//[^0-9]/} ;;
    *) if ((inside)); then wanted+=${wanted:+$'\n'}$line; fi ;;
  esac
done <"$ACTIONS/README.md"
case_name=README
check 'examples were found' 1 $((examples >= 20))
for file in "$ACTIONS"/*; do
  [[ -x $file ]] && check "README has ${file##*/}" yes "$(grep -qF "| \`${file##*/}\` |" "$ACTIONS/README.md" && echo yes || echo no)"
done
# The table of exit codes is the one of --help.
check 'exit codes' "$("$ACTIONS/notify" --help | grep -cE '^  [0-6]  ')" "$(grep -cE '^\| [0-6] \|' "$ACTIONS/README.md")"

report
