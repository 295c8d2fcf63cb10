"""`/api/replays`: do ended jobs anew, one or many; look how far that is; stop it half-way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.payload_views import looked_at
from webhook_bridge.problems import NotFound, problems
from webhook_bridge.replay_models import Matching, NewReplay, Replay, ReplayFilter, ReplayPage, ReplaySummary, Stopped
from webhook_bridge.signed_in import Caller
from zixly_core.edited_payloads import check_edited
from zixly_core.ids import new_id
from zixly_core.replays import DEFAULT_RATE_PER_MINUTE, JobChoice, NotReplayable, ReplayMode, WantedReplay
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import Row, scoped
from zixly_core.stores.manual_jobs import tenant_of
from zixly_core.stores.replay_views import replay_detail, replays_page
from zixly_core.stores.replays import MadeReplay, make_replay, matching_jobs, origin_of, stop_replay

Announce = Callable[[Mapping[str, Sequence[UUID]]], None]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)]


def wanted_replays(*, tenant: Annotated[str | None, Query(description="A tenant's short name.")] = None) -> str | None:
    return tenant


@dataclass(frozen=True)
class Replays:
    """Replays for callers of the API; `database` is seen as role `api`."""

    database: Database

    def make(self, caller: Caller, asked: NewReplay) -> MadeReplay:
        with scoped(self.database, caller.scope) as connection:
            return make_replay(connection, wanted_from(connection, asked), actor=caller.name)

    def count(self, caller: Caller, asked: ReplayFilter) -> Matching:
        with scoped(self.database, caller.scope) as connection:
            tenant_id, choice = tenant_of(connection, asked.tenant), choice_from(asked)
            found = matching_jobs(connection, tenant_id=tenant_id, choice=choice)
        return Matching(matched=found.matched, left_out=found.left_out, to_make=found.to_make)

    def shown(self, caller: Caller, replay_id: UUID) -> Replay:
        with scoped(self.database, caller.scope) as connection:
            row = replay_detail(connection, replay_id)
            if row is None:
                raise no_such_replay(replay_id)
            replay = Replay.model_validate(replay_document(row, now=datetime.now(UTC)))
            return looked_at(connection, replay, caller=caller, thing="replay", subject=replay_id, whose=[row["tenant_id"]])


def replays_routes(database: Database, *, caller_of: Callable[[Request], Caller], announce: Announce) -> APIRouter:
    """The routes; `announce` tells the systems' queues of new jobs."""
    router = APIRouter(tags=["replays"])
    signed_in, filtered = Depends(caller_of), Depends(wanted_replays)
    store = Replays(database)

    @router.post("/api/replays", status_code=202, responses=problems(400, 401, 403, 404, 422, 503))
    async def make(asked: NewReplay, caller: Caller = signed_in) -> Replay:
        """Replay one job, or many by a filter: new jobs that lead back to their origins. Nothing that was written is written twice."""
        made = await run_in_threadpool(store.make, caller, asked)
        announce(made.to_wake)
        return await run_in_threadpool(store.shown, caller, made.id)

    @router.post("/api/replays/matching", responses=problems(400, 401, 403, 422, 503))
    def matching(asked: ReplayFilter, caller: Caller = signed_in) -> Matching:
        """How many jobs a filter fits; nothing is made."""
        return store.count(caller, asked)

    @router.get("/api/replays", responses=problems(400, 401, 422, 503))
    def replays(tenant: str | None = filtered, limit: Limit = 50, cursor: Cursor = None, caller: Caller = signed_in) -> ReplayPage:
        """Replays, newest first, with how far they are."""
        page = page_from(limit=limit, cursor=cursor)
        with scoped(database, caller.scope) as connection:
            rows = replays_page(connection, tenant=tenant, page=page)
        now = datetime.now(UTC)
        shown = [ReplaySummary.model_validate(replay_document(row, now=now)) for row in rows]
        return ReplayPage(replays=shown, next_cursor=cursor_after(rows, limit=limit, age="created_at"))

    @router.get("/api/replays/{replay_id}", responses=problems(401, 404, 422, 503))
    def replay(replay_id: UUID, caller: Caller = signed_in) -> Replay:
        """One replay: its jobs by status, why some failed, how long it takes yet, and of a dry run what it would write."""
        return store.shown(caller, replay_id)

    @router.post("/api/replays/{replay_id}/stop", responses=problems(401, 403, 404, 422, 503))
    def stop(replay_id: UUID, caller: Caller = signed_in) -> Stopped:
        """Stop a replay half-way: jobs that nobody works on yet are cancelled, running ones come to their end."""
        with scoped(database, caller.scope) as connection:
            cancelled = stop_replay(connection, replay_id=replay_id, actor=caller.name)
        if cancelled is None:
            raise no_such_replay(replay_id)
        return Stopped(id=replay_id, cancelled=cancelled)

    return router


def wanted_from(connection: Rows, asked: NewReplay) -> WantedReplay:
    """Raises `NotFound`, and `NotReplayable` with the reason why not."""
    replay_id = asked.id or new_id()
    if asked.filter is not None:
        return WantedReplay(
            replay_id,
            tenant_of(connection, asked.filter.tenant),
            choice_from(asked.filter),
            mode=asked.mode,
            is_dry_run=asked.dry_run,
            rate_per_minute=asked.rate_per_minute or DEFAULT_RATE_PER_MINUTE,
            limit=asked.limit,
        )
    if asked.job_id is None:
        raise NotReplayable("Give either job_id or filter.")
    return wanted_of_one(connection, asked, replay_id=replay_id, job_id=asked.job_id)


def wanted_of_one(connection: Rows, asked: NewReplay, *, replay_id: UUID, job_id: UUID) -> WantedReplay:
    origin = origin_of(connection, job_id, replay_id=replay_id)
    if origin is None:
        raise NotFound(f"There is no job {job_id}, or it is not yours to see.")
    if asked.payload is not None:
        check_edited(origin.workflow, asked.payload)
    return WantedReplay(
        replay_id,
        origin.tenant_id,
        JobChoice(job_ids=[job_id]),
        mode=asked.mode if asked.payload is None else ReplayMode.EDITED,
        is_dry_run=asked.dry_run,
        payload=asked.payload,
    )


def choice_from(asked: ReplayFilter) -> JobChoice:
    return JobChoice(**asked.model_dump(exclude={"tenant"}))


def replay_document(row: Row, *, now: datetime) -> Row:
    """A replay's row with what follows from its progress."""
    progress = row["progress"]
    return row | {
        "dry_run": row["is_dry_run"],
        "status": progress.status,
        "counts": {status.value: count for status, count in progress.counts.items()},
        "remaining_seconds": progress.remaining_seconds(now),
        "links": {"self": f"/api/replays/{row['id']}", "jobs": f"/api/jobs?made_by={row['id']}"},
    }


def no_such_replay(replay_id: UUID) -> NotFound:
    return NotFound(f"There is no replay {replay_id}, or it is not yours to see.")
