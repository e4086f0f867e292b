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
code_of "--profile is not for the rules of SEC" 2 "$CORRELATOR" replay --profile --sec rules.sec "$capture"

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
