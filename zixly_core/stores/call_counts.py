"""Counts of vendor calls in Postgres: rows of `job_counters` that only grow, summed when somebody scrapes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from uuid import UUID

import structlog

from zixly_core.call_counts import Counted
from zixly_core.errors import StoreUnavailable
from zixly_core.stores.database import Database
from zixly_core.stores.histograms import COUNTER_SHARDS, add_counts
from zixly_core.stores.rows import columns_of, rows_from

CALLS = "api_calls"
# By the bounds of its buckets: rows with other bounds would be added to the wrong ones (migration 0024).
LATENCY = "api_latency_2"

# In the order of the key, as all writers do.
CALLS_SQL = f"""
insert into zixly.job_counters (name, job_type, status, shard, value)
select '{CALLS}', job_type, status, shard, value from {rows_from("job_type text, status text, shard smallint, value float8")}
on conflict (name, job_type, status, shard) do update set value = job_counters.value + excluded.value"""

log = structlog.get_logger()


def keeping_in(database: Database) -> Callable[[UUID, Mapping[str, Counted]], None]:
    """Adds counts to the rows of this process's shard. While Postgres is away they are lost, which a log line tells."""

    def keep(tenant_id: UUID, counts: Mapping[str, Counted]) -> None:
        try:
            add_calls(database, tenant_id, counts)
        except StoreUnavailable as error:
            log.warning("call_counts_lost", endpoints=len(counts), reason=error.reason)

    return keep


def add_calls(database: Database, tenant_id: UUID, counts: Mapping[str, Counted]) -> None:
    """Raises `StoreUnavailable`."""
    shard = os.getpid() % COUNTER_SHARDS
    names = sorted(counts)
    calls = [(name, status, shard, number) for name in names for status, number in sorted(counts[name].statuses.items())]
    with database.transaction(tenant_id=tenant_id) as rows:
        rows.execute(CALLS_SQL, columns_of(calls))
        for name in names:
            one = counts[name]
            add_counts(rows, LATENCY, job_type=name, status="", shard=shard, total=one.seconds, counts=one.buckets)
