"""Amounts in whole cents, and the two ways in which Shopify writes them."""

from __future__ import annotations

from dataclasses import dataclass


def rest_amount(cents: int) -> str:
    """As in webhooks: `10.00`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def graphql_amount(cents: int) -> str:
    """As in GraphQL's `Decimal`: `10.0`, `149.9`, `149.97`."""
    text = rest_amount(cents)
    return text.removesuffix("0")


def share(cents: int, part: int, whole: int) -> int:
    """The part of an amount that falls on `part` of `whole` pieces."""
    return round(cents * part / whole) if whole else 0


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency."""

    cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class MoneyBag:
    """The amount in the shop's currency, and in the one that the customer saw."""

    cents: int
    currency: str
    presentment_currency: str
    rate: float = 1

    @property
    def shop_money(self) -> Money:
        return Money(self.cents, self.currency)

    @property
    def presentment_money(self) -> Money:
        return Money(round(self.cents * self.rate), self.presentment_currency)
