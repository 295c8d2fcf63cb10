"""Ops that answer requests of privacy law: tell what is held about a customer, erase it, erase all of a shop."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from dagster import OpExecutionContext, op

from zixly_core.archive_members import unpacked
from zixly_core.archiving import remove_erased
from zixly_core.errors import Permanent
from zixly_core.job import ClaimedJob, Failed
from zixly_core.kept_payloads import payloads_at
from zixly_core.stores.archives import where_payloads_are
from zixly_core.stores.payloads import requests_of
from zixly_core.stores.privacy import Erased, Held, Subject, erase, held_about, stop_jobs, told
from zixly_core.stores.removals import events_in_archives
from zixly_core.workflows.privacy import Demand, PrivacyRequest, demand_of, request_from, request_from_json, request_to_json
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import ORDER, PLANNED, Done, Outcome, Stop, each_of, keep_outcomes, pending, skipped, source_of
from zixly_dagster.ops.story import Step, counted, job_links, job_row, show
from zixly_dagster.resources.batch import BatchResource, BatchWork
from zixly_dagster.resources.objects import ObjectsResource

WORKFLOW = "shopify-privacy"
# How long other runs get to stop before the erasing is tried again.
LET_OTHERS_STOP = timedelta(seconds=30)


@op(out=DONE, tags={"kind": "postgres"})
def claim_requests(context: OpExecutionContext, batch: BatchResource) -> None:
    """Take the batch's jobs under a lease. Unlike other jobs about one record none makes another needless: a customer may ask
    for the data and then to be forgotten."""
    work = batch.work(context)
    jobs = work.jobs()
    show(context, summary=f"Claimed {counted(len(jobs), 'request')}.", links=job_links(job.id for job in jobs), claimed=len(jobs))


@op(ins=AFTER, out=DONE, tags={"kind": "postgres"})
def read_requests(context: OpExecutionContext, batch: BatchResource) -> None:
    """Read whose data each request is about. The checkpoint keeps ids, not the address."""
    step = Step("read")
    work = batch.work(context)
    jobs = pending(work, lacks="request")
    outcomes = each_of(jobs, lambda job: read_outcome(work, job))
    going = keep_outcomes(work, step, outcomes)
    rows = [job_row(job, outcome.message) for job, outcome in outcomes]
    show(context, summary=f"Read {counted(going, 'request')}.", rows=rows, read=going)


def read_outcome(work: BatchWork, job: ClaimedJob) -> Outcome:
    payload = payload_of(work, job)
    if payload is None:
        return skipped("the request itself was erased already")
    request = request_from(str(job.trigger.get("kind", "")), source_of(work, job).external_id, payload)
    return Done(f"{request.demand.value} for {request.subject}", checkpoint={"request": request_to_json(request)})


def payload_of(work: BatchWork, job: ClaimedJob) -> Mapping[str, Any] | None:
    """What the request said; None once it was erased."""
    if job.event_id is None and "payload" not in job.trigger:
        raise Permanent(f"Job {job.id} came from no event, so there is no request to read.", reason="request_missing")
    return requests_of(work.database, work.run, [job], objects=work.objects).get(job.id)


@op(ins=AFTER, out=DONE, tags={"kind": "s3"})
def tell_held(context: OpExecutionContext, batch: BatchResource, objects: ObjectsResource) -> None:
    """Put what is held about each customer who asked into the object store, for a person to hand over."""
    step = Step("tell")
    work = batch.work(context)
    jobs = [job for job in pending(work, needs=["request"], lacks="result") if demand_in(job) is Demand.TELL]
    outcomes = each_of(jobs, lambda job: told_outcome(work, job, objects))
    kept = keep_outcomes(work, step, outcomes)
    rows = [job_row(job, outcome.message) for job, outcome in outcomes]
    show(context, summary=f"Wrote {counted(kept, 'document')} about customers.", rows=rows, told=kept)


def told_outcome(work: BatchWork, job: ClaimedJob, objects: ObjectsResource) -> Outcome:
    request, subject = request_and_subject(work, job)
    held = held_anywhere(work, request, subject, objects)
    if job.is_dry_run:
        return planned(job, request, held, operation="privacy.tell")
    tables = with_archived(work, told(work.database, work.run, held), objects)
    key = f"{job.tenant_id}/{job.id}/customer-data.json"
    objects.store().put(key, document_of(request, job, tables), content_type="application/json")
    counts = {name: len(rows) for name, rows in tables.items()}
    return Done(f"kept {key}", checkpoint={"result": {"document": key, **counts}})


def held_anywhere(work: BatchWork, request: PrivacyRequest, subject: Subject, objects: ObjectsResource) -> Held:
    """What the ledger and its archives hold. An address that is looked for is looked for in every archive of the tenant."""
    archived: list[UUID] = []
    if request.email is not None:
        store = objects.store()
        archived = events_in_archives(work.database, work.run.tenant_id, request.is_in, lambda key: unpacked(store.get(key), key=key))
    return held_about(work.database, work.run, subject, workflow=WORKFLOW, archived=archived)


def with_archived(work: BatchWork, tables: dict[str, list[dict[str, Any]]], objects: ObjectsResource) -> dict[str, list[dict[str, Any]]]:
    """The rows, with the payloads of those whose payload is in an archive."""
    missing = [row["id"] for row in tables["events"] if row["payload"] is None]
    with work.database.transaction(tenant_id=work.run.tenant_id) as connection:
        places = where_payloads_are(connection, missing)
    found = payloads_at(places, objects.store)
    return {**tables, "events": [row | {"payload": row["payload"] or found.get(row["id"])} for row in tables["events"]]}


def document_of(request: PrivacyRequest, job: ClaimedJob, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """Everything that is held, as JSON with the payloads as they were received."""
    asked = {**request_to_json(request), "email": request.email, "asked_at": job.occurred_at, "job_id": job.id}
    document: dict[str, Any] = {"request": asked}
    document.update({name: [readable(row) for row in rows] for name, rows in tables.items()})
    return orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2)


def readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its payload, if it has one, as JSON inside the document."""
    payload = row.get("payload")
    return {**row, "payload": orjson.Fragment(bytes(payload))} if payload is not None else dict(row)


