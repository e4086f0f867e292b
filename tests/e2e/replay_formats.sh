#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One archive in every framing and compression, any block size, with and without read-ahead: the same decisions (R3).
. "$(dirname "$0")/lib.sh"

for i in $(seq 0 400); do
  printf '2026-01-01T%02d:%02d:00Z kvm1 kernel: EDAC MC0: 1 CE memory read error on D%d (channel:0 slot:0 page:0x%x offset:0x0 grain:32 syndrome:0x0)\n' \
    $((i / 60)) $((i % 60)) $((i % 5)) "$i"
  printf '2026-01-01T%02d:%02d:01Z kvm1 sshd[1]: Accepted publickey for root from 10.0.0.1 port 22 ssh2\n' $((i / 60)) $((i % 60))
done >iso.log

replay() { "$CORRELATOR" replay --rules "$RULES" --events --json "$@" | sed -e 's/,"seconds":[^}]*//' -e 's/"file":"[^"]*"/"file":""/g'; }
replay iso.log >expected
check "something is decided" grep -q '"type":"decision"' expected

gzip -k iso.log
zstd -q iso.log
xz -k iso.log
bzip2 -k iso.log
for file in iso.log.gz iso.log.zst iso.log.xz iso.log.bz2; do
  replay "$file" >got
  same_files "$file" expected got
done
for size in 100 4096 65536 100000; do
  replay --block-size "$size" iso.log >got
  same_files "block size $size" expected got
  replay --block-size "$size" --no-read-ahead iso.log >got
  same_files "block size $size without read-ahead" expected got
done
replay - <iso.log >got
same_files "standard input" expected got

# The same lines in other framings: the same decisions (time, rule, key, why).
decisions() { grep '"type":"decision"' "$1" | sed -e 's/,"evidence".*//' -e 's/"trust":"[a-z]*"//'; }
decisions expected >wanted
sed -E 's/^2026-01-01T([0-9:]+)Z (.*)$/Jan  1 \1 \2/' iso.log >bsd.log
replay --year 2026 bsd.log >got
decisions got >got.d
same_files "RFC 3164" wanted got.d
sed -E 's/^(2026[^ ]*) (\S+) ([a-z]+)(\[[0-9]+\])?: (.*)$/<4>1 \1 \2 \3 - - - \5/' iso.log >rfc5424.log
replay rfc5424.log >got
decisions got >got.d
same_files "RFC 5424" wanted got.d
sed -E 's/^(2026[^ ]*) (\S+) ([a-z]+)(\[[0-9]+\])?: (.*)$/{"timereported":"\1","timegenerated":"\1","hostname":"\2","inputname":"imklog","syslogfacility-text":"kern","programname":"\3","syslogtag":"\3:","msg":" \5"}/' iso.log >json.log
replay json.log >got
decisions got >got.d
same_files "rsyslog JSON" wanted got.d

# Two hosts in two files are merged by time; the order of the arguments does not matter.
grep -n '' iso.log | awk -F: '{ sub(/^[0-9]+:/, ""); print > (NR % 2 ? "odd.log" : "even.log") }'
replay odd.log even.log | grep '"type":"decision"' >a
replay even.log odd.log | grep '"type":"decision"' >b
same "merging does not depend on the order of the files" "$(wc -l <a)" "$(wc -l <b)"

# --from warms up the windows: the tenth error counts what came before.
at=$(decisions expected | head -n 1 | sed -E 's/.*"time":"([^"]*)".*/\1/')
replay --from "$at" iso.log | grep '"type":"decision"' >from
check "--from prints the decision at that time" grep -qF "$at" from
replay --to "2026-01-01T00:00:30Z" iso.log | grep -c '"type":"event"' >n
check "--to leaves later lines out" test "$(cat n)" -lt 40
finish
