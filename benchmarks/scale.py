"""How much is measured: the whole form, and a quick one to see that everything still works."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scale:
    """Numbers of deliveries, and bounds in seconds."""

    repetitions: int
    runs: int
    """Runs of one repetition on our stack, one job each."""
    stock_runs: int
    """Fewer, as the stock launcher takes seconds for each; enough that its ten side by side are used."""
    singles: int
    """Deliveries that are sent one after the other, each when the one before has ended."""
    latency_seconds: int
    """How long deliveries are sent at `deliveries_per_second`; the same for both."""
    latency_patience_seconds: float
    """How long is waited for jobs after the last delivery. What has not come by then counts as slower than all that has."""
    idle_seconds: float
    backfill_invoices: int
    """Invoices of the backfill beside which live events are sent."""
    live_events: int
    ingest_seconds: float
    """Each turn of each receiver, with each number of connections."""
    steady_seconds: float
    """At five times the steady load."""
    flood_seconds: float
    burst: int
    """Deliveries of one burst."""
    burst_warm_up: int
    """Deliveries of a burst before, that nobody counts."""
    burst_repetitions: int
    express_burst: int
    """Fewer suffice to see the rate of the Express workers, which does not change in a burst."""
    fairness_seconds: float
    grown_jobs: int
    grown_runs: int
    """What is added to the database before the questions about growth are put again."""
    growth_burst: int
    growth_runs: int
    growth_latency_seconds: float
    fast_latency_seconds: int = 30
    """The same for our instance alone at ten a second (questions/latency.py)."""
    scale_out_jobs: int = 20
    """For each worker host; 0: the question is not put."""
    deliveries_per_second: float = 1.0
    runs_patience_seconds: float = 420.0


WHOLE = Scale(
    repetitions=3,
    runs=300,
    stock_runs=40,
    singles=10,
    latency_seconds=60,
    latency_patience_seconds=600.0,
    idle_seconds=10.0,
    backfill_invoices=10_000,
    live_events=20,
    ingest_seconds=7.0,
    steady_seconds=20.0,
    flood_seconds=45.0,
    burst=10_000,
    burst_warm_up=10_000,
    burst_repetitions=2,
    express_burst=5_000,
    fairness_seconds=20.0,
    grown_jobs=1_000_000,
    grown_runs=50_000,
    growth_burst=3_000,
    growth_runs=150,
    growth_latency_seconds=20.0,
)
QUICK = Scale(
    repetitions=1,
    runs=60,
    stock_runs=12,
    singles=1,
    latency_seconds=20,
    latency_patience_seconds=40.0,
    idle_seconds=3.0,
    backfill_invoices=1_600,
    live_events=5,
    ingest_seconds=2.0,
    steady_seconds=4.0,
    flood_seconds=5.0,
    burst=1_500,
    burst_warm_up=0,
    burst_repetitions=1,
    express_burst=600,
    fairness_seconds=4.0,
    grown_jobs=10_000,
    grown_runs=500,
    growth_burst=500,
    growth_runs=20,
    growth_latency_seconds=4.0,
    fast_latency_seconds=8,
    scale_out_jobs=0,
)
# `FULL=1`: what the goal of flat memory speaks of.
FULL = replace(WHOLE, flood_seconds=600.0)
