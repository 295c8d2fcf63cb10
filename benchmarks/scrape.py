"""`python -m benchmarks.scrape [--jobs N --runs N]`: what a scrape costs with a million finished jobs, and 50,000 finished runs, behind it.

Of the bridge the whole answer to `GET /metrics` is timed; of the daemon the reading of Dagster's database, which is what could grow. What
the processes spent on it is told beside the time: that is the same where others work on the machine too.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import orjson
import psutil
import psycopg
from sqlalchemy import create_engine

from benchmarks.figures import percentile
from benchmarks.finished_jobs import million, running_bridge
from benchmarks.machine import description
from benchmarks.process_groups import cpu_by_group, grown
from benchmarks.server import Urls
from zixly_cli.stack import databases
from zixly_dagster.instance.instance_counts import instance_counts
from zixly_dagster.instance.migrate import migrate

SCRAPES = 50
DAGSTER = "dagster"
SENSORS = [f"sensor-{number}" for number in range(20)]
RUNS_SQL = """
insert into runs (run_id, pipeline_name, status, run_body, create_timestamp, update_timestamp)
select gen_random_uuid()::text, 'xero_invoice_to_hubspot', case when n %% 100 = 0 then 'FAILURE' else 'SUCCESS' end, repeat('x', 4000),
  now() - n * interval '10 seconds', now() - n * interval '10 seconds' from generate_series(1, %s) as n"""
TICKS_SQL = """
insert into job_ticks (job_origin_id, selector_id, status, type, timestamp, tick_body)
select 'sensor-' || n %% 20, 'sensor-' || n %% 20, 'SKIPPED', 'SENSOR', now() at time zone 'utc' - n * interval '1 second', '{}'
from generate_series(1, %s) as n"""


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.scrape", description="A scrape before a million jobs.")
    asked.add_argument("--jobs", type=int, default=1_000_000)
    asked.add_argument("--runs", type=int, default=50_000)
    asked.add_argument("--folder", type=Path, help="keep the filled database there, and find it there the next time")
    chosen = asked.parse_args()
    with million(chosen.jobs, folder=chosen.folder) as (urls, _):
        with running_bridge(urls) as address, httpx2.Client(base_url=address, timeout=30, trust_env=False) as http:
            bridge = timed(lambda: http.get("/metrics").raise_for_status())
        daemon = dagsters_reading(urls, runs=chosen.runs)
    figures = {"bridge": bridge, "dagster": daemon}
    counts = {"jobs": chosen.jobs, "runs": chosen.runs, "ticks": chosen.runs * 4}
    told = {"machine": description(), "load": rounded(os.getloadavg()[0]), **counts, "figures": figures}
    print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    return 0


def dagsters_reading(urls: Urls, *, runs: int) -> dict[str, float | None]:
    databases.make_database(urls("postgres", dbname="postgres"), name=DAGSTER, owner=databases.DAGSTER)
    url = urls(databases.DAGSTER, dbname=DAGSTER).replace("postgresql://", "postgresql+psycopg2://")
    migrate(url)
    with psycopg.connect(urls(databases.DAGSTER, dbname=DAGSTER), autocommit=True) as owner:
        owner.execute(RUNS_SQL, (runs,))
        owner.execute(TICKS_SQL, (runs * 4,))
        owner.execute("vacuum analyze")
    engine = create_engine(url)
    try:
        return timed(lambda: instance_counts(engine, sensors=SENSORS))
    finally:
        engine.dispose()


def timed(read: Callable[[], object]) -> dict[str, float | None]:
    """Milliseconds of readings, after one that nobody counts, and how many of them each kind of process worked for one."""
    read()
    taken: list[float | None] = []
    before = spent()
    for _ in range(SCRAPES):
        began = time.perf_counter()
        read()
        taken.append((time.perf_counter() - began) * 1_000)
    worked = {f"cpu_of_{group}_ms": rounded(seconds * 1_000 / SCRAPES) for group, seconds in grown(before, spent()).items()}
    times = {f"{name}_ms": rounded(percentile(taken, percent)) for name, percent in (("median", 50), ("p95", 95), ("slowest", 100))}
    return times | worked


def spent() -> dict[str, float]:
    """CPU seconds until now of what we started: the bridge, and Postgres with the helping processes that it starts and that end."""
    return cpu_by_group(psutil.Process().children(recursive=True))


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    raise SystemExit(main())
