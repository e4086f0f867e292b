# SPDX-License-Identifier: Apache-2.0
"""The targets of a replay, of windows and of SEC's rule files, each a ratio to a control that ran in the same interleaved rounds."""
import json
import os
import re
import shutil
import subprocess
import sys

from measure import ROOT, Together

SEC_TARGETS = {100: 800, 500: 3000}


def archives(bench, size):
    """The log and the set of 100 rules, for what comes after."""
    rules, many, half = bench.rules(100), bench.rules(2000), bench.rules(500)
    log = bench.log("log", "--bytes", str(size))
    one = ["--threads", "1"]
    print(f"{log.stat().st_size / 1e6:.0f} MB, 0.5 % of the lines match, one thread:")
    wc, rg, plain, state = "wc -l", "rg -c -f, 100 patterns", "replay, 100 rules", "replay, 100 rules, --state"
    got = bench.interleaved({
        wc: ["wc", "-l", str(log)],
        rg: bench.search(100, log),
        plain: bench.replay(rules, log, *one),
        state: bench.replay(rules, log, *one, "--state", str(bench.work / "state")),
        "replay, 500 rules": bench.replay(half, log, *one),
        "replay, 2000 rules": bench.replay(many, log, *one),
        "replay, shipped rules": bench.replay(ROOT / "rules", log, *one),
        "load of 100 rules": bench.replay(rules, os.devnull, *one),
        "load of 2000 rules": bench.replay(many, os.devnull, *one),
    })
    cpu = {name: both[0] for name, both in got.items()}
    print(f"      without a database: {cpu[plain] / cpu[wc]:.2f} times wc -l; shipped rules {cpu['replay, shipped rules'] / cpu[wc]:.2f}")
    bench.target("replay with 100 rules and a database, CPU in times of wc -l", cpu[state] / cpu[wc], 4.5, [state, wc])
    bench.target("the same, times faster than rg", cpu[rg] / cpu[state], 3, [rg, state], at_least=True)
    bench.target("database against none", cpu[state] / cpu[plain], 1.10, [state, plain])
    bench.target("2000 rules against 100", cpu["replay, 2000 rules"] / cpu[plain], 2.5, ["replay, 2000 rules", plain])
    for n, wanted in ((100, 20), (2000, 200)):
        name = f"load of {n} rules"
        bench.target(f"{name}, ms", 1000 * cpu[name], wanted, [name])
    return rules, log


def threads(bench, rules, log):
    names = one, two, pair = "replay, one thread", "replay, two threads", "two replays at once, one thread each"
    alone = bench.replay(rules, log, "--threads", "1")
    got = bench.interleaved({one: alone, two: bench.replay(rules, log, "--threads", "2"), pair: Together(alone, 2)})
    gain, control = got[one][1] / got[two][1], 2 * got[one][1] / got[pair][1]
    print(f"  two threads {gain:.2f} times as fast as one; two processes do {control:.2f} times the work of one")
    bench.target("gain of two threads against that of two processes", gain / control, 0.9, names, at_least=True)


def compressed(bench, rules, log):
    packed = bench.write("log.gz", ["igzip", "-c", str(log)])
    control, own = "igzip -dc | wc -l", "replay of the .gz"
    got = bench.interleaved({control: f"igzip -dc {packed} | wc -l", own: bench.replay(rules, packed)})
    bench.target(".gz, wall against igzip -dc | wc -l", got[own][1] / got[control][1], 1.1, [own, control])
    packed.unlink()


def other_logs(bench, rules, size):
    """What a corpus with few matches flatters."""
    chatty = bench.log("chatty", "--bytes", str(size), "--errors", "0.14")
    framed = bench.log("framed", "--bytes", str(size), "--format", "json")
    blind = bench.work / "blind.toml"
    blind.write_text(rules.read_text() + '[class.blind]\nkey = ["host"]\n' + "".join(
        f'[[event]]\nid = "blind{i}"\nclass = "blind"\nmatch = \'{p}\'\n' for i, p in enumerate([r"^[a-z]+ [0-9]+$", r"\d{9}\b", r"^\w+=\w+$"])))
    plain = bench.log("plain", "--bytes", str(size))
    print("for comparison, each against wc -l of the same log:")
    for what, log, set_ in (("14 % of the lines match", chatty, rules), ("rsyslog's JSON", framed, rules), ("three patterns without a literal", plain, blind)):
        got = bench.interleaved({"wc -l": ["wc", "-l", str(log)], what: bench.replay(set_, log, "--threads", "1")})
        print(f"      {what}: {got[what][0] / got['wc -l'][0]:.1f} times wc -l")
        log.unlink()


