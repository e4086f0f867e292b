#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What bad input gets: each sentence of the design's last section.
. "$(dirname "$0")/lib.sh"

error_line='2026-01-01T00:00:00Z kvm1 kernel: EDAC MC0: 1 UE memory read error on D1 (channel:1 slot:1 page:0xabcde offset:0x40 grain:32 - err_code:0x0001:0x0090)'

# NUL bytes, broken UTF-8, 1 MiB of text, no time, a year-2099 time: counted, and never stop the stream.
{
  printf '2026-01-01T00:00:00Z kvm1 prog: a\0b EDAC MC0 \xff\xfe\n'
  head -c 1048576 /dev/zero | tr '\0' x
  printf '\nno time at all EDAC MC0: 1 CE\n'
  printf '2099-01-01T00:00:00Z kvm1 kernel: EDAC MC0: 1 CE memory read error on D9 (channel:0 slot:0 page:0x9 offset:0x0 grain:32 syndrome:0x0)\n'
  printf '%s\n' "$error_line"
} >ugly.log
code_of "an ugly log" 0 "$CORRELATOR" replay --rules "$RULES" --events --json ugly.log
contains "the line behind it is decoded" out '"event":"memory.uncorrected"'
check "a line of 2099 does not move the clock" sh -c '! grep -q "\"time\":\"2099" out'

# A truncated .gz gives what it held, then an error naming file and offset, exit 65.
for i in $(seq 1 3000); do printf '%s %s\n' "$error_line" "$i"; done >long.log
gzip -c long.log | head -c 9000 >cut.log.gz
code_of "a truncated .gz" 65 "$CORRELATOR" replay --rules "$RULES" --events --json cut.log.gz
contains "it gives what it held" out '"type":"event"'
contains "it names the file" err "cut.log.gz"
contains "it has a code" err "[E202]"

# Missing and empty files.
code_of "a missing file" 66 "$CORRELATOR" replay --rules "$RULES" nothing.log
contains "it says which" err "nothing.log"
: >empty.log
code_of "an empty file" 0 "$CORRELATOR" replay --rules "$RULES" --json empty.log
contains "an empty file has a summary" out '"lines":0'

# A rule error says where and what to type instead.
cat >bad.toml <<'T'
format = 1

[[rule]]
id = "x"
on = "memory.corected"
cuont = "10 in 24h"
T
code_of "a bad rule file" 78 "$CORRELATOR" check "$RULES" bad.toml
contains "place of the unknown class" err "bad.toml:5:"
contains "hint for the class" err 'memory.corrected'
contains "place of the unknown key" err "bad.toml:6:1"
contains "hint for the key" err 'count'

# A second instance on one state directory is refused in words.
mkfifo pipe
"$CORRELATOR" run --rules "$RULES" --state st <pipe >/dev/null 2>&1 &
first=$!
exec 9>pipe
for _ in $(seq 1 100); do [ -s st/lock ] && break; sleep 0.05; done
code_of "a second instance" 74 "$CORRELATOR" replay --rules "$RULES" --state st long.log
contains "it says who" err "another correlator"
exec 9>&-
wait "$first" || fail "the first instance did not end cleanly"

# A corrupt database, a database of a newer version: a message that says what to do.
"$CORRELATOR" replay --rules "$RULES" --state broken long.log >/dev/null 2>&1
dd if=/dev/urandom of=broken/engine.db bs=4096 count=1 conv=notrunc 2>/dev/null
code_of "a corrupt database" 65 "$CORRELATOR" replay --rules "$RULES" --state broken long.log
check "it says what to do" grep -q hint err
"$CORRELATOR" replay --rules "$RULES" --state newer empty.log >/dev/null 2>&1
sqlite3 newer/engine.db 'PRAGMA user_version = 99'
code_of "a newer database" 78 "$CORRELATOR" decisions --state newer
contains "it says so" err "[E303]"

# A full disk: nothing acknowledged is lost, the message says what to do. (Needs a small file system; root only.)
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=600k none small 2>/dev/null; then
  code_of "a full disk" 74 "$CORRELATOR" replay --rules "$RULES" --state small/st long.log
  contains "it says so" err "disk is full"
  mount -o remount,size=64m small
  code_of "with room again" 0 "$CORRELATOR" replay --rules "$RULES" --state small/st long.log
  "$CORRELATOR" decisions --json --state small/st >small.jsonl
  "$CORRELATOR" replay --rules "$RULES" --state roomy long.log >/dev/null
  "$CORRELATOR" decisions --json --state roomy >roomy.jsonl
  same_files "nothing was lost or doubled" roomy.jsonl small.jsonl
  umount small
else
  echo "skipped: a full disk needs root and tmpfs"
fi

# Hostile text never reaches the terminal raw.
printf '2026-01-01T00:00:00Z kvm1 kernel: EDAC MC0: 1 UE \x1b]0;owned\x07 error on D1 (channel:1 slot:1 page:0xabcde offset:0x40 grain:32)\n' >esc.log
"$CORRELATOR" replay --rules "$RULES" --events esc.log >out 2>&1
check "no escape sequence in the output" sh -c '! grep -q "$(printf "\033")" out'
finish
