# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # the test files read code and err
# Shared by the *.test.sh: a world of stand-ins, and checks that count.
set -u
export LC_ALL=C
TESTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
ACTIONS=$(cd -- "$TESTS/../../actions" && pwd)
BASE=$(mktemp -d)
trap 'rm -rf -- "$BASE"' EXIT
BIN=$BASE/bin
passed=0 failed=0 case_name=''

# The real-*.test.sh put the real programs there instead.
# Only these are found through PATH, so that no real virsh, pcs or curl ever is.
mkdir "$BIN"
for tool in awk cat cp cut date df dirname env find flock fold getconf grep head hostname iconv md5sum mkdir \
  mktemp mv od readlink rm sed sleep sort stat tail tee timeout touch tr uname wc; do
  ln -s "$(command -v "$tool")" "$BIN/$tool"
done
install_stand_ins() {
  local name
  ln -sf "$TESTS/stand-ins/virsh" "$BIN/virsh"
  for name in crm crm_mon crm_node crm_resource crm_attribute crm_standby cibadmin stonith_admin pcs; do ln -sf "$TESTS/stand-ins/pacemaker" "$BIN/$name"; done
  for name in clustat clusvcadm; do ln -sf "$TESTS/stand-ins/rgmanager" "$BIN/$name"; done
  for name in ha-manager qm pct; do ln -sf "$TESTS/stand-ins/proxmox" "$BIN/$name"; done
  for name in ip ping arping; do ln -sf "$TESTS/stand-ins/network" "$BIN/$name"; done
  ln -sf "$TESTS/stand-ins/heartbeat" "$BIN/cl_status"
  for name in logger sendmail curl; do ln -sf "$TESTS/stand-ins/messenger" "$BIN/$name"; done
}
install_stand_ins

guests=0
# guest SIDE NAME STATE [MEMORY-KIB]
guest() {
  local dir=$WORLD/$1/domains/$2
  guests=$((guests + 1))
  mkdir -p "$dir"
  printf '00000000-0000-4000-8000-%012d\n' "$guests" >"$dir/uuid"
  printf '%s\n' "$guests" >"$dir/id"
  printf '%s\n' "$3" >"$dir/state"
  printf '%s\n' "${4:-65536}" >"$dir/memory"
}
set_guest() { printf '%s\n' "$3" >"$WORLD/here/domains/$1/$2"; }
state() { cat "$WORLD/${2:-here}/domains/$1/state" 2>/dev/null || echo absent; }
node() {
  mkdir -p "$WORLD/cluster/nodes/$1"
  printf '%s' "$2" >"$WORLD/cluster/nodes/$1/online"
  printf '%s' "$3" >"$WORLD/cluster/nodes/$1/standby"
  printf '%s' "$4" >"$WORLD/cluster/nodes/$1/resources"
}
standby_of() { cat "$WORLD/cluster/nodes/$1/standby"; }
qemu_log() { printf '%s\n' "$2" >"$WORLD/root/var/log/libvirt/qemu/$1.log"; }

# background SCRIPT ARGS...: as run, but not waited for; sets script, its pid. `told`
# ends it with TERM and sets code.
background() {
  local name=$1
  shift
  env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" CORRELATOR_ACTION_SYSROOT="$WORLD/root" \
    "$ACTIONS/$name" "$@" </dev/null >"$WORLD/out" 2>"$WORLD/err" &
  script=$!
}
# until_called TEXT: waits for a stand-in to be called so
until_called() { local i; for ((i = 0; i < 1800; ++i)); do holds "$WORLD/calls" "$1" | grep -q yes && return; sleep 0.05; done; }
stopped_by_term() {
  kill -TERM "$script"
  wait "$script"
  code=$?
}

worlds=0
# fresh NAME: a new world with one running guest, an empty peer and two nodes.
fresh() {
  case_name=$1
  worlds=$((worlds + 1))
  export WORLD=$BASE/world$worlds
  mkdir -p "$WORLD"/{tmp,here,there,state,dumps,root/var/log/libvirt/qemu,cluster}
  chmod 700 "$WORLD/dumps"
  echo kvm1 >"$WORLD/here/name"
  echo kvm2 >"$WORLD/there/name"
  : >"$WORLD/calls"
  guest here vm1 'running (booted)'
  node nodeA true false 2
  node nodeB true false 1
  mkdir -p "$WORLD/root/usr/share/heartbeat"
  ln -s "$TESTS/stand-ins/heartbeat" "$WORLD/root/usr/share/heartbeat/hb_standby"
  ln -s "$TESTS/stand-ins/heartbeat" "$WORLD/root/usr/share/heartbeat/hb_takeover"
}

# run SCRIPT ARGS...: sets code; $WORLD/out and $WORLD/err. stdin from STDIN.
STDIN=/dev/null
run() {
  local script=$1
  shift
  : >"$WORLD/calls"
  env -i PATH="$BIN" WORLD="$WORLD" TMPDIR="$WORLD/tmp" CORRELATOR_ACTION_STATE="$WORLD/state" CORRELATOR_ACTION_SYSROOT="$WORLD/root" \
    "$ACTIONS/$script" "$@" <"$STDIN" >"$WORLD/out" 2>"$WORLD/err"
  code=$?
  local left=("$WORLD"/tmp/*)
  [[ ! -e ${left[0]} ]] || check 'no temporary file is left' '' "${left[*]}"
}

check() {
  if [[ $2 == "$3" ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s: %s\n  wanted: %s\n  got:    %s\n' "$case_name" "$1" "$2" "$3"
    sed 's/^/  | /' "$WORLD/err" 2>/dev/null
  fi
}
# holds FILE TEXT: yes or no, without a process
holds() {
  local text
  text=$(<"$1")
  [[ $text == *"$2"* ]] && printf yes || printf no
}
exits() { check 'exit code' "$1" "$code"; }
# says TEXT [FILE]
says() { check "${2:-err} has: $1" yes "$(holds "$WORLD/${2:-err}" "$1")"; }
called() { check "called: $1" yes "$(holds "$WORLD/calls" "$1")"; }
not_called() { check "not called: $1" no "$(holds "$WORLD/calls" "$1")"; }
# snapshot: everything but the records of the run itself
snapshot() { (cd "$WORLD" && find . -type f ! -name calls ! -name sessions ! -name out ! -name err -exec md5sum {} + | LC_ALL=C sort); }
# dry SCRIPT ARGS...: a dry run that must leave the world as it was
dry() {
  local before
  before=$(snapshot)
  run "$@" --dry-run
  check 'dry run changes nothing' "$before" "$(snapshot)"
}

report() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0))
}
