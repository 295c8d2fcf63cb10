"""What stands in the invoice of an order. Its total equals the order's to the cent, whatever Xero's own rounding is.

- Prices that include tax go as they are (`Inclusive`): no tax that Xero works out can change the total.
- Prices without tax go as they are (`Exclusive`) where Xero's tax on each line is Shopify's to the cent. Where it is not, the
  same lines go with Shopify's tax inside their amounts (`Inclusive`).
- Lines with tax get the connection's tax type, the others its tax type for what is exempt. An order whose tax is another share
  than that of the tax type fails: a person has to say how it is booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from zixly_core.connection_settings import PaidOrders
from zixly_core.errors import Permanent
from zixly_core.systems.shopify.orders import Order, OrderLine
from zixly_core.workflows.drafts import Draft, DraftLine
from zixly_core.workflows.paid_orders import number_of

CENT = Decimal("0.01")
HUNDRED = Decimal(100)
ZERO = Decimal(0)
MAX_DESCRIPTION = 4000  # of characters in a line of Xero


@dataclass(frozen=True)
class Item:
    """A line to be: `quantity` times `unit_price` less `discount`, in the order's own prices, and the tax that Shopify took."""

    title: str = field(repr=False)
    quantity: int
    unit_price: Decimal
    discount: Decimal
    tax: Decimal
    account_code: str

    @property
    def amount(self) -> Decimal:
        return self.unit_price * self.quantity - self.discount


def draft_of(order: Order, settings: PaidOrders, *, zone: ZoneInfo, tax_percent: Decimal | None, url: str | None) -> Draft:
    """The invoice of the order, dated on the day it was placed where the client company is.

    `tax_percent` is the rate of the settings' tax type in Xero; None: Xero has no such type. Raises `Permanent` for an order whose
    tax or total cannot be booked as it stands.
    """
    items = items_of(order, settings)
    is_inclusive = order.taxes_included or not is_taxed_alike(items, tax_percent=tax_percent)
    check_tax(items, order, tax_percent=tax_percent, settings=settings)
    lines = [line for item in items for line in lines_of(item, settings, with_tax=is_inclusive and not order.taxes_included)]
    day = order.created_at.astimezone(zone).date()
    return Draft(
        number=number_of(order, settings),
        date=day,
        due_date=day,
        currency=order.currency,
        reference=f"Shopify order {order.name} ({order.id})",
        status="AUTHORISED",
        line_amount_types="Inclusive" if is_inclusive else "Exclusive",
        lines=tuple(lines),
        url=url,
    )


def items_of(order: Order, settings: PaidOrders) -> list[Item]:
    """The order's lines, its shipping, what else it was reduced by, what else was charged, and cents that Shopify's own rounding
    left. Raises `Permanent` where they come to more than the order's total."""
    items = [item_from(line, settings) for line in order.lines if line.quantity]
    lines_tax = sum((line.tax for line in order.lines), ZERO)
    elsewhere = max(order.discounts - sum((line.discount for line in order.lines), ZERO), ZERO)
    if order.shipping:
        off = min(elsewhere, order.shipping)
        items.append(
            Item("Shipping", 1, order.shipping, off, order.tax - lines_tax, settings.shipping_account_code or settings.account_code)
        )
        elsewhere -= off
    if elsewhere:
        items.append(Item("Discount", 1, -elsewhere, ZERO, ZERO, settings.account_code))
    rest = order.total - sum((item.amount for item in items), ZERO) - (ZERO if order.taxes_included else tax_of(items))
    if rest < -CENT * len(items):
        text = f"The lines of order {order.id} come to {-rest} more than its total; book it by hand, or correct it in Shopify."
        raise Permanent(text, reason="total_mismatch")
    if rest:
        words = "Tips, duties and fees" if rest > CENT * len(items) else "Rounding"
        items.append(Item(words, 1, rest, ZERO, ZERO, settings.account_code))
    return items


def tax_of(items: Sequence[Item]) -> Decimal:
    return sum((item.tax for item in items), ZERO)


def item_from(line: OrderLine, settings: PaidOrders) -> Item:
    title = f"{line.title} ({line.sku})" if line.sku else line.title
    return Item(title, line.quantity, line.unit_price, line.discount, line.tax, settings.account_code)


def lines_of(item: Item, settings: PaidOrders, *, with_tax: bool) -> list[DraftLine]:
    """The lines of an item: one, and one for a discount that is no plain percentage."""
    if with_tax and item.tax:
        words = f"{item.quantity} x {item.title}" if item.quantity > 1 else item.title
        return [line_of(item, settings, words, Decimal(1), item.amount + item.tax)]
    rate = percentage_of(item)
    first = line_of(item, settings, item.title, Decimal(item.quantity), item.unit_price, discount_rate=rate)
    if not item.discount or rate is not None:
        return [first]
    return [first, line_of(item, settings, f"Discount on {item.title}", Decimal(1), -item.discount)]


def line_of(
    item: Item, settings: PaidOrders, words: str, quantity: Decimal, amount: Decimal, *, discount_rate: Decimal | None = None
) -> DraftLine:
    return DraftLine(
        description=words[:MAX_DESCRIPTION],
        quantity=quantity,
        unit_amount=amount,
        account_code=item.account_code,
        tax_type=settings.tax_type if item.tax else settings.exempt_tax_type,
        discount_rate=discount_rate,
    )


def percentage_of(item: Item) -> Decimal | None:
    """The discount in percent, where two decimal places say it exactly; None where they do not, or there is none."""
    full = item.unit_price * item.quantity
    if not item.discount or not full:
        return None
    rate = (item.discount * HUNDRED / full).quantize(CENT)
    return rate if rate * full == item.discount * HUNDRED else None


def is_taxed_alike(items: Sequence[Item], *, tax_percent: Decimal | None) -> bool:
    """Whether Xero, which rounds the tax of each line, gets Shopify's tax to the cent. Half a cent may be rounded either way."""
    taxed = [item for item in items if item.tax]
    if not taxed:
        return True
    if tax_percent is None:
        return False
    exact = [item.amount * tax_percent / HUNDRED for item in taxed if percentage_of(item) is not None or not item.discount]
    is_clear = all((one / CENT) % 1 != Decimal("0.5") for one in exact)
    rounded = sum((one.quantize(CENT, ROUND_HALF_UP) for one in exact), ZERO)
    return len(exact) == len(taxed) and is_clear and rounded == tax_of(items)


def check_tax(items: Sequence[Item], order: Order, *, tax_percent: Decimal | None, settings: PaidOrders) -> None:
    """Raises `Permanent` where the order's tax is not that of the tax type: more than a cent a line apart."""
    taxed = [item for item in items if item.tax]
    if not taxed:
        return
    if tax_percent is None:
        text = f"Xero has no tax type {settings.tax_type}; name one of the organisation's in the connection's settings."
        raise Permanent(text, reason="unknown_tax_type")
    base = HUNDRED + tax_percent if order.taxes_included else HUNDRED
    expected = sum((item.amount * tax_percent / base for item in taxed), ZERO)
    if abs(expected - tax_of(items)) > CENT * len(taxed):
        text = (
            f"The tax of order {order.id} is not the {tax_percent} % of tax type {settings.tax_type}; book it by hand, or name "
            "another tax type in the connection's settings."
        )
        raise Permanent(text, reason="tax_mismatch")
