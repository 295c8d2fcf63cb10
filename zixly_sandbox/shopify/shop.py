"""A shop: who it is, and its records by id."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from enum import StrEnum
from zoneinfo import ZoneInfo

from zixly_sandbox.shopify.records import Customer, Line, Order, Part, Refund, Shipping, Transaction

# Ids grow in such steps, as many rows of other shops lie between.
STEP = 32_768
FIRST_ORDER, FIRST_CUSTOMER, FIRST_OTHER = 5_678_901_300_000, 7_012_345_700_000, 14_000_000_000_000


class ShopState(StrEnum):
    """What the Admin API answers for the shop (shopify.dev/docs/api/admin-graphql, status codes)."""

    OPEN = "open"
    FROZEN = "frozen"
    """402."""
    FORBIDDEN = "forbidden"
    """403: marked as fraudulent."""
    CLOSED = "closed"
    """404."""
    LOCKED = "locked"
    """423."""


class Shop:
    """All of one shop."""

    def __init__(self, domain: str, *, number: int, name: str, country: str, currency: str, zone: str, created_at: int) -> None:
        self.domain = domain
        self.id = number
        self.name = name
        self.country = country
        self.currency = currency
        self.zone = ZoneInfo(zone)
        self.created_at = created_at
        self.state = ShopState.OPEN
        self.customers: dict[int, Customer] = {}
        self.orders: dict[int, Order] = {}
        self.revision = 0
        """Grows with every change, so that a sorted list can be kept until the next."""
        self._by_email: dict[str, Customer] = {}
        self._transactions: dict[int, Part[Transaction]] = {}
        self._refunds: dict[int, Refund] = {}
        self._lines: dict[int, Part[Line]] = {}
        self._orders = itertools.count(FIRST_ORDER, STEP)
        self._people = itertools.count(FIRST_CUSTOMER, STEP)
        self._others = itertools.count(FIRST_OTHER, STEP)
        self._numbers = itertools.count(1001)

    @property
    def email(self) -> str:
        return f"hello@{self.domain.removesuffix('.myshopify.com')}.example.test"

    def next_order_id(self) -> int:
        return next(self._orders)

    def next_customer_id(self) -> int:
        return next(self._people)

    def next_id(self) -> int:
        """For anything but orders and customers."""
        return next(self._others)

    def next_number(self) -> int:
        return next(self._numbers)

    def keep_customer(self, customer: Customer) -> None:
        self.customers[customer.id] = customer
        self.revision += 1
        if customer.email:
            self._by_email[customer.email.lower()] = customer

    def customer_by_email(self, email: str) -> Customer | None:
        return self._by_email.get(email.strip().lower())

    def keep_order(self, order: Order) -> None:
        self.orders[order.id] = order
        self.revision += 1
        if order.customer is not None:
            order.customer.orders.append(order.id)
        for line in order.lines:
            self._lines[line.id] = Part(order, line)
        self.keep_transactions(order, order.transactions)

    def keep_transactions(self, order: Order, transactions: Sequence[Transaction]) -> None:
        for item in transactions:
            self._transactions[item.id] = Part(order, item)

    def keep_refund(self, refund: Refund) -> None:
        self._refunds[refund.id] = refund
        self.keep_transactions(refund.order, refund.transactions)

    def transaction(self, number: int) -> Part[Transaction] | None:
        return self._transactions.get(number)

    def refund(self, number: int) -> Refund | None:
        return self._refunds.get(number)

    def line(self, number: int) -> Part[Line] | None:
        return self._lines.get(number)

    def remove_order(self, order: Order) -> None:
        """Deleted: no call finds it any more."""
        self.orders.pop(order.id, None)
        self.revision += 1
        if order.customer is not None:
            order.customer.orders.remove(order.id)

    def new_line(self, title: str, *, sku: str | None, quantity: int, price: int, discount: int = 0, tax: int = 0) -> Line:
        return Line(self.next_id(), title, sku, quantity, price, discount, tax, vendor=self.name)

    def new_shipping(self, title: str, *, price: int, tax: int) -> Shipping:
        return Shipping(self.next_id(), title, price, tax)
