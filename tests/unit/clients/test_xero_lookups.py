"""How Xero's client finds contacts, invoices and credit notes by what others know them by."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from tests.unit.clients.test_invoices import invoice_json
from tests.unit.clients.test_xero_client import Xero, ids, invoices
from tests.unit.clients.vendor import answered
from zixly_core.errors import Permanent, Transient
from zixly_core.systems.xero.calls import WHERE_LENGTH
from zixly_core.systems.xero.credit_notes import credit_note_from
from zixly_core.systems.xero.invoices import invoice_from

PAYMENT = {"PaymentID": "B26FD49A-CBAE-470A-A8F8-BCBC119E0379", "Date": "/Date(1795305600000+0000)/", "Amount": 40.5, "Reference": "r1"}


def contact_json(number: int, name: str, email: str | None = None) -> dict[str, Any]:
    found = {"ContactID": ids(number)[-1], "Name": name}
    return found if email is None else {**found, "EmailAddress": email}


def contacts(*items: dict[str, Any]) -> httpx2.Response:
    return answered({"Contacts": list(items)})


def credit_note_json(**overrides: Any) -> dict[str, Any]:
    return {
        "CreditNoteID": ids(1)[0].upper(),
        "CreditNoteNumber": "CN-1",
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": ids(9)[-1], "Name": "Ada"},
        "CurrencyCode": "AUD",
        "Total": 110.0,
        "RemainingCredit": 59.5,
        "Allocations": [
            {"Amount": 50.5, "Invoice": {"InvoiceID": ids(2)[1].upper()}},
            {"Amount": 1.0, "Invoice": {"InvoiceID": ids(3)[2]}, "IsDeleted": True},
        ],
        "UpdatedDateUTC": "/Date(1795341845160+0000)/",
        "Reference": "Refund 1",
        **overrides,
    }


def where_of(request: httpx2.Request) -> str:
    return request.url.params["where"]


def test_contacts_are_found_by_address_and_several_may_share_one() -> None:
    both = contacts(contact_json(2, "Ada B", "ADA@example.test"), contact_json(1, "Ada A", "ada@example.test"))
    xero = Xero([both])
    found = xero.client.contacts_by_email(["Ada@Example.test ", "grace@example.test", "none"])
    assert {email: [one.id for one in some] for email, some in found.items()} == {"ada@example.test": ids(2)}
    expected = ["Ada@Example.test", "ada@example.test", "grace@example.test"]
    assert where_of(xero.vendor.requests[0]) == " OR ".join(f'EmailAddress=="{one}"' for one in expected)


def test_contacts_are_found_by_name_as_xero_compares_names() -> None:
    xero = Xero([contacts(contact_json(1, "ADA lovelace"))])
    found = xero.client.contacts_by_name(["Ada  Lovelace", "Łukasz", "  "])
    assert {name: [one.id for one in some] for name, some in found.items()} == {"Ada  Lovelace": ids(1)}
    assert found["Ada  Lovelace"][0].email == ""


def test_a_name_that_no_condition_can_hold_is_searched_for_and_compared_here() -> None:
    """How Xero wants a quotation mark inside a condition is nowhere told; unescaped it would change the condition."""
    name = 'Ada "the first" OR Name!="'
    xero = Xero([contacts(contact_json(1, "Grace")), contacts(contact_json(2, name), contact_json(3, f"{name} Ltd"))])
    found = xero.client.contacts_by_name(["Grace", name])
    assert {one: [contact.id for contact in some] for one, some in found.items()} == {"Grace": ids(1), name: [ids(2)[1]]}
    assert where_of(xero.vendor.requests[0]) == 'Name=="Grace"'
    assert xero.vendor.requests[1].url.params["searchTerm"] == name


def test_many_addresses_go_into_as_few_calls_as_a_url_allows() -> None:
    xero = Xero(lambda _: contacts())
    emails = [f"person{number}@example.test" for number in range(100)]
    assert xero.client.contacts_by_email(emails) == {}
    asked = [where_of(request) for request in xero.vendor.requests]
    assert sorted(part for text in asked for part in text.split(" OR ")) == sorted(f'EmailAddress=="{email}"' for email in emails)
    assert max(len(text) for text in asked) <= WHERE_LENGTH
    assert len(asked) < 6
    assert max(len(str(request.url)) for request in xero.vendor.requests) < 2000


def test_nothing_to_look_for_is_no_call() -> None:
    client = Xero([]).client
    assert (client.contacts_by_email([]), client.contacts_by_name([""])) == ({}, {})
    assert (client.invoices_by_numbers([""]), client.credit_notes_by_ids(["x"]), client.credit_notes_by_numbers([])) == ([], [], [])


def test_no_address_or_name_is_told_in_an_error() -> None:
    for call in ("contacts_by_email", "contacts_by_name"):
        with pytest.raises(Permanent) as failure:
            getattr(Xero([httpx2.Response(400)]).client, call)(["ada@example.test"])
        assert "ada" not in str(failure.value)


def test_invoices_are_found_by_number_forty_a_call() -> None:
    xero = Xero(lambda _: invoices(invoice_json()))
    numbers = [f"HS-{number}" for number in range(41)]
    assert len(xero.client.invoices_by_numbers([*numbers, "HS-0"])) == 2
    assert [len(request.url.params["InvoiceNumbers"].split(",")) for request in xero.vendor.requests] == [40, 1]


def test_a_number_with_a_comma_is_asked_for_as_a_text() -> None:
    xero = Xero([invoices(), invoices(invoice_json(InvoiceNumber="A,1"))])
    assert [one.number for one in xero.client.invoices_by_numbers(["B2", "A,1"])] == ["A,1"]
    assert where_of(xero.vendor.requests[1]) == 'InvoiceNumber=="A,1"'


def test_an_invoice_tells_its_payments_and_what_was_credited() -> None:
    invoice = invoice_from(invoice_json(Payments=[PAYMENT], AmountCredited=10.25, DueDate="/Date(1795305600000+0000)/", Reference="HS"))
    (payment,) = invoice.payments
    assert (payment.id, payment.amount, payment.reference) == ("b26fd49a-cbae-470a-a8f8-bcbc119e0379", Decimal("40.5"), "r1")
    assert payment.date == invoice.due_date == date(2026, 11, 22)
    assert (invoice.amount_credited, invoice.reference) == (Decimal("10.25"), "HS")


def test_credit_notes_are_read_by_id_in_conditions() -> None:
    xero = Xero([answered({"CreditNotes": [credit_note_json()]})])
    (note,) = xero.client.credit_notes_by_ids([ids(1)[0].upper(), ids(1)[0], "none"])
    assert where_of(xero.vendor.requests[0]) == f'CreditNoteID==guid("{ids(1)[0]}")'
    assert (note.id, note.remaining_credit, note.is_to_customer) == (ids(1)[0], Decimal("59.5"), True)
    assert [(one.invoice_id, one.amount) for one in note.allocations] == [(ids(2)[1], Decimal("50.5"))]


def test_credit_notes_are_found_by_number() -> None:
    xero = Xero([answered({"CreditNotes": [credit_note_json(Type="ACCPAYCREDIT")]})])
    assert [one.is_to_customer for one in xero.client.credit_notes_by_numbers(["CN-1"])] == [False]
    with pytest.raises(ValueError, match="quotation mark"):
        xero.client.credit_notes_by_numbers(['CN"1'])


@pytest.mark.parametrize("broken", [{"Type": "ACCREC"}, {"Allocations": [{"Amount": 1}]}, {"Allocations": 3}, {"CreditNoteID": None}])
def test_a_credit_note_of_unknown_shape_is_a_permanent_error(broken: dict[str, Any]) -> None:
    with pytest.raises(Permanent) as failure:
        credit_note_from(credit_note_json(**broken))
    assert failure.value.reason == "unexpected_answer"


def test_the_organisation_its_accounts_and_taxes_are_told() -> None:
    organisation = {"Name": "Demo", "BaseCurrency": "AUD", "Timezone": "EAUSTRALIASTANDARDTIME", "CountryCode": "AU", "ShortCode": "!a"}
    bank = {"AccountID": ids(1)[0], "Code": "090", "Name": "Bank", "Type": "BANK", "Status": "ACTIVE"}
    sales = {
        "AccountID": ids(2)[1],
        "Code": "200",
        "Name": "Sales",
        "Type": "REVENUE",
        "TaxType": "OUTPUT",
        "EnablePaymentsToAccount": False,
    }
    tax = {"TaxType": "OUTPUT", "Name": "GST on Income", "Status": "ACTIVE", "EffectiveRate": 10.0, "CanApplyToRevenue": True}
    answers = [
        answered({name: items}) for name, items in (("Organisations", [organisation]), ("Accounts", [bank, sales]), ("TaxRates", [tax]))
    ]
    client = Xero(answers).client
    assert client.organisation().base_currency == "AUD"
    assert [(one.code, one.takes_payments) for one in client.accounts()] == [("090", True), ("200", False)]
    assert [(one.tax_type, one.rate, one.applies_to_revenue) for one in client.tax_rates()] == [("OUTPUT", Decimal(10), True)]


def test_an_organisation_that_is_not_told_is_a_failure() -> None:
    with pytest.raises(Permanent):
        Xero([answered({"Organisations": []})]).client.organisation()
    with pytest.raises(Transient):
        Xero([answered({})]).client.organisation()


def test_a_credit_note_shows_what_was_paid_back_of_it() -> None:
    note = credit_note_from(credit_note_json(Payments=[PAYMENT]))
    assert [(one.id, one.amount, one.reference) for one in note.payments] == [(PAYMENT["PaymentID"].lower(), Decimal("40.5"), "r1")]
    assert credit_note_from(credit_note_json()).payments == ()
