"""`/console/replays`: jobs done anew. First looked at (how many a choice fits), then made; watched, and stopped half-way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from webhook_bridge.console.asked import Text, address, answered, moment, text
from webhook_bridge.console.filled import checked
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.forms import OwnForm
from webhook_bridge.replay_models import NewReplay, Replay, ReplayFilter, ReplaySummary
from webhook_bridge.replays_api import Replays, no_such_replay, replay_document
from webhook_bridge.signed_in import Caller
from zixly_core.ids import new_id
from zixly_core.replays import DEFAULT_RATE_PER_MINUTE, ENDED, MAX_JOBS, ReplayMode, ReplayStatus
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.replay_views import replays_page
from zixly_core.stores.replays import stop_replay

PATH = "/console/replays"
PAGE_SIZE = 50
QUESTIONS = ("tenant", "workflow", "status", "reason", "since", "until", "issue_id", "search_id")
# A page of something that goes on loads itself anew, without a script.
EVERY_SECONDS = "10"


@dataclass(frozen=True)
class Choice:
    """Which jobs, as the form tells it; nothing is chosen before it was sent."""

    given: dict[str, str]


def choice_of(
    *,
    tenant: Text = "",
    workflow: Text = "",
    status: Text = "",
    reason: Text = "",
    since: Text = "",
    until: Text = "",
    issue_id: Text = "",
    search_id: Text = "",
) -> Choice:
    given = {"tenant": text(tenant), "workflow": text(workflow), "status": text(status), "reason": text(reason)}
    moments = {"since": moment(since, name="since"), "until": moment(until, name="until")}
    return Choice(answered({**given, **moments, "issue_id": text(issue_id), "search_id": text(search_id)}))


def replays_pages_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    replays = Replays(parts.api)

    @router.get(PATH)
    def listed(request: Request, tenant: Text = "", cursor: Text = "", caller: Caller = signed_in) -> Response:
        with scoped(parts.api, caller.scope) as connection:
            rows = replays_page(connection, tenant=text(tenant), page=page_from(limit=PAGE_SIZE, cursor=text(cursor)))
        now, chosen = datetime.now(UTC), answered({"tenant": text(tenant)})
        following = cursor_after(rows, limit=PAGE_SIZE, age="created_at")
        values = {
            "replays": [ReplaySummary.model_validate(replay_document(row, now=now)) for row in rows],
            "chosen": chosen,
            "next": address(PATH, {**chosen, "cursor": following}) if following else None,
            "first": address(PATH, chosen) if cursor else None,
        }
        return render(request, caller, "replays", values)

    @router.get(f"{PATH}/new")
    def new(request: Request, choice: Annotated[Choice, Depends(choice_of)], caller: Caller = signed_in) -> Response:
        """The first step: which jobs, and how many they are. Nothing is made."""
        given = choice.given if caller.tenant is None else {"tenant": caller.tenant, **choice.given}
        found = replays.count(caller, checked(ReplayFilter, given)) if {*choice.given} - {"tenant"} else None
        values: dict[str, Any] = {"given": given, "found": found, "statuses": ENDED, "replay_id": new_id(), "most": MAX_JOBS}
        return render(request, caller, "replay_new", values | {"usual_rate": DEFAULT_RATE_PER_MINUTE, "modes": MODES})

    @router.post(PATH)
    async def make(*, request: Request, caller: Caller = signed_in, form: OwnForm) -> Response:
        """The second step. The form bears the replay's id, so that sending it twice makes it once."""
        made = await run_in_threadpool(replays.make, caller, asked_in(form))
        parts.announce(made.to_wake)
        return done(request, to=f"{PATH}/{made.id}", text=f"{made.made} jobs were made.")

    @router.get(f"{PATH}/{{replay_id}}", response_model=Replay, response_class=HTMLResponse)
    def one(request: Request, replay_id: UUID, caller: Caller = signed_in) -> Response:
        replay = replays.shown(caller, replay_id)
        answer = render(request, caller, "replay", {"replay": replay})
        if replay.status is ReplayStatus.RUNNING:
            answer.headers["refresh"] = EVERY_SECONDS
        return answer

    @router.post(f"{PATH}/{{replay_id}}/stop")
    def stop(*, request: Request, replay_id: UUID, caller: Caller = signed_in, form: OwnForm) -> Response:
        with scoped(parts.api, caller.scope) as connection:
            cancelled = stop_replay(connection, replay_id=replay_id, actor=caller.name)
        if cancelled is None:
            raise no_such_replay(replay_id)
        return done(request, to=f"{PATH}/{replay_id}", text=f"It is stopped: {cancelled} jobs that nobody worked on were cancelled.")

    return router


MODES = ((ReplayMode.CHECKPOINT.value, "from where each stopped"), (ReplayMode.START.value, "from the first step"))


def asked_in(form: Mapping[str, str]) -> NewReplay:
    """One job, or those of a choice. Raises `MalformedPayload`."""
    given = {name: value for name, value in form.items() if value.strip()}
    if "job_id" in given:
        return checked(NewReplay, given)
    chosen = {name: given.pop(name) for name in QUESTIONS if name in given}
    return checked(NewReplay, {**given, "filter": checked(ReplayFilter, chosen)})
