"""The way of one thing through the platform, found by any id that it bears: delivery, event, job, batch, run or trace.

A trace that no sender named has the id of the delivery, job or batch that began it, and is found as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import DELIVERY, Row, job_detail, rows_of
from zixly_core.tables import deliveries, events, workflow_jobs

Kind = Literal["delivery", "event", "job", "batch", "run", "trace"]

# A batch in a burst has up to 100 jobs, a delivery up to 100 events: nobody reads more on one screen.
SHOWN_JOBS = 20
EVENT = [
    events.c[name]
    for name in "id delivery_id tenant_id system kind external_id record_key record_id outcome duplicate_of occurred_at received_at".split()
]


@dataclass(frozen=True)
class Trace:
    """What an id led to. `deliveries` is empty for whoever may not see them: one can be about several tenants."""

    kind: Kind
    deliveries: Sequence[Row]
    events: Sequence[Row]
    jobs: Sequence[Row]
    """With their whole stories; at most `SHOWN_JOBS` of `job_count`."""
    job_count: int


def trace_of(connection: Rows, wanted: UUID) -> Trace | None:
    """Everything on the way of the thing with this id, as the scope allows; None when nothing bears it."""
    for kind, found in finders(wanted):
        ids = [row["id"] for row in rows_of(connection, select(workflow_jobs.c.id).where(found).order_by(workflow_jobs.c.id))]
        if ids:
            return with_origins(connection, kind, ids)
    return without_jobs(connection, wanted)


def finders(wanted: UUID) -> list[tuple[Kind, ColumnElement[bool]]]:
    """The jobs that each meaning of an id leads to; ids are unique, so the first that finds any is right."""
    job = workflow_jobs.c
    of_delivery = select(events.c.id).where(events.c.delivery_id == wanted)
    repeated = select(events.c.duplicate_of).where(events.c.delivery_id == wanted, events.c.duplicate_of.is_not(None))
    of_trace = select(events.c.id).where(events.c.trace_id == wanted)
    return [
        ("job", job.id == wanted),
        ("event", job.event_id == wanted),
        ("delivery", or_(job.event_id.in_(of_delivery), job.event_id.in_(repeated))),
        ("batch", job.batch_id == wanted),
        ("run", job.last_run_id == str(wanted)),
        ("trace", job.event_id.in_(of_trace)),
    ]


def with_origins(connection: Rows, kind: Kind, job_ids: Sequence[UUID]) -> Trace:
    """The jobs with their stories, and back to what came."""
    shown = [job for job in (job_detail(connection, one) for one in job_ids[:SHOWN_JOBS]) if job is not None]
    for job in shown:
        job["later_jobs"] = later_jobs(connection, job["id"])
    event_ids = sorted({job["event_id"] for job in shown if job["event_id"]})
    found = rows_of(connection, select(*EVENT).where(events.c.id.in_(event_ids)).order_by(events.c.occurred_at, events.c.id))
    return Trace(kind, deliveries_of(connection, found), found, shown, job_count=len(job_ids))


def without_jobs(connection: Rows, wanted: UUID) -> Trace | None:
    """A delivery or event that made no job: filtered, repeated, unroutable, rejected."""
    found = rows_of(
        connection,
        select(*EVENT)
        .where(or_(events.c.id == wanted, events.c.delivery_id == wanted, events.c.trace_id == wanted))
        .order_by(events.c.id)
        .limit(SHOWN_JOBS),
    )
    if found:
        kind: Kind = "event" if found[0]["id"] == wanted else "delivery" if found[0]["delivery_id"] == wanted else "trace"
        return Trace(kind, deliveries_of(connection, found), found, [], job_count=0)
    is_it = or_(deliveries.c.id == wanted, deliveries.c.trace_id == wanted)
    came = rows_of(connection, select(*DELIVERY).where(is_it).order_by(deliveries.c.id).limit(SHOWN_JOBS))
    return Trace("delivery" if came[0]["id"] == wanted else "trace", came, [], [], job_count=0) if came else None


def deliveries_of(connection: Rows, found: Sequence[Row]) -> list[Row]:
    ids = sorted({row["delivery_id"] for row in found})
    query = select(*DELIVERY).where(deliveries.c.id.in_(ids)).order_by(deliveries.c.received_at, deliveries.c.id)
    return rows_of(connection, query) if ids else []


def later_jobs(connection: Rows, job_id: UUID) -> list[Row]:
    """The replays and follow-ups of a job."""
    job = workflow_jobs.c
    query = select(job.id, job.workflow_type, job.origin, job.status).where(job.origin_job_id == job_id).order_by(job.id).limit(SHOWN_JOBS)
    return rows_of(connection, query)
