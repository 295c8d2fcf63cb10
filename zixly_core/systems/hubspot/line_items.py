"""Line items of HubSpot as values (developers.hubspot.com/docs/api-reference/crm-line-items-v3/guide)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from zixly_core.systems.hubspot.objects import Properties, record_from

LINE_ITEM_PROPERTIES = ("name", "hs_sku", "quantity", "price", "discount", "hs_discount_percentage", "hs_line_item_currency_code")


@dataclass(frozen=True)
class LineItem:
    """A line of a deal. `unit_price` is before discounts; `discount` is an amount off each unit, `discount_percent` its share, and
    HubSpot knows one of the two."""

    id: str
    name: str = field(repr=False)
    sku: str | None
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    discount_percent: Decimal | None
    properties: Properties = field(repr=False)


def line_item_from(item: object) -> LineItem:
    """One element of `results`; a quantity that is left out is 1, a price or discount 0. Raises `Permanent`."""
    record = record_from(item)
    quantity = record.decimal("quantity")
    return LineItem(
        id=record.id,
        name=record.text("name"),
        sku=record.optional("hs_sku"),
        quantity=Decimal(1) if quantity is None else quantity,
        unit_price=record.decimal("price") or Decimal(0),
        discount=record.decimal("discount") or Decimal(0),
        discount_percent=record.decimal("hs_discount_percentage"),
        properties=record.properties,
    )
