"""What `xero-invoice-to-hubspot` decides about an invoice, without any server."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.errors import Permanent
from zixly_core.stores.effects import SourceState
from zixly_core.systems.xero.contacts import Contact
from zixly_core.systems.xero.invoices import Invoice
from zixly_core.workflows.paid_invoices import (
    DEFAULT_MAPPING,
    FIELDS,
    NoNews,
    Standing,
    invoice_from_json,
    invoice_to_json,
    mapping_of,
    properties_from,
    reason_to_skip,
    standing_of,
    state_of,
)

pytestmark = pytest.mark.unit
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

INVOICE = Invoice(
    id="8694c9c5-7097-4449-a708-b8c1982921a4",
    number="INV-00001",
    type="ACCREC",
    status="PAID",
    contact=Contact("430fa14a-f945-44d3-9f97-5df5e28441b8", "Analytical Engines", "ada@example.test"),
    currency="AUD",
    total=Decimal("1401.40"),
    amount_due=Decimal(0),
    amount_paid=Decimal("1401.40"),
    fully_paid_on=date(2026, 11, 21),
    updated_at=NOON,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
amounts = st.decimals(Decimal("-1e9"), Decimal("1e9"), places=2, allow_nan=False)


def invoice_with(number: str, currency: str, total: Decimal, *rest: Any) -> Invoice:
    paid_on, updated_at, email = rest
    contact = replace(INVOICE.contact, email=email)
    return replace(INVOICE, number=number, currency=currency, total=total, fully_paid_on=paid_on, updated_at=updated_at, contact=contact)


def seen(status: str, *, at: datetime = NOON) -> SourceState:
    return SourceState(at, {"status": status})


OPEN = replace(INVOICE, status="AUTHORISED", amount_paid=Decimal(0), amount_due=INVOICE.total, fully_paid_on=None)
PART_PAID = replace(OPEN, amount_paid=Decimal("400.00"), amount_due=Decimal("1001.40"))
CREDITED = replace(INVOICE, amount_paid=Decimal(0), amount_credited=INVOICE.total)


@pytest.mark.parametrize(
    ("invoice", "standing"),
    [
        (OPEN, Standing.OPEN),
        (replace(OPEN, status="DRAFT"), Standing.OPEN),
        (replace(OPEN, status="SUBMITTED"), Standing.OPEN),
        (PART_PAID, Standing.PART_PAID),
        (replace(OPEN, amount_credited=Decimal("1.40")), Standing.PART_PAID),
        (INVOICE, Standing.PAID),
        (replace(INVOICE, amount_credited=Decimal("400.00"), amount_paid=Decimal("1001.40")), Standing.PAID),
        (replace(INVOICE, total=Decimal(0), amount_paid=Decimal(0)), Standing.PAID),
        (CREDITED, Standing.CREDITED),
        (replace(OPEN, status="VOIDED"), Standing.VOIDED),
        (replace(OPEN, status="DELETED"), Standing.VOIDED),
    ],
)
def test_an_invoice_stands_as_what_is_left_to_pay(invoice: Invoice, standing: Standing) -> None:
    assert standing_of(invoice) is standing


@pytest.mark.parametrize("known", [None, seen("PAID"), state_of(INVOICE)])
def test_a_bill_is_skipped_as_one_whether_it_is_paid_or_not(known: SourceState | None) -> None:
    for status in ("PAID", "AUTHORISED"):
        assert reason_to_skip(replace(INVOICE, type="ACCPAY", status=status), known) is NoNews.BILL


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "AUTHORISED"])
def test_an_invoice_that_is_not_paid_is_skipped(status: str) -> None:
    assert reason_to_skip(replace(OPEN, status=status), None) is NoNews.OPEN


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_an_invoice_that_is_voided_before_anything_was_told_of_it_is_skipped(status: str) -> None:
    assert reason_to_skip(replace(OPEN, status=status), None) is NoNews.NEVER_TOLD


@pytest.mark.parametrize("before", [None, state_of(OPEN), state_of(PART_PAID), state_of(CREDITED)])
def test_an_invoice_became_paid_unless_that_was_acted_on_already(before: SourceState | None) -> None:
    assert reason_to_skip(INVOICE, before) is None
    assert reason_to_skip(INVOICE, state_of(INVOICE)) is NoNews.KNOWN


def test_each_part_payment_is_news_once() -> None:
    more = replace(PART_PAID, amount_paid=Decimal(500), amount_due=Decimal("901.40"))
    assert reason_to_skip(PART_PAID, None) is None
    assert reason_to_skip(PART_PAID, state_of(PART_PAID)) is NoNews.KNOWN
    assert reason_to_skip(more, state_of(PART_PAID)) is None


@pytest.mark.parametrize("now", [OPEN, PART_PAID, replace(OPEN, status="VOIDED")])
def test_a_payment_that_was_taken_back_and_a_void_are_news_of_what_was_told(now: Invoice) -> None:
    assert reason_to_skip(now, state_of(INVOICE)) is None
    assert reason_to_skip(now, seen("PAID")) is None


def test_a_state_that_knows_only_the_status_is_compared_by_it() -> None:
    """What was remembered of an invoice once was its status alone."""
    assert reason_to_skip(INVOICE, seen("PAID")) is NoNews.KNOWN


def test_what_is_older_than_what_was_acted_on_is_no_news() -> None:
    assert reason_to_skip(replace(OPEN, updated_at=NOON - timedelta(seconds=1)), state_of(INVOICE)) is NoNews.KNOWN


def test_an_amount_stands_the_same_however_it_is_written() -> None:
    assert reason_to_skip(replace(PART_PAID, amount_paid=Decimal("4E+2")), state_of(PART_PAID)) is NoNews.KNOWN


@given(st.builds(invoice_with, texts, texts, amounts, st.none() | st.dates(), moments, st.none() | st.emails()))
def test_a_checkpoint_holds_an_invoice_without_loss(invoice: Invoice) -> None:
    kept = invoice_from_json(json.loads(json.dumps(invoice_to_json(invoice))))
    assert (kept.number, kept.currency, kept.total) == (invoice.number, invoice.currency, invoice.total)
    assert (kept.fully_paid_on, kept.updated_at, kept.email) == (invoice.fully_paid_on, invoice.updated_at, invoice.contact.email)


@given(amounts)
def test_an_amount_is_written_in_plain_digits(total: Decimal) -> None:
    kept = invoice_from_json(invoice_to_json(replace(INVOICE, total=total)))
    text = properties_from(kept, {"amount": "total"})["amount"]
    assert "E" not in text
    assert Decimal(text) == total


def test_every_field_gives_text_for_a_property() -> None:
    kept = invoice_from_json(invoice_to_json(INVOICE))
    assert properties_from(kept, {name: name for name in FIELDS}) == {
        "standing": "PAID",
        "status": "PAID",
        "number": "INV-00001",
        "id": INVOICE.id,
        "total": "1401.40",
        "amount_paid": "1401.40",
        "amount_credited": "0",
        "amount_due": "0",
        "currency": "AUD",
        "fully_paid_on": "2026-11-21",
    }


def test_an_unknown_day_clears_the_property() -> None:
    kept = invoice_from_json(invoice_to_json(replace(INVOICE, fully_paid_on=None)))
    assert properties_from(kept, {"paid_at": "fully_paid_on"}) == {"paid_at": ""}


@pytest.mark.parametrize("settings", [{}, {"mapping": None}, {"mapping": {}}])
def test_without_a_mapping_the_usual_one_is_taken(settings: dict[str, object]) -> None:
    assert mapping_of(settings) == DEFAULT_MAPPING


@pytest.mark.parametrize("mapping", [["status"], "status", {"a": "no_such_field"}, {"a": "status", "b": None}])
def test_a_mapping_that_cannot_be_used_is_refused_for_good(mapping: object) -> None:
    with pytest.raises(Permanent) as raised:
        mapping_of({"mapping": mapping})
    assert raised.value.reason == "mapping_invalid"
