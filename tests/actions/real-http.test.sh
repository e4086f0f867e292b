# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# notify with the real curl, against a receiver that takes JSON as Alertmanager's do.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"
for program in curl python3; do
  command -v "$program" >/dev/null 2>&1 || { echo "$program is not installed: notify is not tried over HTTP"; report; exit; }
done

fresh 'the real curl'
ln -sf "$(command -v curl)" "$BIN/curl"
cat >"$WORLD/receiver.py" <<'PY'
# A receiver of alerts: keeps what it got by path, answers 500 below /broken, and never
# below /slow.
import http.server, json, sys, time
world = sys.argv[1]
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/slow"):
            time.sleep(30)
        good = self.headers["Content-Type"] == "application/json"
        json.loads(body)
        with open(world + "/got" + self.path.replace("/", "_"), "wb") as out:
            out.write(body)
        with open(world + "/authorization", "w") as out:
            out.write(self.headers.get("Authorization", ""))
        self.send_response(500 if self.path.startswith("/broken") or not good else 200)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
PY
python3 "$WORLD/receiver.py" "$WORLD" >"$WORLD/port" &
receiver=$!
trap 'kill "$receiver" 2>/dev/null; rm -rf -- "$BASE"' EXIT
for ((i = 0; i < 600; ++i)); do [[ -s $WORLD/port ]] && break; sleep 0.1; done
url=http://127.0.0.1:$(<"$WORLD/port")
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$WORLD/got$1" "$2"; }

printf 'Authorization: Bearer secret\n' >"$WORLD/headers"
run notify --webhook "$url/hook" --alertmanager "$url/api/v2/alerts" --headers "$WORLD/headers" --host kvm1 --rule dimm.failing \
  --part $'D"1\\\n' --severity error --text $'10 "errors"\e[2J caf\xc3\xa9'
exits 0
check 'the secret is sent' 'Bearer secret' "$(cat "$WORLD/authorization")"
# The fields that the receivers of Alertmanager (webhook version 4) know.
check 'fields' "alerts commonAnnotations commonLabels externalURL groupKey groupLabels receiver status truncatedAlerts version" \
  "$(field _hook '" ".join(sorted(d))')"
check "an alert's fields" 'annotations endsAt fingerprint generatorURL labels startsAt status' "$(field _hook '" ".join(sorted(d["alerts"][0]))')"
check 'types' "str int list dict" "$(field _hook '" ".join(type(d[k]).__name__ for k in ("version","truncatedAlerts","alerts","commonLabels"))')"
check text '10 "errors" [2J café' "$(PYTHONIOENCODING=utf-8 field _hook 'd["alerts"][0]["annotations"]["description"]')"
check part 'D"1\ ' "$(field _hook 'd["alerts"][0]["labels"]["part"]')"
check "Alertmanager's own" 'alertname instance part severity' "$(field _api_v2_alerts '" ".join(sorted(d[0]["labels"]))')"
check 'no end' False "$(field _api_v2_alerts '"endsAt" in d[0]')"
run notify --webhook "$url/hook" --alertmanager "$url/api/v2/alerts" --host kvm1 --rule dimm.failing --part D1 --undo
exits 0
check resolved 'resolved resolved' "$(field _hook 'd["status"] + " " + d["alerts"][0]["status"]')"
check 'an end' True "$(field _api_v2_alerts 'd[0]["endsAt"] >= d[0]["startsAt"]')"

run notify --webhook "$url/broken" --host kvm1
exits 1
run notify --webhook "$url/slow" --host kvm1 --timeout 1
exits 4
run notify --webhook http://127.0.0.1:1/ --host kvm1
exits 1

report
