"""What stands in an order's invoice: to the cent the order's total, in whatever way Xero rounds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workflows.orders import make_line, make_order, money
from zixly_core.connection_settings import PaidOrders
from zixly_core.errors import Permanent
from zixly_core.systems.shopify.orders import Order, OrderLine
from zixly_core.workflows.drafts import Draft
from zixly_core.workflows.order_invoices import draft_of

pytestmark = pytest.mark.unit
BRISBANE = ZoneInfo("Australia/Brisbane")
TEN = Decimal(10)
CENT = Decimal("0.01")
SETTINGS = PaidOrders()


def drafted(order: Order, *, settings: PaidOrders = SETTINGS, percent: Decimal | None = TEN) -> Draft:
    return draft_of(order, settings, zone=BRISBANE, tax_percent=percent, url="https://shop.example.test/admin/orders/1")


def xero_total(draft: Draft, *, rounding: str) -> Decimal:
    """What Xero makes of the lines: each rounded to the cent, and the tax of each where it is not inside."""
    total = Decimal(0)
    for line in draft.lines:
        amount = line.quantity * line.unit_amount * (1 - (line.discount_rate or Decimal(0)) / 100)
        assert amount == amount.quantize(CENT), "a line's amount needs no rounding"
        total += amount
        if draft.line_amount_types == "Exclusive" and line.tax_type == SETTINGS.tax_type:
            total += (amount * TEN / 100).quantize(CENT, rounding)
    return total


def test_prices_with_tax_go_as_they_are() -> None:
    draft = drafted(make_order())
    (line,) = draft.lines
    assert (draft.line_amount_types, draft.status, draft.currency) == ("Inclusive", "AUTHORISED", "AUD")
    assert (line.quantity, line.unit_amount, line.account_code, line.tax_type) == (Decimal(1), money("110.00"), "200", "OUTPUT")
    assert line.description == "Board 1 (B-1)"


def test_number_reference_and_link_lead_back_to_the_order() -> None:
    draft = drafted(make_order())
    assert (draft.number, draft.reference) == ("SH-1001", "Shopify order #1001 (5550001)")
    assert draft.url == "https://shop.example.test/admin/orders/1"


def test_an_invoice_is_dated_and_due_on_the_day_of_the_order_where_the_client_company_is() -> None:
    draft = drafted(make_order(created_at=datetime(2026, 11, 22, 20, tzinfo=UTC)))
    assert (draft.date, draft.due_date) == (date(2026, 11, 23), date(2026, 11, 23))


def test_prices_without_tax_go_as_they_are_where_xero_gets_the_same_tax() -> None:
    order = make_order(taxes_included=False, lines=(make_line(price="100.00", tax="10.00"),), total=money("110.00"))
    draft = drafted(order)
    assert (draft.line_amount_types, draft.lines[0].unit_amount) == ("Exclusive", money("100.00"))


def test_prices_without_tax_go_with_it_where_xero_would_round_otherwise() -> None:
    lines = (make_line(1, price="0.33", tax="0.04"), make_line(2, price="0.33", tax="0.03"), make_line(3, price="0.33", tax="0.03"))
    order = make_order(taxes_included=False, lines=lines, tax=money("0.10"), total=money("1.09"))
    assert drafted(order).line_amount_types == "Inclusive"
    assert xero_total(drafted(order), rounding=ROUND_HALF_UP) == order.total


@pytest.mark.parametrize("total", ["110.01", "109.99"])
def test_a_cent_that_shopifys_own_rounding_left_is_a_line(total: str) -> None:
    order = make_order(total=money(total))
    assert drafted(order).lines[-1].description == "Rounding"
    assert xero_total(drafted(order), rounding=ROUND_HALF_UP) == order.total


def test_half_a_cent_is_never_left_to_xero() -> None:
    order = make_order(taxes_included=False, lines=(make_line(price="0.25", tax="0.03"),), tax=money("0.03"), total=money("0.28"))
    assert drafted(order).line_amount_types == "Inclusive"


def test_a_discount_is_a_percentage_where_that_is_exact_and_a_line_of_its_own_otherwise() -> None:
    plain = make_order(lines=(make_line(discount="11.00", tax="9.00"),), discounts=money("11"), tax=money("9"), total=money("99"))
    (line,) = drafted(plain).lines
    assert line.discount_rate == money("10.00")
    odd = make_order(lines=(make_line(discount="7.77", tax="9.29"),), discounts=money("7.77"), tax=money("9.29"), total=money("102.23"))
    first, second = drafted(odd).lines
    assert (first.discount_rate, second.unit_amount, second.description) == (None, money("-7.77"), "Discount on Board 1 (B-1)")
    assert second.tax_type == first.tax_type


def test_shipping_has_its_own_account_and_its_own_discount() -> None:
    order = make_order(shipping=money("11.00"), discounts=money("11.00"), total=money("110.00"))
    shipping = drafted(order, settings=PaidOrders(shipping_account_code="260")).lines[1]
    assert (shipping.description, shipping.account_code, shipping.discount_rate) == ("Shipping", "260", money("100.00"))


def test_what_bears_no_tax_gets_the_tax_type_for_that() -> None:
    order = make_order(lines=(make_line(1), make_line(2, price="40.00", tax="0")), total=money("150.00"))
    assert [line.tax_type for line in drafted(order).lines] == ["OUTPUT", "EXEMPTOUTPUT"]


def test_a_tip_is_a_line_of_its_own_and_free_of_tax() -> None:
    tip = drafted(make_order(total=money("115.00"))).lines[-1]
    assert (tip.description, tip.unit_amount, tip.tax_type) == ("Tips, duties and fees", money("5.00"), "EXEMPTOUTPUT")


def test_lines_that_come_to_more_than_the_total_are_left_to_a_person() -> None:
    with pytest.raises(Permanent) as raised:
        drafted(make_order(total=money("100.00")))
    assert raised.value.reason == "total_mismatch"


@pytest.mark.parametrize("is_included", [True, False])
def test_tax_of_another_country_is_not_booked_as_ours(is_included: bool) -> None:
    line = make_line(price="100.00", tax="20.00" if not is_included else "16.67")
    total = money("100.00") if is_included else money("120.00")
    with pytest.raises(Permanent) as raised:
        drafted(make_order(taxes_included=is_included, lines=(line,), tax=line.tax, total=total))
    assert raised.value.reason == "tax_mismatch"


def test_a_tax_type_that_xero_does_not_know_is_named() -> None:
    with pytest.raises(Permanent, match="OUTPUT") as raised:
        drafted(make_order(), percent=None)
    assert raised.value.reason == "unknown_tax_type"


def test_an_order_without_tax_needs_no_rate() -> None:
    order = make_order(lines=(make_line(tax="0"),), tax=money("0"))
    assert drafted(order, percent=None).lines[0].tax_type == "EXEMPTOUTPUT"


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Orders as Shopify makes them: tax rounded line by line, in prices or beside them, discounts of any size, shipping."""
    is_included = draw(st.booleans())
    cents = st.integers(0, 30_000)
    lines: list[OrderLine] = []
    for number in range(draw(st.integers(1, 6))):
        price, quantity = Decimal(draw(cents)) / 100, draw(st.integers(1, 40))
        discount = (price * quantity * draw(st.integers(0, 100)) / 100).quantize(CENT, ROUND_DOWN)
        taxed = price * quantity - discount
        tax = (taxed / 11 if is_included else taxed / 10).quantize(CENT, ROUND_HALF_UP) if draw(st.booleans()) else Decimal(0)
        lines.append(make_line(number, price=str(price), quantity=quantity, discount=str(discount), tax=str(tax)))
    shipping = Decimal(draw(cents)) / 100
    shipping_tax = (shipping / 11 if is_included else shipping / 10).quantize(CENT, ROUND_HALF_UP)
    subtotal = sum((one.unit_price * one.quantity - one.discount for one in lines), Decimal(0))
    tax = sum((one.tax for one in lines), shipping_tax)
    return make_order(
        taxes_included=is_included,
        lines=tuple(lines),
        shipping=shipping,
        discounts=sum((one.discount for one in lines), Decimal(0)),
        subtotal=subtotal,
        tax=tax,
        total=subtotal + shipping + (Decimal(0) if is_included else tax) + Decimal(draw(st.integers(0, 500))) / 100,
    )


@given(orders(), st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]))
def test_whatever_the_order_the_invoice_comes_to_its_total(order: Order, rounding: str) -> None:
    assert xero_total(drafted(order), rounding=rounding) == order.total
