# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# The guest scripts on a real libvirtd with a real QEMU: a guest of 32 MiB without a
# disk, in which nothing but the BIOS runs (no KVM needed). All of it stands in mount,
# network and process namespaces of its own, and ends with them.
if [[ -z ${INSIDE:-} ]]; then
  for program in /usr/sbin/libvirtd /usr/sbin/virtlogd virsh qemu-system-x86_64; do
    command -v "$program" >/dev/null 2>&1 && continue
    printf '%s is not installed: no real guest is suspended\n0 passed, 0 failed\n' "$program"
    exit
  done
  unshare -m -u -n true 2>/dev/null || { printf 'no right to make namespaces: no real guest is suspended\n0 passed, 0 failed\n'; exit; }
  INSIDE=1 exec unshare -m -u -n -p -f --mount-proc bash "${BASH_SOURCE[0]}"
fi
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"
trap 'cd / && rm -rf -- "$BASE"' EXIT

fresh 'a real libvirtd'
hostname kvm1
ip link set lo up
for dir in /run /var/lib/libvirt /var/log/libvirt /etc/libvirt /var/cache/libvirt; do
  [[ ! -d $dir ]] || mount -t tmpfs -o mode=755 none "$dir"
done
mkdir -p /run/libvirt/qemu /var/log/libvirt/qemu /var/lib/libvirt/qemu/save /etc/libvirt/qemu
printf 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\ncgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = "logd"\nremember_owner = 0\n' >/etc/libvirt/qemu.conf
printf 'auth_unix_rw = "none"\nauth_unix_ro = "none"\nlog_outputs = "4:file:%s"\n' "$WORLD/libvirtd.log" >/etc/libvirt/libvirtd.conf
printf 'log_outputs = "4:file:%s"\n' "$WORLD/virtlogd.log" >/etc/libvirt/virtlogd.conf
/usr/sbin/virtlogd -f /etc/libvirt/virtlogd.conf >/dev/null 2>&1 &
/usr/sbin/libvirtd -f /etc/libvirt/libvirtd.conf >/dev/null 2>&1 &
libvirtd=$!
ln -sf "$(command -v virsh)" "$BIN/virsh"
rm -f "$BIN"/{crm,crm_mon,crm_node,crm_resource,crm_attribute,crm_standby,cibadmin,stonith_admin,pcs}
for ((i = 0; i < 900; ++i)); do virsh -c qemu:///system version >/dev/null 2>&1 && break; sleep 0.2; done
cat >"$WORLD/vm1.xml" <<'XML'
<domain type='qemu'><name>vm1</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><memballoon model='none'/></devices></domain>
XML
virsh -q -c qemu:///system define "$WORLD/vm1.xml" >/dev/null 2>"$WORLD/err"
virsh -q -c qemu:///system start vm1 >/dev/null 2>>"$WORLD/err"
now() { virsh -c qemu:///system domstate vm1 --reason | head -n 1; }
check 'a guest runs' 'running (booted)' "$(now)"
# The real /proc and /sys; the log of QEMU is the namespace's.
run() {
  local script=$1
  shift
  env -i PATH="$BIN" WORLD="$WORLD" TMPDIR="$WORLD/tmp" CORRELATOR_ACTION_STATE="$WORLD/state" \
    "$ACTIONS/$script" "$@" </dev/null >"$WORLD/out" 2>"$WORLD/err"
  code=$?
}

case_name='suspend, resume'
run virsh-suspend --domain vm1
exits 0
check state 'paused (user)' "$(now)"
run virsh-suspend --domain vm1 --undo
exits 0
check state 'running (unpaused)' "$(now)"

case_name='which guest is a process, and its threads'
read -r pid </run/libvirt/qemu/vm1.pid
run pid-guest --pid "$pid"
exits 0
check guest vm1 "$(cat "$WORLD/out")"
thread=("/proc/$pid/task/"*)
run pid-guest --pid "${thread[-1]##*/}"
check 'a thread' vm1 "$(cat "$WORLD/out")"
run pid-guest
check 'all threads in the table' "${#thread[@]}" "$(grep -c ',vm1$' "$WORLD/out")"
run pid-guest --pid "$libvirtd"
exits 5

case_name='quiesce: suspended, dumped, kept; and given back'
run quiesce-guest --domain vm1 --dir "$WORLD/dumps" --keep-free 0
exits 0
check state 'paused (user)' "$(now)"
# kdump in the flattened format that QEMU writes.
check 'a kdump file' makedumpfile "$(head -c 12 "$(cat "$WORLD/out")")"
run quiesce-guest --domain vm1 --dir "$WORLD/dumps" --keep-free 0
exits 0
check 'one dump' 1 "$(find "$WORLD/dumps" -type f | wc -l)"
run quiesce-guest --domain vm1 --undo
exits 0
check state 'running (unpaused)' "$(now)"

case_name='a dump that libvirt refuses leaves nothing, and the guest as it was'
mkdir -p /run/ro/dump
mount -t tmpfs -o size=64k,mode=755 none /run/ro/dump
run virsh-dump --domain vm1 --live --again-after 0 --dir /run/ro/dump --keep-free 0
exits 3
says 'MiB are wanted'
check state 'running (unpaused)' "$(now)"
check 'one dump' 1 "$(find "$WORLD/dumps" -type f | wc -l)"

case_name='managed save, and back'
run virsh-managedsave --domain vm1 --keep-free 0
exits 0
check state 'shut off (saved)' "$(now)"
run virsh-managedsave --domain vm1 --keep-free 0
exits 0
says 'saved already'
run virsh-managedsave --domain vm1 --undo
exits 0
check state 'running (restored)' "$(now)"
run virsh-suspend --domain vm1
run virsh-managedsave --domain vm1 --keep-free 0
run virsh-managedsave --domain vm1 --undo
exits 0
check 'a paused guest comes back paused' paused "$(now | cut -d ' ' -f 1)"
virsh -q -c qemu:///system resume vm1 >/dev/null

case_name='probes'
run probe-libvirt
exits 0
run probe-guest-agent vm1
exits 5
says 'no guest agent configured'
run pci-device-guest
exits 0
check 'a table without rows' host,bdf,guest "$(cat "$WORLD/out")"

case_name='migration to where nobody answers: the guest runs on here'
run migrate-guest --domain vm1 --to kvm2 --dest-uri qemu+tcp://127.0.0.1:1/system
exits 3
check state running "$(now | cut -d ' ' -f 1)"

case_name='a QEMU that hangs'
read -r pid </run/libvirt/qemu/vm1.pid
kill -STOP "$pid"
run virsh-suspend --domain vm1 --timeout 2
exits 4
says 'it may still take effect'
kill -CONT "$pid"
for ((i = 0; i < 900; ++i)); do [[ $(now) == 'paused (user)' ]] && break; sleep 0.1; done
check 'the late pause' 'paused (user)' "$(now)"
run virsh-suspend --domain vm1 --undo
exits 0
check 'is ours to take back' 'running (unpaused)' "$(now)"

case_name='libvirtd hangs, and is dead'
kill -STOP "$libvirtd"
run probe-libvirt --timeout 1
exits 1
says 'did not answer in 1 s'
kill -CONT "$libvirtd"
kill -KILL "$libvirtd"
wait "$libvirtd" 2>/dev/null
run probe-libvirt
exits 1
run virsh-suspend --domain vm1
exits 3

report
