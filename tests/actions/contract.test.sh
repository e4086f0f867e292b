# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# What holds for every script: help, usage errors, hostile names, no stdin.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

scripts=()
for file in "$ACTIONS"/*; do [[ -f $file && -x $file ]] && scripts+=("${file##*/}"); done
for file in "$ACTIONS"/*.sh; do check "${file##*/} is not executable" no "$([[ -x $file ]] && echo yes || echo no)"; done

# What each cannot do without, and what it exits with in a world where nothing is set
# up for it but virsh and pacemaker.
declare -A needed=([virsh-suspend]='--domain vm1' [virsh-resume]='--domain vm1' [virsh-dump]='--domain vm1'
  [virsh-managedsave]='--domain vm1' [quiesce-guest]='--domain vm1 --no-dump'
  [migrate-guest]='--domain vm1 --to kvm2' [migrate-guests]='--to kvm2' [crm-standby]='' [pcs-standby]=''
  [cluster-fence]='--node nodeB' [rgmanager-relocate]='--to m2' [heartbeat-standby]=''
  [keepalived-standby]='--address 10.0.0.100 --peer 10.0.0.2' [proxmox-evacuate]=''
  [offline-page]='--pfn 300' [offline-cpu]='--cpu 1' [pci-device-guest]='' [pid-guest]=''
  [probe-path]='bond0=10.0.0.1' [probe-libvirt]='' [probe-guest-agent]='vm1'
  [run-on-host]='--host kvm7 --action notify' [accept-action]='' [notify]='--syslog')
declare -A ends=([virsh-dump]=3 [virsh-managedsave]=3 [cluster-fence]=3 [rgmanager-relocate]=3 [heartbeat-standby]=3
  [keepalived-standby]=3 [proxmox-evacuate]=3 [offline-page]=5 [offline-cpu]=5 [probe-path]=5 [probe-guest-agent]=5 [pid-guest]=5
  [run-on-host]=3 [accept-action]=3)
check 'all scripts are here' "$(printf '%s\n' "${!needed[@]}" | sort)" "$(printf '%s\n' "${scripts[@]}" | sort)"

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
  # A probe takes one word, the row of its lookup; any other is a mistake.
  run "$script" "${given[@]}" stray stray
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
  exits "${ends[$script]:-0}"
  check "no complaint of bash" 0 "$(grep -c "Bad file descriptor" "$WORLD/err")"
  fresh "$script: all descriptors closed"
  env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" CORRELATOR_ACTION_SYSROOT="$WORLD/root" \
    "$ACTIONS/$script" "${given[@]}" --dry-run <&- >&- 2>&-
  check 'the same code' "$code" "$?"

  fresh "$script: program missing"
  rm -f "$BIN"/{virsh,crm,pcs,crm_mon,crm_attribute,crm_standby,stonith_admin,logger,clustat,cl_status,ip,ping,ha-manager,ssh}
  case $script in
    pid-guest | accept-action | run-on-host) ;;  # need none, or are refused before
    *) run "$script" "${given[@]}"; exits 5 ;;
  esac
  install_stand_ins
done

# shellcheck disable=SC2016
hostile=('-rf' '--help' 'a;b' $'a\nb' $'vm1\n' '$(touch x)' '`touch x`' 'a b' '../x' 'a/b' '' '*' 'a|b' "a'b" 'a"b' $'a\eb' 'vm1,' 'é' '.x')
for bad in "${hostile[@]}"; do
  fresh "hostile name: $bad"
  for script in virsh-suspend virsh-resume virsh-dump virsh-managedsave quiesce-guest probe-guest-agent; do
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
  run cluster-fence --really --node "$bad"
  exits 2
  run rgmanager-relocate --to "$bad"
  exits 2
  run proxmox-evacuate --to "$bad"
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
  'service vm:web' 'service service:n.f-s' 'interface bond0.7' 'ip 10.0.0.1' 'ip fe80::1' 'ips 10.0.0.1,::1' \
  'url http://[::1]:9093/api' 'path /var/x-1' 'nodes a,b' 'mail ops+x@example.org'; do
  check "$good" yes "$(kinds "${good%% *}" "${good#* }")"
done
for wrong in 'bdf 3b:00.0' 'bdf 0000:3b:20.0' 'bdf 0000:3b:00.8' 'bdf 0000:3B:00.0' 'seconds 0' 'seconds 1e3' 'seconds -1' \
  'path /a/../b' 'path a' 'nodes a,,b' 'nodes ,a' 'address 1000' 'service web' 'service vm:' 'interface -x' 'interface 0123456789abcdef' 'ip 10.0.0' 'ip 1:2' 'ips 10.0.0.1,' 'nosuchkind x' 'uri qemu+ssh://u@-oX/system'; do
  check "$wrong" no "$(kinds "${wrong%% *}" "${wrong#* }")"
done

check 'no file x was made by any name' no "$([[ -e x || -e $WORLD/x ]] && echo yes || echo no)"

report
