"""`/console/backfills`: past days done as if their webhooks came now; asked for, watched, stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, Response

from webhook_bridge.backfills_api import Backfills, document_of
from webhook_bridge.backfills_models import Backfill, BackfillDetail, BackfillStatus, NewBackfill
from webhook_bridge.console.asked import Text, address, answered, text
from webhook_bridge.console.filled import checked
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.replays_pages import EVERY_SECONDS
from webhook_bridge.console.said import done
from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.forms import OwnForm
from webhook_bridge.signed_in import Caller
from zixly_core.stores.backfills import BackfillFilter, backfills_page
from zixly_core.stores.jobs_view import scoped

PATH = "/console/backfills"
PAGE_SIZE = 50
GOING_ON = frozenset({"WANTED", "RUNNING"})


@dataclass(frozen=True)
class BackfillsWanted:
    """What the address asks for."""

    filter: BackfillFilter
    cursor: str | None

    @property
    def chosen(self) -> dict[str, str]:
        return answered(vars(self.filter))


def backfills_wanted(
    *, tenant: Text = "", status: BackfillStatus | Annotated[str, Query(max_length=0)] = "", cursor: Text = ""
) -> BackfillsWanted:
    return BackfillsWanted(BackfillFilter(text(tenant), text(status)), text(cursor))


def backfills_pages_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    backfills = Backfills(parts.api, parts.run_url)

    @router.get(PATH)
    def listed(request: Request, wanted: Annotated[BackfillsWanted, Depends(backfills_wanted)], caller: Caller = signed_in) -> Response:
        with scoped(parts.api, caller.scope) as connection:
            rows = backfills_page(connection, wanted.filter, page=page_from(limit=PAGE_SIZE, cursor=wanted.cursor))
        following = cursor_after(rows, limit=PAGE_SIZE, age="created_at")
        values = {
            "backfills": [Backfill.model_validate(document_of(row)) for row in rows],
            "wanted": wanted,
            "statuses": get_args(BackfillStatus),
            "next": address(PATH, {**wanted.chosen, "cursor": following}) if following else None,
            "first": address(PATH, wanted.chosen) if wanted.cursor else None,
        }
        return render(request, caller, "backfills", values)

    @router.post(PATH)
    def make(*, request: Request, caller: Caller = signed_in, form: OwnForm) -> Response:
        made = backfills.make(caller, checked(NewBackfill, {"tenant": caller.tenant or "", **form}))
        return done(request, to=f"{PATH}/{made.id}", text="It begins within seconds.")

    @router.get(f"{PATH}/{{backfill_id}}", response_model=BackfillDetail, response_class=HTMLResponse)
    def one(request: Request, backfill_id: UUID, caller: Caller = signed_in) -> Response:
        backfill = backfills.shown(caller, backfill_id)
        answer = render(request, caller, "backfill", {"backfill": backfill, "is_going_on": backfill.status in GOING_ON})
        if backfill.status in GOING_ON:
            answer.headers["refresh"] = EVERY_SECONDS
        return answer

    @router.post(f"{PATH}/{{backfill_id}}/stop")
    def stop(*, request: Request, backfill_id: UUID, caller: Caller = signed_in, form: OwnForm) -> Response:
        cancelled = backfills.stop(caller, backfill_id).jobs_cancelled
        return done(request, to=f"{PATH}/{backfill_id}", text=f"No further day is read; {cancelled} waiting jobs were cancelled.")

    return router
