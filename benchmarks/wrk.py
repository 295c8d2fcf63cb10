"""`wrk`: as many requests as a receiver answers over so many connections, each with a body of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pydantic import BaseModel

from benchmarks.errors import NotMeasured

SCRIPT = Path(__file__).with_name("wrk.lua")
MARK = "RESULT "
# After the end of what is measured, until it has said what it saw.
GRACE_SECONDS = 30.0


class Load(BaseModel):
    """What `wrk` saw: `refused` answers were no success, `lost` requests had none."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    lost: int

    @property
    def per_second(self) -> float:
        return (self.requests - self.refused) / self.seconds


def is_there() -> bool:
    return shutil.which("wrk") is not None


def load(url: str, bodies: Path, *, connections: int, seconds: float) -> Load:
    """Send as fast as the answers come. Raises `NotMeasured` when wrk does not say what it saw."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", "--timeout", "10s", "-s", str(SCRIPT), url]
    environment = {**os.environ, "BODIES": str(bodies)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + GRACE_SECONDS, check=False)
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return Load.model_validate_json(line.removeprefix(MARK))
    raise NotMeasured(f"wrk failed: {(done.stderr or done.stdout)[-500:]}")


def refuse_losses(seen: Load, *, rows: int, connections: int) -> None:
    """Raises `NotMeasured` unless each answer was a success and stands for a row. What was under way when wrk ended may be there too."""
    if seen.refused or seen.lost:
        raise NotMeasured(f"{seen.refused} of {seen.requests} answers were no success, and {seen.lost} requests had no answer")
    if not seen.requests <= rows <= seen.requests + connections:
        raise NotMeasured(f"{seen.requests} deliveries were acknowledged and {rows} are in the database")