def windows(bench, keys=1_000_000):
    state = bench.work / "windows"
    program = str(bench.build / "bench/bench_windows")
    fill, again = [program, str(keys), str(state)], [program, "--restart", str(keys), str(state)]
    output = subprocess.run(fill, capture_output=True, text=True, check=True).stdout
    print(output, end="")
    subprocess.run(["sqlite3", "-separator", " ", state / "engine.db",
                    f"SELECT printf('disk      %-13s %d bytes a window', name, sum(pgsize) / {keys}) FROM dbstat "
                    "WHERE name IN ('live_window', 'intake_block') GROUP BY name ORDER BY name DESC"], check=True)
    seconds, megabytes = [], []
    for _ in range(bench.rounds):
        restarted = subprocess.run(again, capture_output=True, text=True, check=True).stdout
        print(restarted, end="")
        seconds.append(float(re.search(r"back in ([\d.]+) CPU s", restarted).group(1)))
        megabytes.append(float(re.search(r"peak ([\d.]+) MB", restarted).group(1)))
    number = lambda pattern: float(re.search(pattern, output, re.M).group(1))
    made, back = bench.shown(fill), bench.shown(again)
    bench.target(f"event with {keys:,} live keys against 1,000", number(r"^event .*: ([\d.]+) times$"), 2, [made])
    bench.target("bytes a live window of 3 events, texts of evidence apart", number(r"^memory +(\d+) bytes a window"), 300, [made])
    bench.target(f"restart with {keys:,} windows, CPU s", min(seconds), 1.2, [back])
    bench.target(f"restart with {keys:,} windows, MB at the peak", min(megabytes), 300, [back])


LATENCY, CPU, STRICT = "bench/live/latency.py", "bench/live/cpu.py", "bench/live/strict.py"
LIVE_PROGRAMS = ("first_instruction", "rsyslog_tap", "omprog_feeder")  # what these need to be built


def latency(bench, lines):
    """What latency.py tells, or None where it cannot be measured."""
    file = bench.work / "latency.json"
    bench.commands[LATENCY] = f"{LATENCY} --lines {lines}" + (" with PREFER=1" if os.environ.get("PREFER") else "")
    subprocess.run([sys.executable, str(ROOT / LATENCY), "--lines", str(lines), "--json", str(file)], env={**os.environ, "BUILD": str(bench.build)}, check=False)
    if not file.exists():
        return None
    told = json.loads(file.read_text(encoding="utf-8"))
    for what, wanted in (("p50", 2), ("p99", 10)):
        bench.target(f"log socket to the action's first instruction, {what}, ms", told[what], wanted, [LATENCY])
    bench.target("lines without an action within 20 s", told["lost"], 0, [LATENCY])
    return told


def live(bench, lines):
    """Below a real rsyslogd, and as its omprog would do it: one line under way at a time, each of them synced. Gives what latency() does."""
    if os.getuid() != 0 or shutil.which("rsyslogd") is None:
        print("live: not measured, it needs root and rsyslogd")
        return None
    waits = latency(bench, lines)
    told = output_of([STRICT, "--rounds", str(bench.rounds)], bench)
    rounds = [tuple(map(float, row)) for row in re.findall(r"^ +\d+ +[\d.]+ +[\d.]+ +[\d.]+ +([\d.]+) +([\d.]+)$", told, re.M)]
    for what, values, wanted in (("p50", [p50 for p50, _ in rounds], 0.5), ("p99", [p99 for _, p99 in rounds], 2)):
        bench.target(f"a line given to its OK, each synced, {what}, ms", min(values, default=99), wanted, [STRICT])
    told = output_of([CPU, "--shares", "0.005"], bench)
    for way, ratio in re.findall(r"^\| (\w+) \| 0\.5% \| [\d.]+ \| [\d.]+ \| ([\d.]+) \|", told, re.M):
        bench.target(f"plug-in's CPU against rsyslogd's, {way}, 0.5 % of the lines match", float(ratio), 1, [CPU])
    return waits


def output_of(command, bench):
    """Of a measurement that prints a table; shown, too."""
    bench.commands[command[0]] = bench.shown(command)
    output = subprocess.run([sys.executable, str(ROOT / command[0]), *command[1:]], env={**os.environ, "BUILD": str(bench.build)},
                            stdout=subprocess.PIPE, text=True, check=False).stdout
    print(output, end="")
    return output


def sec(bench):
    command = [str(ROOT / "bench/sec/run"), bench.correlator, "--rules", ",".join(map(str, SEC_TARGETS))]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    print(output, end="")
    ratios = {int(n): float(ratio.replace(",", "")) for n, ratio in re.findall(r"^(\d+) rules: .* ratio ([\d,]+),", output, re.M)}
    for n, wanted in SEC_TARGETS.items():
        # Nothing is as bad as outputs that differ.
        bench.target(f"lines a CPU second in times of sec, {n} rules", ratios.get(n, 0), wanted, [bench.shown(command)], at_least=True)
