"""Trading pipeline: sweeps by ticker, how they end, and how long calls take."""

from __future__ import annotations

from grafana_foundation_sdk.models import units

from grafana.board import Board, Choice, Row
from grafana.panels import Lines, Number, Query
from grafana.queries import DAY, count, gauge, part, quantile, rate

SWEEPS = "trading_sweeps_total"
CHOSEN = 'ticker=~"$ticker"'
OF_SWEEPS = 'job_type="trading-sweep"'
DURATION = "pipeline_job_duration_seconds"
LATENCY = "trading_api_latency_seconds"

NUMBERS = (
    Number(
        "Sweeps ended, 24 h", count(SWEEPS, CHOSEN, window=DAY), "Sweeps of the chosen tickers that ended in the last 24 hours.", decimals=0
    ),
    Number(
        "Completion, 24 h",
        part(count(SWEEPS, f'{CHOSEN}, status="completed"', window=DAY), count(SWEEPS, CHOSEN, window=DAY)),
        "Of the sweeps that ended in the last 24 hours, the part that was completed.",
        units.PercentUnit,
        middling=0.99,
        bad=0.95,
    ),
    Number(
        "p95 duration, 24 h",
        quantile(0.95, DURATION, OF_SWEEPS, window=DAY),
        "Nineteen of twenty sweeps took less, the wait for their results included.",
        units.Seconds,
        middling=120,
        bad=300,
    ),
    Number(
        "Waiting for results",
        gauge("pipeline_jobs_open", 'state="waiting"'),
        "Jobs that wait for the service that computes, without holding a worker.",
    ),
)

BY_TICKER = Lines(
    "Sweeps by ticker",
    (Query(count(SWEEPS, CHOSEN, by="ticker"), "{{ticker}}"),),
    "Sweeps that ended. The first 50 tickers that were asked for have a name, the others are together.",
    stacked=True,
    bars=True,
)
ENDS = Lines(
    "How sweeps end",
    (Query(count(SWEEPS, CHOSEN, by="status"), "{{status}}"),),
    "Completed, failed, cancelled.",
    stacked=True,
    bars=True,
)
DURATIONS = Lines(
    "Duration of sweeps",
    (
        Query(quantile(0.5, DURATION, OF_SWEEPS), "half below"),
        Query(quantile(0.95, DURATION, OF_SWEEPS), "19 of 20 below"),
    ),
    "From the first op to the end, the wait for results included.",
    units.Seconds,
    limit=300,
)
CALLS = Lines(
    "API latency by endpoint, p95",
    (Query(quantile(0.95, LATENCY, 'endpoint=~"$endpoint"', by="endpoint"), "{{endpoint}}"),),
    "Seconds from sending a call to its whole answer.",
    units.Seconds,
)
USUAL = Lines(
    "API latency by endpoint, median",
    (Query(quantile(0.5, LATENCY, 'endpoint=~"$endpoint"', by="endpoint"), "{{endpoint}}"),),
    "Seconds from sending a call to its whole answer.",
    units.Seconds,
)
FAULTS = Lines(
    "API errors by endpoint",
    (Query(rate("api_calls_total", 'status!~"2.."', by="system, endpoint, status"), "{{system}} {{endpoint}}: {{status}}"),),
    "Calls, each second, that were not answered with 2xx; `none`: no answer came.",
    units.RequestsPerSecond,
)
FAILED = Lines(
    "Attempts at sweeps that did not complete",
    (Query(rate("pipeline_job_attempts_total", f'{OF_SWEEPS}, status!="completed"', by="status"), "{{status}}"),),
    "Tries, each second, by how they ended.",
    units.OpsPerSecond,
)

TRADING = Board(
    "zixly-trading",
    "Trading pipeline",
    "Sweeps by ticker, and the calls to APIs.",
    (
        Row("", NUMBERS),
        Row("Sweeps", (BY_TICKER, ENDS)),
        Row("", (DURATIONS, FAILED)),
        Row("Calls", (CALLS, USUAL)),
        Row("", (FAULTS,)),
    ),
    choices=(Choice("ticker", "Ticker", SWEEPS), Choice("endpoint", "Endpoint", f"{LATENCY}_count")),
    since="now-24h",
)
