"""Who has a backlog while others have work too: those tenants leave one slot of the workers free.

A slot that works on a full batch does so for a second or more, and for as long would a single job of somebody else wait. Who is alone
may take every slot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.batching import NO_BACKLOGS, Backlogs, DueJob, Slots
from zixly_core.stores.database import Rows

OPEN_BATCHES_SQL = """
select lane, tenant_id, count(*) as batches, count(*) filter (where run_id is null) as waiting, sum(job_count)::int as jobs
from zixly.batches
where system = %s and ended_at is null group by lane, tenant_id"""

# Whoever had live work a moment ago will have some again: of any system, since all share the slots.
OTHERS_SQL = """
select exists (select from zixly.batches where created_at > now() - interval '60 seconds' and lane = 'live'
               and tenant_id <> all(%s)) as are_there"""


@dataclass(frozen=True)
class OpenBatches:
    """What a tenant has open in a lane, and how much of it no run has claimed yet."""

    lane: str
    tenant_id: UUID
    batches: int
    waiting: int
    jobs: int


def open_batches(connection: Rows, *, system: str) -> list[OpenBatches]:
    with connection.cursor(row_factory=class_row(OpenBatches)) as cursor:
        return cursor.execute(OPEN_BATCHES_SQL, (system,)).fetchall()


def backlogs_of(connection: Rows, due: Sequence[DueJob], taken: Sequence[OpenBatches], *, share: int, slots: int) -> Backlogs:
    """The tenants with more live jobs due and open than a `share`, and how many more batches they may have open. None while nobody else
    has work."""
    jobs = Counter(job.tenant_id for job in due if job.lane == "live")
    live = [one for one in taken if one.lane == "live"]
    jobs.update({one.tenant_id: one.jobs for one in live})
    long = frozenset(tenant_id for tenant_id, count in jobs.items() if count > share)
    if not long or not (len(jobs) > len(long) or others_have_work(connection, long)):
        return NO_BACKLOGS
    return Backlogs(long, batches=max(slots - 1, 1) - sum(one.batches for one in live if one.tenant_id in long))


def slots_among(due: Sequence[DueJob], taken: Sequence[OpenBatches], *, read: int, slots: int) -> Slots:
    """The slots for live work, of whose due jobs at most `read` of each tenant were looked at."""
    jobs, open_now = Counter(job.tenant_id for job in due), sum(one.batches for one in taken)
    return Slots(
        slots,
        taken=open_now,
        cut_off=frozenset(tenant_id for tenant_id, count in jobs.items() if count >= read),
        in_line=frozenset(one.tenant_id for one in taken if one.lane == "live" and one.waiting and open_now > slots),
    )


def others_have_work(connection: Rows, tenants: frozenset[UUID]) -> bool:
    row = connection.execute(OTHERS_SQL, (list(tenants),)).fetchone()
    return bool(row and row["are_there"])
