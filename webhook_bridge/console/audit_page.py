"""`/console/audit`: who did or saw what, when and from where."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from webhook_bridge.audit_api import AuditLog
from webhook_bridge.console.asked import Text, address
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.signed_in import Caller
from zixly_core.stores.audit_view import AuditFilter

PATH, EXPORT = "/console/audit", "/api/audit/export"
PAGE_SIZE = 50
Day = date | Annotated[str, Query(max_length=0)]


def audit_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    log = AuditLog(parts.api)

    @router.get(PATH)
    def audit(
        *,
        request: Request,
        tenant: Text = "",
        actor: Text = "",
        action: Text = "",
        subject: Text = "",
        since: Day = "",
        until: Day = "",
        cursor: Text = "",
        caller: Caller = signed_in,
    ) -> Response:
        texts = {"tenant": tenant.strip(), "actor": actor.strip(), "action": action.strip(), "subject": subject.strip()}
        begin, end = begin_of(since), begin_of(until, days_later=1)
        wanted = AuditFilter(**{name: text or None for name, text in texts.items()}, since=begin, until=end)
        found = log.page(caller, wanted, limit=PAGE_SIZE, cursor=cursor or None)
        chosen = texts | {"since": str(since), "until": str(until)}
        moments = {"since": begin.isoformat() if begin else None, "until": end.isoformat() if end else None}
        values = {
            "entries": found.entries,
            "chosen": chosen,
            "next": address(PATH, chosen | {"cursor": found.next_cursor}) if found.next_cursor else None,
            "first": address(PATH, chosen) if cursor else None,
            "exports": [(form.upper(), address(EXPORT, {**texts, **moments, "format": form})) for form in ("csv", "json")],
        }
        return render(request, caller, "audit", values)

    return router


def begin_of(day: date | str, *, days_later: int = 0) -> datetime | None:
    """The day's first moment in UTC, or that of a later one; None where no day was named."""
    if not isinstance(day, date):
        return None
    return datetime.combine(day, time(), UTC) + timedelta(days=days_later)
