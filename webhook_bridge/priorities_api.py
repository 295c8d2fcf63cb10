"""`/api/priorities` and `/api/jobs/{id}/priority`: who goes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool

from webhook_bridge.jobs_api import Announce
from webhook_bridge.pauses_api import refuse_for_tenants
from webhook_bridge.pauses_models import JobPriority, NewPriority, PriorityList, ReorderedModel
from webhook_bridge.problems import WrongState, problems
from webhook_bridge.signed_in import Caller
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.priorities import PRIORITIES, ChosenPriority, Reordered, choose, choose_for_job, chosen

NAMES = {number: name for name, number in PRIORITIES.items()}
Slug = Annotated[str, Path(description="A tenant's short name.", max_length=100)]
WorkflowName = Annotated[str, Path(description="Such as `xero-invoice-to-hubspot`.", max_length=100)]


@dataclass(frozen=True)
class Priorities:
    """Who goes first, for callers of the API; `database` is seen as role `api`."""

    database: Database

    def seen(self, caller: Caller) -> PriorityList:
        with scoped(self.database, caller.scope) as rows:
            found = chosen(rows)
        return PriorityList.model_validate({"priorities": [priority_document(one) for one in found]})

    def choose(self, caller: Caller, wanted: NewPriority, *, workflow: str | None, tenant: str | None) -> Reordered:
        if tenant is None:
            refuse_for_tenants(caller, "workflow")
        priority = None if wanted.priority is None else PRIORITIES[wanted.priority]
        with scoped(self.database, caller.scope) as rows:
            return choose(rows, workflow=workflow, tenant=tenant, priority=priority, actor=caller.name)


def priority_document(one: ChosenPriority) -> Mapping[str, object]:
    """By the name that people know."""
    return asdict(one) | {"priority": NAMES[one.priority]}


def priorities_routes(database: Database, *, caller_of: Callable[[Request], Caller], announce: Announce) -> APIRouter:
    """The routes; `database` is seen as role `api`, `announce` wakes the dispatchers."""
    router = APIRouter(tags=["priorities"])
    signed_in = Depends(caller_of)
    every = Priorities(database)

    async def told(done: Reordered) -> ReorderedModel:
        announce(done.wake)
        return ReorderedModel(waiting_jobs=done.jobs)

    @router.get("/api/priorities", responses=problems(401, 503))
    def priorities(caller: Caller = signed_in) -> PriorityList:
        """The priorities that people chose; where nobody did, the code's holds."""
        return every.seen(caller)

    @router.put("/api/priorities/workflows/{workflow}", responses=problems(401, 403, 404, 422, 503))
    async def for_workflow(
        workflow: WorkflowName,
        wanted: NewPriority,
        tenant: Annotated[str | None, Query(description="Only for this tenant.", max_length=100)] = None,
        caller: Caller = signed_in,
    ) -> ReorderedModel:
        """Choose the priority of a workflow's jobs, those that wait included."""
        return await told(await run_in_threadpool(every.choose, caller, wanted, workflow=workflow, tenant=tenant))

    @router.put("/api/priorities/tenants/{tenant}", responses=problems(401, 404, 422, 503))
    async def for_tenant(tenant: Slug, wanted: NewPriority, caller: Caller = signed_in) -> ReorderedModel:
        """Choose the priority of all of a tenant's jobs for which nothing narrower is chosen."""
        return await told(await run_in_threadpool(every.choose, caller, wanted, workflow=None, tenant=tenant))

    def chosen_for_job(caller: Caller, job_id: UUID, wanted: JobPriority) -> Reordered:
        with scoped(database, caller.scope) as rows:
            done = choose_for_job(rows, job_id, priority=PRIORITIES[wanted.priority], actor=caller.name)
        if isinstance(done, str):
            raise WrongState(f"Job {job_id} is {done}; its priority does not matter any more.")
        return done

    @router.post("/api/jobs/{job_id}/priority", responses=problems(401, 404, 409, 422, 503))
    async def for_job(job_id: UUID, wanted: JobPriority, caller: Caller = signed_in) -> ReorderedModel:
        """Choose one job's priority by hand. One that waits in a batch that no worker has taken leaves it and goes by itself."""
        return await told(await run_in_threadpool(chosen_for_job, caller, job_id, wanted))

    return router
