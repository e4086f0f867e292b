#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every format of a line gives the same event at its own time: alone and mixed in one file; rotated sets across new year;
# directories; what has no date, no year, no newline.
. "$(dirname "$0")/lib.sh"

# One event, so that its sixty starts are not spent on testing the shipped rules.
cat >rules.toml <<'END'
format = 1
[class."memory.corrected"]
key = ["host", "dimm"]
requires = { severity = "text", dimm = "text" }
[[event]]
id = "edac"
class = "memory.corrected"
from = "kernel"
match = 'EDAC MC\d+: (?P<n>\d+) CE .* on (?P<dimm>\S+) \('
types = { n = "int" }
let = { severity = "'corrected'" }
weight = "n"
[[rule]]
id = "ten"
on = "memory.corrected"
count = "10 in 24h"
END
RULES=rules.toml

text='EDAC MC0: 1 CE memory read error on D1 (channel:0 slot:0 page:0x1 offset:0x0 grain:32 syndrome:0x0)'
# TIME HOST WEIGHT of each event.
events() {
  "$CORRELATOR" replay --rules "$RULES" --events --json "$@" 2>err | grep '"type":"event"' |
    sed -E 's/.*"time":"([^"]*)".*"host":"([^"]*)".*"weight":([0-9]+).*/\1 \2 \3/'
}
# gives NAME EXPECTED LINE...: the lines as a file of their own of January 6th 2026; they also go to `mixed`.
: >mixed.log
: >mixed.expected
gives() {
  local name=$1 expected=$2
  shift 2
  printf '%s\n' "$@" >one.log
  touch -d '2026-01-06T00:00:00Z' one.log
  events one.log >got
  same "$name" "$expected" "$(cat got)"
  cat one.log >>mixed.log
  cat got >>mixed.expected
}

gives "RFC 3164" '2026-01-05T10:00:00Z kvm1 1' "Jan  5 10:00:00 kvm1 kernel: $text"
gives "RFC 3164 with printk time" '2026-01-05T10:00:01Z kvm1 1' "Jan  5 10:00:01 kvm1 kernel: [   12.345678] $text"
gives "RFC 3164 with priority" '2026-01-05T10:00:02Z kvm1 1' "<4>Jan  5 10:00:02 kvm1 kernel: $text"
gives "RFC 5424" '2026-01-05T08:00:03.123456Z kvm1 1' "<4>1 2026-01-05T10:00:03.123456+02:00 kvm1 kernel - - - $text"
gives "RFC 5424 with data and a mark" '2026-01-05T10:00:04Z kvm1 1' \
  "<4>1 2026-01-05T10:00:04Z kvm1 kernel - - [meta sequenceId=\"1\" x=\"a\\]b\"] $(printf '\xef\xbb\xbf')$text"
gives "ISO" '2026-01-05T09:00:05Z kvm1 1' "2026-01-05T10:00:05+01:00 kvm1 kernel: $text"
gives "high-precision rsyslog" '2026-01-05T09:00:06.123456Z kvm1 1' "2026-01-05T10:00:06.123456+01:00 kvm1 kernel: [   12.345678] [ T77] $text"
gives "journalctl -o short-precise" '2026-01-05T10:00:07.654321Z kvm1 1' "Jan 05 10:00:07.654321 kvm1 kernel: $text"
gives "journalctl -o short-iso" '2026-01-05T10:00:08Z kvm1 1' "2026-01-05T10:00:08+0000 kvm1 kernel: $text"
gives "journalctl -o short-full" '2026-01-05T10:00:09Z kvm1 1' "Mon 2026-01-05 10:00:09 UTC kvm1 kernel: $text"
gives "journalctl -o json" '2026-01-05T10:00:10.123456Z kvm1 1' \
  "{\"__CURSOR\":\"s=1\",\"__REALTIME_TIMESTAMP\":\"1767607210123456\",\"_TRANSPORT\":\"kernel\",\"SYSLOG_FACILITY\":\"0\",\"SYSLOG_IDENTIFIER\":\"kernel\",\"_HOSTNAME\":\"kvm1\",\"MESSAGE\":\"$text\"}"
gives "rsyslog JSON" '2026-01-05T10:00:11.500Z kvm1 1' \
  "{\"timereported\":\"2026-01-05T10:00:11.5+00:00\",\"hostname\":\"kvm1\",\"inputname\":\"imklog\",\"syslogfacility-text\":\"kern\",\"programname\":\"kernel\",\"syslogtag\":\"kernel:\",\"msg\":\" $text\"}"
gives "dmesg -T" '2026-01-05T10:00:12Z  1' "[Mon Jan  5 10:00:12 2026] $text"
gives "journalctl -o export" '2026-01-05T10:00:13.123456Z kvm1 1' "" "__CURSOR=s=1" "__REALTIME_TIMESTAMP=1767607213123456" \
  "_TRANSPORT=kernel" "SYSLOG_FACILITY=0" "SYSLOG_IDENTIFIER=kernel" "_HOSTNAME=kvm1" "MESSAGE=$text" ""
gives "last message repeated" $'2026-01-05T10:00:14Z kvm1 1\n2026-01-05T10:00:20Z kvm1 3' \
  "Jan  5 10:00:14 kvm1 kernel: $text" "Jan  5 10:00:15 kvm2 sshd[1]: x" "Jan  5 10:00:20 kvm1 last message repeated 3 times"
