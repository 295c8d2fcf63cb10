"""Vendors that fail: what is tried again, what waits, what parks an account, and that no write is doubled by it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from dagster import DagsterRunStatus

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.sandbox_server import INVOICES_CALL, READ_CALL, UPDATE_CALL
from zixly_core import http_client
from zixly_core.budget_account import Account
from zixly_core.budget_windows import FixedState
from zixly_core.job import JobStatus
from zixly_core.stores.budgets import packed
from zixly_dagster.resources import vendors
from zixly_sandbox.constants import ADA_IN_HUBSPOT, GRACE_IN_HUBSPOT, OPEN_INVOICE, PAID_INVOICE
from zixly_sandbox.faults import FaultKind


def wait_of(stage: Stage, job: dict[str, Any]) -> timedelta:
    """From the end of its last attempt, by the database's clock."""
    wait: timedelta = job["due_at"] - stage.ledger.attempts(job["id"])[-1]["ended_at"]
    return wait


def attempts_of(stage: Stage) -> list[tuple[int, str, str | None]]:
    found = stage.ledger.attempts(stage.only_job()["id"])
    return [(row["attempt"], row["outcome"], row["error_reason"]) for row in found]


def test_an_error_of_xero_is_tried_again_after_the_backoff(stage: Stage) -> None:
    stage.sandbox.fault(INVOICES_CALL, FaultKind.SERVER_ERROR)
    run = stage.run_invoices(PAID_INVOICE)
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    job = stage.only_job()
    assert (job["status"], job["attempts"], job["error_reason"]) == (JobStatus.QUEUED, 1, "vendor_unavailable")
    assert timedelta(seconds=1) <= wait_of(stage, job) <= timedelta(seconds=2)
    stage.run_due()
    assert attempts_of(stage) == [(1, "retry", "vendor_unavailable"), (2, "completed", None)]
    assert len(stage.sandbox.writes()) == 1


def test_three_failed_attempts_end_the_job_and_turn_only_the_last_run_red(stage: Stage) -> None:
    stage.sandbox.fault(INVOICES_CALL, FaultKind.UNAVAILABLE, count=None)
    runs = [stage.run_invoices(PAID_INVOICE), stage.run_due(), stage.run_due()]
    assert [run.status for run in runs] == [DagsterRunStatus.SUCCESS, DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
    job = stage.only_job()
    assert (job["status"], job["attempts"], job["dead_letter"]) == (JobStatus.FAILED, 3, True)


def test_an_outage_uses_up_two_attempts_and_then_parks_the_job_until_the_vendor_works_again(stage: Stage) -> None:
    """The circuit breaker blames the third failure in a row on the vendor; tests/integration/operations/test_resting_accounts.py has
    what follows."""
    stage.sandbox.fault(INVOICES_CALL, FaultKind.UNAVAILABLE, count=3)
    stage.run_invoices(PAID_INVOICE)
    for _ in range(2):
        stage.ledger.owner.execute("update zixly.workflow_jobs set due_at = now() - interval '1 second' where status = 'QUEUED'")
        stage.run(stage.hand_over())
    job = stage.only_job()
    assert (job["status"], job["attempts"], job["parked_reason"]) == (JobStatus.QUEUED, 2, "vendor_down")
    assert (job["blocked_by"], wait_of(stage, job) < timedelta()) == (stage.ledger.tenant.xero, True), "it keeps its place in the queue"
    assert stage.ledger.hand_over() == []
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]


def test_what_a_day_has_left_for_live_work_parks_bulk_jobs_and_not_the_account(stage: Stage) -> None:
    now = time.time()
    day = FixedState(left=150, ends_by=now + 80_000, told=150, told_at=now, round=1)
    stage.ledger.owner.execute(
        "insert into zixly.api_budgets (connection_id, tenant_id, system, state) values (%s, %s, 'xero', %s::jsonb)",
        (stage.ledger.tenant.xero, stage.ledger.tenant.id, packed(Account(windows={"day": day}))),
    )
    stage.run(stage.batch_of(PAID_INVOICE, lane="bulk"))
    job = stage.only_job()
    assert (job["status"], job["attempts"], job["parked_reason"]) == (JobStatus.QUEUED, 0, "budget_day")
    assert wait_of(stage, job) > timedelta(hours=1)
    assert stage.connection(stage.ledger.tenant.xero)["parked_until"] is None
    assert stage.sandbox.calls() == {}
    stage.run(stage.batch_of(OPEN_INVOICE))
    assert stage.job_of(OPEN_INVOICE)["status"] == JobStatus.COMPLETED


def test_retry_after_is_obeyed_and_uses_up_no_attempt(stage: Stage) -> None:
    stage.sandbox.fault(INVOICES_CALL, FaultKind.RATE_LIMIT, seconds=37)
    stage.run_invoices(PAID_INVOICE)
    job = stage.only_job()
    assert (job["status"], job["attempts"]) == (JobStatus.QUEUED, 0)
    assert job["parked_reason"] == job["error_reason"] == "rate_limited_minute"
    assert timedelta(seconds=30) < wait_of(stage, job) <= timedelta(seconds=37)
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert stage.only_job()["parked_reason"] is None


def test_a_spent_day_parks_the_xero_connection(stage: Stage) -> None:
    stage.sandbox.sandbox.rules.change({"xero": {"day_calls": 0}})
    stage.run_invoices(PAID_INVOICE)
    assert stage.only_job()["parked_reason"] == "rate_limited_day"
    parked = stage.connection(stage.ledger.tenant.xero)
    assert parked["parked_reason"] == "rate_limited_day"
    assert parked["parked_until"] > datetime.now(UTC) + timedelta(minutes=2)
    stage.ledger.add_jobs(1, record=OPEN_INVOICE)
    assert stage.ledger.hand_over() == []


