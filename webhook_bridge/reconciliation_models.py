"""What `/api/reconciliations` and `/api/drifts` take and answer with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from webhook_bridge.models import Model
from webhook_bridge.payload_fields import PAYLOAD, PayloadsHidden
from zixly_core.drifts import DriftKind, DriftStatus

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class NewReconciliation(BaseModel):
    """What is to be compared now."""

    model_config = ConfigDict(extra="forbid")

    tenant: Name = Field(description="A tenant's short name.")
    workflow: Name | None = Field(default=None, description="Such as `xero-invoice-to-hubspot`; all that the tenant has if left out.")
    full: bool = Field(default=False, description="Read the last `days` again, and not only what changed since the last good one.")
    days: int = Field(default=30, ge=1, le=3650)
    dry: bool = Field(default=False, description="Only tell: make no jobs for events that never came.")
    settle_seconds: int = Field(default=300, ge=0, le=86_400, description="What changed that recently is left for the next time.")


class RepairAsked(BaseModel):
    """Which drifts of a reconciliation are to be repaired; all open ones if nothing is said."""

    model_config = ConfigDict(extra="forbid")

    drift_ids: list[UUID] | None = Field(default=None, max_length=1000)
    kind: DriftKind | None = None


class Reconciliation(Model):
    """One comparison of a workflow's source with its target and with our jobs."""

    id: UUID
    tenant: str
    connection_id: UUID
    workflow: str
    origin: str = Field(description="nightly or asked.")
    since: datetime
    until: datetime
    is_full: bool
    is_dry: bool
    status: str = Field(description="WANTED, RUNNING, PARKED (goes on at `due_at`), DONE or FAILED.")
    phase: str | None = Field(description="What is being read: changed, targets.")
    counts: dict[str, int] = Field(
        description="read and compared records, drifts by kind as they were found, repairs begun, and what was skipped for which reason."
    )
    run_id: str | None
    due_at: datetime
    error_reason: str | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class FieldValues(Model):
    """One field: what the source gives, and what the target has."""

    source: Annotated[str | None, PAYLOAD]
    target: Annotated[str | None, PAYLOAD]


class Drift(Model):
    """A record that does not agree."""

    id: UUID
    tenant: str
    connection_id: UUID
    workflow: str
    record_key: str
    record_id: str
    kind: DriftKind
    target: str | None = Field(description="The record at the target, where it is known.")
    fields: dict[str, FieldValues]
    status: DriftStatus
    found_by: UUID
    seen_by: UUID = Field(description="The reconciliation that found it last.")
    job_id: UUID | None = Field(description="The job that repairs it, or did.")
    found_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    payloads_hidden: PayloadsHidden = False


class Report(Reconciliation):
    """One reconciliation, how its drifts stand now (by kind and status), and examples."""

    drifts: dict[str, dict[str, int]]
    examples: list[Drift]


class Reconciliations(Model):
    """Reconciliations that were asked for."""

    reconciliations: list[Reconciliation]


class ReconciliationPage(Reconciliations):
    """A page of reconciliations."""

    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class DriftPage(Model):
    """A page of drifts."""

    drifts: list[Drift]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class Repairing(Model):
    """How many drifts are under repair by this request."""

    jobs: int


class DriftStanding(Model):
    """Where a drift stands now."""

    id: UUID
    status: DriftStatus
