#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Exit codes, streams, colours: results on stdout, diagnostics on stderr, JSON where asked for, nothing for terminals elsewhere.
. "$(dirname "$0")/../e2e/lib.sh"
capture=$SOURCE/examples/captures/edac-skx-ue.log

# Results go to stdout, diagnostics to stderr, and --json is one object a line, each with a type and (but for the summary) a time.
code_of "replay" 0 "$CORRELATOR" replay --rules "$RULES" --events --json "$capture"
check "nothing on stderr" test ! -s err
check "each line is one JSON object with a type" python3 - out <<'P'
import json, sys
types = set()
for line in open(sys.argv[1]):
    o = json.loads(line)
    types.add(o["type"])
    assert o["type"] == "summary" or o["time"].endswith("Z"), line
    if o["type"] == "event":
        assert {"event", "severity", "host", "part", "weight", "file", "line", "lines", "fields"} <= o.keys(), line
    if o["type"] == "decision":
        assert {"id", "rule", "key", "step", "action", "argv", "why", "evidence"} <= o.keys(), line
        for e in o["evidence"]:
            assert {"time", "host", "text", "file", "line"} <= e.keys(), line
    if o["type"] == "summary":
        assert {"lines", "events", "decisions", "late", "undated", "clamped", "open", "seconds"} <= o.keys(), line
assert types == {"event", "decision", "summary"}, types
P
same "the summary comes last" summary "$(tail -n 1 out | sed -E 's/.*"type":"([a-z]+)".*/\1/')"

# What each pattern and rule cost, beside the results and not among them.
replay_edac() { "$CORRELATOR" replay --no-progress --rules "$RULES" "$@" "$capture"; }
replay_edac --json | grep -v '"type":"summary"' >plain
code_of "replay --profile" 0 replay_edac --profile --threads 2
check "the profile goes to stderr" grep -q '^Patterns: [0-9.]* s for all literals at once, ' err
check "with the rules" grep -q '^Rules: [0-9.]* s in the engine, ' err
check "and not to stdout" sh -c "! grep -q 'seconds  ' out"
code_of "replay --profile --json" 0 replay_edac --profile --json --threads 2
check "nothing on stderr with --json" test ! -s err
grep -v -e '"type":"summary"' -e '"type":"profile"' out >results
same_files "--profile changes no decision" plain results
check "one object, with decisions as they were printed" python3 - out <<'P'
import collections, json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
[profile] = [o for o in lines if o["type"] == "profile"]
decided = collections.Counter(o["rule"] for o in lines if o["type"] == "decision")
assert decided, lines
assert {r["rule"]: r["decisions"] for r in profile["rules"] if r["decisions"]} == decided, profile["rules"]
assert any(p["matched"] for p in profile["patterns"])
for p in profile["patterns"]:
    assert p["matched"] <= p["tried"] and (p["tried"] <= p["found"] or not p["literals"]), p
for rows in (profile["patterns"], profile["rules"]):
    assert [r["seconds"] for r in rows] == sorted((r["seconds"] for r in rows), reverse=True)
P
cat >rules.sec <<'S'
type=Single
ptype=RegExp
pattern=broken (\S+)
desc=broken $1
action=write - it is broken: $1

type=Single
ptype=SubStr
pattern=nothing
desc=nothing
action=none
S
printf '2026-01-01T00:00:0%dZ h k: %s\n' 1 'broken a' 2 'fine' 3 'broken b' >sec.log
code_of "replay --sec --profile" 0 "$CORRELATOR" replay --sec rules.sec --profile sec.log
same "what the rules of SEC wrote" "it is broken: a it is broken: b" "$(tr '\n' ' ' <out | sed 's/ $//')"
check "their cost goes to stderr" grep -q '^Rules: [0-9.]* s:$' err
check "a rule, its lines and matches" grep -qE '^ +[0-9.]+ +[0-9]+ +2  rules\.sec:1 Single broken \$1$' err

# What patterns cost on a log, before the rules are in use.
cat >price.toml <<'T'
format = 1
[class.error]
key = ["host"]
[[event]]
id = "error"
class = "error"
match = 'an uncommon error of (?P<what>\w+)'
[[event]]
id = "short"
class = "error"
match = 'xqz (?P<what>\w+)'
[[event]]
id = "any"
class = "error"
match = '(?P<what>\d+)'
[[event]]
id = "common"
class = "error"
match = 'told of (?P<what>\w+)'
T
for i in $(seq 1 500); do echo "2026-01-01T00:00:00Z h k: it is told of nothing"; done >price.log
echo "2026-01-01T00:00:00Z h k: an uncommon error of x" >>price.log
code_of "check --log" 0 "$CORRELATOR" check price.toml --log price.log
check "the log and its lines" grep -qE '^price\.log: 501 lines of [0-9]+ bytes\. Of each line, on the average: [0-9.]+ ns to look for all literals at once' out
check "a pattern without a literal" grep -qE '^ +[0-9.]+ +all +- +[0-9]+ +[0-9]+  any \(price\.toml:15\) no literal: each line is tried$' out
check "a common one" grep -qE '^ +[0-9.]+ +99\.800 % +500 +500 +500  common \(price\.toml:19\) "told of "$' out
check "a rare one" grep -qE '^ +[0-9.]+ +0\.200 % +1 +1 +1  error \(price\.toml:7\) ' out
check "one that is not there" grep -qE '^ +1 pattern found in no line$' out
check "W001 with what was measured" grep -qE 'every line must be tried against it, [0-9]+ ns a line of price\.log, where looking for all literals together takes [0-9]+ \[W001\]$' err
check "W011 with what was counted" grep -qE 'its literal "told of[ ]?" stands in 99\.8 % of the lines of price\.log: each of them is looked at more closely, [0-9]+ ns a line of price\.log \[W011\]$' err
check "W012" grep -qE 'its literal "xqz ?" is shorter than 7 bytes: every byte of the log is looked at and not every fourth, [0-9]+ ns a line of price\.log \[W012\]$' err
code_of "check --log --format json" 0 "$CORRELATOR" check price.toml --log price.log --format json
check "as objects" python3 - out <<'P'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
[price] = [o for o in lines if o.get("type") == "price"]
assert price["lines"] == 501 and price["log"] == "price.log", price
by = {p["event"]: p for p in price["patterns"]}
assert by["common"]["share"] == 500 / 501 and by["any"]["share"] == 1 and by["any"]["ns_per_line"] > 0, by
assert {"W001", "W011", "W012"} <= {o.get("code") for o in lines}, lines
P
code_of "check --log --format gcc" 0 "$CORRELATOR" check price.toml --log price.log --format gcc
check "places for editors" grep -qE '^price\.toml:11:9: warning: its literal .* \[W012\]$' err
check "and nothing else" test ! -s out
code_of "check --log of nothing" 66 "$CORRELATOR" check price.toml --log nowhere.log
contains "which is said" err E201

