"""Trading sweeps by ticker: counted when a run ends their job, under so many names at most.

A ticker is what a sender wrote, if only 20 plain characters of it; so the first that are asked for have a name, and all others share one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from zixly_core.stores.database import Rows
from zixly_core.stores.rows import columns_of, rows_from

SWEEPS = "sweeps"
MOST_TICKERS = 50
OTHER = "other"

# Two that come at the same moment may both be the last one that has a name.
COUNT_SQL = f"""
with known as (select distinct job_type as ticker from zixly.job_counters where name = '{SWEEPS}'),
asked as (select ticker, status, shard, value from {rows_from("ticker text, status text, shard smallint, value float8")}),
named as (
  select ticker from (select distinct ticker from asked except select ticker from known order by ticker) news
  limit greatest({MOST_TICKERS} - (select count(*) from known where ticker <> '{OTHER}'), 0)
)
insert into zixly.job_counters (name, job_type, status, shard, value)
select '{SWEEPS}', case when ticker in (select ticker from known union select ticker from named) then ticker else '{OTHER}' end,
       status, shard, sum(value)
from asked group by 2, 3, 4 order by 2, 3, 4
on conflict (name, job_type, status, shard) do update set value = job_counters.value + excluded.value"""


def count_sweeps(rows: Rows, ended: Sequence[tuple[str, str]], *, shard: int) -> None:
    """Add sweeps that ended, as (ticker, status)."""
    counts = Counter((ticker.upper(), status.lower()) for ticker, status in ended)
    if counts:
        rows.execute(COUNT_SQL, columns_of([(ticker, status, shard, float(number)) for (ticker, status), number in sorted(counts.items())]))
