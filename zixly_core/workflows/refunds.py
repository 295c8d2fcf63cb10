"""What `shopify-order-to-xero` makes of the refunds of an order: a credit note each, and where its money goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from zixly_core.connection_settings import PaidOrders
from zixly_core.systems.shopify.orders import Order
from zixly_core.systems.shopify.refunds import Refund
from zixly_core.workflows.drafts import Draft, DraftLine
from zixly_core.workflows.order_invoices import MAX_DESCRIPTION, ZERO
from zixly_core.workflows.paid_orders import number_of


@dataclass(frozen=True)
class Credit:
    """A credit note to be made. `is_paid_out`: the money went back to the customer; otherwise it settles what the invoice is
    still short of, or stays open as the customer's credit."""

    refund_id: str
    draft: Draft
    amount: Decimal
    is_paid_out: bool
    date: date
    reference: str = field(repr=False)


def credits_of(order: Order, settings: PaidOrders, *, zone: ZoneInfo) -> list[Credit]:
    """A credit note for each refund that is worth anything, oldest first."""
    refunds = sorted(order.refunds, key=lambda one: (one.created_at, one.id))
    return [credit_of(order, refund, settings, zone=zone) for refund in refunds if worth_of(order, refund)]


def credit_of(order: Order, refund: Refund, settings: PaidOrders, *, zone: ZoneInfo) -> Credit:
    day = refund.created_at.astimezone(zone).date()
    amount = worth_of(order, refund)
    draft = Draft(
        number=f"{number_of(order, settings)}-R{refund.id}",
        date=day,
        due_date=None,
        currency=order.currency,
        reference=f"Refund {refund.id} of Shopify order {order.name}",
        status="AUTHORISED",
        line_amount_types="Inclusive",
        lines=tuple(lines_of(order, refund, settings, amount=amount)),
    )
    return Credit(refund.id, draft, amount, bool(refund.amount), day, f"Shopify refund {refund.id}")


def worth_of(order: Order, refund: Refund) -> Decimal:
    """What a refund takes off the customer's account: the money that went back, or, where none did, the lines that were given
    back."""
    return refund.amount or sum(line_amounts(order, refund), ZERO)


def line_amounts(order: Order, refund: Refund) -> list[Decimal]:
    """The lines' amounts with their tax."""
    return [line.subtotal + (ZERO if order.taxes_included else line.tax) for line in refund.lines]


def lines_of(order: Order, refund: Refund, settings: PaidOrders, *, amount: Decimal) -> list[DraftLine]:
    """The refunded lines and shipping, tax inside, and what was agreed beyond them or kept back. Together they are `amount`; what
    is agreed bears tax where the order does."""
    lines = [
        credit_line(f"{line.quantity} x {line.title}", value, settings, is_taxed=bool(line.tax))
        for line, value in zip(refund.lines, line_amounts(order, refund), strict=True)
        if value
    ]
    if refund.shipping:
        tax = refund.tax - sum((line.tax for line in refund.lines), ZERO)
        value = refund.shipping + (ZERO if order.taxes_included else tax)
        lines.append(credit_line("Shipping", value, settings, is_taxed=bool(tax), account=settings.shipping_account_code))
    rest = amount - sum((line.unit_amount for line in lines), ZERO)
    if rest:
        words = "Adjustment" if lines else f"Refund of order {order.name}"
        lines.append(credit_line(words, rest, settings, is_taxed=bool(order.tax)))
    return lines


def credit_line(words: str, amount: Decimal, settings: PaidOrders, *, is_taxed: bool, account: str | None = None) -> DraftLine:
    return DraftLine(
        description=words[:MAX_DESCRIPTION],
        quantity=Decimal(1),
        unit_amount=amount,
        account_code=account or settings.account_code,
        tax_type=settings.tax_type if is_taxed else settings.exempt_tax_type,
    )
