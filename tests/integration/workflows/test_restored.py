"""A database that was restored from a backup of an hour ago has forgotten what was done since; the vendors have not."""

from __future__ import annotations

import pytest

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.sweeps import SweepStage
from tests.integration.workflows.test_completed_tasks import TASK, complete
from tests.integration.workflows.test_paid_orders import act, new_order
from tests.integration.workflows.test_won_deals import DEAL
from zixly_core.ids import new_id
from zixly_core.job import JobStatus
from zixly_sandbox.constants import ADA_IN_HUBSPOT, ADA_IN_XERO, PAID_INVOICE

KINDS = {"contacts", "invoice", "payment", "credit_note", "project", "task", "notes"}
RECORDS = "workflow_related_records job_attempts effects record_states"


@pytest.fixture
def records(stage: Stage) -> list[tuple[str, str]]:
    """A record for each workflow that writes: properties, an invoice, a project with tasks, payments, credit notes, a note."""
    complete(stage)
    order = new_order(stage, lines=[{"title": "Board", "quantity": 3, "price": 100}], with_shipping=False)
    act(stage, order, "refund", quantities={order["line_items"][0]["id"]: 1})
    return [
        ("xero-invoice-to-hubspot", PAID_INVOICE),
        ("hubspot-deal-to-xero", DEAL),
        ("shopify-order-to-xero", str(order["id"])),
        ("asana-task-to-hubspot", TASK),
    ]


def work_off(stage: Stage, records: list[tuple[str, str]]) -> None:
    for workflow, record in records:
        job = stage.run_record(workflow, record)
        assert job["status"] == "COMPLETED", job["error_message"]


def kinds_written(stage: Stage) -> set[str]:
    return {write.object_type for write in stage.sandbox.sandbox.writes.select()}


def forget_the_last_hour(stage: Stage) -> None:
    """What a backup from before does not know. At the vendors an hour went by: what they keep for idempotency keys is gone."""
    for table in RECORDS.split():
        stage.ledger.owner.execute(f"delete from zixly.{table}")
    stage.ledger.owner.execute("delete from zixly.workflow_jobs")
    stage.sandbox.admin("POST", "/clock", {"seconds": 3600})


RESTORED_SQL = "insert into zixly.restores (id, taken_at) values (%s, now() - interval '1 hour')"


def test_what_comes_again_after_a_restore_writes_nothing_again(stage: Stage, records: list[tuple[str, str]]) -> None:
    work_off(stage, records)
    written = len(stage.sandbox.sandbox.writes)
    assert kinds_written(stage) >= KINDS
    forget_the_last_hour(stage)
    stage.ledger.owner.execute(RESTORED_SQL, (new_id(),))

    work_off(stage, records)

    assert stage.sandbox.sandbox.writes.select(after=written) == []
    assert stage.sandbox.doubled() == []
    assert {row["state"] for row in stage.rows("select state from zixly.effects")} == {"DONE"}


def test_without_the_note_of_the_restore_records_would_be_doubled(stage: Stage, records: list[tuple[str, str]]) -> None:
    """So that the test above is known to see it. (Xero itself refuses what it has already.)"""
    told_twice = [one for one in records if one[0] in ("hubspot-deal-to-xero", "asana-task-to-hubspot")]
    work_off(stage, told_twice)
    forget_the_last_hour(stage)
    work_off(stage, told_twice)
    assert {one["object_type"] for one in stage.sandbox.doubled()} >= {"notes", "project"}


def test_what_is_new_after_a_restore_is_written(stage: Stage, records: list[tuple[str, str]]) -> None:
    stage.ledger.owner.execute("insert into zixly.restores (id, taken_at) values (%s, now())", (new_id(),))
    stage.ledger.compare()
    work_off(stage, records)
    assert kinds_written(stage) >= KINDS


@pytest.fixture
def both(stage: Stage) -> tuple[str, str]:
    """Two invoices of one customer, the older one first; both were written, one after the other, and forgotten."""
    newer = stage.sandbox.add_paid_invoice(stage.sandbox.books.contacts[ADA_IN_XERO], changed_ms_later=5000)
    for record in (PAID_INVOICE, newer.id):
        stage.run_invoices(record)
    forget_the_last_hour(stage)
    stage.ledger.owner.execute(RESTORED_SQL, (new_id(),))
    return PAID_INVOICE, newer.id


