"""What Xero's client creates and changes, and what it makes of answers in which some elements are good and some are not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.clients.test_xero_client import Xero, ids
from tests.unit.clients.vendor import answered
from zixly_core.errors import Permanent, RecordGone, Transient
from zixly_core.systems.xero.contacts import NewContact
from zixly_core.systems.xero.element_results import INVOICES, PAYMENTS, element_results
from zixly_core.systems.xero.payments import NewPayment, payment_element
from zixly_core.systems.xero.writes import NewCreditNote, NewInvoice, NewLine, invoice_element, needs_four_places

CONTACT = "430fa14a-f945-44d3-9f97-5df5e28441b8"
DAY = date(2026, 11, 22)


def line(**overrides: Any) -> NewLine:
    values: dict[str, Any] = {"description": "Onboarding", "quantity": Decimal(1), "unit_amount": Decimal("1250.10"), "account_code": "200"}
    return NewLine(**{**values, **overrides})


def new_invoice(key: str = "a", **overrides: Any) -> NewInvoice:
    values: dict[str, Any] = {"number": f"HS-{key}", "contact_id": CONTACT, "lines": (line(),), "date": DAY, "due_date": DAY}
    return NewInvoice(key=key, **{**values, **overrides})


def written(*items: dict[str, Any], name: str = "Invoices") -> httpx2.Response:
    return answered({"Status": "OK", name: list(items)})


def done(number: str, record_id: str = "8694C9C5-7097-4449-a708-b8c1982921a4") -> dict[str, Any]:
    return {"InvoiceID": record_id, "InvoiceNumber": number, "StatusAttributeString": "OK"}


def refused(number: str, *sentences: str) -> dict[str, Any]:
    errors = [{"Message": sentence} for sentence in sentences]
    return {"InvoiceNumber": number, "StatusAttributeString": "ERROR", "HasErrors": True, "ValidationErrors": errors}


def reason_of(error: object) -> str:
    assert isinstance(error, Permanent | Transient)
    return error.reason


def test_invoices_are_created_in_one_call_under_one_key_with_a_result_for_each() -> None:
    xero = Xero([written(done("HS-a", ids(1)[0]), refused("HS-b", "Invoice # must be unique."))])
    results = xero.client.create_invoices([new_invoice("a"), new_invoice("b")], idempotency_key="effect-1")
    assert (results["a"].id, results["a"].number, results["a"].ok) == (ids(1)[0], "HS-a", True)
    assert (results["b"].id, reason_of(results["b"].error)) == (None, "already_exists")
    (request,) = xero.vendor.requests
    assert (request.method, request.headers["idempotency-key"]) == ("PUT", "effect-1")
    assert dict(request.url.params) == {"summarizeErrors": "false"}


def test_results_are_matched_by_number_when_the_answer_is_in_another_order() -> None:
    xero = Xero([written(refused("HS-b", "x"), done("HS-a"))])
    results = xero.client.create_invoices([new_invoice("a"), new_invoice("b")], idempotency_key="k")
    assert results["a"].ok
    assert reason_of(results["b"].error) == "refused"


def test_a_refused_element_that_does_not_tell_its_number_is_known_by_its_place() -> None:
    xero = Xero([written(done("HS-a"), {"StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": "Account code bad"}]})])
    results = xero.client.create_invoices([new_invoice("a"), new_invoice("b")], idempotency_key="k")
    assert reason_of(results["b"].error) == "unknown_account"


def test_an_element_that_the_answer_leaves_out_is_in_doubt_and_not_done() -> None:
    results = Xero([written(done("HS-b"))]).client.create_invoices([new_invoice("a"), new_invoice("b")], idempotency_key="k")
    assert reason_of(results["a"].error) == "outcome_unknown"
    assert isinstance(results["a"].error, Transient)
    assert results["b"].ok


@given(order=st.permutations(list(range(5))), cut=st.integers(0, 5))
def test_no_element_is_ever_taken_for_another_one(order: list[int], cut: int) -> None:
    items = [done(f"HS-{number}", ids(5)[number]) for number in order][:cut]
    asked = [(str(number), f"HS-{number}") for number in range(5)]
    results = element_results(asked, items, names=INVOICES, operation="create")
    assert {key: one.id for key, one in results.items() if one.ok} == {str(number): ids(5)[number] for number in order[:cut]}


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Invoice # must be unique.", "already_exists"),
        ("The contact name Ada is already assigned to another contact.", "already_exists"),
        ("Payment amount exceeds the amount outstanding on this document", "exceeds_amount_due"),
        ("The document date cannot be before the period lock date", "period_locked"),
        ("Organisation is not subscribed to currency NZD", "unknown_currency"),
        ("The TaxType code 'X' does not exist", "unknown_tax_type"),
        ("Account code '999' is not a valid code for this document.", "unknown_account"),
        ("The contact 'Ada' is archived.", "contact_archived"),
        ("Invoice not of valid status for modification", "status_not_allowed"),
        ("Something new", "refused"),
    ],
)
def test_xeros_sentences_become_reasons_and_stay_out_of_the_error(sentence: str, reason: str) -> None:
    results = Xero([written(refused("HS-a", sentence))]).client.create_invoices([new_invoice("a")], idempotency_key="k")
    assert reason_of(results["a"].error) == reason
    assert sentence not in str(results["a"].error)


def test_an_invoice_is_sent_with_what_it_has_and_nothing_of_the_contact_but_the_id() -> None:
    element = invoice_element(
        new_invoice(
            lines=(line(tax_type="OUTPUT", discount_rate=Decimal("12.5")),), currency="AUD", reference="Deal 1", url="https://x.test"
        )
    )
    assert element == {
        "Type": "ACCREC",
        "InvoiceNumber": "HS-a",
        "Contact": {"ContactID": CONTACT},
        "LineItems": [
            {
                "Description": "Onboarding",
                "Quantity": 1.0,
                "UnitAmount": 1250.1,
                "AccountCode": "200",
                "TaxType": "OUTPUT",
                "DiscountRate": 12.5,
            }
        ],
        "Date": "2026-11-22",
        "DueDate": "2026-11-22",
        "LineAmountTypes": "Exclusive",
        "Reference": "Deal 1",
        "CurrencyCode": "AUD",
        "Status": "DRAFT",
        "Url": "https://x.test",
    }


def test_amounts_with_more_than_two_places_ask_xero_to_keep_them() -> None:
    cents, mills = new_invoice(lines=(line(unit_amount=Decimal("10.500")),)), new_invoice(lines=(line(unit_amount=Decimal("0.0125")),))
    assert [needs_four_places([one]) for one in (cents, mills)] == [False, True]
    xero = Xero([written(done("HS-a"))])
    xero.client.create_invoices([mills], idempotency_key="k")
    assert xero.vendor.requests[0].url.params["unitdp"] == "4"


@given(units=st.integers(-(10**14), 10**14))
def test_amounts_reach_xero_to_the_last_place(units: int) -> None:
    amount = Decimal(units) / 10_000
    vendor = Xero([written(done("HS-a"))])
    vendor.client.create_invoices([new_invoice(lines=(line(unit_amount=amount),))], idempotency_key="k")
    sent = vendor.vendor.body()["Invoices"][0]["LineItems"][0]["UnitAmount"]
    assert Decimal(str(sent)) == amount


def test_a_key_that_no_header_takes_is_told_by_its_digest_and_stays_the_same() -> None:
    long, foreign = "x" * 129, "schlüssel"
    xero = Xero([written(done("HS-a")) for _ in range(4)])
    for key in (long, long, foreign, "k" * 128):
        xero.client.create_invoices([new_invoice("a")], idempotency_key=key)
    sent = [request.headers["idempotency-key"] for request in xero.vendor.requests]
    assert sent[0] == sent[1] != sent[2]
    assert [len(one) for one in sent] == [64, 64, 64, 128]


def test_a_write_whose_connection_broke_is_sent_once_and_raises() -> None:
    xero = Xero([httpx2.ReadError("reset"), written(done("HS-a"))])
    with pytest.raises(Transient) as failure:
        xero.client.create_invoices([new_invoice("a")], idempotency_key="k")
    assert failure.value.reason == "connection_failed"
    assert len(xero.vendor.requests) == 1


def test_too_many_elements_or_a_key_twice_are_a_mistake_of_the_caller_and_none_is_no_call() -> None:
    for wrong in ([new_invoice(str(number)) for number in range(51)], [new_invoice("a"), new_invoice("a")]):
        with pytest.raises(ValueError, match="At most 50"):
            Xero([]).client.create_invoices(wrong, idempotency_key="k")
    assert Xero([]).client.create_invoices([], idempotency_key="k") == {}


def test_a_status_is_changed_with_post_and_may_be_refused() -> None:
    (invoice,) = ids(1)
    xero = Xero([written(done("INV-1", invoice)), written(refused("INV-1", "Invoice not of valid status for modification"))])
    assert xero.client.change_invoice_status(invoice, "VOIDED", idempotency_key="k").id == invoice
    again = xero.client.change_invoice_status(invoice, "VOIDED", idempotency_key="k2")
    assert reason_of(again.error) == "status_not_allowed"
    assert xero.vendor.requests[0].method == "POST"
    assert xero.vendor.body(0) == {"Invoices": [{"InvoiceID": invoice, "Status": "VOIDED"}]}
    with pytest.raises(RecordGone):
        xero.client.change_invoice_status("../Organisation", "VOIDED", idempotency_key="k")


def test_payments_are_known_by_their_place_and_not_at_all_when_one_is_missing() -> None:
    asked = [("a", ""), ("b", "")]
    good, bad = (
        {"PaymentID": ids(1)[0].upper(), "StatusAttributeString": "OK"},
        refused("", "Payment amount exceeds the amount outstanding"),
    )
    results = element_results(asked, [good, bad], names=PAYMENTS, operation="book 2 payments")
    assert (results["a"].id, reason_of(results["b"].error)) == (ids(1)[0], "exceeds_amount_due")
    lost = element_results(asked, [good], names=PAYMENTS, operation="book 2 payments")
    assert [reason_of(one.error) for one in lost.values()] == ["outcome_unknown", "outcome_unknown"]


def test_a_payment_names_its_account_by_code_or_by_id() -> None:
    answer = written({"PaymentID": ids(1)[0]}, {"PaymentID": ids(2)[1]}, name="Payments")
    xero = Xero([answer])
    payments = [
        NewPayment(key, ids(1)[0], account_code=account, amount=Decimal("99.95"), date=DAY, reference="pay_1")
        for key, account in (("a", "090"), ("b", CONTACT))
    ]
    assert all(one.ok for one in xero.client.create_payments(payments, idempotency_key="k").values())
    first, second = xero.vendor.body()["Payments"]
    expected = {
        "Invoice": {"InvoiceID": ids(1)[0]},
        "Account": {"Code": "090"},
        "Date": "2026-11-22",
        "Amount": 99.95,
        "Reference": "pay_1",
    }
    assert first == expected
    assert second["Account"] == {"AccountID": CONTACT}


def test_contacts_are_created_with_what_is_known_of_them() -> None:
    answer = written(
        {"ContactID": CONTACT.upper(), "Name": "ada  LOVELACE "},
        {"Name": "Grace", "StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": "The contact name Grace must be unique"}]},
        name="Contacts",
    )
    xero = Xero([answer])
    new = [NewContact("a", "Ada Lovelace", email="ada@example.test", number="hs-901"), NewContact("b", "Grace")]
    results = xero.client.create_contacts(new, idempotency_key="k")
    assert results["a"].id == CONTACT
    assert reason_of(results["b"].error) == "already_exists"
    assert "Grace" not in str(results["b"].error)
    sent = xero.vendor.body()["Contacts"]
    assert sent == [{"ContactNumber": "hs-901", "Name": "Ada Lovelace", "EmailAddress": "ada@example.test"}, {"Name": "Grace"}]


def test_a_credit_note_is_created_and_set_off_against_an_invoice() -> None:
    note, invoice = ids(2)
    made = written({"CreditNoteID": note, "CreditNoteNumber": "CN-1", "StatusAttributeString": "OK"}, name="CreditNotes")
    allocated = written({"AllocationID": CONTACT, "Amount": 10.5}, name="Allocations")
    too_much = written({"ValidationErrors": [{"Message": "exceeds the amount outstanding"}]}, name="Allocations")
    xero = Xero([made, allocated, too_much])
    new = NewCreditNote("r", "CN-1", CONTACT, (line(),), DAY, status="AUTHORISED")
    assert xero.client.create_credit_notes([new], idempotency_key="k")["r"].id == note
    results = [
        xero.client.allocate_credit_note(note, invoice_id=invoice, amount=Decimal("10.50"), date=DAY, idempotency_key=key)
        for key in ("k2", "k3")
    ]
    assert [one.ok for one in results] == [True, False]
    assert reason_of(results[1].error) == "exceeds_amount_due"
    assert xero.vendor.body(0)["CreditNotes"][0]["Type"] == "ACCRECCREDIT"
    assert xero.vendor.requests[1].url.path.endswith(f"/CreditNotes/{note}/Allocations")
    assert xero.vendor.body(1) == {"Allocations": [{"Invoice": {"InvoiceID": invoice}, "Amount": 10.5, "Date": "2026-11-22"}]}
    with pytest.raises(RecordGone):
        xero.client.allocate_credit_note("none", invoice_id=invoice, amount=Decimal(1), date=DAY, idempotency_key="k")


def test_a_refund_of_a_credit_note_names_the_note_and_no_invoice() -> None:
    refund = NewPayment("k", None, "090", Decimal("5.00"), DAY, "Shopify refund 1", credit_note_id=CONTACT)
    element = payment_element(refund)
    assert element["CreditNote"] == {"CreditNoteID": CONTACT}
    assert "Invoice" not in element
