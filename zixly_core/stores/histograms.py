"""Histograms in Postgres: rows of `job_counters` that only grow, one for each writer, added up bucket by bucket when somebody scrapes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from zixly_core.stores.database import Rows

# Writers are told apart by their process, so that they rarely meet in a row.
COUNTER_SHARDS = 16

ADD_SQL = """
insert into zixly.job_counters (name, job_type, status, shard, value, buckets) values (%s, %s, %s, %s, %s, %s::bigint[])
on conflict (name, job_type, status, shard) do update set value = job_counters.value + excluded.value,
  buckets = (select array_agg(coalesce(old, 0) + coalesce(new, 0) order by position)
             from unnest(job_counters.buckets, excluded.buckets) with ordinality as b (old, new, position))"""

# A writer that never saw a value has no buckets and adds nothing.
READ_SQL = """
select name, job_type, status, sum(value)::float8 as total, array_agg(count order by position) as counts
from (select name, job_type, status, position, sum(count)::bigint as count, sum(value) filter (where position = 1) as value
      from zixly.job_counters, unnest(buckets) with ordinality as b (count, position)
      where name = any(%s) group by name, job_type, status, position) as per_bucket
group by name, job_type, status"""


@dataclass(frozen=True)
class Distribution:
    """What was seen under a name: the sum, and how many fell into each bucket, the last one above all."""

    name: str
    job_type: str
    status: str
    total: float
    counts: tuple[int, ...]


def add_values(rows: Rows, name: str, *, job_type: str, status: str, shard: int, values: Sequence[float], bounds: Sequence[float]) -> None:
    """Add these values to the writer's row."""
    add_counts(rows, name, job_type=job_type, status=status, shard=shard, total=sum(values), counts=counts_of(values, bounds=bounds))


def add_counts(rows: Rows, name: str, *, job_type: str, status: str, shard: int, total: float, counts: Sequence[int]) -> None:
    rows.execute(ADD_SQL, (name, job_type, status, shard, total, list(counts)))


def counts_of(values: Sequence[float], *, bounds: Sequence[float]) -> list[int]:
    """How many of the values fall into each bucket, the last one being what lies above."""
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    return counts


def distributions(rows: Rows, *names: str) -> tuple[Distribution, ...]:
    """Those of these names, over all writers."""
    return tuple(
        Distribution(row["name"], row["job_type"], row["status"], row["total"], tuple(int(one) for one in row["counts"]))
        for row in rows.execute(READ_SQL, (list(names),))
    )
