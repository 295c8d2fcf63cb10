"""`xero-invoice-to-hubspot` end to end: a paid invoice marks the customer's contact, once, and the whole story is kept."""

from __future__ import annotations

import json

from dagster import DagsterRunStatus

from tests.integration.workflows.conftest import WORKFLOW, Stage
from zixly_core.job import JobStatus
from zixly_dagster.workflow import BATCH_TAG
from zixly_sandbox.constants import ADA_IN_HUBSPOT, OPEN_INVOICE, PAID_INVOICE

CONTACT = ("hubspot", "contact", ADA_IN_HUBSPOT)
INVOICE = ("xero", "invoice", PAID_INVOICE)


def test_a_paid_invoice_writes_its_contact_once(stage: Stage) -> None:
    run = stage.run_invoices(PAID_INVOICE)
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    (write,) = stage.sandbox.writes()
    invoice = stage.sandbox.books.invoices[PAID_INVOICE]
    assert write.object_id == ADA_IN_HUBSPOT
    assert write.properties == {
        "xero_last_invoice_status": "PAID",
        "xero_last_invoice_number": invoice.number,
        "xero_last_invoice_total": f"{invoice.total / 100:.2f}".rstrip("0").rstrip("."),
        "xero_last_paid_at": str(invoice.fully_paid_on),
    }


def test_the_whole_story_of_a_job_is_kept(stage: Stage) -> None:
    run = stage.run_invoices(PAID_INVOICE)
    job = stage.only_job()
    assert (job["status"], job["attempts"], job["last_run_id"]) == (JobStatus.COMPLETED, 1, run.run_id)
    assert job["result"]["contact_id"] == ADA_IN_HUBSPOT
    assert job["result"]["changed"] is True
    assert [entry["step"] for entry in job["execution_log"]] == ["claim", "fetch", "match", "update", "report"]
    assert stage.related(job["id"]) == {(*INVOICE, "READ"), (*CONTACT, "READ"), (*CONTACT, "UPDATE")}


def test_the_effect_is_done_and_the_invoices_state_is_kept(stage: Stage) -> None:
    stage.run_invoices(PAID_INVOICE)
    (effect,) = stage.rows("select state, target, job_id from zixly.effects")
    assert (effect["state"], effect["job_id"]) == ("DONE", stage.only_job()["id"])
    assert effect["target"] == f"hubspot:62515:contact:{ADA_IN_HUBSPOT}"
    (source,) = stage.rows("select workflow, state from zixly.record_states where role = 'source'")
    assert (source["workflow"], source["state"]["standing"]) == (WORKFLOW, "PAID")


def test_the_report_of_the_batch_says_what_became_of_each_job(stage: Stage) -> None:
    run = stage.run_invoices(PAID_INVOICE, OPEN_INVOICE)
    (path,) = stage.objects.rglob("report.json")
    tenant, batch = str(stage.ledger.tenant.id), run.tags[BATCH_TAG]
    assert path.relative_to(stage.objects).parts == (tenant, "batches", batch, "report.json")
    report = json.loads(path.read_bytes())
    assert (report["batch_id"], report["run_id"]) == (batch, run.run_id)
    told = {job["record_id"]: (job["status"], job["result"]) for job in report["jobs"]}
    assert told[OPEN_INVOICE] == ("COMPLETED", {"skipped": "is not paid"})
    assert told[PAID_INVOICE][0] == "COMPLETED"
    assert told[PAID_INVOICE][1]["contact_id"] == ADA_IN_HUBSPOT


def test_a_report_that_cannot_be_kept_fails_no_job(stage: Stage) -> None:
    stage.objects.write_text("a file where the folder should be")
    run = stage.run_invoices(PAID_INVOICE)
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert stage.shown(run, "keep_report")["summary"] == "The report was not kept."


def test_the_connections_mapping_decides_which_property_gets_what(stage: Stage) -> None:
    stage.configure(mapping={"xero_last_invoice_id": "id", "xero_last_invoice_currency": "currency"})
    stage.run_invoices(PAID_INVOICE)
    (write,) = stage.sandbox.writes()
    assert write.properties == {"xero_last_invoice_id": PAID_INVOICE, "xero_last_invoice_currency": "AUD"}


def test_a_replay_of_the_same_state_writes_nothing(stage: Stage) -> None:
    stage.run_invoices(PAID_INVOICE)
    stage.ledger.owner.execute("delete from zixly.record_states where role = 'source'")
    stage.run_invoices(PAID_INVOICE)
    assert stage.statuses() == [JobStatus.COMPLETED, JobStatus.COMPLETED]
    assert len(stage.sandbox.writes()) == 1
