# SPDX-License-Identifier: Apache-2.0
"""On what a figure was measured: the machine, the versions, the date."""
import datetime
import os
import platform
import re
import subprocess

from measure import cpus


def output(*command):
    """Standard output, or nothing where the command is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def field(file, name):
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
    except OSError:
        return ""


def library(program, name):
    """Version of the package whose library the program loads; of the one it was linked with where it loads none."""
    path = re.search(rf"=> (\S*/lib{name}\.so\S*)", output("ldd", program))
    owner = output("dpkg-query", "-S", os.path.realpath(path.group(1))) if path else ""
    if owner:
        return output("dpkg-query", "-W", "-f", "${Version}", owner.rsplit(": ", 1)[0])
    return output("pkg-config", "--modversion", {"hs": "libhs"}.get(name, name))


def facts(build):
    program = str(build / "correlator/cli/correlator")
    versions = {
        "correlator": output(program, "--version").splitlines()[:1],
        "RE2": [library(program, "re2")],
        "Vectorscan": [library(program, "hs")],
        "SQLite": [library(program, "sqlite3")],
        "rsyslogd": re.findall(r"rsyslogd\s+(\S+)", output("rsyslogd", "-v"))[:1],
        "kernel": [f"{platform.system()} {platform.release()}"],
        "ripgrep": re.findall(r"ripgrep (\S+)", output("rg", "--version"))[:1],
        "sec": re.findall(r"(\d+\.[\d.]+)", output("sec", "--version"))[:1],
    }
    memory = re.match(r"\d+", field("/proc/meminfo", "MemTotal"))
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": {
            "processor": field("/proc/cpuinfo", "model name") or platform.machine(),
            "CPUs": str(cpus()),
            "memory": f"{int(memory.group()) / 2**20:.1f} GiB" if memory else "not known",
            "system": platform.freedesktop_os_release().get("PRETTY_NAME", ""),
            "load average at the beginning": f"{os.getloadavg()[0]:.1f}",
        },
        "versions": {name: found[0] if found and found[0] else "not found" for name, found in versions.items()},
    }
