# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# offline-cpu and offline-page on a real kernel: a Debian kernel with four CPUs under
# QEMU (no KVM needed), whose init is the list of commands below. The kernel is that of
# the guest tests, build/guest-parts/vmlinuz, or the file that $GUEST_KERNEL names.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"
kernel=${GUEST_KERNEL:-$TESTS/../../build/guest-parts/vmlinuz}
for need in qemu-system-x86_64 cpio gcc "$kernel"; do
  command -v "$need" >/dev/null 2>&1 || [[ -r $need ]] && continue
  echo "$need is not there: no CPU and no page of a real kernel is taken offline"
  report
  exit
done

fresh 'a real kernel'
root=$WORLD/initrd
mkdir -p "$root"/{bin,proc,sys,dev,tmp,run,lib,usr}
ln -s ../bin "$root/usr/bin"
ln -s ../lib "$root/usr/lib"
for tool in bash awk cat date find flock getconf mkdir mktemp mount mv od rm sleep stat tee timeout touch tr wc; do
  real=$(readlink -f "$(command -v "$tool")")
  cp "$real" "$root/bin/$tool"
  while read -r library; do
    mkdir -p "$root${library%/*}"
    cp -nL "$library" "$root$library"
  done < <(ldd "$real" | grep -o '/[^ ]*')
done
mkdir "$root/actions"
cp "$ACTIONS"/lib*.sh "$ACTIONS"/offline-* "$root/actions"
gcc -static -O1 -x c -o "$root/bin/holder" - <<'C' || echo 'gcc failed'
// Maps a page (or, with an argument, a huge one), prints its frame, and looks at its content for ever.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char** argv) {
  (void)argv;
  size_t size = argc > 1 ? 2u << 20 : 4096;
  char* page = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (argc > 1 ? MAP_HUGETLB : 0), -1, 0);
  if (page == MAP_FAILED) return 1;
  memset(page, 7, size);
  uint64_t entry = 0;
  int map = open("/proc/self/pagemap", O_RDONLY);
  if (pread(map, &entry, 8, (off_t)((uintptr_t)page / 4096 * 8)) != 8) return 1;
  printf("0x%llx\n", (unsigned long long)(entry & ((1ull << 55) - 1)));
  fflush(stdout);
  while (page[5] == 7) usleep(200000);
  puts("content lost");
  fflush(stdout);
}
C
cat >"$root/init" <<'I'
#!/bin/bash
# init of the machine: runs each command and prints its exit code behind its last line
export PATH=/bin CORRELATOR_ACTION_STATE=/run/act
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
run() { local out; out=$("$@" 2>&1); printf 'RESULT %s %s\n' "$?" "${out##*$'\n'}"; }
online() { printf 'ONLINE %s\n' "$(</sys/devices/system/cpu/online)"; }
cd /actions
run ./offline-cpu --cpu 2
online
run ./offline-cpu --cpu 2
run ./offline-cpu --cpu 0
run ./offline-cpu --cpu 3 --keep 3
run ./offline-cpu --cpu 3
run ./offline-cpu --cpu 1
online
run ./offline-cpu --cpu 2 --undo
run ./offline-cpu --cpu 3 --undo
online
holder >/run/frame &
echo 8 >/proc/sys/vm/nr_hugepages
holder huge >/run/huge &
for ((i = 0; i < 900; ++i)); do [[ -s /run/frame && -s /run/huge ]] && break; sleep 0.1; done
read -r frame </run/frame
read -r huge </run/huge
run ./offline-page --pfn "$huge"
run ./offline-page --pfn "$frame" --dry-run
run ./offline-page --pfn "$frame"
run ./offline-page --pfn "$frame"
run ./offline-page --pfn 0xfffffff
sleep 0.5
printf 'HOLDER %s\n' "$(wc -l </run/frame)"
echo o >/proc/sysrq-trigger
sleep 60
I
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) >"$WORLD/initrd.cpio"
timeout -k 2 600 qemu-system-x86_64 -M q35 -cpu max -smp 4 -m 512 -nographic -no-reboot -nic none -kernel "$kernel" \
  -initrd "$WORLD/initrd.cpio" -append 'console=ttyS0 quiet panic=-1' </dev/null >"$WORLD/console" 2>&1
tr -d '\r' <"$WORLD/console" | grep -aoE '(RESULT|ONLINE|HOLDER) .*' >"$WORLD/err"
mapfile -t lines <"$WORLD/err"
n=0
expect() { check "$1" "$2" "${lines[n]:-nothing}"; n=$((n + 1)); }
begins() {
  local line=${lines[n]:-nothing}
  check "$1" "$2" "${line:0:${#2}}"
  n=$((n + 1))
}
expect 'offline' 'RESULT 0 offline-cpu: CPU 2 is offline'
expect 'the kernel says so' 'ONLINE 0-1,3'
expect 'again' 'RESULT 0 offline-cpu: CPU 2 is offline already'
begins 'CPU 0' 'RESULT 3 offline-cpu: CPU 0 is never'
begins 'too few' 'RESULT 3 offline-cpu: 3 CPUs are online, 2 would stay'
expect 'another' 'RESULT 0 offline-cpu: CPU 3 is offline'
begins 'the last but one' 'RESULT 3 offline-cpu: 2 CPUs are online, 1 would stay'
expect 'the kernel says so' 'ONLINE 0-1'
expect 'back' 'RESULT 0 offline-cpu: 1 CPU(s) back online'
expect 'back' 'RESULT 0 offline-cpu: 1 CPU(s) back online'
expect 'the kernel says so' 'ONLINE 0-3'
check 'a huge page' yes "$([[ ${lines[n]:-} == 'RESULT 3 offline-page: 0x'*' is part of a huge page' ]] && echo yes || echo no)"
n=$((n + 1))
begins 'dry' 'RESULT 0 offline-page: dry run: 0x'
check 'a page in use' yes "$([[ ${lines[n]:-} == 'RESULT 0 offline-page: 0x'*' is offline' ]] && echo yes || echo no)"
n=$((n + 1))
check 'again' yes "$([[ ${lines[n]:-} == 'RESULT 3 '* || ${lines[n]:-} == 'RESULT 0 '*' is offline already' ]] && echo yes || echo no)"
n=$((n + 1))
check 'no RAM' yes "$([[ ${lines[n]:-} == 'RESULT 3 offline-page: 0xfffffff '*' is not System RAM' ]] && echo yes || echo no)"
n=$((n + 1))
expect 'who had the page lost nothing' 'HOLDER 1'

report
