#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics of a running engine and dispatcher: over the control socket, in a file, and from what they left. Every page is read by
promtool and by the parser of prometheus_client where they are installed, and by a parser here in any case."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from dispatch import CORRELATOR, Site, wait_for
from harness import PATIENCE
from omprog import check, correlator

SOURCE = os.environ["SOURCE"]
SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? ([0-9.e+-]+)$')
RULES = """
[[rule]]
id = "quiet"
on = { on = "hit", where = "what == 'quiet'" }
then = ["seen"]
[action.seen]
run = "act"
mode = "shadow"
budget = "few"
[budget.few]
at_most = 5
per = "1h"
over = "all"
"""


def samples(page):
    """{"name{labels}": value}; fails on a line that is none, and on a family that comes twice or without HELP and TYPE."""
    out, family, kind, seen = {}, "", "", set()
    for line in page.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ", 3)[2]
            assert family not in seen, f"{family} comes twice"
            seen.add(family)
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == family
            kind = line.split(" ")[3]
        else:
            match = SAMPLE.match(line)
            assert match, f"no sample: {line!r}"
            names = {family} if kind != "histogram" else {family + end for end in ("_bucket", "_sum", "_count")}
            assert match[1] in names, f"{line!r} does not belong to {family}"
            out[match[1] + (match[2] or "")] = float(match[3])
    return out


def read_by_others(page):
    read = 0
    promtool = shutil.which("promtool")
    if promtool:
        said = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True)
        check(f"promtool has nothing to say {said.stdout}{said.stderr}".rstrip(), said.returncode == 0 and not said.stderr)
        read += 1
    sys.path.append("/usr/lib/python3/dist-packages")  # where another python3 comes first
    try:
        from prometheus_client.parser import text_string_to_metric_families
        families = list(text_string_to_metric_families(page))
        check("prometheus_client reads the same samples", len([s for f in families for s in f.samples]) == len(samples(page)))
        read += 1
    except ImportError:
        pass
    if not read:
        print("skipped: neither promtool nor python3-prometheus-client is installed")


def lines(page, fate):
    return samples(page).get(f'correlator_input_lines_total{{input="omprog",fate="{fate}"}}')


def message(number, text, **more):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"id": f"m-{number}", "timegenerated": now, "timereported": now, "hostname": "h1", "inputname": "imuxsock",
                       "programname": "app", "syslogtag": "app:", "facility": "1", "severity": "6", "message": " " + text, **more}, separators=(",", ":"))  # as the shipped template writes it


def documented():
    with open(os.path.join(SOURCE, "docs", "metrics.md"), encoding="utf-8") as file:
        return file.read()


# A /var/lib and a user of its own, with the engine's and the dispatcher's directories where they are installed.
PLACES = """set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /var/lib
mkdir -p /var/lib/correlator /var/lib/correlator-dispatch /var/lib/prometheus/node-exporter
mount --bind "$STATE" /var/lib/correlator
mount --bind "$LEDGER" /var/lib/correlator-dispatch
cat /etc/passwd - >/var/lib/passwd <<'END'
correlator:x:64999:64999::/var/lib/correlator:/usr/sbin/nologin
END
cat /etc/group - >/var/lib/group <<'END'
correlator:x:64999:
END
mount --bind /var/lib/passwd /etc/passwd
mount --bind /var/lib/group /etc/group
"""


