"""Promise 8: nothing personal in what Dagster stores, whatever becomes of the jobs."""

from __future__ import annotations

from dagster import DagsterRun, serialize_value

from tests.integration.workflows.conftest import DOCUMENTS, Stage
from tests.integration.workflows.sandbox_server import UPDATE_CALL
from zixly_sandbox.constants import ADA_EMAIL, OPEN_INVOICE, PAID_INVOICE
from zixly_sandbox.faults import FaultKind

GONE = "99999999-9999-4999-8999-999999999999"


def stored_about(stage: Stage, run: DagsterRun) -> str:
    """Everything that Dagster keeps about a run: the run with its tags and config, and its event log with all metadata."""
    events = stage.instance.all_logs(run.run_id)
    assert len(events) > 20
    return (serialize_value(run) + "".join(serialize_value(event) for event in events)).lower()


def personal(stage: Stage) -> list[str]:
    """What is known about the customer of the paid invoice, and the tokens of the accounts."""
    invoice = stage.sandbox.books.invoices[PAID_INVOICE]
    amount = f"{invoice.total / 100:.2f}"
    return [ADA_EMAIL, "ada.lovelace", "lovelace", "analytical engines", invoice.number.lower(), amount, "sandbox-xero", "sandbox-secret"]


def test_dagster_stores_no_personal_data_of_a_run_that_went_well(stage: Stage) -> None:
    stage.configure(document=True)
    stored = stored_about(stage, stage.run_invoices(PAID_INVOICE, OPEN_INVOICE)) + stored_about(stage, stage.run_due())
    assert stage.jobs(DOCUMENTS)[0]["status"] == "COMPLETED"
    assert PAID_INVOICE in stored
    assert [text for text in personal(stage) if text in stored] == []


def test_dagster_stores_no_personal_data_of_runs_that_failed(stage: Stage) -> None:
    stage.configure(missing_contact="fail")
    customer, _ = stage.sandbox.add_customer("private@person.example.test", name="Private Person", in_hubspot=False)
    unknown = stage.sandbox.add_paid_invoice(customer)
    stage.sandbox.fault(UPDATE_CALL, FaultKind.SERVER_ERROR)
    first = stage.run_invoices(PAID_INVOICE, GONE, unknown.id)
    stage.configure(mapping={"xero_last_paid_at": "number"})
    second = stage.run_due()
    assert {job["status"] for job in stage.jobs()} == {"FAILED"}
    stored = stored_about(stage, first) + stored_about(stage, second)
    words = [*personal(stage), "private@", "private person", unknown.number.lower()]
    assert [text for text in words if text in stored] == []


def test_job_errors_and_logs_name_ids_and_no_people(stage: Stage) -> None:
    stage.configure(missing_contact="fail")
    stage.run_invoices(PAID_INVOICE)
    (job,) = stage.jobs()
    told = f"{job['execution_log']} {job['error_message']} {job['result']} {job['metrics']}".lower()
    assert [text for text in personal(stage) if text in told] == []