# L17: all errors of all files come in one run, on stderr, also without a terminal.
printf 'format = 1\n[[rule]]\nid = "a"\non = "memory.corected"\ncuont = 1\n' >a.toml
printf 'format = 1\n[[rule]]\nid = "b"\non = "memory.corrected"\ncooldwon = "5m"\n' >b.toml
code_of "L17: two files with errors" 78 "$CORRELATOR" check "$RULES" a.toml b.toml </dev/null
same "L17: all errors in one run, on stderr without a terminal" "3" "$(grep -c '^[ab].toml:.* error: ' err)"
check "nothing on stdout" test ! -s out
code_of "the same as JSON" 78 "$CORRELATOR" check --format json "$RULES" a.toml b.toml
same "JSON goes to stdout" 3 "$(grep -c '"gravity":"error"' out)"
code_of "the same for editors" 78 "$CORRELATOR" check --format gcc "$RULES" a.toml b.toml
same "gcc form" 3 "$(grep -cE '^[ab].toml:[0-9]+:[0-9]+: error: ' err)"

# Colours: on a terminal only, and NO_COLOR and TERM=dumb are respected there.
escape=$(printf '\033')
on_terminal() { script -qec "$1" /dev/null </dev/null; }
if command -v script >/dev/null; then
  check "colour on a terminal" sh -c "env -u NO_COLOR TERM=xterm script -qec '\"$CORRELATOR\" replay --no-progress --rules \"$RULES\" \"$capture\"' /dev/null </dev/null | grep -q '$escape\[1;31mDECISION'"
  check "NO_COLOR" sh -c "NO_COLOR=1 TERM=xterm script -qec '\"$CORRELATOR\" replay --no-progress --rules \"$RULES\" \"$capture\"' /dev/null </dev/null | grep -qv '$escape\[1'"
  on_terminal "NO_COLOR=1 '$CORRELATOR' replay --no-progress --rules '$RULES' '$capture'" >out
  check "NO_COLOR: none at all" sh -c "! grep -q '$escape' out"
  on_terminal "env -u NO_COLOR TERM=dumb '$CORRELATOR' replay --no-progress --rules '$RULES' '$capture'" >out
  check "TERM=dumb: none at all" sh -c "! grep -q '$escape' out"
fi
code_of "no colour into a file" 0 env -u NO_COLOR "$CORRELATOR" replay --rules "$RULES" "$capture"
check "no escape in a file" sh -c "! grep -q '$escape' out err"

# A reader that has seen enough is no error.
check "a pipe that closes" bash -c 'set -o pipefail; "$0" replay --rules "$1" --events "$2" | head -n 1 >/dev/null' "$CORRELATOR" "$RULES" "$capture"

# An interrupted replay commits what it has, says so by its exit code, and goes on from there.
awk 'BEGIN { for (i = 0; i < 300000; ++i) printf "2026-01-%02dT%02d:%02d:%02dZ h k: %s %d\n", 1 + int(i / 86400), int(i / 3600) % 24, int(i / 60) % 60, i % 60, i % 1000 ? "nothing" : "broken", i }' >long.log
printf 'format = 1\n[class.error]\nkey = ["host"]\n[[event]]\nid = "e"\nclass = "error"\nmatch = "broken"\n[[rule]]\nid = "ten"\non = "error"\ncount = { threshold = "10 in 24h", rearm = "at-once" }\n' >rules.toml
"$CORRELATOR" replay --rules rules.toml --json long.log | grep '"type":"decision"' >whole
mkfifo slow
{ head -n 150000 long.log; touch half; exec sleep 600; } >slow &
writer=$!
"$CORRELATOR" replay --rules rules.toml --json --state st - <slow >part1 2>err &
pid=$!
for _ in $(seq 1 1800); do [ -e half ] && [ -s part1 ] && break; sleep 0.05; done
kill -TERM "$pid"
kill "$writer"
wait "$pid"
same "L21: SIGTERM ends a replay with 130 or at the end of its input" yes "$(case $? in 0 | 130) echo yes ;; *) echo no ;; esac)"
"$CORRELATOR" decisions --json --state st >stored
check "L21: what was read is committed" test -s stored
grep '"type":"decision"' part1 >printed
same_files "L21: what was printed is what is stored" printed stored
finish
