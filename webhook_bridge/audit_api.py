"""`/api/audit`: who did or saw what, for administrators; a page at a time, or handed out whole as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from webhook_bridge.audit_models import AuditLine, AuditPage
from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.exports.formats import MEDIA_TYPES, ExportFormat, Writer, file_headers
from webhook_bridge.exports.listing import Asked, Listing, by_age
from webhook_bridge.exports.routes import Format, begun
from webhook_bridge.problems import problems
from webhook_bridge.signed_in import Caller
from zixly_core.stores.audit import note
from zixly_core.stores.audit_view import AuditFilter, audit_page
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import scoped


def wanted_lines(
    *,
    tenant: Annotated[str | None, Query(description="A tenant's short name.")] = None,
    actor: Annotated[str | None, Query(description="Who it was, as the lines name them.")] = None,
    action: Annotated[str | None, Query(description="Such as `job.retry`, or `job` for everything done with jobs.")] = None,
    subject: Annotated[str | None, Query(description="The id or short name of what it was done with.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Not before this moment.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this moment.")] = None,
) -> AuditFilter:
    return AuditFilter(tenant, actor, action, subject, since, until)


LINES = Listing("audit", AuditLine, wanted_lines, by_age(audit_page, "at"))


@dataclass(frozen=True)
class AuditLog:
    """The log, for callers of the API; `database` is seen as role `api`."""

    database: Database

    def page(self, caller: Caller, wanted: AuditFilter, *, limit: int, cursor: str | None) -> AuditPage:
        page = page_from(limit=limit, cursor=cursor)
        with scoped(self.database, caller.scope) as rows:
            found = audit_page(rows, wanted=wanted, page=page)
        return AuditPage.model_validate({"entries": found, "next_cursor": cursor_after(found, limit=limit, age="at")})


def audit_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(tags=["audit"])
    signed_in, filtered = Depends(caller_of), Depends(wanted_lines)

    @router.get("/api/audit", responses=problems(400, 401, 403, 422, 503))
    def lines(
        wanted: AuditFilter = filtered,
        limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
        caller: Caller = signed_in,
    ) -> AuditPage:
        """Lines of the audit log, newest first: a client's administrators see the client's, staff see all."""
        return AuditLog(database).page(caller, wanted, limit=limit, cursor=cursor)

    @router.get("/api/audit/export", response_class=StreamingResponse, responses=problems(400, 401, 403, 422, 503))
    def export(
        wanted: AuditFilter = filtered,
        as_: Format = ExportFormat.CSV,
        caller: Caller = signed_in,
    ) -> StreamingResponse:
        """All lines that are wanted, as a file, newest first. That it was handed out is a line of the log too."""
        until = min(wanted.until or datetime.max.replace(tzinfo=UTC), datetime.now(UTC))
        chosen = AuditFilter(wanted.tenant, wanted.actor, wanted.action, wanted.subject, wanted.since, until)
        with scoped(database, caller.scope) as rows:
            note(rows, actor=caller.name, action="audit.export", subject=as_.value, tenant_id=caller.scope.tenant_id)
        pages = begun(LINES.documents(Asked(chosen, caller, lambda: scoped(database, caller.scope))))
        writer = Writer(LINES.columns, as_)
        written = chain([writer.head()], map(writer.written, pages))
        headers = file_headers("audit", as_, day=datetime.now(UTC).date())
        return StreamingResponse(written, media_type=MEDIA_TYPES[as_], headers=headers)

    return router
