"""What needs no write ends COMPLETED and says why; what cannot be done ends FAILED and turns the run red."""

from __future__ import annotations

from dagster import DagsterRunStatus

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.sandbox_server import READ_CALL
from zixly_core.job import JobStatus
from zixly_sandbox.constants import ADA_IN_HUBSPOT, ADA_IN_XERO, DEMO, OPEN_INVOICE, PAID_INVOICE
from zixly_sandbox.faults import FaultKind

GONE = "99999999-9999-4999-8999-999999999999"


def test_a_bill_and_an_open_invoice_are_skipped_without_asking_hubspot(stage: Stage) -> None:
    bill = stage.sandbox.add_invoice(stage.sandbox.books.contacts[ADA_IN_XERO], kind="ACCPAY")
    stage.sandbox.pay(bill)
    run = stage.run_invoices(bill.id, OPEN_INVOICE)
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    assert stage.job_of(bill.id)["result"] == {"skipped": "is a bill, not a sales invoice"}
    assert stage.job_of(OPEN_INVOICE)["result"] == {"skipped": "is not paid"}
    assert stage.sandbox.calls() == {"xero GET /Invoices": 1}


def test_an_invoice_known_as_paid_is_skipped(stage: Stage) -> None:
    stage.run_invoices(PAID_INVOICE)
    stage.run_invoices(PAID_INVOICE)
    first, second = stage.jobs()
    assert first["result"]["contact_id"] == ADA_IN_HUBSPOT
    assert (second["status"], second["result"]) == (JobStatus.COMPLETED, {"skipped": "stands as when we last acted on it"})
    assert len(stage.sandbox.writes()) == 1


def test_an_invoice_that_is_paid_a_second_time_is_told_each_time(stage: Stage) -> None:
    """The bank returned the first payment. The change to open is an event of its own."""
    invoice = stage.sandbox.books.invoices[PAID_INVOICE]
    stage.run_invoices(PAID_INVOICE)
    stage.sandbox.take_payment_back(invoice, changed_ms_later=1000)
    stage.run_invoices(PAID_INVOICE)
    stage.sandbox.pay(invoice, changed_ms_later=2000)
    stage.run_invoices(PAID_INVOICE)
    assert stage.statuses() == [JobStatus.COMPLETED] * 3
    told = [dict(write.properties)["xero_last_invoice_status"] for write in stage.sandbox.writes(ADA_IN_HUBSPOT)]
    assert told == ["PAID", "OPEN", "PAID"]


def test_an_invoice_that_is_gone_fails_alone_and_the_run_says_which_and_why(stage: Stage) -> None:
    run = stage.run_invoices(PAID_INVOICE, GONE)
    failed = stage.job_of(GONE)
    assert (failed["status"], failed["error_reason"], failed["dead_letter"]) == (JobStatus.FAILED, "record_gone", True)
    assert failed["attempts"] == 1
    assert stage.job_of(PAID_INVOICE)["status"] == JobStatus.COMPLETED
    assert len(stage.sandbox.writes()) == 1
    text = stage.failure_text(run)
    assert str(failed["id"]) in text
    assert "record_gone" in text
    assert stage.steps_of(run)[-1] == "conclude"


def test_a_customer_without_contact_is_skipped_or_fails_as_the_connection_says(stage: Stage) -> None:
    customer, _ = stage.sandbox.add_customer("nobody@unknown.example.test", name="Nobody", in_hubspot=False)
    first, second = stage.sandbox.add_paid_invoice(customer), stage.sandbox.add_paid_invoice(customer)
    assert stage.run_invoices(first.id).status is DagsterRunStatus.SUCCESS
    assert stage.job_of(first.id)["result"] == {"skipped": "the customer is not a HubSpot contact"}
    stage.configure(missing_contact="fail")
    run = stage.run_invoices(second.id)
    assert "contact_missing" in stage.failure_text(run)
    assert stage.job_of(second.id)["status"] == JobStatus.FAILED
    assert stage.sandbox.writes() == []


def test_a_customer_without_an_address_is_never_asked_for(stage: Stage) -> None:
    customer, _ = stage.sandbox.add_customer("", name="No Mail", in_hubspot=False)
    invoice = stage.sandbox.add_paid_invoice(customer)
    stage.run_invoices(invoice.id)
    assert stage.job_of(invoice.id)["result"] == {"skipped": "the customer is not a HubSpot contact"}
    assert not [call for call in stage.sandbox.calls() if call.startswith("hubspot")]


def test_a_contact_is_found_by_an_additional_address(stage: Stage) -> None:
    customer, contact = stage.sandbox.add_customer("Second@Address.example.test", name="Two", other_email="first@address.example.test")
    assert contact is not None
    invoice = stage.sandbox.add_paid_invoice(customer)
    stage.run_invoices(invoice.id)
    assert [write.object_id for write in stage.sandbox.writes()] == [contact.id]


def test_a_mapping_that_names_an_unknown_field_fails_its_jobs_at_once(stage: Stage) -> None:
    stage.configure(mapping={"xero_last_invoice_status": "no_such_field"})
    run = stage.run_invoices(PAID_INVOICE)
    job = stage.only_job()
    assert (job["status"], job["error_reason"], job["attempts"]) == (JobStatus.FAILED, "mapping_invalid", 1)
    assert "no_such_field" in job["error_message"]
    assert "mapping_invalid" in stage.failure_text(run)


def test_a_partner_that_is_no_connection_fails_its_jobs_at_once(stage: Stage) -> None:
    for named in ("not an id", "00000000-0000-4000-8000-000000000000"):
        stage.configure(hubspot_connection=named)
        stage.run_invoices(PAID_INVOICE)
    assert [(job["status"], job["error_reason"]) for job in stage.jobs()] == [
        (JobStatus.FAILED, "connection_missing"),
        (JobStatus.FAILED, "connection_missing"),
    ]


def test_two_portals_and_no_choice_fail_the_jobs_at_once(stage: Stage) -> None:
    stage.ledger.owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name, settings)"
        " select gen_random_uuid(), tenant_id, system, 'another', name, '{}' from zixly.connections where id = %s",
        (stage.ledger.tenant.hubspot,),
    )
    stage.configure(hubspot_connection=None)
    stage.run_invoices(PAID_INVOICE)
    assert stage.only_job()["error_reason"] == "connection_undecided"


def test_a_disconnected_xero_fails_its_jobs_and_waits_for_a_person(stage: Stage) -> None:
    stage.sandbox.sandbox.xero.tokens.revoke(DEMO.organisation)
    stage.run_invoices(PAID_INVOICE)
    assert stage.only_job()["error_reason"] == "reconnect_needed"
    assert stage.connection(stage.ledger.tenant.xero)["status"] == "DISCONNECTED"


def test_a_portal_that_is_away_keeps_nobody_waiting_who_does_not_need_it(stage: Stage) -> None:
    stage.sandbox.fault(READ_CALL, FaultKind.UNAVAILABLE, count=None)
    run = stage.run_invoices(PAID_INVOICE, OPEN_INVOICE)
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    assert stage.job_of(OPEN_INVOICE)["status"] == JobStatus.COMPLETED
    assert stage.job_of(PAID_INVOICE)["status"] == JobStatus.QUEUED