def documents_commands(site):
    """The commands of docs/metrics.md, as they stand there."""
    commands = "".join(re.findall(r"^```shell\n(.*?)^```", documented(), re.S | re.M))
    check("docs/metrics.md has commands", commands.count("\n") == 3)
    look = "stat -c '%U %G %a' /var/lib/correlator-metrics; readlink /var/lib/prometheus/node-exporter/correlator.prom"
    done = subprocess.run(["unshare", "-m", "bash", "-euc", PLACES + commands + look], capture_output=True, text=True,
                          env={"PATH": os.path.dirname(CORRELATOR) + ":" + os.environ["PATH"], "STATE": site.state, "LEDGER": site.ledger})
    check(f"they succeed {done.stderr}".rstrip(), done.returncode == 0)
    page, (owner, link) = done.stdout.splitlines()[:-2], done.stdout.splitlines()[-2:]
    said = samples("\n".join(page))
    check("they print what engine and dispatcher say", said.get("correlator_up") == 1 and said.get("correlator_dispatch_up") == 1)
    check("and give node_exporter a file of the engine's user", (owner, link) == ("correlator correlator 755", "/var/lib/correlator-metrics/engine.prom"))


def main():
    check("docs/metrics.md holds the list that `correlator metrics --list` prints", correlator("metrics", "--list") in documented())
    if os.geteuid() != 0:
        print("skipped: a dispatcher's directory belongs to root")
        return 77
    site = Site()
    with open(os.path.join(site.work, "rules.toml"), "a", encoding="utf-8") as file:
        file.write(RULES)
    engine_file, dispatch_file = os.path.join(site.work, "prom", "engine.prom"), os.path.join(site.work, "prom", "dispatch.prom")
    os.mkdir(os.path.join(site.work, "prom"))
    engine = site.engine(["--metrics", engine_file, "--metrics-every", "1"])
    dispatcher = site.dispatcher(["--metrics", dispatch_file, "--metrics-every", "1"])
    page = lambda: correlator("metrics", "--state", site.state, "--ledger", site.ledger)
    try:
        wait_for("the dispatcher is there", lambda: os.path.exists(os.path.join(site.ledger, "dispatch.sock")))
        begin = int(time.time())
        ahead = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
        for line in [message(1, "hit plain"), message(1, "hit plain"), message(2, "nothing"), message(3, "hit quiet"),
                     message(4, "hit plain", timereported="1970-01-01T00:00:00Z"), message(5, "hit plain", timereported=ahead),
                     message(6, "hit x", programname="kernel", syslogtag="kernel:", facility="0"), '{"id":"m-7","message":" hit ',
                     "", message(8, "-- MARK --", inputname="immark")]:
            check(f"answered: {line[:40]}", engine.send(line) == "OK")
        get = lambda name: now.get(name, -1)
        now = samples(page())
        by_fate = {fate: lines(page(), fate) for fate in ("matched", "mark", "unmatched", "duplicate")}
        check(f"each line has one fate {by_fate}", by_fate == {"matched": 5, "mark": 1, "unmatched": 3, "duplicate": 1})
        remarks = {word: get(f'correlator_input_remarks_total{{input="omprog",remark="{word}"}}') for word in ("malformed", "late", "future", "forged", "undated", "truncated")}
        check(f"what else there is to say {remarks}", remarks == {"malformed": 2, "late": 1, "future": 1, "forged": 1, "undated": 0, "truncated": 0})
        modules = {name: get(f'correlator_input_module_lines_total{{input="omprog",module="{name}"}}') for name in ("imuxsock", "immark")}
        check(f"lines by rsyslog's own inputs {modules}", modules == {"imuxsock": 7, "immark": 1})
        check("a source that does not number has lost nothing that it knows of", get('correlator_input_lost_total{input="omprog"}') == -1)
        check("events by class and trust", get('correlator_events_total{class="hit",trust="claimed"}') == 4)
        check("a decision", get('correlator_decisions_total{rule="plain",fate="decided"}') >= 1)
        check("one in shadow mode", get('correlator_decisions_total{rule="quiet",fate="shadow"}') == 1)
        check("a rule that decided nothing is there with 0", get('correlator_decisions_total{rule="asked",fate="decided"}') == 0)
        count = get('correlator_commit_duration_seconds_count{synced="true"}') + get('correlator_commit_duration_seconds_count{synced="false"}')
        check("each commit is in the histogram", count >= 6)
        lag = get('correlator_input_lag_seconds_bucket{input="omprog",le="86400"}')
        check("a line of 1970 is beyond every bound of the lag", get('correlator_input_lag_seconds_count{input="omprog"}') == lag + 1 == 5)
        check("durability is one of four", sum(get(f'correlator_durability_mode{{mode="{m}"}}') for m in ("strict", "synced", "batched", "spooling")) == 1)
        check("the spool", get("correlator_spool_size_bytes") == 64 << 20 and get("correlator_spool_bytes") == 0)
        check("the last line", begin <= get('correlator_input_last_line_timestamp_seconds{input="omprog"}') <= time.time())
        wait_for("the dispatcher's starts and outcomes by action",
                 lambda: samples(page()).get('correlator_dispatch_outcomes_total{action="act",outcome="done"}', 0) >= 1 and
                 samples(page()).get('correlator_dispatch_outcomes_total{action="seen",outcome="shadow"}') == 1)
        now = samples(page())
        check("a budget", get('correlator_dispatch_budget_left{budget="few"}') == get('correlator_dispatch_budget_starts{budget="few"}') == 5)
        documents_commands(site)
        open(os.path.join(site.ledger, "stop-actions"), "w", encoding="utf-8").close()
        wait_for("the kill switch", lambda: samples(page()).get("correlator_dispatch_kill_switch") == 1)

        check("rules are good", get("correlator_rules_last_reload_successful") == 1 and get("correlator_reload_failures_total") == 0)
        with open(os.path.join(site.work, "rules.toml"), "a", encoding="utf-8") as file:
            file.write("[[rule]\n")
        failed = subprocess.run([CORRELATOR, "reload", "--state", site.state], capture_output=True, text=True)
        dispatcher.send_signal(signal.SIGHUP)
        now = samples(page())
        check("a reload that fails shows", failed.returncode != 0 and get("correlator_rules_last_reload_successful") == 0 and get("correlator_reload_failures_total") == 1)
        wait_for("the dispatcher's, too", lambda: samples(page()).get("correlator_dispatch_rules_last_reload_successful") == 0)
        read_by_others(page())

        begin = os.stat(engine_file).st_mtime_ns, os.stat(dispatch_file).st_mtime_ns
        wait_for("the files are written again while nothing comes",
                 lambda: os.stat(engine_file).st_mtime_ns > begin[0] and os.stat(dispatch_file).st_mtime_ns > begin[1])
        with open(engine_file, encoding="utf-8") as one, open(dispatch_file, encoding="utf-8") as other:
            both = one.read(), other.read()
        check("a sandboxed engine writes its file", lines(both[0], "matched") == 5)
        names = {re.split(r"[{ ]", line)[0] for text in both for line in text.splitlines() if not line.startswith("#")}
        listed = {re.sub(r"_(bucket|sum|count)$", "", n) if re.sub(r"_(bucket|sum|count)$", "", n) in documented() else n for n in names}
        check(f"every metric is documented {sorted(n for n in listed if f'`{n}`' not in documented())}", all(f"`{n}`" in documented() for n in listed))
        check("the engine ends cleanly", engine.end())
        dispatcher.terminate()
        dispatcher.wait(PATIENCE)
        left = samples(page())
        check("without processes the state and the ledger tell", left.get("correlator_up") == 0 and left.get("correlator_dispatch_up") == 0 and
              left.get("correlator_intake_records_total", 0) >= 6 and left.get('correlator_dispatch_jobs{state="waiting"}', -1) >= 0)
        read_by_others(page())
    finally:
        for process in (engine.process, dispatcher):
            if process.poll() is None:
                process.kill()
                process.wait()
        if check.failed:
            for name in ("dispatch.log", "engine.log"):
                print(open(os.path.join(site.work, name), encoding="utf-8", errors="replace").read()[-2000:])
        site.clean()
    print(f"{check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
