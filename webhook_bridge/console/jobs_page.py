"""`/console/jobs`: jobs, newest first, with the filters of the API; live as long as the newest are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from webhook_bridge.console.asked import Text, address, answered, moment
from webhook_bridge.console.layout import drawn, render
from webhook_bridge.console.live import Live, Part
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.jobs_api import Origin, job_document
from webhook_bridge.models import JobSummary
from webhook_bridge.signed_in import Caller
from zixly_core.job import JobStatus
from zixly_core.stores.jobs_view import JobFilter, jobs_page, scoped

PATH = "/console/jobs"
STREAM = f"{PATH}/stream"
PAGE_SIZE = 50


@dataclass(frozen=True)
class JobsWanted:
    """What the form asks for, as it stands in the address. Fields that were left empty ask for nothing."""

    filter: JobFilter
    cursor: str | None = None

    @property
    def chosen(self) -> dict[str, str]:
        """The filters that are set, for addresses."""
        named = asdict(self.filter)
        return answered({"record": named.pop("record_key"), **named})

    def address(self, *, path: str = PATH, cursor: str | None = None) -> str:
        return address(path, self.chosen | {"cursor": cursor or ""})


def jobs_wanted(
    *,
    tenant: Text = "",
    workflow: Text = "",
    status: JobStatus | Annotated[str, Query(max_length=0)] = "",
    record: Text = "",
    reason: Text = "",
    origin: Origin | Annotated[str, Query(max_length=0)] = "",
    made_by: UUID | Annotated[str, Query(max_length=0)] = "",
    system: Text = "",
    since: Text = "",
    until: Text = "",
    cursor: Text = "",
) -> JobsWanted:
    """The filters of an address; a form sends those that nobody set as empty texts."""
    wanted = JobFilter(
        tenant=tenant.strip() or None,
        workflow=workflow.strip() or None,
        status=status or None,
        record_key=record.strip() or None,
        reason=reason.strip() or None,
        origin=origin or None,
        made_by=made_by if isinstance(made_by, UUID) else None,
        system=system.strip() or None,
        since=moment(since, name="since"),
        until=moment(until, name="until"),
    )
    return JobsWanted(wanted, cursor or None)


Wanted = Annotated[JobsWanted, Depends(jobs_wanted)]


def jobs_page_routes(parts: ConsoleParts, live: Live) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)

    @router.get(PATH)
    def jobs(request: Request, wanted: Wanted, caller: Caller = signed_in) -> Response:
        rows = jobs_read(parts, caller, wanted)
        # What is older stands still.
        stream = None if wanted.cursor else wanted.address(path=STREAM)
        return render(request, caller, "jobs", {**values_of(parts, wanted, rows), "stream": stream})

    @router.get(STREAM)
    async def stream(request: Request, wanted: Wanted, caller: Caller = signed_in) -> Response:
        def draw(now: Caller, rows: Sequence[dict[str, Any]]) -> str:
            return drawn(request, now, "jobs_rows", values_of(parts, wanted, rows))

        return await live.stream(request, caller, Part(lambda now: jobs_read(parts, now, wanted), draw))

    return router


def jobs_read(parts: ConsoleParts, caller: Caller, wanted: JobsWanted) -> Sequence[dict[str, Any]]:
    page = page_from(limit=PAGE_SIZE, cursor=wanted.cursor)
    with scoped(parts.api, caller.scope) as rows:
        return jobs_page(rows, wanted=wanted.filter, page=page)


def values_of(parts: ConsoleParts, wanted: JobsWanted, rows: Sequence[dict[str, Any]]) -> dict[str, object]:
    following = cursor_after(rows, limit=PAGE_SIZE, age="created_at")
    return {
        "jobs": [JobSummary.model_validate(job_document(row, run_url=parts.run_url)) for row in rows],
        "wanted": wanted,
        "statuses": [str(status) for status in JobStatus],
        "origins": get_args(Origin),
        "next": wanted.address(cursor=following) if following else None,
        "first": wanted.address() if wanted.cursor else None,
    }
