"""`/console/jobs/{id}`: one job's story, live while it is open, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from webhook_bridge.console.advice import advice_for
from webhook_bridge.console.layout import drawn, render
from webhook_bridge.console.live import Live, Part
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.console.story import story_of
from webhook_bridge.forms import OwnForm
from webhook_bridge.jobs_api import changed, job_seen
from webhook_bridge.models import Job
from webhook_bridge.problems import WrongState
from webhook_bridge.signed_in import Caller
from zixly_core.errors import Rejected
from zixly_core.job import JobStatus
from zixly_core.stores.cancel import cancel_job, retry_job
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.priorities import PRIORITIES, PriorityName, Reordered, choose_for_job

PATH = "/console/jobs/{job_id}"
OPEN = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})
PRIORITY = TypeAdapter[PriorityName](PriorityName)


def job_page_routes(parts: ConsoleParts, live: Live) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    run_url = parts.run_url

    def read(caller: Caller, job_id: UUID) -> Job:
        with scoped(parts.api, caller.scope) as rows:
            return job_seen(rows, job_id, caller=caller, run_url=run_url)

    def values(job: Job) -> Mapping[str, object]:
        advice = advice_for(job, runbook=parts.places.runbook)
        return {"job": job, "story": story_of(job), "is_open": job.status in OPEN, "advice": advice, "priorities": list(PRIORITIES)}

    @router.get(PATH, response_model=Job)
    def job(request: Request, job_id: UUID, caller: Caller = signed_in) -> Response:
        return render(request, caller, "job", values(read(caller, job_id)))

    @router.get(f"{PATH}/stream", response_model=Job)
    async def stream(request: Request, job_id: UUID, caller: Caller = signed_in) -> Response:
        def draw(now: Caller, found: Job) -> str:
            return drawn(request, now, "job_body", values(found))

        part = Part(lambda now: read(now, job_id), draw, lambda found: found.status not in OPEN)
        return await live.stream(request, caller, part)

    @router.post(f"{PATH}/retry")
    def retry(request: Request, job_id: UUID, *, caller: Caller = signed_in, form: OwnForm) -> Response:
        """As over the API: from its checkpoint, with one more attempt."""
        with scoped(parts.api, caller.scope) as rows:
            status = retry_job(rows, job_id=job_id, actor=caller.name)
        changed(job_id, status, wanted=(JobStatus.QUEUED,), verb="retried")
        return back(request, job_id, "It is tried again, from where it had got to.")

    @router.post(f"{PATH}/cancel")
    def cancel(request: Request, job_id: UUID, *, caller: Caller = signed_in, form: OwnForm) -> Response:
        with scoped(parts.api, caller.scope) as rows:
            status = cancel_job(rows, job_id=job_id, actor=caller.name)
        now = changed(job_id, status, wanted=(JobStatus.CANCELLED, JobStatus.RUNNING), verb="cancelled")
        is_over = now.status == JobStatus.CANCELLED
        return back(request, job_id, "It is cancelled." if is_over else "It is asked to stop, and does so between two steps.")

    def prioritised(caller: Caller, job_id: UUID, priority: PriorityName) -> Reordered:
        with scoped(parts.api, caller.scope) as rows:
            chosen = choose_for_job(rows, job_id, priority=PRIORITIES[priority], actor=caller.name)
        if isinstance(chosen, str):
            raise WrongState(f"Job {job_id} is {chosen}; its priority does not matter any more.")
        return chosen

    @router.post(f"{PATH}/priority")
    async def priority(request: Request, job_id: UUID, *, caller: Caller = signed_in, form: OwnForm) -> Response:
        wanted = priority_in(form)
        chosen = await run_in_threadpool(prioritised, caller, job_id, wanted)
        parts.announce(chosen.wake)
        return back(request, job_id, f"Its priority is {wanted} now.")

    return router


def priority_in(form: Mapping[str, str]) -> PriorityName:
    try:
        return PRIORITY.validate_python(form.get("priority"))
    except ValidationError:
        raise Rejected(f"A priority is one of {', '.join(PRIORITIES)}.", reason="invalid_parameter") from None


def back(request: Request, job_id: UUID, text: str) -> Response:
    return done(request, to=f"/console/jobs/{job_id}", text=text)
