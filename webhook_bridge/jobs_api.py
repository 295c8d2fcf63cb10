"""`GET /webhook/jobs/{id}` and `/api/jobs`: what happened, and cancel and retry by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime

from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.models import Job, JobPage, JobStatusChange, NewJob
from webhook_bridge.payload_views import looked_at
from webhook_bridge.problems import NotFound, WrongState, problems
from webhook_bridge.signed_in import Caller
from zixly_core.job import JobStatus
from zixly_core.record_links import url_of_key
from zixly_core.stores.cancel import cancel_job, retry_job
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import (
    JobFilter,
    job_detail,
    jobs_page,
    scoped,
)
from zixly_core.stores.manual_jobs import Asked, Made, make_manual_job

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)]
Origin = Literal["event", "backfill", "reconciliation", "replay", "follow-up", "manual"]

Announce = Callable[[Mapping[str, Sequence[UUID]]], None]


def wanted_jobs(
    *,
    tenant: Annotated[str | None, Query(description="A tenant's short name.")] = None,
    workflow: Annotated[str | None, Query(description="Such as `xero-invoice-to-hubspot`.")] = None,
    status: Annotated[JobStatus | None, Query(description="Only jobs that stand there.")] = None,
    record: Annotated[str | None, Query(description="A record key, as jobs show it.")] = None,
    reason: Annotated[str | None, Query(description="The machine word of a failure, such as `record_gone`.", max_length=100)] = None,
    origin: Annotated[Origin | None, Query(description="What made it.")] = None,
    made_by: Annotated[UUID | None, Query(description="The replay, backfill, reconciliation or recovery that made it.")] = None,
    system: Annotated[str | None, Query(description="Such as `xero`.", max_length=50)] = None,
    since: Annotated[AwareDatetime | None, Query(description="Made then or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Made before.")] = None,
) -> JobFilter:
    return JobFilter(
        tenant=tenant,
        workflow=workflow,
        status=status,
        record_key=record,
        reason=reason,
        origin=origin,
        made_by=made_by,
        system=system,
        since=since,
        until=until,
    )


def jobs_routes(database: Database, *, dagster_url: str, caller_of: Callable[[Request], Caller], announce: Announce) -> APIRouter:
    """The routes; `database` is seen as role `api`, `announce` tells the systems' queues of new jobs."""
    router = APIRouter()
    run_url = f"{dagster_url.rstrip('/')}/runs"
    signed_in, filtered = Depends(caller_of), Depends(wanted_jobs)

    @router.get("/webhook/jobs/{job_id}", tags=["jobs"], responses=problems(401, 404, 422, 503))
    def job(job_id: UUID, caller: Caller = signed_in) -> Job:
        """One job with its whole story: attempts, steps, related records, effects, result or error, and where to look further."""
        with scoped(database, caller.scope) as connection:
            return job_seen(connection, job_id, caller=caller, run_url=run_url)

    @router.get("/api/jobs", tags=["jobs"], responses=problems(400, 401, 422, 503))
    def jobs(wanted: JobFilter = filtered, limit: Limit = 50, cursor: Cursor = None, caller: Caller = signed_in) -> JobPage:
        """Jobs, newest first."""
        page = page_from(limit=limit, cursor=cursor)
        with scoped(database, caller.scope) as connection:
            rows = jobs_page(connection, wanted=wanted, page=page)
        documents = [job_document(row, run_url=run_url) for row in rows]
        return JobPage.model_validate({"jobs": documents, "next_cursor": cursor_after(rows, limit=limit, age="created_at")})

    @router.post("/api/jobs", tags=["jobs"], status_code=202, responses=problems(400, 401, 403, 422, 503))
    async def make(wanted: NewJob, caller: Caller = signed_in) -> JobStatusChange:
        """Have a workflow done for one record, or, as a dry run, be told what it would write."""
        asked = Asked(
            tenant=wanted.tenant,
            workflow=wanted.workflow,
            record_id=wanted.record_id,
            payload=wanted.payload,
            kind=wanted.kind,
            is_dry_run=wanted.dry_run,
            connection_id=wanted.connection_id,
        )
        made = await run_in_threadpool(made_for, caller, asked)
        announce({made.system: [made.id]})
        return JobStatusChange(id=made.id, status=JobStatus.QUEUED)

    def made_for(caller: Caller, asked: Asked) -> Made:
        with scoped(database, caller.scope) as connection:
            return make_manual_job(connection, asked, actor=caller.name)

    @router.post("/api/jobs/{job_id}/cancel", tags=["jobs"], responses=problems(401, 403, 404, 409, 422, 503))
    def cancel(job_id: UUID, caller: Caller = signed_in) -> JobStatusChange:
        """Cancel a job. One that runs is asked to stop, and stays RUNNING until it does, between steps and vendor calls."""
        with scoped(database, caller.scope) as connection:
            status = cancel_job(connection, job_id=job_id, actor=caller.name)
        return changed(job_id, status, wanted=(JobStatus.CANCELLED, JobStatus.RUNNING), verb="cancelled")

    @router.post("/api/jobs/{job_id}/retry", tags=["jobs"], responses=problems(401, 403, 404, 409, 422, 503))
    def retry(job_id: UUID, caller: Caller = signed_in) -> JobStatusChange:
        """Try a job that ended FAILED once more, from its checkpoint; what it wrote already is not written again."""
        with scoped(database, caller.scope) as connection:
            status = retry_job(connection, job_id=job_id, actor=caller.name)
        return changed(job_id, status, wanted=(JobStatus.QUEUED,), verb="retried")

    return router


def job_seen(rows: Rows, job_id: UUID, *, caller: Caller, run_url: str) -> Job:
    """One job as the caller may see it; that he saw its payloads is written down. Raises `NotFound`."""
    row = job_detail(rows, job_id)
    if row is None:
        raise no_such_job(job_id)
    found = Job.model_validate(job_document(row, run_url=run_url) | {"steps": row["execution_log"]})
    return looked_at(rows, found, caller=caller, thing="job", subject=job_id, whose=[row["tenant_id"]])


def changed(job_id: UUID, status: str | None, *, wanted: tuple[JobStatus, ...], verb: str) -> JobStatusChange:
    """The status that a change came to. Raises `NotFound` or `WrongState`."""
    if status is None:
        raise no_such_job(job_id)
    if status not in wanted:
        raise WrongState(f"Job {job_id} is {status} and cannot be {verb}.")
    return JobStatusChange(id=job_id, status=status)


def no_such_job(job_id: UUID) -> NotFound:
    return NotFound(f"There is no job {job_id}, or it is not yours to see.")


def job_document(row: dict[str, Any], *, run_url: str) -> dict[str, Any]:
    """A job's row with its links; `run_id` is the run that holds it, else the latest that did."""
    run_id = row["run_id"] or row["last_run_id"]
    event = row.get("event")
    delivery = f"/api/deliveries/{event['delivery_id']}" if event else None
    links = {
        "self": f"/webhook/jobs/{row['id']}",
        "run": f"{run_url}/{run_id}" if run_id else None,
        "record": url_of_key(row["record_key"]),
        "delivery": delivery,
        "event": f"{delivery}#{event['id']}" if event else None,
        "origin": f"/webhook/jobs/{row['origin_job_id']}" if row.get("origin_job_id") else None,
        "replay": f"/api/replays/{row['replay_id']}" if row.get("replay_id") else None,
    }
    return row | {"run_id": run_id, "links": links}
