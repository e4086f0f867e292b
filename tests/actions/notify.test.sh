# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

decision=$BASE/decision
cat >"$decision" <<'JSON'
{"type":"decision","id":"5f3a","time":"2026-01-01T00:00:00Z","rule":"dimm.failing","key":{"host":"kvm1","why":"not this"},
"step":1,"action":"notify","argv":["--syslog"],"why":"10 \"CE\" on D1\u001b[31m\n$(touch x) `id` \\ caf\u00e9 café","evidence":[{"text":"EDAC ; rm -rf /"}]}
JSON
STDIN=$decision

fresh 'syslog'
run notify --syslog --host kvm1
exits 0
check arguments $'-t\ncorrelator\n-p\ndaemon.warning\n--' "$(head -n 5 "$WORLD/logger.args")"
# shellcheck disable=SC2016
check text 'dimm.failing on kvm1: 10 "CE" on D1 [31m $(touch x) `id` \ caf\u00e9 caf??' "$(sed -n 6p "$WORLD/logger.args")"
check 'one line' 6 "$(wc -l <"$WORLD/logger.args")"
run notify --syslog --severity error --title t --text x
check level daemon.err "$(sed -n 4p "$WORLD/logger.args")"
run notify --syslog --severity critical --title t --text x
check level daemon.crit "$(sed -n 4p "$WORLD/logger.args")"

fresh 'text that looks like an option, and hostile text, is data'
# shellcheck disable=SC2016
run notify --syslog --title -rf --text $'a;b\n$(touch x)\e[2J'
exits 0
# shellcheck disable=SC2016
check text '-rf: a;b $(touch x) [2J' "$(sed -n 6p "$WORLD/logger.args")"

fresh 'the host may be the row of a probe, or nothing'
run notify --syslog --rule probe.failing --text t --host $'bond0=10.0.0.1\n'
exits 0
check text 'probe.failing on bond0=10.0.0.1 : t' "$(sed -n 6p "$WORLD/logger.args")"
run notify --syslog --rule r --text t --host ''
exits 0
check text "r on $(hostname): t" "$(sed -n 6p "$WORLD/logger.args")"

fresh 'mail'
run notify --mail ops@example.org --host kvm1 --part D1
exits 0
check arguments $'-i\n-f\ncorrelator\n--\nops@example.org' "$(cat "$WORLD/sendmail.args")"
says 'Subject: [warning] dimm.failing on kvm1' sendmail.in
says 'Message-ID: <5f3a.firing@correlator.invalid>' sendmail.in
says 'part      D1' sendmail.in
says 'EDAC ; rm -rf /' sendmail.in
check 'headers are ours' 9 "$(sed '/^$/q' "$WORLD/sendmail.in" | grep -c ':')"
run notify --mail root --title $'x\nBcc: evil@example.org' --text t
check 'no header from a title' 0 "$(grep -c '^Bcc' "$WORLD/sendmail.in")"

# json FIELDS: the body of the last post, by a parser when there is one
json() {
  if command -v python3 >/dev/null 2>&1; then
    python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2], {"d": d}))' "$WORLD/curl.in" "$1"
  else
    printf '%s' "$2"
  fi
}
command -v python3 >/dev/null 2>&1 || echo 'python3 is not installed: the JSON is not parsed'
fresh 'Alertmanager'
run notify --alertmanager http://am:9093/api/v2/alerts --host kvm1 --part $'D"1\\'
exits 0
says 'http://am:9093/api/v2/alerts' curl.args
check 'alert name' dimm.failing "$(json 'd[0]["labels"]["alertname"]' dimm.failing)"
check part $'D"1\\' "$(json 'd[0]["labels"]["part"]' $'D"1\\')"
# shellcheck disable=SC2016
check description '10 "CE" on D1 [31m $(touch x) `id` \ caf\u00e9 café' \
  "$(PYTHONIOENCODING=utf-8 json 'd[0]["annotations"]["description"]' '10 "CE" on D1 [31m $(touch x) `id` \ caf\u00e9 café')"
check 'no end' False "$(json '"endsAt" in d[0]' False)"
run notify --alertmanager http://am:9093/api/v2/alerts --undo
check 'an end' True "$(json '"endsAt" in d[0]' True)"
run notify --alertmanager http://am:9093/api/v2/alerts --text $'bad \xff\xfe UTF-8'
check 'bad bytes dropped' 'bad  UTF-8' "$(json 'd[0]["annotations"]["description"]' 'bad  UTF-8')"

fresh 'webhook'
printf 'Authorization: Bearer secret\n' >"$WORLD/headers"
run notify --webhook https://hook.example.org/a?b=c --headers "$WORLD/headers" --severity critical
exits 0
says "@$WORLD/headers" curl.args
check 'the secret is no argument' 0 "$(grep -c secret "$WORLD/curl.args")"
check version 4 "$(json 'd["version"]' 4)"
check status firing "$(json 'd["status"]' firing)"
check severity critical "$(json 'd["alerts"][0]["labels"]["severity"]' critical)"
run notify --webhook https://hook.example.org/ --undo
check status resolved "$(json 'd["status"]' resolved)"

fresh 'one fails, the others are sent'
echo 22 >"$WORLD/fail-curl"
run notify --webhook http://h/ --syslog --mail root
exits 1
says 'webhook failed'
called logger
called sendmail

fresh 'one hangs'
touch "$WORLD/hang-sendmail"
run notify --mail root --webhook http://h/ --timeout 1
exits 4
called 'curl '
echo 28 >"$WORLD/fail-curl"
run notify --webhook http://h/ --timeout 1
exits 4

fresh 'no program'
rm "$BIN/sendmail"
run notify --mail root --syslog
exits 5
called logger
install_stand_ins

fresh 'no channel, wrong values'
run notify
exits 2
run notify --webhook ftp://h/
exits 2
run notify --webhook 'http://-h/'
exits 2
run notify --webhook "file:///etc/passwd"
exits 2
run notify --mail '-oQ/tmp@x'
exits 2
run notify --mail $'a@b\nc'
exits 2
run notify --syslog --severity loud
exits 2

fresh 'dry run'
dry notify --syslog --mail root --webhook http://h/ --text $'two\nlines'
exits 0
check 'three lines' 3 "$(wc -l <"$WORLD/out")"

fresh 'documents that are none'
for text in '' 'no json' '{"why":"cut' '{"why":' '[[[[' '{"a":{"why":"inner"}}' '{"why":7}'; do
  printf '%s' "$text" >"$WORLD/document"
  STDIN=$WORLD/document
  run notify --syslog
  exits 0
  check 'default text' 1 "$(grep -c 'no text was given' "$WORLD/logger.args")"
done
STDIN=/dev/null

report
