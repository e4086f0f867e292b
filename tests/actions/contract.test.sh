# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# What holds for every script: help, usage errors, hostile names, no stdin.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

scripts=()
for file in "$ACTIONS"/*; do [[ -f $file && -x $file ]] && scripts+=("${file##*/}"); done
check 'nine scripts' 9 "${#scripts[@]}"
for file in "$ACTIONS"/*.sh; do check "${file##*/} is not executable" no "$([[ -x $file ]] && echo yes || echo no)"; done

declare -A needed=([virsh-suspend]='--domain vm1' [virsh-resume]='--domain vm1' [virsh-dump]='--domain vm1'
  [migrate-guest]='--domain vm1 --to kvm2' [migrate-guests]='--to kvm2' [crm-standby]='' [pcs-standby]=''
  [offline-page]='--pfn 300' [notify]='--syslog')

for script in "${scripts[@]}"; do
  read -ra given <<<"${needed[$script]}"
  fresh "$script --help"
  run "$script" --help
  exits 0
  says '  6  needs a person' out
  says "$script " out
  says '--dry-run' out
  check 'nothing called' '' "$(cat "$WORLD/calls")"

  fresh "$script: unknown option"
  run "$script" "${given[@]}" --frobnicate 1
  exits 2
  says 'unknown option --frobnicate'
  says "try: $script --help"
  run "$script" "${given[@]}" stray
  exits 2
  run "$script" "${given[@]}" --dry-run=yes
  exits 2
  # shellcheck disable=SC2016
  for bad in '--a]$(touch x)' '--$(touch x)=1' '-x' '--' ''; do
    run "$script" "$bad"
    exits 2
  done

  fresh "$script: stdin closed"
  env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" CORRELATOR_ACTION_SYSROOT="$WORLD/root" \
    "$ACTIONS/$script" "${given[@]}" --dry-run <&- >"$WORLD/out" 2>"$WORLD/err"
  code=$?
  case $script in
    virsh-dump | offline-page) check 'as with stdin' 1 $((code == 3 || code == 5)) ;;
    *) exits 0 ;;
  esac
  fresh "$script: all descriptors closed"
  env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" CORRELATOR_ACTION_SYSROOT="$WORLD/root" \
    "$ACTIONS/$script" "${given[@]}" --dry-run <&- >&- 2>&-
  check 'the same code' "$code" "$?"

  fresh "$script: program missing"
  rm -f "$BIN"/{virsh,crm,pcs,crm_mon,crm_attribute,logger}
  run "$script" "${given[@]}"
  exits 5
  install_stand_ins
done

# shellcheck disable=SC2016
hostile=('-rf' '--help' 'a;b' $'a\nb' $'vm1\n' '$(touch x)' '`touch x`' 'a b' '../x' 'a/b' '' '*' 'a|b' "a'b" 'a"b' $'a\eb' 'vm1,' 'é' '.x')
for bad in "${hostile[@]}"; do
  fresh "hostile name: $bad"
  for script in virsh-suspend virsh-resume virsh-dump; do
    run "$script" --domain "$bad"
    exits 2
  done
  run migrate-guest --domain "$bad" --to kvm2
  exits 2
  run migrate-guest --domain vm1 --to "$bad"
  exits 2
  run migrate-guests --to "$bad"
  exits 2
  run crm-standby --node "$bad"
  exits 2
  run pcs-standby "--node=$bad"
  exits 2
  check 'nothing called' '' "$(cat "$WORLD/calls")"
  check 'nothing raw on the terminal' 0 "$(grep -c $'\e' "$WORLD/err")"
done
fresh 'digits alone are an id of libvirt'
run virsh-suspend --domain 7
exits 2

# The kinds of values that the library knows.
# shellcheck source=actions/lib.sh
kinds() { (. "$ACTIONS/lib.sh" && valid "$1" "$2" && echo yes || echo no); }
case_name=kinds
for good in 'bdf 0000:3b:00.0' 'bdf ffff:ff:1f.7' 'domain vm-1_a.b' 'node kvm1.example.org' 'uri qemu+tcp://[::1]:16509/system' \
  'uri qemu:///system' 'uri test+unix:///abs/node.xml?socket=/run/libvirt/libvirt-sock' 'address 0x1000' 'seconds 1' \
  'url http://[::1]:9093/api' 'path /var/x-1' 'nodes a,b' 'mail ops+x@example.org'; do
  check "$good" yes "$(kinds "${good%% *}" "${good#* }")"
done
for wrong in 'bdf 3b:00.0' 'bdf 0000:3b:20.0' 'bdf 0000:3b:00.8' 'bdf 0000:3B:00.0' 'seconds 0' 'seconds 1e3' 'seconds -1' \
  'path /a/../b' 'path a' 'nodes a,,b' 'nodes ,a' 'address 1000' 'nosuchkind x' 'uri qemu+ssh://u@-oX/system'; do
  check "$wrong" no "$(kinds "${wrong%% *}" "${wrong#* }")"
done

check 'no file x was made by any name' no "$([[ -e x || -e $WORLD/x ]] && echo yes || echo no)"

report
