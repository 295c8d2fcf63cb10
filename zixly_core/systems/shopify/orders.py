"""Orders of a shop as values (shopify.dev/docs/api/admin-graphql/latest/objects/Order). Money is in the shop's currency, which
`currency` names, whatever the customer paid in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from zixly_core.systems.shopify.fields import (
    currency_of,
    moment_of,
    money_of,
    nodes_of,
    object_of,
    objects_of,
    optional_moment,
    optional_text,
    plain_id,
    text_of,
    total_of,
    unexpected,
)
from zixly_core.systems.shopify.refunds import Refund


@dataclass(frozen=True)
class OrderCustomer:
    id: str
    email: str | None = field(repr=False)
    first_name: str | None = field(repr=False)
    last_name: str | None = field(repr=False)


@dataclass(frozen=True)
class OrderLine:
    """A line as it was ordered, refunded units included. `discount` and `tax` are those of the whole line; the discount includes its
    share of what was taken off the order."""

    id: str
    title: str = field(repr=False)
    sku: str | None
    quantity: int
    unit_price: Decimal
    discount: Decimal
    tax: Decimal


@dataclass(frozen=True)
class OrderTransaction:
    """Money that moved, or tried to: `kind` is SALE, CAPTURE, REFUND, AUTHORIZATION, VOID..., `status` SUCCESS, FAILURE, PENDING...
    `authorization` is the gateway's own id of the payment."""

    id: str
    kind: str
    status: str
    gateway: str
    amount: Decimal
    currency: str
    processed_at: datetime | None
    authorization: str | None


@dataclass(frozen=True)
class Order:
    """An order in its present state. Totals are before returns; `subtotal` is after discounts, and with `taxes_included` holds the
    tax as prices do. `id` is the number that webhooks tell, `name` what people see (`#1001`); a
    test order moved no money."""

    id: str
    gid: str
    name: str
    email: str | None = field(repr=False)
    customer: OrderCustomer | None
    currency: str
    total: Decimal
    subtotal: Decimal
    tax: Decimal
    shipping: Decimal
    discounts: Decimal
    taxes_included: bool
    financial_status: str
    cancelled_at: datetime | None
    lines: tuple[OrderLine, ...]
    transactions: tuple[OrderTransaction, ...]
    refunds: tuple[Refund, ...]
    created_at: datetime
    updated_at: datetime
    phone: str | None = field(default=None, repr=False)
    is_test: bool = False


@dataclass(frozen=True)
class OrderChange:
    """That an order changed."""

    id: str
    updated_at: datetime


def order_from(source: Mapping[str, Any], *, lines: Sequence[Mapping[str, Any]], refunds: Sequence[Refund]) -> Order:
    """An order with all its lines and refunds. Raises `Permanent` (`unexpected_answer`) naming the field, never its value."""
    gid = text_of(source, "id")
    return Order(
        id=plain_id(gid),
        gid=gid,
        name=text_of(source, "name"),
        email=optional_text(source, "email"),
        customer=customer_from(source.get("customer")),
        currency=text_of(source, "currencyCode"),
        total=money_of(source, "totalPriceSet"),
        subtotal=money_of(source, "subtotalPriceSet"),
        tax=money_of(source, "totalTaxSet"),
        shipping=money_of(source, "totalShippingPriceSet"),
        discounts=money_of(source, "totalDiscountsSet"),
        taxes_included=source.get("taxesIncluded") is True,
        financial_status=(optional_text(source, "displayFinancialStatus") or "").upper(),
        cancelled_at=optional_moment(source, "cancelledAt"),
        lines=tuple(line_from(line) for line in lines),
        transactions=tuple(transaction_from(one) for one in objects_of(source, "transactions")),
        refunds=tuple(sorted(refunds, key=lambda refund: (refund.created_at, refund.id))),
        created_at=moment_of(source, "createdAt"),
        updated_at=moment_of(source, "updatedAt"),
        phone=optional_text(source, "phone"),
        is_test=source.get("test") is True,
    )


def customer_from(item: object) -> OrderCustomer | None:
    if item is None:
        return None
    source = object_of(item, what="a customer")
    address = source.get("defaultEmailAddress")
    return OrderCustomer(
        id=plain_id(text_of(source, "id")),
        email=optional_text(address, "emailAddress") if isinstance(address, dict) else None,
        first_name=optional_text(source, "firstName"),
        last_name=optional_text(source, "lastName"),
    )


def line_from(source: Mapping[str, Any]) -> OrderLine:
    quantity = source.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        raise unexpected("quantity")
    return OrderLine(
        id=plain_id(text_of(source, "id")),
        title=optional_text(source, "title") or "",
        sku=optional_text(source, "sku"),
        quantity=quantity,
        unit_price=money_of(source, "originalUnitPriceSet"),
        discount=total_of(objects_of(source, "discountAllocations"), "allocatedAmountSet"),
        tax=total_of(objects_of(source, "taxLines"), "priceSet"),
    )


def transaction_from(source: Mapping[str, Any]) -> OrderTransaction:
    return OrderTransaction(
        id=plain_id(text_of(source, "id")),
        kind=text_of(source, "kind").upper(),
        status=text_of(source, "status").upper(),
        gateway=optional_text(source, "gateway") or "",
        amount=money_of(source, "amountSet"),
        currency=currency_of(source, "amountSet"),
        processed_at=optional_moment(source, "processedAt"),
        authorization=optional_text(source, "paymentId"),
    )


def change_from(source: Mapping[str, Any]) -> OrderChange:
    return OrderChange(plain_id(text_of(source, "id")), moment_of(source, "updatedAt"))


def node_ids(source: Mapping[str, Any], name: str) -> list[str]:
    """The gids in a plain list of objects."""
    return [text_of(one, "id") for one in objects_of(source, name)]


def lines_in(source: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return nodes_of(source, "lineItems")
