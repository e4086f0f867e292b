# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

size=$(getconf PAGESIZE)
# machine NAME: 2048 pages of RAM after a hole of 256, no flags set
machine() {
  fresh "$1"
  root=$WORLD/root
  mkdir -p "$root"/sys/devices/system/memory "$root"/proc/sys/vm "$root"/sys/kernel/mm/hugepages/hugepages-2048kB
  : >"$root/sys/devices/system/memory/soft_offline_page"
  echo 0 >"$root/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
  printf '%08x-%08x : System RAM\n  00200000-002fffff : Kernel code\n%08x-%08x : Reserved\n' \
    $((256 * size)) $((2304 * size - 1)) $((2304 * size)) $((4096 * size - 1)) >"$root/proc/iomem"
  head -c $((4096 * 8)) /dev/zero >"$root/proc/kpageflags"
}
# flags PAGE VALUE (below 2^24)
flags() {
  # shellcheck disable=SC2059  # the bytes are made as a format
  printf "$(printf '\\x%02x\\x%02x\\x%02x' $(($2 & 255)) $(($2 >> 8 & 255)) $(($2 >> 16 & 255)))" |
    dd of="$root/proc/kpageflags" bs=1 seek=$(($1 * 8)) conv=notrunc 2>/dev/null
}
asked() { cat "$root/sys/devices/system/memory/soft_offline_page"; }
# A kernel that does as asked marks the page; tee is where the request goes by.
obedient() {
  printf '#!/bin/bash\n# stands in for the kernel: writes the request, marks page %d\n/usr/bin/tee "$@"\nprintf "\\x00\\x00\\x08" | dd of=%q bs=1 seek=%d conv=notrunc 2>/dev/null\n' \
    "$1" "$root/proc/kpageflags" $(($1 * 8)) >"$BASE/tee"
  chmod +x "$BASE/tee"
  ln -sf "$BASE/tee" "$BIN/tee"
}
ln -s "$(command -v dd)" "$BIN/dd"

machine 'by page frame number'
obedient 300
run offline-page --pfn 0x12c
exits 0
check 'address asked for' "$(printf '0x%x' $((300 * size)))" "$(asked)"
says '0x12c is offline'
: >"$root/sys/devices/system/memory/soft_offline_page"
run offline-page --pfn 300
exits 0
says 'offline already'
check 'asked once' '' "$(asked)"

machine 'by address'
obedient 301
run offline-page --address "$(printf '0x%x' $((301 * size + 17)))"
exits 0
check 'address asked for' "$(printf '0x%x' $((301 * size)))" "$(asked)"

machine 'the edges of RAM'
for page in 255 2304 4000; do
  run offline-page --pfn "$page" --dry-run
  exits 3
  says 'is not System RAM'
done
for page in 256 2303; do
  run offline-page --pfn "$page" --dry-run
  exits 0
done
run offline-page --pfn 0
exits 3

machine 'one attempt'
flags 300 0
ln -sf "$(command -v tee)" "$BIN/tee"
run offline-page --pfn 300
exits 1
says 'is not marked'
run offline-page --pfn 300
exits 3
says 'one attempt per page and boot'

machine 'the kernel refuses'
printf '#!/bin/bash\n# a write that the kernel answers with EBUSY\necho "tee: Device or resource busy" >&2\nexit 1\n' >"$BASE/tee"
ln -sf "$BASE/tee" "$BIN/tee"
run offline-page --pfn 300
exits 1
says 'not tried again'

machine 'the kernel does not answer'
printf '#!/bin/bash\n# a write that blocks\nfor ((i = 0; i < 600; ++i)); do sleep 0.1; done\n' >"$BASE/tee"
run offline-page --pfn 300 --timeout 1
exits 4
ln -sf "$(command -v tee)" "$BIN/tee"

machine 'huge page'
flags 300 $((1 << 17))
run offline-page --pfn 300
exits 3
says 'part of a huge page'
check 'not asked' '' "$(asked)"

machine 'no such page'
flags 300 $((1 << 20))
run offline-page --pfn 300
exits 3

machine 'flags unknown'
rm "$root/proc/kpageflags"
run offline-page --pfn 300 --dry-run
exits 0
echo 4 >"$root/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
run offline-page --pfn 300
exits 3
says 'huge pages are in use'

machine 'switched off'
echo 0 >"$root/proc/sys/vm/enable_soft_offline"
run offline-page --pfn 300
exits 3
says 'enable_soft_offline is 0'
echo 1 >"$root/proc/sys/vm/enable_soft_offline"
run offline-page --pfn 300 --dry-run
exits 0

machine 'kernel without it'
rm "$root/sys/devices/system/memory/soft_offline_page"
run offline-page --pfn 300
exits 5

machine 'iomem without addresses'
printf '00000000-00000000 : System RAM\n' >"$root/proc/iomem"
run offline-page --pfn 300
exits 3
says 'needs root'

machine 'budget'
for page in 300 301 302; do run offline-page --pfn "$page" --at-most 2; done
exits 3
says 'that is the limit'

machine 'dry run'
dry offline-page --pfn 300
exits 0
check output "'tee' '$root/sys/devices/system/memory/soft_offline_page' <<< '$(printf '0x%x' $((300 * size)))'" "$(cat "$WORLD/out")"

# shellcheck disable=SC2016
for bad in '' -1 0x 12c 0x12g 1e3 '0x1 0x2' '0x12345678901' '010' 'OPT[x]' 'a[$(touch x)]' $'1\n2'; do
  machine "hostile PFN: $bad"
  run offline-page --pfn "$bad"
  exits 2
done
machine 'both or none'
run offline-page --pfn 1 --address 0x1000
exits 2
run offline-page
exits 2

report
