"""Deliveries at a fixed rate whether or not those before were answered; each one's time begins when it was to be sent.

`express/loadgen.js` sends: at hundreds a second a sender in Python would itself be what is measured.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from pydantic import BaseModel

from benchmarks.errors import NotMeasured
from benchmarks.express_baseline import FOLDER

GRACE_SECONDS = 60.0


class Seen(BaseModel):
    """Milliseconds from the moment at which each was to be sent to its answer."""

    sent: int
    errors: int
    p50_ms: float
    p99_ms: float


def at_rate(url: str, bodies: Path, *, per_second: int, seconds: float) -> Seen:
    """Raises `NotMeasured` unless all are answered with success."""
    command = ["node", "loadgen.js", "rate", "--url", url, "--bodies", str(bodies)]
    command += ["--rate", str(per_second), "--seconds", str(seconds), "--conns", "256"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=seconds + GRACE_SECONDS, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"The load generator failed: {done.stderr[-500:]}")
    seen = Seen.model_validate_json(done.stdout.strip().splitlines()[-1])
    if seen.errors or seen.sent < round(per_second * seconds):
        raise NotMeasured(f"{seen.errors} of {per_second * seconds:.0f} deliveries were not taken")
    return seen
