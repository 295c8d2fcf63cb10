"""Orders of a shop for tests: a valid one, of which a test writes down only what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from zixly_core.systems.shopify.orders import Order, OrderCustomer, OrderLine, OrderTransaction
from zixly_core.systems.shopify.refunds import Refund, RefundLine

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def money(text: str) -> Decimal:
    return Decimal(text)


def make_line(number: int = 1, *, price: str = "110.00", quantity: int = 1, discount: str = "0", tax: str = "10.00") -> OrderLine:
    return OrderLine(
        id=str(number),
        title=f"Board {number}",
        sku=f"B-{number}",
        quantity=quantity,
        unit_price=money(price),
        discount=money(discount),
        tax=money(tax),
    )


def make_transaction(number: int = 1, *, amount: str = "110.00", kind: str = "SALE", status: str = "SUCCESS") -> OrderTransaction:
    return OrderTransaction(
        id=str(number),
        kind=kind,
        status=status,
        gateway="shopify_payments",
        amount=money(amount),
        currency="AUD",
        processed_at=NOON,
        authorization=f"pay-{number}",
    )


def make_refund(number: int = 1, *, amount: str = "110.00", tax: str = "0", shipping: str = "0", lines: Any = ()) -> Refund:
    return Refund(str(number), created_at=NOON, amount=money(amount), tax=money(tax), shipping=money(shipping), lines=tuple(lines))


def make_refund_line(number: int = 1, *, subtotal: str = "110.00", tax: str = "10.00", quantity: int = 1) -> RefundLine:
    return RefundLine(str(number), f"Board {number}", f"B-{number}", quantity, money(subtotal), money(tax))


def make_order(**overrides: Any) -> Order:
    """A paid order of one line, tax included in the price."""
    values: dict[str, Any] = {
        "id": "5550001",
        "gid": "gid://shopify/Order/5550001",
        "name": "#1001",
        "email": "Ada@Example.test",
        "customer": OrderCustomer("77", "ada@example.test", "Ada", "Lovelace"),
        "currency": "AUD",
        "total": money("110.00"),
        "subtotal": money("110.00"),
        "tax": money("10.00"),
        "shipping": money("0"),
        "discounts": money("0"),
        "taxes_included": True,
        "financial_status": "PAID",
        "cancelled_at": None,
        "lines": (make_line(),),
        "transactions": (make_transaction(),),
        "refunds": (),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Order(**{**values, **overrides})
