"""How much is measured: the whole form, and a quick one to see that everything still works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Numbers of deliveries, and bounds in seconds after which what has not ended is counted as such."""

    repetitions: int
    runs: int
    """Runs of one repetition on our stack, one job each."""
    stock_runs: int
    """Fewer: the stock launcher takes about six seconds for one."""
    latency_seconds: int
    """How long deliveries are sent at `deliveries_per_second`; the same for both."""
    latency_patience_seconds: float
    """How long after the last delivery is waited for our jobs, and for those of the stock instance."""
    idle_seconds: float
    deliveries_per_second: float = 1.0
    runs_patience_seconds: float = 420.0


WHOLE = Scale(repetitions=3, runs=300, stock_runs=20, latency_seconds=60, latency_patience_seconds=600.0, idle_seconds=10.0)
QUICK = Scale(repetitions=1, runs=60, stock_runs=6, latency_seconds=20, latency_patience_seconds=60.0, idle_seconds=3.0)
