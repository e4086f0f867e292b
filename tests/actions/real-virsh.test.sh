# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# What can be asked of the real virsh without a daemon: its test driver, test:///default,
# which has one guest, "test", and forgets all at the end of each command.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"
real=$(command -v virsh) || { echo 'virsh is not installed: nothing is asked of the real one'; report; exit; }
"$real" -c test:///default list >/dev/null 2>&1 || { echo 'virsh has no test driver: nothing is asked of the real one'; report; exit; }

fresh 'the real virsh'
ln -sf "$real" "$BIN/virsh"
run virsh-suspend --connect test:///default --domain test --dry-run
exits 0
check output "'virsh' '-c' 'test:///default' 'suspend' 'test'" "$(cat "$WORLD/out")"
# One virsh asks, acts and looks again, so that its guest is there long enough.
run virsh-suspend --connect test:///default --domain test
exits 0
says 'test is paused (user)'
run virsh-suspend --connect test:///default --domain nosuch
exits 5
run virsh-resume --connect test:///default --domain test
exits 0
says 'already'
run virsh-dump --connect test:///default --domain test --dir "$WORLD/dumps" --keep-free 0 --live --dry-run
check 'room is looked for' 1 $((code == 0 || code == 3))
run virsh-managedsave --connect test:///default --domain test --dir "$WORLD/dumps" --keep-free 0 --dry-run
check 'room is looked for' 1 $((code == 0 || code == 3))
run virsh-managedsave --connect test:///default --domain test --undo
exits 0
run migrate-guests --connect test:///default --to kvm2 --except test
exits 0
run probe-libvirt test:///default
exits 0
check line 'libvirt at test:///default answers, 1 active guest(s)' "$(cat "$WORLD/out")"
run probe-libvirt qemu+unix:///system?socket=/nonexistent/socket
exits 1
run probe-guest-agent test --connect test:///default
check 'it has no agent: nothing is known' 1 $((code != 0 && code != 4 && code != 2))
run pci-device-guest --connect test:///default --host kvm1
exits 0
check 'a table without rows' host,bdf,guest "$(cat "$WORLD/out")"

report
