"""Writes that arrived while their workers died, and whose jobs a person cancelled: nobody finds out any more that they are there."""

from __future__ import annotations

import pytest

from tests.integration.workflows.conftest import Killed, Stage
from tests.integration.workflows.sandbox_server import READ_CALL
from zixly_core.job import JobStatus
from zixly_core.stores import effects
from zixly_sandbox.constants import ADA_IN_HUBSPOT, ADA_IN_XERO, PAID_INVOICE
from zixly_sandbox.faults import FaultKind


def dies(*_: object) -> None:
    raise Killed


@pytest.fixture
def newer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of one customer the older invoice and then the newer one were written, unheard. The newer one's number."""
    invoice = stage.sandbox.add_paid_invoice(stage.sandbox.books.contacts[ADA_IN_XERO], changed_ms_later=5000)
    for record in (PAID_INVOICE, invoice.id):
        with monkeypatch.context() as dying:
            dying.setattr(effects, "keep_done", dies)
            stage.run_killed(stage.batch_of(record), dying)
        stage.vanish()
        stage.ledger.owner.execute("update zixly.workflow_jobs set status = 'CANCELLED', completed_at = now() where status = 'QUEUED'")
    assert shown(stage) == invoice.number
    return invoice.number


def shown(stage: Stage) -> str | None:
    return stage.sandbox.contact(ADA_IN_HUBSPOT)["xero_last_invoice_number"]


def test_the_older_one_replayed_leaves_the_newer_one_in_place(stage: Stage, newer: str) -> None:
    stage.run_invoices(PAID_INVOICE)
    assert shown(stage) == newer
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 2
    replayed = stage.jobs()[-1]
    assert (replayed["status"], replayed["result"]["skipped"]) == (JobStatus.COMPLETED, "a newer state was written already")


def test_nothing_is_written_while_it_cannot_be_looked_at(stage: Stage, newer: str) -> None:
    batch = stage.batch_of(PAID_INVOICE)
    stage.sandbox.fault(READ_CALL, FaultKind.SERVER_ERROR, count=10)
    stage.run(batch)
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 2
    assert stage.jobs()[-1]["status"] == JobStatus.QUEUED