gives "message repeated" '2026-01-05T10:00:21Z kvm1 4' "Jan  5 10:00:21 kvm1 kernel: message repeated 4 times: [ $text]"
gives "a byte order mark, CRLF" '2026-01-05T10:00:22Z kvm1 1' "$(printf '\xef\xbb\xbf')Jan  5 10:00:22 kvm1 kernel: $text"$'\r'

touch -d '2026-01-06T00:00:00Z' mixed.log
events mixed.log >got
same_files "all of them mixed in one file" mixed.expected got
gzip -c mixed.log >mixed.log.gz
touch -d '2026-01-06T00:00:00Z' mixed.log.gz
events mixed.log.gz >got
same_files "compressed" mixed.expected got

# Without dates: uptimes count from --boot, undated lines take the time of the dated line before them.
printf '[   12.500000] %s\n<3>[   13.5] %s\n%s\n' "$text" "$text" "$text" >console.log
events --host kvm9 --boot 2026-01-05T00:00:00Z console.log >got
same "dmesg and raw console lines" $'2026-01-05T00:00:12.500Z kvm9 1\n2026-01-05T00:00:13.500Z kvm9 1\n2026-01-05T00:00:13.500Z kvm9 1' "$(cat got)"
printf 'Jan  5 10:00:00 kvm1 sshd[1]: x\n%s\n' "$text" >undated.log
touch -d '2026-01-06T00:00:00Z' undated.log
events undated.log >got
same "an undated line" '2026-01-05T10:00:00Z  1' "$(cat got)"

# Records of /dev/kmsg are the lines of the console: no record is lost where a block or the file ends.
decoded() { # FILE OPTION...
  "$CORRELATOR" replay --rules "$RULES" --events --json "$@" | grep '"type":"event"' |
    sed -E 's/.*"event":"([^"]*)","severity":"([^"]*)".*"part":"([^"]*)","weight":([0-9]+).*/\1 \2 \3 \4/'
}
for record in "$SOURCE"/examples/captures/*.kmsg; do
  decoded "${record%.kmsg}.log" >expected
  for size in 1048576 100; do
    decoded "$record" --block-size "$size" >got
    same_files "$(basename "$record") with blocks of $size" expected got
  done
done

# A rotated set across new year, one file compressed, other logs beside it: a directory as the argument.
mkdir logs
printf 'Dec 30 23:00:00 kvm1 kernel: %s\nDec 31 10:00:00 kvm1 kernel: %s\n' "$text" "$text" | gzip >logs/kern.log.2.gz
printf 'Dec 31 23:59:58 kvm1 kernel: %s\nJan  1 00:00:02 kvm1 kernel: %s\n' "$text" "$text" >logs/kern.log.1
printf 'Jan  1 08:00:00 kvm1 kernel: %s\nJan  2 08:00:00 kvm1 kernel: %s\n' "$text" "$text" >logs/kern.log
printf '2026-01-01T12:00:00Z kvm2 kernel: %s\n' "$text" | zstd -q >logs/other.zst
printf '2026-01-01T11:00:00Z kvm3 kernel: %s\n' "$text" | xz >logs/third.xz
printf '2025-12-31T11:00:00Z kvm4 kernel: %s\n' "$text" | bzip2 >logs/fourth.bz2
touch -d '2025-12-31T11:00:00Z' logs/kern.log.2.gz
touch -d '2026-01-01T01:00:00Z' logs/kern.log.1
touch -d '2026-01-02T09:00:00Z' logs/kern.log
cat >expected <<'T'
2025-12-30T23:00:00Z kvm1 1
2025-12-31T10:00:00Z kvm1 1
2025-12-31T11:00:00Z kvm4 1
2025-12-31T23:59:58Z kvm1 1
2026-01-01T00:00:02Z kvm1 1
2026-01-01T08:00:00Z kvm1 1
2026-01-01T11:00:00Z kvm3 1
2026-01-01T12:00:00Z kvm2 1
2026-01-02T08:00:00Z kvm1 1
T
events logs >got
same_files "a directory: rotated, compressed, merged by time" expected got
events logs/kern.log.1 logs/third.xz logs/kern.log logs/other.zst logs/kern.log.2.gz logs/fourth.bz2 >got
same_files "the same files in any order" expected got

# A pipe has no age: the year of its first line is the latest one that is not in the future.
year=$(date -u -d yesterday +%Y)
printf '%s kvm1 kernel: %s\n' "$(LC_ALL=C date -u -d yesterday '+%b %e 10:00:00')" "$text" >pipe.log
# shellcheck disable=SC2002
cat pipe.log | events - >got # a pipe, not a file
contains "a pipe of year-less lines" got "$year-"

# --from prints what happens from then on, warmed up by what was before; the summary counts what is printed.
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do printf '2026-01-01T%02d:00:00Z kvm1 kernel: %s\n' "$i" "$text"; done >hours.log
code_of "--from" 0 "$CORRELATOR" replay --rules "$RULES" --events --json --from 2026-01-01T10:00:00Z --to 2026-01-01T11:30:00Z hours.log
same "events from --from to --to" 2 "$(grep -c '"type":"event"' out)"
contains "the tenth counts those before" out '"why":"10 memory.corrected of 10'
contains "the summary counts what is shown" out '"events":2'
printf '2026-01-01T00:00:00Z kvm1 kernel: %s' "$text" >unfinished.log
code_of "a last line without newline" 0 "$CORRELATOR" replay --rules "$RULES" --json unfinished.log
contains "is a line" out '"lines":1,'
finish
