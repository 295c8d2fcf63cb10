"""Xero's JSON read into values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.errors import Permanent
from zixly_core.systems.xero.contacts import contact_from
from zixly_core.systems.xero.fields import instant_from
from zixly_core.systems.xero.invoices import invoice_from


def invoice_json(**overrides: Any) -> dict[str, Any]:
    return {
        "Type": "ACCREC",
        "InvoiceID": "8694C9C5-7097-4449-a708-b8c1982921a4",
        "InvoiceNumber": "INV-0042",
        "Status": "PAID",
        "Contact": {"ContactID": "430fa14a-f945-44d3-9f97-5df5e28441b8", "Name": "Ada Lovelace"},
        "CurrencyCode": "AUD",
        "Total": 1250.1,
        "AmountDue": 0.0,
        "AmountPaid": 1250.1,
        "FullyPaidOnDate": "/Date(1795305600000+0000)/",
        "UpdatedDateUTC": "/Date(1795341845160+0000)/",
        **overrides,
    }


def test_an_invoice_is_read_with_exact_money_aware_dates_and_ids_in_lower_case() -> None:
    invoice = invoice_from(invoice_json())
    assert invoice.id == "8694c9c5-7097-4449-a708-b8c1982921a4"
    assert (invoice.number, invoice.currency, invoice.type) == ("INV-0042", "AUD", "ACCREC")
    assert (invoice.total, invoice.amount_due) == (Decimal("1250.1"), Decimal(0))
    assert invoice.fully_paid_on == date(2026, 11, 22)
    assert invoice.updated_at == datetime(2026, 11, 22, 10, 4, 5, 160_000, tzinfo=UTC)
    assert invoice.is_paid
    assert invoice.is_sale


def test_an_open_bill_without_number_or_payment_date_is_read_too() -> None:
    source = invoice_json(Type="ACCPAY", Status="authorised")
    del source["FullyPaidOnDate"], source["InvoiceNumber"], source["AmountPaid"]
    bill = invoice_from(source)
    assert (bill.number, bill.fully_paid_on, bill.amount_paid) == ("", None, Decimal(0))
    assert not bill.is_paid
    assert not bill.is_sale


def test_an_address_that_was_not_told_is_not_the_same_as_none() -> None:
    assert contact_from({"ContactID": "C1"}).email is None
    assert contact_from({"ContactID": "C1", "EmailAddress": ""}).email == ""
    assert contact_from({"ContactID": "C1", "EmailAddress": " a@b.test "}).email == "a@b.test"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("/Date(1541176290160+0000)/", datetime(2018, 11, 2, 16, 31, 30, 160_000, tzinfo=UTC)),
        ("/Date(1541176290160+1000)/", datetime(2018, 11, 2, 16, 31, 30, 160_000, tzinfo=UTC)),
        ("/Date(1541176290160)/", datetime(2018, 11, 2, 16, 31, 30, 160_000, tzinfo=UTC)),
        ("/Date(-86400000+0000)/", datetime(1969, 12, 31, tzinfo=UTC)),
        ("2026-11-22T10:04:05.160", datetime(2026, 11, 22, 10, 4, 5, 160_000, tzinfo=UTC)),
        ("2026-11-22T20:04:05+10:00", datetime(2026, 11, 22, 10, 4, 5, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_both_forms_of_dates_are_moments_in_utc(text: str, moment: datetime) -> None:
    assert instant_from(text) == moment
    assert instant_from(text).tzinfo is UTC


@given(cents=st.integers(min_value=-99_999_999_999_999, max_value=99_999_999_999_999))
def test_money_keeps_every_cent(cents: int) -> None:
    amount = Decimal(cents) / 100
    document = orjson.loads(orjson.dumps({"Total": float(amount)}))
    assert invoice_from(invoice_json(Total=document["Total"])).total == amount


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        invoice_json(InvoiceID=None),
        invoice_json(Type="ARCREDIT"),
        invoice_json(Status=3),
        invoice_json(Total="12.5"),
        invoice_json(Total=True),
        invoice_json(Contact=None),
        invoice_json(UpdatedDateUTC=None),
        invoice_json(UpdatedDateUTC="/Date(999999999999999)/"),
        invoice_json(UpdatedDateUTC="soon"),
    ],
)
def test_an_invoice_of_unknown_shape_is_a_permanent_error_without_its_values(broken: object) -> None:
    with pytest.raises(Permanent) as failure:
        invoice_from(broken)
    assert failure.value.reason == "unexpected_answer"
    assert "Ada" not in str(failure.value)


@given(value=st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=3))
def test_no_value_in_any_field_raises_anything_but_our_error(value: object) -> None:
    for name in invoice_json():
        try:
            invoice_from(invoice_json(**{name: value}))
        except Permanent as error:
            assert error.reason == "unexpected_answer"  # noqa: PT017
