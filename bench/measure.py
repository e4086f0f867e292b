# SPDX-License-Identifier: Apache-2.0
"""What bench/run and bench/report share: commands measured in interleaved rounds, the best of each, so that what else the machine does
counts as little as it can; the inputs they read; and the targets with their bounds. CPU seconds are user and system."""
import os
import pathlib
import resource
import shlex
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Together(NamedTuple):
    """A command run so many times at once."""
    command: list
    copies: int


def once(command):
    command, copies = command if isinstance(command, Together) else (command, 1)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, shell=isinstance(command, str))
               for _ in range(copies)]
    # rg says 1 where nothing matches.
    good = (0, 1) if command[0] == "rg" else (0,)
    if any([process.wait() not in good for process in running]):
        raise subprocess.CalledProcessError(1, command)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def need(what, tools):
    for tool, package in tools.items():
        if shutil.which(tool) is None:
            sys.exit(f"{what}: {tool} is a control; apt-get install {package}")


def build(*targets):
    """Builds the release preset; its directory."""
    subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", *targets], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return ROOT / "build/release"


def cpus():
    return len(os.sched_getaffinity(0))


class Bench:
    """Measures in the directory `work` what stands in `build`; keeps the targets and the commands for the report."""

    def __init__(self, work, build, rounds):
        self.work, self.build, self.rounds = pathlib.Path(work), pathlib.Path(build), rounds
        self.correlator = str(self.build / "correlator/cli/correlator")
        self.targets, self.commands, self.inputs = [], {}, []
        print(f"load average {os.getloadavg()[0]:.1f}, {cpus()} CPUs; best of {rounds} interleaved rounds")

    def shown(self, command):
        """As it is typed, in the directory of the inputs, with the programs by their names."""
        command, copies = command if isinstance(command, Together) else (command, 1)
        text = command if isinstance(command, str) else shlex.join(str(word) for word in command)
        for directory in (self.work, self.correlator.removesuffix("/correlator"), self.build / "bench", ROOT):
            text = text.replace(f"{directory}/", "")
        return text if copies == 1 else f"{text}  ({copies} at once)"

    def interleaved(self, commands):
        """Name to (CPU, wall): the best of each."""
        best = {}
        for _ in range(self.rounds):
            for name, command in commands.items():
                shutil.rmtree(self.work / "state", ignore_errors=True)
                got = once(command)
                best[name] = tuple(map(min, best[name], got)) if name in best else got
        for name, (cpu, wall) in best.items():
            self.commands[name] = self.shown(commands[name])
            print(f"  {name:<34} CPU {cpu:8.3f} s   wall {wall:8.3f} s", flush=True)
        return best

    def target(self, what, measured, bound, of, at_least=False):
        """`of`: the names of the commands, as `interleaved` knows them, or command lines, that made the figure."""
        good = measured >= bound if at_least else measured <= bound
        print(f"{'pass' if good else 'FAIL'}  {what}: {measured:.2f} (wanted {'>=' if at_least else '<='} {bound:g})", flush=True)
        self.targets.append({"what": what, "measured": measured, "wanted": bound, "at_least": at_least, "pass": good,
                             "commands": [self.commands.get(name, name) for name in of]})

    def failed(self):
        return [target["what"] for target in self.targets if not target["pass"]]

    def write(self, name, command):
        """The output of a command in a file of that name."""
        with open(self.work / name, "wb") as out:
            subprocess.run(command, stdout=out, check=True)
        self.inputs.append(f"{self.shown(command)} > {name}")
        return self.work / name

    def rules(self, n):
        path = self.work / f"rules{n}.toml"
        return path if path.exists() else self.write(path.name, [str(ROOT / "bench/generate_rules"), str(n)])

    def patterns(self, n):
        path = self.work / f"patterns{n}"
        return path if path.exists() else self.write(path.name, [str(ROOT / "bench/generate_rules"), str(n), "--patterns"])

    def log(self, name, *how):
        return self.write(name, [str(self.build / "bench/bench_generate"), *how])

    def replay(self, rules, log, *more):
        return [self.correlator, "replay", "--rules", str(rules), "--no-progress", "--year", "2026", *more, str(log)]

    def search(self, n, log):
        return ["rg", "-c", "-a", "--no-config", "-f", str(self.patterns(n)), str(log)]
