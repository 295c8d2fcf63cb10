"""`/console/issues`: what a person must do, one issue with its story, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from webhook_bridge.console.asked import Text, address, answered, text
from webhook_bridge.console.bars import bars_of
from webhook_bridge.console.filled import checked
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.cursors import cursor_of, page_from
from webhook_bridge.forms import OwnForm
from webhook_bridge.issues_api import Issues, document_of
from webhook_bridge.issues_models import Acknowledgement, IssueModel, IssueReplay, IssueStatus
from webhook_bridge.signed_in import Caller
from zixly_core.stores.issue_states import STEPS, IssueChange
from zixly_core.stores.issues_view import IssueFilter, failures_over_time, issues_page, same_cause_elsewhere
from zixly_core.stores.jobs_view import scoped

PATH = "/console/issues"
PAGE_SIZE = 50
PARTS = 30
TOLD = {
    IssueChange.ACKNOWLEDGE: "It is yours now.",
    IssueChange.RESOLVE: "It is resolved. The same cause from now on is a new issue.",
    IssueChange.IGNORE: "It is ignored: counted on, and nobody is told.",
    IssueChange.REOPEN: "It is open again.",
}


@dataclass(frozen=True)
class IssuesWanted:
    """What the address asks for."""

    filter: IssueFilter
    cursor: str | None

    @property
    def chosen(self) -> dict[str, str]:
        return answered(vars(self.filter))


def issues_wanted(
    *,
    tenant: Text = "",
    system: Text = "",
    status: IssueStatus | Annotated[str, Query(max_length=0)] = "",
    cursor: Text = "",
) -> IssuesWanted:
    return IssuesWanted(IssueFilter(text(tenant), text(system), text(status)), text(cursor))


Wanted = Annotated[IssuesWanted, Depends(issues_wanted)]


def issues_pages_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    issues = Issues(parts.api, parts.places)

    @router.get(PATH)
    def listed(request: Request, wanted: Wanted, caller: Caller = signed_in) -> Response:
        page = page_from(limit=PAGE_SIZE, cursor=wanted.cursor)
        with scoped(parts.api, caller.scope) as rows:
            found = issues_page(rows, wanted.filter, page=page)
        following = cursor_of(found[-1].last_seen_at, found[-1].id) if len(found) == PAGE_SIZE else None
        values = {
            "issues": [IssueModel.model_validate(document_of(one, places=parts.places)) for one in found],
            "wanted": wanted,
            "statuses": get_args(IssueStatus),
            "next": address(PATH, {**wanted.chosen, "cursor": following}) if following else None,
            "first": address(PATH, wanted.chosen) if wanted.cursor else None,
        }
        return render(request, caller, "issues", values)

    @router.get(f"{PATH}/{{issue_id}}")
    def one(request: Request, issue_id: UUID, caller: Caller = signed_in) -> Response:
        issue = issues.told(caller, issue_id)
        with scoped(parts.api, caller.scope) as rows:
            counts = failures_over_time(rows, issue_id, parts=PARTS)
            elsewhere = same_cause_elsewhere(rows, issue_id)
        can = [change.value for change, step in STEPS.items() if issue.status in step.from_statuses and issue.status != step.status]
        values = {"issue": issue, "drawing": bars_of(counts), "elsewhere": elsewhere, "can": can, "run_url": parts.run_url}
        return render(request, caller, "issue", values)

    for change in IssueChange:
        router.add_api_route(f"{PATH}/{{issue_id}}/{change.value}", changing(issues, change, parts), methods=["POST"])

    @router.post(f"{PATH}/{{issue_id}}/replay")
    async def replay(*, request: Request, issue_id: UUID, caller: Caller = signed_in, form: OwnForm) -> Response:
        made = await run_in_threadpool(issues.replayed, caller, issue_id, checked(IssueReplay, form))
        parts.announce(made.to_wake)
        return done(request, to=f"/console/replays/{made.id}", text=f"{made.made} jobs are done anew.")

    return router


def changing(issues: Issues, change: IssueChange, parts: ConsoleParts) -> Callable[..., Response]:
    """The route of one change."""
    signed_in = Depends(parts.caller_of)

    def change_it(*, request: Request, issue_id: UUID, caller: Caller = signed_in, form: OwnForm) -> Response:
        asked = checked(Acknowledgement, form)
        issues.changed(caller, issue_id, change, remark=asked.note, owner=asked.owner)
        return done(request, to=f"{PATH}/{issue_id}", text=TOLD[change])

    return change_it
