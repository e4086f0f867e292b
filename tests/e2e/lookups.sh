#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Lookups from files enter the intake when their content changed, not at each start.
. "$(dirname "$0")/lib.sh"

rules() { # MAX_AGE
  cat >site.toml <<T
format = 1
[[rule]]
id    = "seen"
match = 'needle (?P<name>\w+)'
let   = { rack = "hosts(host).rack ?? 'none'" }
key   = ["host", "name", "rack"]
[lookup.hosts]
file    = "hosts.csv"
key     = ["host"]
columns = ["host", "rack"]
$1
T
}
recorded() { sqlite3 st/engine.db 'SELECT count(*) FROM intake WHERE kind = 4'; }
rack() { "$CORRELATOR" decisions --state st --json | tail -n 1 | sed -E 's/.*"rack":"([^"]*)".*/\1/'; }
n=0
replay() { # SECONDS: a line at that time
  n=$((n + 1))
  printf '2026-01-01T00:00:%02dZ h prog: needle n%d\n' "$1" "$n" >"$n.log"
  code_of "replay $n" 0 "$CORRELATOR" replay --rules site.toml --state st "$n.log"
}

rules ''
printf 'host,rack\nh,r1\n' >hosts.csv
replay 1
same "recorded at the first start" 1 "$(recorded)"
same "and used" r1 "$(rack)"
replay 2
same "not again" 1 "$(recorded)"
same "the state has it" r1 "$(rack)"
printf '# the racks\nrack,host\nr1,h\n' >hosts.csv
replay 3
same "a comment and another order of columns are no change" 1 "$(recorded)"
printf 'host,rack\nh,r2\n' >hosts.csv
replay 4
same "new content is recorded" 2 "$(recorded)"
same "and used" r2 "$(rack)"
sed -i 's/^id .*/id    = "seen.too"/' site.toml
replay 5
same "a reload with the same lookup records nothing" 2 "$(recorded)"
same "and has it" r2 "$(rack)"
printf '{"host": "h", "rack": "r2"}\n' >hosts.csv
replay 6
same "the same content as JSON lines is no change" 2 "$(recorded)"
rm hosts.csv
replay 7
contains "a file that is gone is said" err "hosts.csv"
same "what was known stays" r2 "$(rack)"

# With max_age it matters when the content was read.
rules 'max_age = "1m"'
printf 'host,rack\nh,r2\n' >hosts.csv
replay 8
before=$(recorded)
replay 9
check "read again: recorded again" test "$(recorded)" -gt "$before"
code_of "R1" 0 "$CORRELATOR" replay --recorded st --json
contains "to the byte" out '"different":0'
finish
