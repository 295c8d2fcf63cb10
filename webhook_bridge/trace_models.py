"""What `/api/trace` and `/api/ledger` answer with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from webhook_bridge.models import DeliverySummary, Job, Model


class TracedEvent(Model):
    """An event on the way, and the delivery that it came in."""

    id: UUID
    delivery_id: UUID
    tenant_id: UUID | None
    system: str
    kind: str
    external_id: str
    record_key: str
    record_id: str
    outcome: str = Field(description="jobs, filtered, duplicate or unroutable.")
    duplicate_of: UUID | None
    occurred_at: datetime
    received_at: datetime


class LaterJob(Model):
    """A job that came of another one: its replay, or a follow-up."""

    id: UUID
    workflow_type: str
    origin: str
    status: str


class TracedJob(Job):
    """A job with its whole story and what came of it later."""

    later_jobs: list[LaterJob]


class Trace(Model):
    """The way of one thing: delivery, event, jobs with attempts, runs and effects."""

    kind: str = Field(description="What the id is of: delivery, event, job, batch, run or trace.")
    deliveries: list[DeliverySummary] = Field(description="For staff: a delivery can be about several tenants.")
    events: list[TracedEvent]
    jobs: list[TracedJob]
    job_count: int = Field(description="How many there are, where not all are shown.")


class HourOfEvents(Model):
    """What became of the events of a tenant and system within an hour."""

    tenant: str | None = Field(description="Null for events of accounts that nobody authorised.")
    system: str
    hour: datetime
    with_jobs: int
    filtered: int
    duplicate: int
    unroutable: int


class HourOfJobs(Model):
    """The jobs made within an hour: made = completed + failed + cancelled + open."""

    tenant: str
    system: str
    hour: datetime
    made: int
    by_event: int
    by_replay: int
    by_backfill: int
    by_reconciliation: int
    by_others: int = Field(description="Follow-ups, and jobs that people asked for.")
    completed: int
    failed: int
    cancelled: int
    open: int


class HourReceived(Model):
    """What deliveries said that they hold when they were written, beside the events that are there."""

    system: str
    hour: datetime
    received: int
    events: int
    difference: int = Field(description="0; anything else is an event that was lost.")


class Ledger(Model):
    """The ledger of some hours."""

    since: datetime
    until: datetime
    events: list[HourOfEvents]
    jobs: list[HourOfJobs]
    received: list[HourReceived] | None = Field(description="For staff, of all tenants together.")
    unaccounted: int | None = Field(description="For staff: open jobs at this moment that nobody has in hand and that wait for nothing.")
