# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

dumps() { find "$WORLD/dumps" -type f | wc -l; }
suspended() {
  fresh "$1"
  set_guest vm1 state 'paused (user)'
}
dump() { run virsh-dump --domain vm1 --dir "$WORLD/dumps" --keep-free 0 "$@"; }

suspended 'a suspended guest'
dump
exits 0
check 'one file' 1 "$(dumps)"
check 'its name on stdout' "$(find "$WORLD/dumps" -type f)" "$(cat "$WORLD/out")"
called '--memory-only --format kdump-zlib'
check state 'paused (user)' "$(state vm1)"
first=$(cat "$WORLD/out")
dump
exits 0
says 'dumped already'
check 'still one file' 1 "$(dumps)"
check 'the same name' "$first" "$(cat "$WORLD/out")"
dump --again-after 0
exits 0
check 'two files' 2 "$(dumps)"
set_guest vm1 id 88
dump
exits 0
check 'a new run of the guest is dumped' 3 "$(dumps)"

fresh 'a running guest'
dump
exits 3
says 'suspend it first'
dump --live
exits 0
called '--format kdump-zlib --live'

fresh 'a crashed guest: the useful case'
set_guest vm1 state 'crashed (panicked)'
dump
exits 0
check state 'crashed (panicked)' "$(state vm1)"

fresh 'shut off'
set_guest vm1 state 'shut off (crashed)'
dump
exits 3

fresh 'unknown guest'
run virsh-dump --domain vm9 --dir "$WORLD/dumps"
exits 5

suspended 'libvirtd down'
touch "$WORLD/here/down"
dump
exits 3

suspended 'no space: RAM larger than any disk'
set_guest vm1 memory 999999999999999
dump
exits 3
says 'MiB are wanted'
not_called ' dump '

suspended 'the margin counts'
run virsh-dump --domain vm1 --dir "$WORLD/dumps" --keep-free 999999999
exits 3
says 'MiB are wanted'

suspended 'no directory, or one for everybody'
run virsh-dump --domain vm1 --dir "$WORLD/none"
exits 3
says 'no such directory'
chmod 1777 "$WORLD/dumps"
dump
exits 3
says 'writable for everybody'

suspended 'hang: stopped, job aborted, half a file removed'
touch "$WORLD/hang-dump"
dump --timeout 1
exits 4
called domjobabort
check 'no file' 0 "$(dumps)"
check 'no job' no "$([[ -e $WORLD/here/domains/vm1/job ]] && echo yes || echo no)"

suspended 'hang, and the job cannot be aborted: the file is left to QEMU'
touch "$WORLD/hang-dump" "$WORLD/job-stuck"
dump --timeout 1
exits 4
says 'QEMU may still write to it'
check 'file left' 1 "$(dumps)"
rm "$WORLD/hang-dump"
dump
exits 3
says 'is under way'

suspended 'told to stop in the middle'
touch "$WORLD/hang-dump"
env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" "$ACTIONS/virsh-dump" --domain vm1 \
  --dir "$WORLD/dumps" --keep-free 0 </dev/null >"$WORLD/out" 2>"$WORLD/err" &
script=$!
for ((i = 0; i < 900; ++i)); do [[ -e $WORLD/here/domains/vm1/job ]] && break; sleep 0.1; done
kill -TERM "$script"
wait "$script"
code=$?
exits 4
called domjobabort
check 'no file' 0 "$(dumps)"

suspended 'fails'
echo "Failed to core dump domain 'vm1'" >"$WORLD/fail-dump"
dump
exits 1
check 'no file' 0 "$(dumps)"

suspended 'success without a file'
touch "$WORLD/lie-dump"
dump
exits 1
says 'missing or empty'

suspended 'a guest hit by a memory error'
qemu_log vm1 'qemu: Guest MCE Memory Error at QEMU addr 0x7f00 and GUEST addr 0x1000 of type BUS_MCEERR_AR injected'
dump
exits 6
says 'reported a memory error'
dump --accept-loss
exits 0
qemu_log vm1 $'BUS_MCEERR_AR injected\n2026-11-22 09:00:00.000+0000: starting up libvirt version: 9.0.0'
dump --again-after 0
exits 0

suspended 'dry run'
dry virsh-dump --domain vm1 --dir "$WORLD/dumps" --keep-free 0
exits 0
says "'--memory-only' '--format' 'kdump-zlib'" out
check 'one line' 1 "$(wc -l <"$WORLD/out")"

report
