# SPDX-License-Identifier: Apache-2.0
"""The curves of bench/report. Each is a plot as the page takes it: axes with their scale, named series of points, and the commands. Throughput
is that of the whole command, its start and the loading of the rules included."""
import re
import subprocess

import targets
from measure import Together, cpus

RULES = (10, 100, 500, 2000)
SHARES = (0, 0.5, 5, 14, 50, 100)
FEW_KEYS = (1_000, 10_000)
KEYS = (*FEW_KEYS, 100_000, 1_000_000)
PER_CPU = "MB of log a CPU second"


def axis(label, scale):
    return {"label": label, "scale": scale}


def rate(size, seconds):
    return size / 1e6 / seconds


def plot(bench, name, title, x, y, lines, commands):
    return {"name": name, "title": title, "x": x, "y": y, "series": [{"name": line, "points": points} for line, points in lines.items()],
            "commands": [f"{command}: {bench.commands[command]}" for command in commands]}


def rules(bench, log):
    print("against number of rules:")
    size = log.stat().st_size
    commands = {"wc -l": ["wc", "-l", str(log)]}
    for n in RULES:
        commands[f"replay, {n} rules, one thread"] = bench.replay(bench.rules(n), log, "--threads", "1")
        commands[f"rg, {n} patterns"] = bench.search(n, log)
    got = bench.interleaved(commands)
    speed = {name: rate(size, both[0]) for name, both in got.items()}
    return plot(bench, "rules", "Throughput against number of rules", axis("rules", "log"), axis(PER_CPU, "log"), {
        "correlator replay": [[n, speed[f"replay, {n} rules, one thread"]] for n in RULES],
        "rg -c -f, the same patterns": [[n, speed[f"rg, {n} patterns"]] for n in RULES],
        "wc -l": [[n, speed["wc -l"]] for n in (RULES[0], RULES[-1])]}, commands)


def shares(bench, rule_set, size):
    print("against share of matching lines:")
    lines, commands = {"correlator replay, 100 rules": [], "rg -c -f, the same patterns": [], "wc -l": []}, []
    for share in SHARES:
        log = bench.log("share", "--bytes", str(size), "--errors", str(share / 100))
        names = [f"{what}, {share} % match" for what in ("replay", "rg", "wc")]
        programs = bench.replay(rule_set, log, "--threads", "1"), bench.search(100, log), ["wc", "-l", str(log)]
        got = bench.interleaved(dict(zip(names, programs)))
        for points, name in zip(lines.values(), names):
            points.append([share, rate(log.stat().st_size, got[name][0])])
        commands += names
        log.unlink()
    return plot(bench, "shares", "Throughput against share of matching lines", axis("% of the lines match", "category"), axis(PER_CPU, "log"),
                lines, commands)


def threads(bench, rule_set, log):
    print("against threads:")
    counts = sorted({1, 2, cpus()})
    commands = {}
    for n in counts:
        commands[f"replay, --threads {n}"] = bench.replay(rule_set, log, "--threads", str(n))
        commands[f"{n} replays of one thread"] = Together(bench.replay(rule_set, log, "--threads", "1"), n)
    got = bench.interleaved(commands)
    size = log.stat().st_size
    return plot(bench, "threads", "Throughput against threads", axis("threads or processes", "linear"), axis("MB of log a second of the clock", "linear"), {
        "one correlator replay of so many threads, 100 rules": [[n, rate(size, got[f"replay, --threads {n}"][1])] for n in counts],
        "as many replays at once, one thread each": [[n, rate(n * size, got[f"{n} replays of one thread"][1])] for n in counts]}, commands)


def keys(bench, counts):
    print("against live keys:")
    points, name = [], "bench_windows --cost"
    bench.commands[name] = f"{name} KEYS"
    for n in counts:
        output = [subprocess.run([str(bench.build / "bench/bench_windows"), "--cost", str(n)], capture_output=True, text=True, check=True).stdout
                  for _ in range(bench.rounds)]
        print("  " + output[-1], end="")
        points.append([n, 1e9 / min(float(re.search(r"(\d+) CPU ns", text).group(1)) for text in output)])
    return plot(bench, "keys", "Throughput against live keys", axis("live keys of one counting rule", "log"), axis("events a CPU second, no database", "linear"),
                {"third event of each key": points}, [name])


def latency(told, bench):
    """Of what targets.latency() gave."""
    lines = len(next(iter(told["milliseconds"].values())))
    return {"name": "latency", "title": f"Live latency, {lines} lines of which each is a decision", "x": axis("milliseconds", "log"),
            "y": axis("% of the lines that took at most this long", "linear"),
            "distributions": [{"name": of, "values": values} for of, values in told["milliseconds"].items()],
            "commands": [f"{targets.LATENCY}: {bench.commands[targets.LATENCY]}"]}
