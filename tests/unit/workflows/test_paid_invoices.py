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
from zixly_core.systems.xero.invoices import Contact, Invoice
from zixly_core.workflows.paid_invoices import (
    DEFAULT_MAPPING,
    FIELDS,
    NotPaid,
    invoice_from_json,
    invoice_to_json,
    is_reopened,
    mapping_of,
    properties_from,
    reason_to_skip,
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


@pytest.mark.parametrize("known", [None, seen("PAID")])
def test_a_bill_is_skipped_as_one_whether_it_is_paid_or_not(known: SourceState | None) -> None:
    for status in ("PAID", "AUTHORISED"):
        assert reason_to_skip(replace(INVOICE, type="ACCPAY", status=status), known) is NotPaid.BILL


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "AUTHORISED", "VOIDED", "DELETED"])
def test_an_invoice_that_is_not_paid_is_skipped(status: str) -> None:
    assert reason_to_skip(replace(INVOICE, status=status), None) is NotPaid.OPEN


def test_an_invoice_became_paid_unless_that_was_acted_on_already() -> None:
    assert reason_to_skip(INVOICE, None) is None
    assert reason_to_skip(INVOICE, seen("AUTHORISED")) is None
    assert reason_to_skip(INVOICE, seen("PAID")) is NotPaid.KNOWN


def test_an_invoice_is_reopened_when_it_was_paid_is_no_more_and_the_news_is_not_old() -> None:
    opened = replace(INVOICE, status="AUTHORISED", updated_at=NOON + timedelta(seconds=1))
    assert is_reopened(opened, seen("PAID"))
    assert not is_reopened(opened, None)
    assert not is_reopened(opened, seen("AUTHORISED"))
    assert not is_reopened(INVOICE, seen("PAID"))
    assert not is_reopened(replace(opened, updated_at=NOON - timedelta(seconds=1)), seen("PAID"))


def test_a_reopened_invoice_that_is_paid_again_became_paid() -> None:
    opened = replace(INVOICE, status="AUTHORISED")
    assert reason_to_skip(INVOICE, state_of(opened)) is None


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
        "status": "PAID",
        "number": "INV-00001",
        "id": INVOICE.id,
        "total": "1401.40",
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
