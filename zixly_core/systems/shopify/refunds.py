"""Refunds of orders as values (shopify.dev/docs/api/admin-graphql/latest/objects/Refund). Money is in the shop's currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from zixly_core.systems.shopify.fields import (
    moment_of,
    money_of,
    nodes_of,
    object_of,
    optional_text,
    plain_id,
    text_of,
    total_of,
    unexpected,
)


@dataclass(frozen=True)
class RefundLine:
    """Units of an order's line that were given back; `subtotal` is after discounts."""

    line_id: str
    title: str = field(repr=False)
    sku: str | None
    quantity: int
    subtotal: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Refund:
    """A refund. `amount` is the money that went back, which may be other than what its lines and shipping come to; `tax` is the
    tax of lines and shipping together, `shipping` the refunded shipping before tax."""

    id: str
    created_at: datetime
    amount: Decimal
    tax: Decimal
    shipping: Decimal
    lines: tuple[RefundLine, ...]


def refund_from(source: Mapping[str, Any], *, lines: Sequence[Mapping[str, Any]]) -> Refund:
    """A refund with all its lines. Raises `Permanent` (`unexpected_answer`)."""
    shipping = nodes_of(source, "refundShippingLines")
    at = "createdAt" if source.get("createdAt") else "processedAt"
    return Refund(
        id=plain_id(text_of(source, "id")),
        created_at=moment_of(source, at),
        amount=money_of(source, "totalRefundedSet"),
        tax=total_of(lines, "totalTaxSet") + total_of(shipping, "taxAmountSet"),
        shipping=total_of(shipping, "subtotalAmountSet"),
        lines=tuple(refund_line_from(line) for line in lines),
    )


def refund_line_from(source: Mapping[str, Any]) -> RefundLine:
    line, quantity = object_of(source.get("lineItem"), what="lineItem"), source.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        raise unexpected("quantity")
    return RefundLine(
        line_id=plain_id(text_of(line, "id")),
        title=optional_text(line, "title") or "",
        sku=optional_text(line, "sku"),
        quantity=quantity,
        subtotal=money_of(source, "subtotalSet"),
        tax=money_of(source, "totalTaxSet"),
    )