def test_of_two_records_with_one_target_the_older_is_not_written_over_the_newer_after_a_restore(
    stage: Stage, both: tuple[str, str]
) -> None:
    """The contact shows the newer one, so the older cannot be seen to have been written: it waits until the newer has seen itself."""
    stage.ledger.compare()
    written = len(stage.sandbox.sandbox.writes)
    older, newer = (stage.batch_of(record) for record in both)
    stage.run(older)
    assert stage.job_of(both[0])["status"] == JobStatus.QUEUED
    stage.run(newer)
    stage.run_due()
    assert stage.sandbox.sandbox.writes.select(after=written) == []
    assert stage.statuses() == [JobStatus.COMPLETED, JobStatus.COMPLETED]
    assert stage.job_of(both[0])["result"]["skipped"] == "a newer state was written already"


def test_before_a_comparison_has_told_what_was_lost_an_older_state_waits_though_no_other_job_is_open(
    stage: Stage, both: tuple[str, str]
) -> None:
    """The backup has the job of the older one; that of the newer came after it, and nobody has told of it again yet."""
    written = len(stage.sandbox.sandbox.writes)
    stage.run_invoices(both[0])
    assert stage.job_of(both[0])["status"] == JobStatus.QUEUED
    stage.ledger.compare()
    stage.run_invoices(both[1])
    stage.run_due()
    assert stage.sandbox.sandbox.writes.select(after=written) == []
    assert stage.job_of(both[0])["result"]["skipped"] == "a newer state was written already"


def test_what_was_not_written_before_the_restore_is_written_in_its_order(stage: Stage, both: tuple[str, str]) -> None:
    """A person has changed the contact meanwhile: neither can be seen. The older waits for the newer's intent, and then for its end."""
    stage.ledger.compare()
    stage.sandbox.portal.contacts.records[ADA_IN_HUBSPOT].properties["xero_last_invoice_number"] = "another"
    written = len(stage.sandbox.writes(ADA_IN_HUBSPOT))
    older, newer = (stage.batch_of(record) for record in both)
    stage.run(older)
    stage.run(newer)
    stage.run_due()
    told = stage.sandbox.writes(ADA_IN_HUBSPOT)[written:]
    assert [write.properties["xero_last_invoice_number"] for write in told] == [number_of(stage, both[1])]
    assert stage.statuses() == [JobStatus.COMPLETED, JobStatus.COMPLETED]


def number_of(stage: Stage, invoice: str) -> str:
    return stage.sandbox.books.invoices[invoice].number


@pytest.mark.parametrize("callback", [False, True], ids=["asked for", "calling back"])
def test_a_sweep_that_was_asked_for_before_the_restore_is_found_again_and_waited_for(stage: Stage, *, callback: bool) -> None:
    """The service knows it by its key. It calls back at a URL that only the lost rows knew, so the job looks for its end itself."""
    sweeps = SweepStage(stage)
    job_id = sweeps.waiting(callback=callback)
    as_it_was_asked(stage)

    assert sweeps.run().is_success

    assert len(sweeps.started()) == 1
    sweeps.finish()
    sweeps.make_looks_due()
    sweeps.look()
    assert sweeps.run().is_success
    assert sweeps.job(job_id)["status"] == "COMPLETED"


def as_it_was_asked(stage: Stage) -> None:
    """The backup has the job, and nothing of what came of it."""
    for table in (*RECORDS.split(), "signing_secrets", "subscriptions", "batches"):
        stage.ledger.owner.execute(f"delete from zixly.{table}")
    stage.ledger.owner.execute(
        "update zixly.workflow_jobs set status = 'QUEUED', batch_id = null, run_id = null, waiting_until = null, waiting_for = null,"
        " lease_until = null, checkpoint = '{}', attempts = 0, started_at = null"
    )
    stage.ledger.owner.execute(RESTORED_SQL, (new_id(),))