def test_a_parked_hubspot_account_is_not_called(stage: Stage) -> None:
    stage.ledger.owner.execute(
        "update zixly.connections set parked_until = now() + interval '1 hour', parked_reason = 'rate_limited_day' where id = %s",
        (stage.ledger.tenant.hubspot,),
    )
    stage.run_invoices(PAID_INVOICE)
    assert stage.sandbox.calls() == {"xero GET /Invoices": 1}
    job = stage.only_job()
    assert (job["status"], job["attempts"], job["parked_reason"]) == (JobStatus.QUEUED, 0, "rate_limited_day")
    assert timedelta(minutes=55) < wait_of(stage, job) <= timedelta(hours=1)
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert stage.sandbox.calls()["xero GET /Invoices"] == 1


def test_a_vendor_that_does_not_answer_in_time_is_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.sandbox.fault(INVOICES_CALL, FaultKind.SLOW, seconds=5)
    with monkeypatch.context() as impatient:
        impatient.setattr(http_client, "TIMEOUTS", httpx2.Timeout(2))
        stage.run_invoices(PAID_INVOICE)
        for clients in vendors._clients.values():
            clients.close()  # they would stay so impatient
    assert stage.only_job()["error_reason"] == "timeout"
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]


def test_one_bad_contact_in_a_written_batch_fails_alone(stage: Stage) -> None:
    """The contact is merged into another one between the search and the write: HubSpot answers 207."""
    grace = next(item for item in stage.sandbox.books.contacts.values() if item.name == "Grace Hopper")
    invoice = stage.sandbox.add_paid_invoice(grace)
    batch = stage.batch_of(PAID_INVOICE, invoice.id)
    stage.sandbox.fault(UPDATE_CALL, FaultKind.UNAVAILABLE)
    stage.run(batch)
    contacts = stage.sandbox.portal.contacts
    contacts.remove(contacts.records[GRACE_IN_HUBSPOT])
    run = stage.run_due()
    assert stage.job_of(PAID_INVOICE)["status"] == JobStatus.COMPLETED
    failed = stage.job_of(invoice.id)
    assert (failed["status"], failed["error_reason"]) == (JobStatus.FAILED, "record_gone")
    assert str(failed["id"]) in stage.failure_text(run)
    assert [write.object_id for write in stage.sandbox.writes()] == [ADA_IN_HUBSPOT]


def test_one_value_that_hubspot_refuses_fails_its_own_job_only(stage: Stage) -> None:
    """HubSpot refuses the whole call for one bad value (400), and then nothing of it was written."""
    customers = [stage.sandbox.add_customer(f"r{n}@refused.example.test", name=f"R {n}")[0] for n in range(5)]
    invoices = [stage.sandbox.add_paid_invoice(customer) for customer in customers]
    for number, invoice in enumerate(invoices):
        invoice.number = "no number" if number == 3 else str(1000 + number)
    stage.configure(mapping={"xero_last_invoice_total": "number"})
    stage.run_invoices(*(invoice.id for invoice in invoices))
    ended = {stage.job_of(invoice.id)["status"] for invoice in invoices if invoice is not invoices[3]}
    assert ended == {JobStatus.COMPLETED}
    failed = stage.job_of(invoices[3].id)
    assert (failed["status"], failed["error_reason"]) == (JobStatus.FAILED, "refused")
    assert sorted(write.properties["xero_last_invoice_total"] for write in stage.sandbox.writes()) == ["1000", "1001", "1002", "1004"]


def test_a_property_that_does_not_exist_fails_every_job_with_few_calls(stage: Stage) -> None:
    customers = [stage.sandbox.add_customer(f"p{n}@property.example.test", name=f"P {n}")[0] for n in range(40)]
    stage.configure(mapping={"no_such_property": "number"})
    stage.run_invoices(*(stage.sandbox.add_paid_invoice(customer).id for customer in customers))
    assert {(job["status"], job["error_reason"]) for job in stage.jobs()} == {(JobStatus.FAILED, "refused")}
    assert stage.sandbox.calls()["hubspot POST /objects/{type}/batch/update"] <= 24


def test_a_write_whose_answer_was_lost_is_looked_for_and_not_repeated(stage: Stage) -> None:
    stage.sandbox.fault(UPDATE_CALL, FaultKind.DISCONNECT_AFTER)
    stage.run_invoices(PAID_INVOICE)
    assert stage.only_job()["status"] == JobStatus.QUEUED
    assert stage.rows("select state from zixly.effects") == [{"state": "INTENDED"}]
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert stage.rows("select state from zixly.effects") == [{"state": "DONE"}]
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1


def test_a_write_that_did_not_arrive_is_done_by_the_next_attempt(stage: Stage) -> None:
    stage.sandbox.fault(UPDATE_CALL, FaultKind.DISCONNECT_BEFORE)
    stage.run_invoices(PAID_INVOICE)
    assert stage.sandbox.writes() == []
    stage.run_due()
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1
    assert stage.sandbox.calls()["xero GET /Invoices"] == 1  # the first attempt's checkpoint


def test_a_read_of_hubspot_whose_connection_drops_is_repeated_at_once(stage: Stage) -> None:
    stage.sandbox.fault(READ_CALL, FaultKind.DISCONNECT_BEFORE)
    stage.run_invoices(PAID_INVOICE)
    assert attempts_of(stage) == [(1, "completed", None)]
