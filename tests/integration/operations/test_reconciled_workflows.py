"""Reconciliation of deals, orders and tasks with what was made for them: what never came, what is gone, and what people decided."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.operations.reconciling import KINDS, Comparing
from tests.integration.workflows.test_paid_orders import new_order
from zixly_sandbox.constants import DEMO
from zixly_sandbox.xero.entries import Invoice

pytestmark = pytest.mark.integration
DEAL = "17812345601"
TASK = "1202222222222201"


def found(counts: dict[str, int]) -> dict[str, int]:
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def repaired(comparing: Comparing) -> None:
    """One click, and nothing is left."""
    drifts = [one["id"] for one in comparing.open_drifts()]
    assert comparing.repair(*drifts) == len(drifts)
    assert comparing.repair(*drifts) == 0
    comparing.work_off()
    assert found(comparing.run()) == {}


def invoice_numbered(comparing: Comparing, number: str) -> Invoice:
    invoice = comparing.stage.sandbox.books.sales_invoice(number)
    assert invoice is not None
    return invoice


@pytest.fixture
def deals(comparing: Comparing) -> Comparing:
    comparing.workflow = "hubspot-deal-to-xero"
    comparing.synced()
    return comparing


def test_a_won_deal_that_no_webhook_told_of_gets_invoice_and_project(comparing: Comparing) -> None:
    comparing.workflow = "hubspot-deal-to-xero"
    assert comparing.run()["missing_event"] > 0
    comparing.work_off()
    assert invoice_numbered(comparing, f"HS-{DEAL}").status == "DRAFT"
    assert found(comparing.run()) == {}


def test_a_draft_that_is_gone_is_made_again_once_and_stands_for_the_old_one(deals: Comparing) -> None:
    old = invoice_numbered(deals, f"HS-{DEAL}")
    deals.stage.sandbox.books.remove_invoice(old.id)
    assert found(deals.run()) == {"missing_target": 1}
    (drift,) = deals.open_drifts()
    assert (drift["record_id"], drift["target"], drift["fields"]) == (DEAL, old.id, {"invoice": {"source": old.id, "target": None}})
    repaired(deals)
    new = invoice_numbered(deals, f"HS-{DEAL}")
    assert new.id != old.id
    job = deals.stage.run_record(deals.workflow, DEAL)
    assert job["result"]["invoice_id"] == new.id


def test_a_project_that_is_gone_is_made_again_and_the_draft_is_left_alone(deals: Comparing) -> None:
    workspace = deals.stage.sandbox.sandbox.asana.accounts[DEMO.workspace].workspace
    (job,) = [one for one in deals.stage.jobs(deals.workflow) if one["record_id"] == DEAL]
    del workspace.projects[job["result"]["project_id"]]
    invoices = len(deals.stage.sandbox.books.invoices)
    assert found(deals.run()) == {"missing_target": 1}
    repaired(deals)
    assert len(deals.stage.sandbox.books.invoices) == invoices


def test_a_draft_that_the_accountant_deleted_or_changed_is_his_decision(deals: Comparing) -> None:
    invoice = invoice_numbered(deals, f"HS-{DEAL}")
    invoice.reference = "Another one"
    assert found(deals.run()) == {}
    invoice.status = "DELETED"
    assert found(deals.run()) == {}


@pytest.fixture
def orders(comparing: Comparing) -> Comparing:
    """A shop whose bucket of points is large: what waits for points is shown elsewhere."""
    comparing.workflow = "shopify-order-to-xero"
    comparing.stage.sandbox.sandbox.rules.change({"shopify": {"bucket_points": 20_000, "restore_per_second": 20_000}})
    comparing.synced()
    return comparing


def test_an_order_that_no_webhook_told_of_is_booked(orders: Comparing) -> None:
    order = str(new_order(orders.stage)["id"])
    assert found(orders.run()) == {"missing_event": 1}
    orders.work_off()
    job = next(one for one in orders.stage.jobs(orders.workflow) if one["record_id"] == order)
    assert job["status"] == "COMPLETED"
    assert orders.stage.sandbox.books.invoices[job["result"]["invoice_id"]].status == "PAID"
    assert found(orders.run()) == {}


def booked(orders: Comparing) -> tuple[str, Invoice]:
    order = str(new_order(orders.stage)["id"])
    orders.run()
    orders.work_off()
    job = next(one for one in orders.stage.jobs(orders.workflow) if one["record_id"] == order)
    return order, orders.stage.sandbox.books.invoices[job["result"]["invoice_id"]]


def test_a_payment_that_was_taken_out_of_the_books_is_a_drift_and_booked_again_once(orders: Comparing) -> None:
    order, invoice = booked(orders)
    total = invoice.total
    orders.stage.sandbox.take_payment_back(invoice, changed_ms_later=0)
    assert found(orders.run()) == {"field_drift": 1}
    (drift,) = orders.open_drifts()
    assert (drift["record_id"], set(drift["fields"])) == (order, {"amount_paid"})
    repaired(orders)
    assert (invoice.status, sum(one.cents for one in invoice.payments)) == ("PAID", total)


def test_an_order_whose_invoice_is_gone_is_booked_again(orders: Comparing) -> None:
    order, invoice = booked(orders)
    orders.stage.sandbox.books.remove_invoice(invoice.id)
    assert found(orders.run()) == {"missing_target": 1}
    assert orders.open_drifts()[0]["record_id"] == order
    repaired(orders)
    assert invoice_numbered(orders, invoice.number).status == "PAID"


@pytest.fixture
def tasks(comparing: Comparing) -> Comparing:
    comparing.workflow = "asana-task-to-hubspot"
    sandbox: Any = comparing.stage.sandbox
    project = sandbox.sandbox.asana.accounts[DEMO.workspace].workspace.tasks[TASK].projects[0]
    comparing.stage.ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, resource, status)"
        " values (gen_random_uuid(), %s, %s, 'asana', 'handshake', %s, 'ACTIVE')",
        (comparing.stage.ledger.tenant.id, comparing.stage.connections["asana"], project),
    )
    comparing.synced()
    return comparing


def complete(comparing: Comparing) -> None:
    comparing.stage.sandbox.admin("POST", "/clock", {"seconds": 2})
    comparing.stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{TASK}/complete")


def test_a_completion_that_no_webhook_told_of_becomes_its_note(tasks: Comparing) -> None:
    complete(tasks)
    assert found(tasks.run()) == {"missing_event": 1}
    tasks.work_off()
    assert len(tasks.stage.sandbox.created("notes")) == 1
    assert found(tasks.run()) == {}


def test_a_note_that_is_gone_is_told_and_written_again_only_when_a_person_says_so(tasks: Comparing) -> None:
    complete(tasks)
    tasks.synced()
    tasks.stage.configure("asana", reconciliation={"repair": True})
    portal = tasks.stage.sandbox.portal
    notes = portal.table("notes")
    (note,) = list(notes.records.values())
    portal.remove(notes, note)
    counts = tasks.run()
    assert (found(counts), counts["repairs"]) == ({"missing_target": 1}, 0)
    repaired(tasks)
    assert len(notes.records) == 1
