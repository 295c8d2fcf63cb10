"""Amounts: hundredths of the currency as whole numbers, as Xero rounds them, whatever the currency; prices in ten-thousandths."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

WHOLE = Decimal(1)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def cents_of(value: object) -> int:
    """Hundredths of an amount in a request, halves rounded up."""
    return rounded(Decimal(str(value)) * 100)


def price_of(value: object, *, places: int) -> int:
    """Ten-thousandths of a unit price, which has two places unless the caller asked for four (`unitdp=4`)."""
    scale = 10_000 if places == 4 else 100
    return rounded(Decimal(str(value)) * scale) * (10_000 // scale)


def line_cents(quantity: float, price: int, *, discount_percent: float | None) -> int:
    """Quantity times price less the discount."""
    whole = Decimal(str(quantity)) * price / 100
    return rounded(whole * (100 - Decimal(str(discount_percent or 0))) / 100)


def tax_on(cents: int, percent: float, *, is_included: bool) -> int:
    """The tax on an amount, or the part of the amount that is tax."""
    rate = Decimal(str(percent))
    return rounded(cents * rate / (100 + rate) if is_included else cents * rate / 100)


def rounded(value: Decimal) -> int:
    return int(value.quantize(WHOLE, ROUND_HALF_UP))
