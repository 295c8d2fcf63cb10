"""What the API takes and tells about backfills: counts, days and ids. Only the examples of a dry run hold values, as its jobs do."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webhook_bridge.models import Model
from webhook_bridge.payload_fields import PAYLOAD, PayloadsHidden

BackfillStatus = Literal["WANTED", "RUNNING", "STOPPED", "DONE", "FAILED"]


class NewBackfill(BaseModel):
    """What is to be done for the past."""

    model_config = ConfigDict(extra="forbid")

    workflow: str = Field(description="Such as `xero-invoice-to-hubspot`.", max_length=100)
    tenant: str = Field(description="The tenant's short name.", max_length=100)
    first_day: date = Field(description="A day as the tenant has it, by its time zone.")
    last_day: date = Field(description="Included; at most 366 days.")
    dry_run: bool = Field(default=False, description="Only tell: how many records, and the differences of the first ones.")
    connection_id: UUID | None = Field(default=None, description="The account, where the tenant has several at the workflow's system.")


class Backfill(Model):
    """A backfill with the sums of its days."""

    id: UUID
    tenant: str = Field(description="The tenant's short name.")
    workflow: str
    connection_id: UUID
    first_day: date
    last_day: date
    time_zone: str = Field(description="Where its days begin and end: the tenant's.")
    dry_run: bool
    status: BackfillStatus = Field(description="DONE: all days are read and all jobs have ended. FAILED: a day could not be read.")
    actor: str = Field(description="Who asked for it.")
    launched_by: str | None = Field(description="The backfill or run of the Dagster UI that it was launched with.")
    created_at: datetime
    ended_at: datetime | None
    days: int
    days_done: int
    days_failed: int
    records_found: int = Field(description="Records that changed last in the days that were read.")
    records_known: int = Field(description="Of those the ones of which nothing is news, or about which a job waits already.")
    jobs_made: int
    jobs_open: int = Field(description="Of those the ones that have not ended.")


class BackfillList(Model):
    """A page of backfills, newest first."""

    backfills: list[Backfill]
    next_cursor: str | None = None


class BackfillDay(Model):
    """One day."""

    day: date
    state: str = Field(description="WAITING, RUNNING, DONE, FAILED or STOPPED.")
    records_found: int
    records_known: int
    jobs_made: int
    tries: int
    due_at: datetime | None = Field(description="When it is tried again.")
    error: str | None = Field(description="Why it could not be read; a waiting day is tried again by itself.")
    run: str | None = Field(description="The run in the Dagster UI.")
    ended_at: datetime | None


class BackfillExample(Model):
    """A job of a dry run, which tells what it would write."""

    id: UUID
    record_key: str
    record_id: str
    status: str
    result: Annotated[dict[str, Any] | None, PAYLOAD]
    error_message: str | None


class BackfillDetail(Backfill):
    """A backfill with its progress."""

    jobs_completed: int
    jobs_failed: int
    jobs_cancelled: int
    jobs_ended: int
    jobs_expected: int | None = Field(description="How many there will be; estimated until all days are read.")
    is_estimate: bool
    seconds_left: float | None = Field(description="From what ended within the last minutes; null while nothing did.")
    waits_for: str | None = Field(description="What holds most of its waiting jobs up, such as `budget_spent`.")
    days_log: list[BackfillDay]
    examples: list[BackfillExample] = Field(description="Of a dry run.")
    payloads_hidden: PayloadsHidden = False


class BackfillStopped(Model):
    """What stopping came to; jobs that a run has in hand end as they do."""

    id: UUID
    jobs_cancelled: int
