#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compressed files of one rotation are decompressed several at once: nothing that is printed changes with the number of threads,
# a damaged one is told at its place, and what waits for its turn is bounded.
. "$(dirname "$0")/lib.sh"
cat >rules.toml <<'T'
format = 1
[class.error]
key = ["host"]
[[event]]
id = "error"
class = "error"
match = 'an error of unit (?P<what>\w+)'
[[rule]]
id = "five"
on = "error"
count = { threshold = "5 in 3h", rearm = "at-once" }
T
# Six files of ten hours each; the newest is not compressed yet, and one is of another compressor.
mkdir logs
awk -v year=2026 'BEGIN { for (i = 0; i < 60000; ++i) {
    t = i * 3.6; printf "%d-01-%02dT%02d:%02d:%02dZ h%d unit: %s\n", year, 1 + int(t / 86400), int(t / 3600) % 24, int(t / 60) % 60, int(t) % 60, i % 3,
      i % 97 ? "nothing of note " i " xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" : "an error of unit u" i % 5 } }' >all
split -n l/6 -d all part.
for i in 0 1 2 3 4; do mv "part.0$i" "logs/messages.$((5 - i))"; done
mv part.05 logs/messages
gzip -1 logs/messages.5 logs/messages.4 logs/messages.2 logs/messages.1
xz -0 logs/messages.3
replay() { "$CORRELATOR" replay --no-progress --rules rules.toml --json --events --threads "$@" | sed 's/"seconds":[0-9.]*/S/'; }
replay 1 logs >one 2>one.err
check "there are decisions" grep -q '"type":"decision"' one
same "all files were read" 60000 "$(tail -n 1 one | sed -E 's/.*"lines":([0-9]+).*/\1/')"
for threads in 2 3 8; do
  replay "$threads" logs >many 2>many.err
  same_files "$threads threads" one many
  replay "$threads" --block-size 5000 logs >many
  same_files "$threads threads, small blocks" one many
done

# One in the middle is damaged, one behind it cut off.
size=$(stat -c %s logs/messages.4.gz)
printf '\377\377\377\377\377\377\377\377\377\377\377\377' | dd of=logs/messages.4.gz bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
truncate -s $((size / 3)) logs/messages.2.gz
replay 1 logs >one 2>one.err
contains "the damaged one is named" one.err messages.4.gz
contains "so is the one that was cut off" one.err messages.2.gz
check "in their order" test "$(grep -n messages.4.gz one.err | cut -d: -f1 | head -n 1)" -lt "$(grep -n messages.2.gz one.err | cut -d: -f1 | head -n 1)"
for threads in 2 8; do
  replay "$threads" logs >many 2>many.err
  same_files "$threads threads: what the damaged ones held" one many
  same_files "$threads threads: what is said of them" one.err many.err
done

# Nine files of 150 MB: those that wait may hold 256 MiB in all, and the blocks under way some MB.
mkdir big
yes '2026-01-01T00:00:00Z h1 unit: nothing of note happened here, and it is told again and again, xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' | head -c 150000000 | gzip -1 >big/kern.1.gz
for i in 2 3 4 5 6 7 8 9; do cp big/kern.1.gz "big/kern.$i.gz"; done
touch big/kern
cat >peak.py <<'P'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
P
peak() { python3 peak.py "$CORRELATOR" replay --no-progress --rules rules.toml --threads "$1" big; }
if [ "${SLOWER:-1}" = 1 ]; then
  alone=$(peak 1) eight=$(peak 8)
  echo "peak: $alone MiB with one thread, $eight with eight, of $((9 * 150)) MB"
  check "what is decompressed ahead is bounded: $eight MiB" test "$eight" -lt $((alone + 256 + 64))
  check "something is decompressed ahead: $eight MiB" test "$eight" -gt $((alone + 16))
fi
finish
