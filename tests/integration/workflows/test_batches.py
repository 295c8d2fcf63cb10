"""Many jobs in one run: batch calls, writes folded, an older state never over a newer one."""

from __future__ import annotations

from dagster import DagsterRunStatus

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.sandbox_server import UPDATE_CALL
from zixly_core.job import JobStatus
from zixly_sandbox.constants import ADA_IN_HUBSPOT, ADA_IN_XERO, PAID_INVOICE
from zixly_sandbox.faults import FaultKind


def test_a_hundred_invoices_take_five_calls(stage: Stage) -> None:
    customers = [stage.sandbox.add_customer(f"c{n}@many.example.test", name=f"Customer {n}")[0] for n in range(100)]
    invoices = [stage.sandbox.add_paid_invoice(customer).id for customer in customers]
    run = stage.run_invoices(*invoices)
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    assert stage.sandbox.calls() == {
        "xero GET /Invoices": 3,
        "hubspot POST /objects/{type}/batch/read": 1,
        "hubspot POST /objects/{type}/batch/update": 1,
    }
    assert stage.statuses() == [JobStatus.COMPLETED] * 100
    assert len({write.object_id for write in stage.sandbox.writes()}) == len(stage.sandbox.writes()) == 100


def test_two_invoices_of_one_contact_are_folded_and_the_newest_wins(stage: Stage) -> None:
    ada = stage.sandbox.books.contacts[ADA_IN_XERO]
    newer = stage.sandbox.add_paid_invoice(ada, changed_ms_later=5000)
    stage.run_invoices(newer.id, PAID_INVOICE)
    (write,) = stage.sandbox.writes()
    assert write.properties["xero_last_invoice_number"] == newer.number
    needless = stage.job_of(PAID_INVOICE)
    assert needless["status"] == JobStatus.COMPLETED
    assert needless["result"] == {"superseded_by": str(stage.job_of(newer.id)["id"]), "contact_id": ADA_IN_HUBSPOT}


def test_an_older_state_that_arrives_later_never_overwrites(stage: Stage) -> None:
    newer = stage.sandbox.add_paid_invoice(stage.sandbox.books.contacts[ADA_IN_XERO], changed_ms_later=5000)
    stage.run_invoices(newer.id)
    stage.run_invoices(PAID_INVOICE)
    assert len(stage.sandbox.writes()) == 1
    assert stage.sandbox.contact(ADA_IN_HUBSPOT)["xero_last_invoice_number"] == newer.number
    late = stage.job_of(PAID_INVOICE)
    assert (late["status"], late["result"]["skipped"]) == (JobStatus.COMPLETED, "a newer state was written already")


def test_two_jobs_about_one_invoice_make_one_write_and_the_older_names_the_newer(stage: Stage) -> None:
    stage.run_invoices(PAID_INVOICE, PAID_INVOICE)
    done = [job for job in stage.jobs() if "contact_id" in job["result"]]
    superseded = [job for job in stage.jobs() if "superseded_by" in job["result"]]
    assert [job["result"]["superseded_by"] for job in superseded] == [str(done[0]["id"])]
    assert len(stage.sandbox.writes()) == 1


def test_a_folded_job_is_not_called_done_when_the_write_that_stands_for_it_failed(stage: Stage) -> None:
    newer = stage.sandbox.add_paid_invoice(stage.sandbox.books.contacts[ADA_IN_XERO], changed_ms_later=5000)
    stage.sandbox.fault(UPDATE_CALL, FaultKind.SERVER_ERROR)
    stage.run_invoices(newer.id, PAID_INVOICE)
    assert stage.statuses() == [JobStatus.QUEUED, JobStatus.QUEUED]
    assert stage.rows("select from zixly.record_states where role = 'source'") == []
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED, JobStatus.COMPLETED]
    (write,) = stage.sandbox.writes()
    assert write.properties["xero_last_invoice_number"] == newer.number
