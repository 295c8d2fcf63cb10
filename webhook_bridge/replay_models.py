"""What the API takes and answers about replays and searches: words of the domain, ids, counts, and of previews the differences."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from webhook_bridge.models import Model
from webhook_bridge.payload_fields import PAYLOAD, PayloadsHidden
from zixly_core.payload_paths import MAX_PATH, MAX_VALUE
from zixly_core.replays import DEFAULT_RATE_PER_MINUTE, MAX_JOBS, MAX_RATE_PER_MINUTE, EndedStatus, ReplayMode, ReplayStatus
from zixly_core.stores.payload_search import MAX_FOUND


class Asked(BaseModel):
    """What somebody sends."""

    model_config = ConfigDict(extra="forbid")


class ReplayFilter(Asked):
    """Which of a tenant's ended jobs. At least one question beside the tenant is answered."""

    tenant: str = Field(description="The tenant's short name.", max_length=100)
    workflow: str | None = Field(default=None, description="Such as `xero-invoice-to-hubspot`.", max_length=100)
    status: EndedStatus | None = Field(default=None, description="How they ended.")
    reason: str | None = Field(default=None, description="The machine word of their failure, such as `record_gone`.", max_length=100)
    since: AwareDatetime | None = Field(default=None, description="Made then or later.")
    until: AwareDatetime | None = Field(default=None, description="Made before.")
    issue_id: UUID | None = Field(default=None, description="The issue that their failures belong to.")
    search_id: UUID | None = Field(default=None, description="A search (`POST /api/searches`): the jobs of the events that it found.")

    @model_validator(mode="after")
    def asks_something(self) -> ReplayFilter:
        if not any(getattr(self, name) is not None for name in type(self).model_fields if name != "tenant"):
            raise ValueError("say which jobs: a workflow, status, reason, window, issue or search")
        return self


class NewReplay(Asked):
    """One job, or many by a filter."""

    id: UUID | None = Field(default=None, description="An id of your own. Asking again with the same one makes nothing twice.")
    job_id: UUID | None = Field(default=None, description="The job to replay.")
    filter: ReplayFilter | None = Field(default=None, description="Which jobs, instead of one.")
    mode: Literal[ReplayMode.CHECKPOINT, ReplayMode.START] = Field(
        default=ReplayMode.CHECKPOINT, description="From the last step that the job kept, or from the start. Neither writes anything twice."
    )
    payload: dict[str, Any] | None = Field(
        default=None, description="Of one job of a workflow about a request: the request to carry out instead, from the start."
    )
    dry_run: bool = Field(default=False, description="Write nothing; `preview` of the replay tells what would be written.")
    rate_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=MAX_RATE_PER_MINUTE,
        description=f"Of many: how many begin in a minute; {DEFAULT_RATE_PER_MINUTE} if left out.",
    )
    limit: int = Field(default=MAX_JOBS, ge=1, le=MAX_JOBS, description="How many jobs at most, the oldest first.")

    @model_validator(mode="after")
    def says_one_thing(self) -> NewReplay:
        if (self.job_id is None) == (self.filter is None):
            raise ValueError("give either job_id or filter")
        if self.payload is not None and self.job_id is None:
            raise ValueError("payload goes with job_id: an edited payload is about one job")
        return self


class Matching(Model):
    """How many jobs a filter fits."""

    matched: int
    left_out: int = Field(description="Those of them that a replay has done already, or is about to do.")
    to_make: int


class ReplayLinks(Model):
    self: str
    jobs: str


class ReplaySummary(Model):
    """A replay in a list."""

    id: UUID
    tenant: str = Field(description="The tenant's short name.")
    tenant_id: UUID
    actor: str
    mode: ReplayMode
    dry_run: bool
    chosen: dict[str, Any] = Field(description="What was asked for.")
    rate_per_minute: int | None
    matched: int
    left_out: int
    made: int
    status: ReplayStatus
    counts: dict[str, int] = Field(description="Its jobs by status.")
    remaining_seconds: float | None = Field(description="Until the last job ends, at the pace so far; null while there is none.")
    created_at: datetime
    stopped_at: datetime | None
    stopped_by: str | None
    links: ReplayLinks


class JobOfReplay(Model):
    """A job of a replay, and its origin."""

    id: UUID
    origin_job_id: UUID | None
    workflow: str
    record_id: str
    status: str
    error_reason: str | None
    due_at: datetime
    completed_at: datetime | None


class Difference(Model):
    """What one job would write."""

    job_id: UUID
    origin_job_id: UUID | None
    workflow: str
    would_write: Annotated[list[dict[str, Any]] | None, PAYLOAD]


class Preview(Model):
    """What a dry run's jobs would do."""

    would_write: int = Field(description="Jobs that would write something.")
    nothing: int = Field(description="Jobs that would write nothing.")
    fail: int
    open: int = Field(description="Jobs that have not told yet.")
    writes: int = Field(description="Writes of all jobs.")
    first: list[Difference] = Field(description="The differences of the first 20 jobs that would write.")


class Replay(ReplaySummary):
    """A replay with its jobs."""

    reasons: dict[str, int] = Field(description="Why jobs failed.")
    jobs: list[JobOfReplay] = Field(description="The first 50, failed ones before the others; `links.jobs` lists all.")
    preview: Preview | None = Field(description="Of a dry run.")
    payloads_hidden: PayloadsHidden = False


class ReplayPage(Model):
    """A page of replays, newest first."""

    replays: list[ReplaySummary]
    next_cursor: str | None


class Stopped(Model):
    """What stopping came to."""

    id: UUID
    cancelled: int = Field(description="Jobs that nobody worked on yet.")


class NewSearch(Asked):
    """A value somewhere in payloads. In a body, so that it is in no log of addresses."""

    tenant: str = Field(description="The tenant's short name.", max_length=100)
    path: str = Field(description="Such as `$.line_items[*].sku`.", max_length=MAX_PATH)
    value: str = Field(description="As text; numbers are found by what they are worth.", max_length=MAX_VALUE)
    since: AwareDatetime | None = Field(default=None, description="Received then or later.")
    until: AwareDatetime | None = Field(default=None, description="Received before.")
    limit: int = Field(default=MAX_FOUND, ge=1, le=MAX_FOUND, description="How many at most, the newest.")


class JobOfEvent(Model):
    id: UUID
    workflow: str
    status: str
    origin: str


class FoundEvent(Model):
    """An event whose payload holds the value."""

    id: UUID
    delivery_id: UUID
    kind: str
    record_key: str
    record_id: str
    received_at: datetime
    is_archived: bool = Field(description="Its payload lies in the archive; it was found by its digest.")
    jobs: list[JobOfEvent]


class Search(Model):
    """What a search found. Its id stands for the found events in a replay's filter."""

    id: UUID
    tenant: str
    path: str
    found: int
    is_complete: bool = Field(description="False where there are more events than were asked for.")
    created_at: datetime
    events: list[FoundEvent] = Field(description="The newest 200.")
