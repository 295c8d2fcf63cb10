"""`/api/issues`: what a person must do, who has taken it on, and the replay of all its jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from webhook_bridge.cursors import cursor_of, page_from
from webhook_bridge.issues_models import Acknowledgement, IssueList, IssueReplay, IssueStatus, IssueStory, Remark, ReplayOfIssue
from webhook_bridge.problems import NotFound, WrongState, problems
from webhook_bridge.signed_in import Caller
from zixly_core.ids import new_id
from zixly_core.notifications.facts import Places
from zixly_core.replays import DEFAULT_RATE_PER_MINUTE, JobChoice, ReplayMode, WantedReplay
from zixly_core.runbooks import runbook_of
from zixly_core.stores.database import Database
from zixly_core.stores.issue_states import IssueChange, change_issue
from zixly_core.stores.issues_view import Issue, IssueFilter, issue_with_story, issues_page
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.replays import MadeReplay, make_replay

Announce = Callable[[Mapping[str, Sequence[UUID]]], None]
CHANGES = problems(401, 403, 404, 409, 422, 503)


def wanted_issues(
    *,
    tenant: Annotated[str | None, Query(description="A tenant's short name.")] = None,
    system: Annotated[str | None, Query(description="Such as `xero`.")] = None,
    status: Annotated[IssueStatus | None, Query(description="Only issues that stand there.")] = None,
) -> IssueFilter:
    return IssueFilter(tenant, system, status)


@dataclass(frozen=True)
class Issues:
    """Issues for callers of the API; `database` is seen as role `api`."""

    database: Database
    places: Places

    def told(self, caller: Caller, issue_id: UUID) -> IssueStory:
        with scoped(self.database, caller.scope) as rows:
            found = issue_with_story(rows, issue_id)
        if found is None:
            raise no_such_issue(issue_id)
        return IssueStory.model_validate(found | document_of(found["issue"], places=self.places))

    def changed(self, caller: Caller, issue_id: UUID, change: IssueChange, *, remark: str | None, owner: str | None = None) -> IssueStory:
        with scoped(self.database, caller.scope) as rows:
            came_to = change_issue(rows, issue_id, change, actor=caller.name, owner=owner, remark=remark)
        if came_to is None:
            raise no_such_issue(issue_id)
        if came_to.refusal is not None:
            raise WrongState(came_to.refusal)
        return self.told(caller, issue_id)

    def replayed(self, caller: Caller, issue_id: UUID, wanted: IssueReplay) -> MadeReplay:
        with scoped(self.database, caller.scope) as rows:
            found = issue_with_story(rows, issue_id)
            if found is None:
                raise no_such_issue(issue_id)
            made = make_replay(rows, replay_from(found["issue"], wanted), actor=caller.name)
            if made.made == 0:  # what was written about a replay of nothing goes with the transaction
                raise WrongState(f"Nothing is left to replay of issue {issue_id}: {found['under_way']} of its jobs are being tried again.")
        return made


def issues_routes(database: Database, *, caller_of: Callable[[Request], Caller], announce: Announce, places: Places) -> APIRouter:
    """The routes; `database` is seen as role `api`, `announce` tells the systems' queues of new jobs."""
    router = APIRouter(prefix="/api/issues", tags=["issues"])
    signed_in, filtered = Depends(caller_of), Depends(wanted_issues)
    store = Issues(database, places)

    @router.get("", responses=problems(400, 401, 422, 503))
    def issues(
        wanted: IssueFilter = filtered,
        limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)] = None,
        caller: Caller = signed_in,
    ) -> IssueList:
        """What a person must do."""
        page = page_from(limit=limit, cursor=cursor)
        with scoped(database, caller.scope) as rows:
            found = issues_page(rows, wanted, page=page)
        next_cursor = cursor_of(found[-1].last_seen_at, found[-1].id) if len(found) == limit else None
        return IssueList.model_validate({"issues": [document_of(one, places=places) for one in found], "next_cursor": next_cursor})

    @router.get("/{issue_id}", responses=problems(401, 404, 422, 503))
    def issue(issue_id: UUID, caller: Caller = signed_in) -> IssueStory:
        """One issue: what became of it, examples of its jobs, how many are left, and earlier issues of the same cause."""
        return store.told(caller, issue_id)

    @router.post("/{issue_id}/acknowledge", responses=CHANGES)
    def acknowledge(issue_id: UUID, wanted: Acknowledgement, caller: Caller = signed_in) -> IssueStory:
        """Take it on, or give it to somebody."""
        return store.changed(caller, issue_id, IssueChange.ACKNOWLEDGE, owner=wanted.owner, remark=wanted.note)

    @router.post("/{issue_id}/resolve", responses=CHANGES)
    def resolve(issue_id: UUID, wanted: Remark, caller: Caller = signed_in) -> IssueStory:
        """It is over. Its jobs stay as they are and do not open it again; the same cause from now on is a new issue."""
        return store.changed(caller, issue_id, IssueChange.RESOLVE, remark=wanted.note)

    @router.post("/{issue_id}/ignore", responses=CHANGES)
    def ignore(issue_id: UUID, wanted: Remark, caller: Caller = signed_in) -> IssueStory:
        """Count on and tell nobody, until somebody opens it again."""
        return store.changed(caller, issue_id, IssueChange.IGNORE, remark=wanted.note)

    @router.post("/{issue_id}/reopen", responses=CHANGES)
    def reopen(issue_id: UUID, wanted: Remark, caller: Caller = signed_in) -> IssueStory:
        """It is not over, or no longer to be ignored."""
        return store.changed(caller, issue_id, IssueChange.REOPEN, remark=wanted.note)

    @router.post("/{issue_id}/replay", status_code=202, responses=CHANGES)
    async def replay(issue_id: UUID, wanted: IssueReplay, caller: Caller = signed_in) -> ReplayOfIssue:
        """Replay what is left of it. The issue ends by itself when all of it succeeded."""
        made = await run_in_threadpool(store.replayed, caller, issue_id, wanted)
        announce(made.to_wake)
        return ReplayOfIssue(replay_id=made.id, jobs=made.made, left=made.matching.to_make - made.made)

    return router


def replay_from(issue: Issue, wanted: IssueReplay) -> WantedReplay:
    return WantedReplay(
        id=new_id(),
        tenant_id=issue.tenant_id,
        choice=JobChoice(status="FAILED", issue_id=issue.id),
        mode=ReplayMode.START if wanted.from_start else ReplayMode.CHECKPOINT,
        is_dry_run=wanted.dry_run,
        rate_per_minute=wanted.rate_per_minute or DEFAULT_RATE_PER_MINUTE,
    )


def no_such_issue(issue_id: UUID) -> NotFound:
    return NotFound(f"There is no issue {issue_id}, or it is not yours to see.")


def document_of(issue: Issue, *, places: Places) -> dict[str, Any]:
    """The issue with its links as addresses."""
    return asdict(issue) | {
        "link": places.bridge.rstrip("/") + issue.link if issue.link else None,
        "runbook": runbook_of(issue.reason, page=places.runbook),
    }