@op(ins=AFTER, out=DONE, tags={"kind": "postgres"})
def erase_held(context: OpExecutionContext, batch: BatchResource, objects: ObjectsResource) -> None:
    """Erase what is held about each customer or shop that is to be forgotten; ids, outcomes and counts stay."""
    step = Step("erase")
    work = batch.work(context)
    jobs = [job for job in pending(work, needs=["request"], lacks="result") if demand_in(job) is not Demand.TELL]
    outcomes = each_of(jobs, lambda job: erased_outcome(work, job, objects, batch))
    done = keep_outcomes(work, step, outcomes)
    rows = [job_row(job, outcome.message) for job, outcome in outcomes]
    show(context, summary=f"Carried out {done} of {counted(len(jobs), 'erasure')}.", rows=rows, erased=done)


def erased_outcome(work: BatchWork, job: ClaimedJob, objects: ObjectsResource, batch: BatchResource) -> Outcome:
    request, subject = request_and_subject(work, job)
    held = held_anywhere(work, request, subject, objects)
    if job.is_dry_run:
        return planned(job, request, held, operation="privacy.erase")
    stop_jobs(work.database, work.run, held)
    if held.busy:
        return Stop(in_use(held), f"{counted(len(held.busy), 'job')} about these records are in other hands")
    documents = delete_documents(work, held, objects)
    erased = erase(work.database, work.run, subject, held, named=request.subject)
    remove_erased(batch.retention(), objects.store())
    return Done(words_about(erased, documents), checkpoint={"result": {"erased": counts_of(erased, documents)}})


def in_use(held: Held) -> Failed:
    """Other runs would write anew what is erased under their hands; they have been asked to stop."""
    return Failed(
        reason="records_in_use",
        message=f"{len(held.busy)} jobs about these records are running; they are asked to stop, and then the data is erased.",
        permanent=False,
        parks=True,
        retry_after=LET_OTHERS_STOP,
    )


def delete_documents(work: BatchWork, held: Held, objects: ObjectsResource) -> int:
    """Delete what the jobs left in the object store, such as PDFs of invoices and earlier answers to requests."""
    store = objects.store()
    keys = [key for job_id in held.jobs for key in store.list(f"{work.run.tenant_id}/{job_id}")]
    for key in keys:
        store.delete(key)
    return len(keys)


def counts_of(erased: Erased, documents: int) -> dict[str, int]:
    return {
        "events": erased.events,
        "deliveries": erased.deliveries,
        "jobs": erased.jobs,
        "cancelled": erased.cancelled,
        "documents": documents,
    }


def words_about(erased: Erased, documents: int) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts_of(erased, documents).items()) + " erased"


def planned(job: ClaimedJob, request: PrivacyRequest, held: Held, *, operation: str) -> Done:
    """What would be told or erased, as counts."""
    changes = {"jobs": len(held.jobs), "events": len(held.events), "to_cancel": len(held.to_cancel)}
    plan = {"system": "zixly", "operation": operation, "target": request.subject, "changes": changes, ORDER: 1}
    return Done("this was a dry run: nothing was done", checkpoint={"result": {}, f"{PLANNED}{operation}": plan})


def request_and_subject(work: BatchWork, job: ClaimedJob) -> tuple[PrivacyRequest, Subject]:
    """The request with its address, as long as its payload is there, and the data that it is about."""
    payload = payload_of(work, job)
    kept = request_from_json(job.checkpoint["request"])
    request = request_from(kept.demand.value, kept.shop, payload) if payload is not None else kept
    subject = Subject(
        connection_id=job.connection_id,
        record_keys=request.record_keys,
        is_whole=request.demand is Demand.ERASE_SHOP,
        address_pattern=request.address_pattern,
    )
    return request, subject


def demand_in(job: ClaimedJob) -> Demand:
    return demand_of(str(job.checkpoint["request"]["demand"]))
