"""Whether the ledger balances, compared row by row a few minutes at a time, so that asking for it is cheap (promise 7).

Deliveries say how many events they held when they were received, events say whether they were given jobs; both are in one transaction
with what they speak of, so a difference is a loss and no matter of timing. The last 7 days are compared again and again, new minutes first;
minutes in which nothing came are left out, so that a small or new platform is through with all in a minute or two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from zixly_core.stores.database import Database, Rows

# Two code servers do not compare the same minutes.
LOCK_SQL = "select pg_try_advisory_xact_lock(hashtext('zixly.ledger_balance')) as mine"

# What was not compared since it was over comes first, the newest of it before the rest; then what differs; then what was left longest.
NEXT_SQL = """
select slice, is_new from (
  select slice, b.balanced_at, b.balanced_at is null or b.balanced_at < slice + interval '5 minutes 30 seconds' as is_new,
         coalesce(b.events + b.jobs, 0) > 0 as differs
  from generate_series(date_bin('5 minutes', now() - interval '7 days', timestamptz '2000-01-01 00:00Z'), now(), interval '5 minutes')
       as wanted (slice)
  left join zixly.ledger_balance b using (slice)
  where b.slice is not null or slice > now() - interval '5 minutes'
     or exists (select from zixly.deliveries d where d.received_at >= slice and d.received_at < slice + interval '5 minutes')
) slices where balanced_at is null or balanced_at < now() - interval '50 seconds'
order by is_new desc, differs desc, case when is_new then slice end desc, balanced_at limit 1"""

# An answer that a job waited for has that job and made none.
BALANCE_SQL = """
insert into zixly.ledger_balance (slice, events, jobs, balanced_at)
select %(slice)s, coalesce(sum(abs(d.event_count - e.events)), 0), coalesce(sum(e.without_jobs), 0), clock_timestamp()
from zixly.deliveries d
cross join lateral (
  select count(*) as events, count(*) filter (where outcome = 'jobs' and kind <> 'callback.answered' and not exists (
    select from zixly.workflow_jobs j where j.event_id = one.id)) as without_jobs
  from zixly.events one where one.delivery_id = d.id
) e
where d.received_at >= %(slice)s and d.received_at < %(slice)s + interval '5 minutes'
on conflict (slice) do update set events = excluded.events, jobs = excluded.jobs, balanced_at = excluded.balanced_at
returning events, jobs"""
TRIM_SQL = "delete from zixly.ledger_balance where slice < now() - interval '7 days 5 minutes'"

READ_SQL = """
select coalesce(sum(events), 0)::int as events, coalesce(sum(jobs), 0)::int as jobs,
       extract(epoch from now() - max(balanced_at))::float8 as seconds from zixly.ledger_balance"""


@dataclass(frozen=True)
class Balanced:
    """Five minutes that were compared: events too many or too few, events without the jobs they were given."""

    slice: datetime
    is_new: bool
    """Not compared before since they were over."""
    events: int
    jobs: int


@dataclass(frozen=True)
class Balance:
    """All differences that are known; None where nothing was compared yet."""

    events: int
    jobs: int
    age_seconds: float | None

    @property
    def difference(self) -> int:
        return self.events + self.jobs


def balance_next(database: Database) -> Balanced | None:
    """Compare the next minutes, as role `dispatch`; None when all were just compared, or somebody else is at it.

    Raises `StoreUnavailable`.
    """
    with database.transaction() as rows:
        if not next(iter(rows.execute(LOCK_SQL)))["mine"]:
            return None
        wanted = rows.execute(NEXT_SQL).fetchone()
        if wanted is None:
            return None
        found = next(iter(rows.execute(BALANCE_SQL, {"slice": wanted["slice"]})))
        return Balanced(wanted["slice"], wanted["is_new"], found["events"], found["jobs"])


def trim_balance(database: Database) -> None:
    """Forget what is older than what is compared. Raises `StoreUnavailable`."""
    with database.transaction() as rows:
        rows.execute(TRIM_SQL)


def balance_of(rows: Rows) -> Balance:
    """As role `metrics`."""
    row = next(iter(rows.execute(READ_SQL)))
    return Balance(row["events"], row["jobs"], row["seconds"])
