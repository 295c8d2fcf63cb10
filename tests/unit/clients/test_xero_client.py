"""Xero's client: batches, missing records, budgets, pages that move while they are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.unit.clients.test_invoices import invoice_json
from tests.unit.clients.vendor import Answers, FixedTokens, Vendor, answered
from zixly_core.errors import BudgetSpent, Disconnected, Permanent, RecordGone, Transient
from zixly_core.systems.xero.client import XeroClient

ORGANISATION = "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
START = datetime(2026, 11, 21, tzinfo=UTC)


class Xero:
    """A client with the vendor behind it."""

    def __init__(self, answers: Answers) -> None:
        self.vendor = Vendor(answers)
        self.tokens = FixedTokens()
        self.client = XeroClient(
            self.vendor.http,
            base_url="https://api.xero.test/api.xro/2.0/",
            tokens=self.tokens,
            external_id=ORGANISATION,
        )


def ids(count: int) -> list[str]:
    return [str(UUID(int=number)) for number in range(1, count + 1)]


def invoices(*items: dict[str, Any], pages: int = 1) -> httpx2.Response:
    return answered({"pagination": {"page": 1, "pageSize": 100, "pageCount": pages, "itemCount": 1}, "Invoices": list(items)})


def asked(request: httpx2.Request) -> list[str]:
    return request.url.params["IDs"].split(",")


def all_that_is_asked(request: httpx2.Request) -> httpx2.Response:
    return invoices(*(invoice_json(InvoiceID=one) for one in asked(request)))


def test_ninety_ids_are_three_calls_of_at_most_forty() -> None:
    xero = Xero(all_that_is_asked)
    assert [invoice.id for invoice in xero.client.invoices_by_ids(ids(90))] == ids(90)
    assert [len(asked(request)) for request in xero.vendor.requests] == [40, 40, 10]


def test_an_id_asked_twice_or_in_capitals_is_read_once() -> None:
    xero = Xero(all_that_is_asked)
    xero.client.invoices_by_ids(["8694C9C5-7097-4449-A708-B8C1982921A4", "8694c9c5-7097-4449-a708-b8c1982921a4"])
    assert asked(xero.vendor.requests[0]) == ["8694c9c5-7097-4449-a708-b8c1982921a4"]


def test_an_id_that_is_none_is_missing_and_does_not_spoil_the_others() -> None:
    """A generic sender may name anything; Xero refuses the whole call for one id that is no UUID."""
    xero = Xero(all_that_is_asked)
    assert len(xero.client.invoices_by_ids(["INV-1,INV-2", *ids(1)])) == 1
    assert asked(xero.vendor.requests[0]) == ids(1)
    assert xero.client.invoices_by_ids(["no id"]) == []
    assert len(xero.vendor.requests) == 1


def test_an_invoice_that_is_gone_is_missing() -> None:
    assert Xero([invoices()]).client.invoices_by_ids(ids(1)) == []


def test_an_answer_without_the_list_is_a_failed_read_and_not_an_empty_one() -> None:
    for answer in (answered({"Status": "OK"}), httpx2.Response(200, content=b"<html>maintenance</html>")):
        with pytest.raises(Transient) as failure:
            Xero([answer]).client.invoices_by_ids(ids(1))
        assert failure.value.reason == "unreadable_answer"


def test_a_refused_token_is_renewed_once_and_the_call_repeated() -> None:
    xero = Xero([httpx2.Response(401), invoices(invoice_json())])
    assert len(xero.client.invoices_by_ids(ids(1))) == 1
    assert xero.tokens.refused == ["test-access-token"]
    assert [request.headers["authorization"] for request in xero.vendor.requests] == [
        "Bearer test-access-token",
        "Bearer renewed-token",
    ]


def test_a_token_that_is_refused_again_after_renewal_is_transient_and_does_not_disconnect() -> None:
    with pytest.raises(Transient) as failure:
        Xero([httpx2.Response(401), httpx2.Response(401)]).client.invoices_by_ids(ids(1))
    assert failure.value.reason == "unauthorized"
    assert not isinstance(failure.value, Disconnected)


def test_a_spent_minute_says_when_to_come_back() -> None:
    spent = httpx2.Response(429, headers={"X-Rate-Limit-Problem": "minute", "Retry-After": "31"})
    xero = Xero([spent])
    with pytest.raises(BudgetSpent) as failure:
        xero.client.invoices_by_ids(ids(1))
    assert failure.value.retry_after == timedelta(seconds=31)


def test_addresses_that_were_not_told_are_read_from_the_contacts_in_one_call() -> None:
    contact = {"ContactID": "430fa14a-f945-44d3-9f97-5df5e28441b8", "Name": "Ada Lovelace"}
    told = invoice_json(InvoiceID=ids(1)[0], Contact={**contact, "EmailAddress": "told@example.test"})
    untold = [invoice_json(InvoiceID=one) for one in ids(3)[1:]]
    contacts = answered({"Contacts": [{**contact, "EmailAddress": "ada@example.test"}]})
    xero = Xero([invoices(told, *untold), contacts])
    found = xero.client.with_contact_emails(xero.client.invoices_by_ids(ids(3)))
    assert [invoice.contact.email for invoice in found] == ["told@example.test", "ada@example.test", "ada@example.test"]
    assert xero.vendor.requests[1].url.path.endswith("/Contacts")
    assert xero.vendor.requests[1].url.params["includeArchived"] == "true"


def test_a_contact_that_has_no_address_is_not_asked_about_again() -> None:
    contacts = answered({"Contacts": [{"ContactID": "430fa14a-f945-44d3-9f97-5df5e28441b8", "Name": "Ada"}]})
    xero = Xero([invoices(invoice_json()), contacts])
    once = xero.client.with_contact_emails(xero.client.invoices_by_ids(ids(1)))
    assert once[0].contact.email == ""
    assert xero.client.with_contact_emails(once) == once
    assert len(xero.vendor.requests) == 2


def test_a_pdf_is_bytes_and_a_page_in_its_place_is_not() -> None:
    pdf = httpx2.Response(200, content=b"%PDF-1.7 ...", headers={"content-type": "application/pdf"})
    xero = Xero([pdf, httpx2.Response(200, content=b"<html>")])
    assert xero.client.invoice_pdf(ids(1)[0]).startswith(b"%PDF-1.7")
    assert xero.vendor.requests[0].headers["accept"] == "application/pdf"
    with pytest.raises(Transient):
        xero.client.invoice_pdf(ids(1)[0])


def test_the_pdf_of_an_invoice_that_is_gone_is_a_record_gone() -> None:
    with pytest.raises(RecordGone):
        Xero([httpx2.Response(404)]).client.invoice_pdf(ids(1)[0])
    with pytest.raises(RecordGone):
        Xero([]).client.invoice_pdf("../Organisation")


def test_a_forbidden_organisation_is_permanent_and_names_the_first_ids() -> None:
    with pytest.raises(Permanent, match="scopes") as failure:
        Xero([httpx2.Response(403)]).client.invoices_by_ids(ids(5))
    assert f"read 5 invoices ({', '.join(ids(3))} and 2 more)" in str(failure.value)


class Books:
    """An organisation whose invoices change while they are listed, as Xero would list them."""

    def __init__(self, count: int, *, apart: timedelta) -> None:
        self.changed = {one: START + apart * number for number, one in enumerate(ids(count), 1)}
        self.calls = 0
        self.on_call: dict[int, list[str]] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        since = datetime.fromisoformat(request.headers["if-modified-since"])
        number, size = int(request.url.params["page"]), int(request.url.params["pageSize"])
        found = sorted((at, one) for one, at in self.changed.items() if at >= since)
        page = found[(number - 1) * size : number * size]
        self.calls += 1
        for one in self.on_call.get(self.calls, []):
            self.changed[one] = START + timedelta(days=1, seconds=self.calls)
        items = [invoice_json(InvoiceID=one, UpdatedDateUTC=at.isoformat()) for at, one in page]
        return invoices(*items, pages=-(-len(found) // size))


def listed(books: Books, *, page_size: int) -> list[str]:
    return [invoice.id for invoice in Xero(books).client.invoices_changed_since(START, page_size=page_size)]


def test_all_changes_are_listed_once_when_nothing_moves() -> None:
    books = Books(95, apart=timedelta(seconds=7))
    assert listed(books, page_size=10) == ids(95)


def test_invoices_that_change_while_pages_are_read_push_no_other_one_out() -> None:
    """Counting pages, each change of a record already read moves the rest up by one, over the border of a page."""
    books = Books(40, apart=timedelta(seconds=5))
    books.on_call = {1: ids(3), 2: ids(12)[9:], 3: ids(14)[12:]}
    assert set(listed(books, page_size=10)) == set(ids(40))


def test_an_import_of_many_within_one_second_is_listed_page_by_page() -> None:
    books = Books(95, apart=timedelta(milliseconds=1))
    assert sorted(listed(books, page_size=10)) == ids(95)
    assert books.calls == 10


def test_nothing_changed_is_an_empty_listing() -> None:
    assert listed(Books(0, apart=timedelta()), page_size=10) == []
