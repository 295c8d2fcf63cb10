"""What the API answers with: the words of the domain, ids and times; payloads only in marked fields, never documents or secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from webhook_bridge.payload_fields import PAYLOAD, PayloadsHidden

TraceId = Annotated[str, BeforeValidator(lambda given: given.hex if isinstance(given, UUID) else given)]


class Model(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="ignore")


class RelatedRecord(Model):
    """A record of an outside system that the job read, created or updated."""

    system: str
    record_type: str
    record_id: str
    action: str = Field(description="READ, UPDATE or CREATE.")
    url: str | None = Field(description="Where a person sees it at the vendor.")
    at: datetime


class Step(Model):
    """One line of the job's story."""

    step: str
    message: Annotated[str | None, PAYLOAD] = Field(description="What it came to, in words.")
    at: datetime
    duration_ms: float | None = None


class Attempt(Model):
    """How one try at the job ended."""

    attempt: int = Field(description="Counted from 1; a parked or handed back try is counted again.")
    run_id: str | None
    outcome: str = Field(description="completed, failed, retry, parked, vanished, timeout, cancelled or handed_back.")
    error_reason: str | None
    error_message: str | None
    started_at: datetime | None
    ended_at: datetime


class Effect(Model):
    """A write to an outside system."""

    effect_key: Annotated[str | None, PAYLOAD] = Field(description="Names what is written; it may be made of a customer's address.")
    system: str
    operation: str
    target: Annotated[str | None, PAYLOAD]
    state: str = Field(description="INTENDED: begun, and looked up before it is repeated. DONE: written.")
    source_version: datetime = Field(description="The state of the source that was written.")
    intended_at: datetime
    done_at: datetime | None


class EventOfJob(Model):
    """The event that the job is about."""

    id: UUID
    delivery_id: UUID
    kind: str
    record_key: str
    record_id: str
    occurred_at: datetime
    received_at: datetime


class Links(Model):
    """Where to look further."""

    self: str
    run: str | None = Field(default=None, description="The run in the Dagster UI, once there was one.")
    record: str | None = Field(default=None, description="The record that it is about, where a person opens it at the vendor.")
    delivery: str | None = None
    event: str | None = None
    origin: str | None = Field(default=None, description="The job that it replays or follows.")
    replay: str | None = Field(default=None, description="The replay that made it.")


class JobSummary(Model):
    """A job in a list."""

    id: UUID
    tenant: str = Field(description="The tenant's short name.")
    tenant_id: UUID
    workflow_type: str
    system: str
    status: str = Field(description="QUEUED, RUNNING, COMPLETED, FAILED or CANCELLED.")
    lane: str
    priority: int = Field(description="0 high, 1 normal, 2 low.")
    origin: str
    record_key: str
    record_id: str
    attempts: int = Field(description="Tries begun, the present one included.")
    dead_letter: bool = Field(description="Ended FAILED and waits for a person.")
    run_id: str | None = Field(description="The latest Dagster run that held it.")
    error_reason: str | None
    error_message: str | None
    parked_reason: str | None
    occurred_at: datetime
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    links: Links


class JobPage(Model):
    """A page of jobs, newest first."""

    jobs: list[JobSummary]
    next_cursor: str | None = Field(description="For the next page; null at the end.")


class ReplayOfJob(Model):
    """A job that replays this one."""

    id: UUID
    replay_id: UUID
    status: str
    dry_run: bool
    created_at: datetime


class Job(JobSummary):
    """A job with its whole story."""

    connection_id: UUID
    event_id: UUID | None
    batch_id: UUID | None
    origin_job_id: UUID | None = Field(description="The job that it replays or follows.")
    made_by: UUID | None = Field(description="The replay, backfill, reconciliation or recovery that made it.")
    replay_id: UUID | None = Field(description="The replay that made it.")
    issue_id: UUID | None = Field(description="The issue that its failure belongs to.")
    replays: list[ReplayOfJob] = Field(description="The jobs that replay it, newest first.")
    cancel_requested_at: datetime | None
    waiting_until: datetime | None = Field(description="Of a job that waits for an outside service: when it is looked at next.")
    waiting_for: str | None = Field(description="What a job waits or waited for, as the service calls it.")
    blocked_by: UUID | None = Field(description="The connection that has to be well again before a parked job goes on.")
    lease_until: datetime | None
    handed_over_at: datetime | None
    first_op_at: datetime | None
    result: Annotated[dict[str, Any] | None, PAYLOAD]
    metrics: dict[str, Any]
    steps: list[Step] = Field(description="The execution log.")
    attempt_log: list[Attempt]
    related_records: list[RelatedRecord]
    effects: list[Effect]
    event: EventOfJob | None
    trace_id: TraceId = Field(description="The trace that it goes on with, as `traceparent` writes it.")
    payloads_hidden: PayloadsHidden = False


class NewJob(BaseModel):
    """A job that somebody asks for."""

    model_config = ConfigDict(extra="forbid")

    tenant: str = Field(description="The tenant's short name.", max_length=100)
    workflow: str = Field(description="Such as `xero-invoice-to-hubspot`.", max_length=100)
    record_id: str | None = Field(
        default=None, description="The record's id at the system that the workflow starts from.", min_length=1, max_length=200
    )
    payload: dict[str, Any] | None = Field(
        default=None, description="The request, for a workflow that is about none of a system's records."
    )
    kind: str | None = Field(default=None, description="The kind of the request, where there are several.", max_length=100)
    connection_id: UUID | None = Field(default=None, description="Only where the tenant has several accounts at that system.")
    dry_run: bool = Field(default=False, description="Only tell what would be written, as `result.would_write`.")


class JobStatusChange(Model):
    """What a change came to."""

    id: UUID
    status: str


class DeliverySummary(Model):
    """A delivery in a list."""

    id: UUID
    system: str
    path: str
    received_at: datetime
    verdict: str = Field(description="accepted, duplicate, handshake, rejected or unroutable.")
    reason: str | None
    status: int = Field(description="What the sender was answered.")
    body_sha256: str
    event_count: int
    reverified_at: datetime | None = Field(description="When it was verified again and found good.")
    accepted_as: UUID | None = Field(description="The delivery that it became then.")
    trace_id: TraceId = Field(description="Its sender's trace, or the one that it began, as `traceparent` writes it.")


class DeliveryPage(Model):
    """A page of deliveries, newest first."""

    deliveries: list[DeliverySummary]
    next_cursor: str | None


class EventOfDelivery(Model):
    """One fact of a delivery and what became of it."""

    id: UUID
    tenant_id: UUID | None
    kind: str
    external_id: str
    record_key: str
    record_id: str
    dedupe_key: str
    outcome: str = Field(description="jobs, filtered, duplicate or unroutable.")
    duplicate_of: UUID | None
    occurred_at: datetime
    job_ids: list[UUID] = Field(description="Its jobs, or those of the event that it repeats.")


class Delivery(DeliverySummary):
    """A delivery with its events."""

    headers: dict[str, str] = Field(description="Those that the sender signed or describes itself with.")
    body: Annotated[str | None, PAYLOAD] = Field(default=None, description="The bytes as text, only when asked for with `body=true`.")
    events: list[EventOfDelivery]
    payloads_hidden: PayloadsHidden = False
