"""What an order's refunds become in the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workflows.orders import make_order, make_refund, make_refund_line, money
from zixly_core.connection_settings import PaidOrders
from zixly_core.systems.shopify.orders import Order
from zixly_core.workflows.refunds import Credit, credits_of

pytestmark = pytest.mark.unit
BRISBANE = ZoneInfo("Australia/Brisbane")


def credited(order: Order) -> list[Credit]:
    return credits_of(order, PaidOrders(shipping_account_code="260"), zone=BRISBANE)


def total(credit: Credit) -> Decimal:
    assert credit.draft.line_amount_types == "Inclusive"
    return sum((line.unit_amount for line in credit.draft.lines), Decimal(0))


def test_a_refund_becomes_a_credit_note_under_a_number_of_its_own() -> None:
    (credit,) = credited(make_order(refunds=(make_refund(91, lines=[make_refund_line()], tax="10.00"),)))
    assert (credit.draft.number, credit.refund_id, credit.amount, credit.is_paid_out) == ("SH-1001-R91", "91", money("110.00"), True)
    (line,) = credit.draft.lines
    assert (line.description, line.unit_amount, line.tax_type) == ("1 x Board 1", money("110.00"), "OUTPUT")


def test_tax_beside_the_prices_goes_into_the_lines() -> None:
    refund = make_refund(amount="110.00", lines=[make_refund_line(subtotal="100.00", tax="10.00")], tax="10.00")
    (credit,) = credited(make_order(taxes_included=False, refunds=(refund,)))
    assert [line.unit_amount for line in credit.draft.lines] == [money("110.00")]


def test_shipping_goes_back_to_the_account_of_shipping() -> None:
    refund = make_refund(amount="121.00", shipping="11.00", tax="11.00", lines=[make_refund_line()])
    (credit,) = credited(make_order(refunds=(refund,)))
    assert [(line.description, line.unit_amount, line.account_code) for line in credit.draft.lines][1] == (
        "Shipping",
        money("11.00"),
        "260",
    )


def test_an_agreed_amount_without_lines_bears_tax_as_the_order_does() -> None:
    taxed, free = make_order(refunds=(make_refund(amount="5.00"),)), make_order(refunds=(make_refund(amount="5.00"),), tax=money("0"))
    assert [credited(one)[0].draft.lines[0].tax_type for one in (taxed, free)] == ["OUTPUT", "EXEMPTOUTPUT"]
    assert credited(taxed)[0].draft.lines[0].description == "Refund of order #1001"


def test_what_was_kept_back_lowers_the_credit() -> None:
    (credit,) = credited(make_order(refunds=(make_refund(amount="100.00", lines=[make_refund_line()], tax="10.00"),)))
    assert [line.unit_amount for line in credit.draft.lines] == [money("110.00"), money("-10.00")]
    assert credit.amount == money("100.00")


def test_lines_taken_off_before_payment_are_set_off_against_the_invoice() -> None:
    (credit,) = credited(make_order(refunds=(make_refund(amount="0", lines=[make_refund_line()], tax="10.00"),)))
    assert (credit.is_paid_out, credit.amount) == (False, money("110.00"))


def test_a_refund_of_nothing_leaves_no_trace() -> None:
    assert credited(make_order(refunds=(make_refund(amount="0"),))) == []


def test_refunds_are_credited_oldest_first_and_dated_where_the_client_company_is() -> None:
    late = replace(make_refund(1), created_at=datetime(2026, 11, 23, 20, tzinfo=UTC))
    first, second = credited(make_order(refunds=(late, make_refund(2))))
    assert [first.refund_id, second.refund_id] == ["2", "1"]
    assert second.date.isoformat() == "2026-11-24"


AMOUNTS = st.integers(0, 50_000).map(lambda cents: str(Decimal(cents) / 100))


@given(AMOUNTS, AMOUNTS, st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=4), st.booleans())
def test_whatever_was_refunded_the_lines_come_to_it(amount: str, shipping: str, lines: list[tuple[str, str]], is_included: bool) -> None:
    refunded = [make_refund_line(number, subtotal=subtotal, tax=tax) for number, (subtotal, tax) in enumerate(lines)]
    tax = str(sum((line.tax for line in refunded), Decimal(0)))
    order = make_order(taxes_included=is_included, refunds=(make_refund(amount=amount, shipping=shipping, tax=tax, lines=refunded),))
    for credit in credited(order):
        assert total(credit) == credit.amount
        assert credit.amount > 0
