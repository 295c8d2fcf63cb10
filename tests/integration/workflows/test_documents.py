"""`xero-invoice-document`: off unless asked for, one follow-up job for each invoice written, the PDF kept with its origin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from dagster import DagsterRunStatus

from tests.integration.workflows.conftest import DOCUMENTS, Stage
from tests.integration.workflows.test_stopped_runs import cancelled, dies
from zixly_core.job import ClaimedJob, JobStatus
from zixly_core.stores.claims import Progress
from zixly_dagster.ops import batch, keep_documents
from zixly_dagster.ops.story import Step
from zixly_sandbox.constants import ADA_IN_XERO, OPEN_INVOICE, PAID_INVOICE

PDF_CALL = "GET /xero/api.xro/2.0/Invoices/*"


def test_no_document_is_fetched_unless_the_connection_asks_for_it(stage: Stage) -> None:
    stage.run_invoices(PAID_INVOICE)
    assert stage.jobs(DOCUMENTS) == []


def test_each_written_invoice_leaves_one_low_priority_job_behind(stage: Stage) -> None:
    stage.configure(document=True)
    stage.run_invoices(PAID_INVOICE, OPEN_INVOICE)
    (follow_up,) = stage.jobs(DOCUMENTS)
    assert (follow_up["lane"], follow_up["priority"], follow_up["origin"]) == ("bulk", 2, "follow-up")
    assert follow_up["origin_job_id"] == stage.job_of(PAID_INVOICE)["id"]


def test_the_document_lies_with_the_job_that_asked_for_it(stage: Stage) -> None:
    stage.configure(document=True)
    stage.run_invoices(PAID_INVOICE)
    run = stage.run_due()
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    tenant, origin = str(stage.ledger.tenant.id), str(stage.only_job()["id"])
    (path,) = stage.objects.rglob("document.pdf")
    assert path.relative_to(stage.objects).parts == (tenant, origin, "document.pdf")
    assert path.read_bytes().startswith(b"%PDF-")
    (job,) = stage.jobs(DOCUMENTS)
    assert (job["status"], job["result"]) == (JobStatus.COMPLETED, {"document": f"{tenant}/{origin}/document.pdf"})
    assert stage.related(job["id"]) == {("xero", "invoice", PAID_INVOICE, "READ")}


def test_a_run_that_is_repeated_doubles_no_follow_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.configure(document=True)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "Completed", dies)
        stage.run_killed(stage.batch_of(PAID_INVOICE), patch)
    assert len(stage.jobs(DOCUMENTS)) == 1
    stage.vanish()
    stage.make_due()
    (batch_of_invoice,) = [one for one in stage.ledger.hand_over() if one.workflow != DOCUMENTS]
    stage.run(batch_of_invoice)
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert len(stage.jobs(DOCUMENTS)) == 1


def test_a_spent_budget_stops_the_run_after_one_call_and_parks_what_is_left(stage: Stage) -> None:
    ask_for_documents(stage, 3)
    stage.sandbox.sandbox.rules.change({"xero": {"day_calls": 0}})
    before = sum(stage.sandbox.calls().values())
    run = stage.run_due()
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    assert sum(stage.sandbox.calls().values()) == before + 1
    jobs = stage.jobs(DOCUMENTS)
    assert {(job["status"], job["attempts"], job["parked_reason"]) for job in jobs} == {(JobStatus.QUEUED, 0, "rate_limited_day")}
    assert stage.connection(stage.ledger.tenant.xero)["parked_until"] > datetime.now(UTC) + timedelta(minutes=2)


def test_one_document_that_is_gone_fails_alone(stage: Stage) -> None:
    ask_for_documents(stage, 2)
    gone = stage.jobs(DOCUMENTS)[0]
    stage.sandbox.books.remove_invoice(gone["record_id"])
    run = stage.run_due()
    assert str(gone["id"]) in stage.failure_text(run)
    assert sorted(job["status"] for job in stage.jobs(DOCUMENTS)) == [JobStatus.COMPLETED, JobStatus.FAILED]


def test_a_document_job_cancelled_on_the_way_is_not_fetched(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for_documents(stage, 2)
    original, seen = keep_documents.kept, list[UUID]()

    def kept(job: ClaimedJob, key: str, *, step: Step) -> Progress:
        seen.append(job.id)
        (other,) = [one["id"] for one in stage.jobs(DOCUMENTS) if one["id"] != job.id]
        cancelled(stage, other)
        return original(job, key, step=step)

    monkeypatch.setattr(keep_documents, "kept", kept)
    stage.run_due()
    assert len(seen) == 1
    assert sorted(job["status"] for job in stage.jobs(DOCUMENTS)) == [JobStatus.CANCELLED, JobStatus.COMPLETED]
    assert len(list(stage.objects.rglob("document.pdf"))) == 1


def ask_for_documents(stage: Stage, count: int) -> None:
    """So many follow-up jobs, due."""
    stage.configure(document=True)
    people = [stage.sandbox.add_customer(f"d{n}@documents.example.test", name=f"D {n}")[0] for n in range(count)]
    assert ADA_IN_XERO not in {one.id for one in people}
    stage.run_invoices(*(stage.sandbox.add_paid_invoice(one).id for one in people))
    assert len(stage.jobs(DOCUMENTS)) == count
