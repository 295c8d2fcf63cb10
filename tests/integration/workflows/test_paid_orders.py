"""`shopify-order-to-xero` against the sandbox: the contact, the invoice and the money of an order, each once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.workflows.conftest import Killed, Stage
from zixly_core.stores import effects
from zixly_sandbox.constants import ADA_EMAIL, DEMO, ORDER
from zixly_sandbox.faults import FaultKind
from zixly_sandbox.shopify.changes import new_refund
from zixly_sandbox.xero.entries import Credit, Invoice

WORKFLOW = "shopify-order-to-xero"
PUT_INVOICES = "PUT /xero/api.xro/2.0/Invoices*"
PUT_CONTACTS = "PUT /xero/api.xro/2.0/Contacts*"
PUT_PAYMENTS = "PUT /xero/api.xro/2.0/Payments*"
PUT_CREDITS = "PUT /xero/api.xro/2.0/CreditNotes*"
UPSERT = "POST /hubspot/crm/objects/*/batch/upsert"
# What is written for a paid order with a refund, in this order.
OPERATIONS = [
    "hubspot.contact.upsert",
    "xero.contact.create",
    "xero.invoice.create",
    "xero.payment.create",
    "xero.credit_note.create",
    "xero.credit_note.pay",
]
SHOP = f"/shopify/{DEMO.shop}"


def new_order(stage: Stage, **fields: Any) -> dict[str, Any]:
    """An order as a customer places it; paid, unless `is_paid` says otherwise."""
    given = {"email": "new.buyer@example.test", "first_name": "New", "last_name": "Buyer", **fields}
    made = stage.sandbox.admin("POST", f"{SHOP}/orders", given)
    order: dict[str, Any] = made.get("orders", [made])[0] if isinstance(made, dict) else made[0]
    return order


def act(stage: Stage, order: dict[str, Any], verb: str, **body: Any) -> None:
    stage.sandbox.admin("POST", f"{SHOP}/orders/{order['id']}/{verb}", body)


def run_order(stage: Stage, order: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return stage.run_record(WORKFLOW, str(order["id"]), **columns)


def invoice_of(stage: Stage, job: dict[str, Any]) -> Invoice:
    assert job["status"] == "COMPLETED", job["error_message"]
    return stage.sandbox.books.invoices[job["result"]["invoice_id"]]


def notes_of(stage: Stage) -> list[Credit]:
    return [one for one in stage.sandbox.books.credits.values() if one.number.startswith("SH-")]


def cents_of(order: dict[str, Any]) -> int:
    return round(float(order["total_price"]) * 100)


def test_a_paid_order_becomes_a_contact_an_invoice_and_its_payment(stage: Stage) -> None:
    order = new_order(stage, discount_percent=10)
    job = run_order(stage, order)
    invoice = invoice_of(stage, job)
    assert (invoice.number, invoice.status, invoice.currency) == (f"SH-{order['name'].removeprefix('#')}", "PAID", "AUD")
    assert invoice.total == cents_of(order)
    (payment,) = invoice.payments
    assert (payment.account, payment.cents) == ("090", invoice.total)
    assert payment.reference.startswith("shopify_payments")
    contact = stage.sandbox.contact(job["result"]["contact_id"])
    assert (contact["email"], contact["firstname"], contact["lastname"]) == ("new.buyer@example.test", "New", "Buyer")
    assert invoice.contact.email == "new.buyer@example.test"
    assert stage.related(job["id"]) >= {
        ("shopify", "order", str(order["id"]), "READ"),
        ("hubspot", "contact", job["result"]["contact_id"], "CREATE"),
        ("xero", "invoice", invoice.id, "CREATE"),
        ("xero", "payment", payment.id, "CREATE"),
    }


@pytest.mark.parametrize("with_tax", [True, False])
def test_the_invoice_comes_to_the_order_to_the_cent(stage: Stage, with_tax: bool) -> None:
    lines = [{"title": f"Odd {n}", "quantity": n, "price": price} for n, price in enumerate((0.33, 19.99, 7.77, 0.05, 104.95), start=1)]
    order = new_order(stage, lines=lines, discount_percent=7, taxes_included=with_tax)
    invoice = invoice_of(stage, run_order(stage, order))
    assert (invoice.total, invoice.status) == (cents_of(order), "PAID")


def test_a_known_customer_is_found_at_both_vendors_and_not_made_anew(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, str(ORDER))
    assert invoice_of(stage, job).contact.email.lower() == ADA_EMAIL
    assert stage.sandbox.created("contact") == []


def test_the_same_order_again_writes_nothing(stage: Stage) -> None:
    order = new_order(stage)
    run_order(stage, order)
    written = len(stage.sandbox.sandbox.writes)
    stage.sandbox.admin("PATCH", f"{SHOP}/orders/{order['id']}", {"note": "Please call first"})
    again = run_order(stage, order)
    assert again["result"] == {"skipped": "has not changed since it was last acted on"}
    assert len(stage.sandbox.sandbox.writes) == written


def test_an_unpaid_order_waits_for_its_money(stage: Stage) -> None:
    order = new_order(stage, is_paid=False)
    assert run_order(stage, order)["result"] == {"skipped": "is not paid"}
    act(stage, order, "pay")
    assert invoice_of(stage, run_order(stage, order)).status == "PAID"


def test_an_order_that_was_cancelled_unpaid_never_reaches_the_books(stage: Stage) -> None:
    order = new_order(stage, is_paid=False)
    act(stage, order, "cancel")
    assert run_order(stage, order)["result"] == {"skipped": "was cancelled before it was paid"}
    assert stage.sandbox.created("invoice") == []


def test_a_part_that_went_back_becomes_a_credit_note_that_is_paid_out(stage: Stage) -> None:
    order = new_order(stage, lines=[{"title": "Board", "quantity": 3, "price": 100}], with_shipping=False)
    first = run_order(stage, order)
    act(stage, order, "refund", quantities={order["line_items"][0]["id"]: 1})
    second = run_order(stage, order)
    assert second["status"] == "COMPLETED", second["error_message"]
    (note,) = notes_of(stage)
    assert (note.total, note.status, note.number) == (
        10_000,
        "PAID",
        f"SH-{order['name'].removeprefix('#')}-R{note.number.rpartition('R')[2]}",
    )
    assert second["result"]["credit_notes"] == [note.id]
    assert second["result"]["invoice_id"] == first["result"]["invoice_id"]
    assert (len(stage.sandbox.created("invoice")), len(stage.sandbox.created("payment"))) == (1, 2)


def test_each_refund_has_a_credit_note_of_its_own(stage: Stage) -> None:
    order = new_order(stage)
    act(stage, order, "refund", amount=5.0)
    run_order(stage, order)
    act(stage, order, "refund")
    job = run_order(stage, order)
    assert len(job["result"]["credit_notes"]) == 2
    assert sum(note.total for note in notes_of(stage)) == cents_of(order)
    assert {note.status for note in notes_of(stage)} == {"PAID"}


def give_back_without_money(stage: Stage, order: dict[str, Any]) -> None:
    """One piece comes back and the money stays: the customer has a credit with the shop."""
    shop = stage.sandbox.sandbox.shopify.shops[DEMO.shop].shop
    kept = shop.orders[order["id"]]
    refund = new_refund(shop, kept, {kept.lines[0].id: 1}, shipping=False, at=kept.updated_at + 1, restock=True)
    kept.refunds.append(refund)
    kept.updated_at += 1
    shop.keep_refund(refund)


def test_what_comes_back_without_money_is_set_off_against_what_the_invoice_is_short_of(stage: Stage) -> None:
    order = new_order(stage, lines=[{"title": "Board", "quantity": 3, "price": 100}], with_shipping=False)
    invoice = invoice_of(stage, run_order(stage, order))
    stage.sandbox.take_payment_back(invoice, changed_ms_later=1)
    give_back_without_money(stage, order)
    job = run_order(stage, order)
    assert job["status"] == "COMPLETED", job["error_message"]
    assert [(one.invoice_id, one.cents) for one in notes_of(stage)[0].allocations] == [(invoice.id, 10_000)]
    assert invoice.due == 20_000


def test_what_comes_back_without_money_stays_the_customers_credit_where_the_invoice_is_paid(stage: Stage) -> None:
    order = new_order(stage, lines=[{"title": "Board", "quantity": 3, "price": 100}], with_shipping=False)
    run_order(stage, order)
    give_back_without_money(stage, order)
    job = run_order(stage, order)
    assert job["status"] == "COMPLETED", job["error_message"]
    (note,) = notes_of(stage)
    assert (note.status, note.allocations, note.refunds) == ("AUTHORISED", [], [])


def test_a_paid_order_that_is_cancelled_is_credited_and_keeps_its_invoice(stage: Stage) -> None:
    order = new_order(stage)
    run_order(stage, order)
    act(stage, order, "cancel", refund=True)
    job = run_order(stage, order)
    assert invoice_of(stage, job).status == "PAID"
    assert sum(note.total for note in notes_of(stage)) == cents_of(order)


def test_an_invoice_whose_payment_was_undone_is_voided_when_the_order_is_void(stage: Stage) -> None:
    order = new_order(stage)
    invoice = invoice_of(stage, run_order(stage, order))
    kept = stage.sandbox.sandbox.shopify.shops[DEMO.shop].shop.orders[order["id"]]
    kept.transactions[0].status = "failure"
    stage.sandbox.take_payment_back(invoice, changed_ms_later=1)
    act(stage, order, "cancel", refund=False)
    job = run_order(stage, order)
    assert (job["status"], job["result"]) == ("COMPLETED", {"voided": invoice.id})
    assert stage.sandbox.books.invoices[invoice.id].status == "VOIDED"


def test_two_orders_of_one_customer_in_one_batch_write_the_contact_once(stage: Stage) -> None:
    first, second = new_order(stage), new_order(stage, first_name="Newer")
    jobs = [stage.add_job(WORKFLOW, str(order["id"])) for order in (first, second)]
    stage.run(stage.hand_over("shopify"))
    assert [stage.ledger.job(one)["status"] for one in jobs] == ["COMPLETED", "COMPLETED"]
    assert len(stage.sandbox.created("invoice")) == 2
    assert stage.sandbox.calls()["hubspot POST /objects/{type}/batch/upsert"] == 1
    assert stage.sandbox.doubled() == []


def test_without_hubspot_there_is_an_invoice_and_no_contact(stage: Stage) -> None:
    stage.ledger.owner.execute("delete from zixly.connections where system = 'hubspot'")
    job = run_order(stage, new_order(stage))
    assert job["status"] == "COMPLETED", job["error_message"]
    assert "contact_id" not in job["result"]


def test_another_currency_is_kept(stage: Stage) -> None:
    invoice = invoice_of(stage, run_order(stage, new_order(stage, currency="NZD")))
    assert invoice.currency == "NZD"


def test_a_name_in_another_script_reaches_both_vendors(stage: Stage) -> None:
    order = new_order(stage, email="юлия@example.test", first_name="Юлия", last_name="Ковалёва")
    job = run_order(stage, order)
    assert invoice_of(stage, job).contact.name == "Юлия Ковалёва"
    assert stage.sandbox.contact(job["result"]["contact_id"])["lastname"] == "Ковалёва"


def test_an_order_that_is_gone_fails_for_good(stage: Stage) -> None:
    job = stage.run_record(WORKFLOW, "1")
    assert (job["status"], job["error_reason"]) == ("FAILED", "record_gone")


def test_an_account_that_takes_no_payments_fails_for_good_and_names_the_setting(stage: Stage) -> None:
    stage.configure("shopify", paid_orders={"payment_account_code": "999"})
    job = run_order(stage, new_order(stage))
    assert job["status"] == "FAILED"
    assert "settings" in job["error_message"]


def test_a_dry_run_tells_each_write_and_sends_none(stage: Stage) -> None:
    order = new_order(stage)
    act(stage, order, "refund", amount=5.0)
    job = run_order(stage, order, is_dry_run=True)
    assert job["status"] == "COMPLETED", job["error_message"]
    assert len(stage.sandbox.sandbox.writes) == 0
    assert stage.rows("select 1 from zixly.effects") == []
    assert stage.rows("select 1 from zixly.record_states") == []
    assert [write["operation"] for write in job["result"]["would_write"]] == OPERATIONS


CALLS = [UPSERT, PUT_CONTACTS, PUT_INVOICES, PUT_PAYMENTS, PUT_CREDITS]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", [FaultKind.DISCONNECT_AFTER, FaultKind.DISCONNECT_BEFORE, FaultKind.SERVER_ERROR])
def test_a_write_whose_answer_was_lost_is_not_made_twice(stage: Stage, call: str, kind: FaultKind) -> None:
    order = new_order(stage)
    act(stage, order, "refund", amount=5.0)
    stage.sandbox.fault(call, kind)
    job = run_order(stage, order)
    assert job["status"] == "QUEUED"
    for _ in range(4):
        if job["status"] != "QUEUED":
            break
        stage.settle_doubts()
        stage.run_due("shopify")
        job = stage.ledger.job(job["id"])
    assert job["status"] == "COMPLETED", job["error_message"]
    assert stage.sandbox.doubled() == []
    made = {kind: len(stage.sandbox.created(kind)) for kind in ("invoice", "payment")}
    assert made == {"invoice": 1, "payment": 2}
    assert len(notes_of(stage)) == 1
    assert invoice_of(stage, job).status == "PAID"


def test_a_refunds_payment_whose_answer_was_lost_is_found_on_the_credit_note(stage: Stage) -> None:
    order = new_order(stage)
    run_order(stage, order)
    act(stage, order, "refund", amount=5.0)
    stage.sandbox.fault(PUT_PAYMENTS, FaultKind.DISCONNECT_AFTER)
    job = run_order(stage, order)
    assert job["status"] == "QUEUED"
    stage.settle_doubts()
    stage.run_due("shopify")
    assert stage.ledger.job(job["id"])["status"] == "COMPLETED"
    (note,) = notes_of(stage)
    assert [one.cents for one in note.refunds] == [500]


def test_nothing_personal_is_in_keys_logs_and_errors(stage: Stage) -> None:
    order = new_order(stage, email="private.person@example.test", last_name="Privateperson")
    job = run_order(stage, order)
    told = f"{job['execution_log']} {job['error_message']} {job['result']} {job['metrics']}".lower()
    assert "private" not in told
    keys = stage.rows("select effect_key, target from zixly.effects where operation = 'hubspot.contact.upsert'")
    assert "private" not in str(keys)


@pytest.mark.parametrize("write", range(7))
def test_a_run_killed_after_any_write_and_before_its_commit_leaves_each_record_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """The writes of an order with a refund, one after another: contact, customer, invoice, payment, credit note, repayment."""
    order = new_order(stage)
    act(stage, order, "refund", amount=5.0)
    job_id = stage.add_job(WORKFLOW, str(order["id"]))
    keep_done, kept = effects.keep_done, iter(range(write))

    def keep_or_die(*given: Any) -> None:
        if next(kept, None) is None:
            raise Killed
        keep_done(*given)

    batch = stage.hand_over("shopify")
    with monkeypatch.context() as patch:
        patch.setattr(effects, "keep_done", keep_or_die)
        if write < len(OPERATIONS):
            stage.run_killed(batch, patch)
        else:
            stage.run(batch)
    stage.vanish()
    stage.settle_doubts()
    if write < len(OPERATIONS):
        stage.run_due("shopify")
    job = stage.ledger.job(job_id)
    assert job["status"] == "COMPLETED", job["error_message"]
    assert stage.sandbox.doubled() == []
    assert (len(stage.sandbox.created("invoice")), len(stage.sandbox.created("payment")), len(notes_of(stage))) == (1, 2, 1)
    done = stage.rows("select operation from zixly.effects where state = 'DONE' order by operation")
    assert [row["operation"] for row in done] == sorted(OPERATIONS)
