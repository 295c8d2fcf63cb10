"""What a shop holds: customers and orders. Times are Unix milliseconds, amounts whole cents of the order's currency."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from zixly_sandbox.shopify.money import MoneyBag, share

T = TypeVar("T")

RECEIVING = {"sale", "capture"}


def gid(kind: str, number: int | str) -> str:
    """A global id: `gid://shopify/Order/1`."""
    return f"gid://shopify/{kind}/{number}"


@dataclass(slots=True)
class Customer:
    id: int
    email: str | None
    first_name: str | None
    last_name: str | None
    created_at: int
    updated_at: int
    phone: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    city: str = "Brisbane"
    country: str = "AU"
    orders: list[int] = field(default_factory=list)
    """Ids, oldest first."""

    @property
    def name(self) -> str:
        """As the admin shows it."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.email or ""


@dataclass(slots=True)
class Line:
    """A line of an order. `price` is for one piece; `discount` and `tax` are for all pieces together."""

    id: int
    title: str
    sku: str | None
    quantity: int
    price: int
    discount: int = 0
    tax: int = 0
    vendor: str | None = None

    @property
    def total(self) -> int:
        """Before discounts."""
        return self.price * self.quantity

    @property
    def discounted(self) -> int:
        return self.total - self.discount


@dataclass(slots=True)
class Transaction:
    """Money that moved, or was to move. `kind` and `status` in lower case."""

    id: int
    kind: str
    status: str
    gateway: str
    amount: int
    at: int
    parent: Transaction | None = None
    authorization: str | None = None
    payment_id: str | None = None


@dataclass(slots=True)
class RefundLine:
    id: int
    line: Line
    quantity: int
    restock_type: str

    @property
    def subtotal(self) -> int:
        return share(self.line.discounted, self.quantity, self.line.quantity)

    @property
    def tax(self) -> int:
        return share(self.line.tax, self.quantity, self.line.quantity)


@dataclass(slots=True)
class Refund:
    """Given back: lines, shipping, or an amount without either (then `adjustment` is what the lines do not explain)."""

    id: int
    order: Order
    at: int
    note: str | None
    lines: list[RefundLine]
    shipping: int
    shipping_tax: int
    transactions: list[Transaction]
    adjustment: int = 0

    @property
    def amount(self) -> int:
        return sum(item.amount for item in self.transactions if item.status == "success")


@dataclass(slots=True)
class Shipping:
    id: int
    title: str
    price: int
    tax: int


@dataclass(slots=True)
class Order:
    id: int
    number: int
    customer: Customer | None
    email: str | None
    currency: str
    lines: list[Line]
    created_at: int
    updated_at: int
    shipping: Shipping | None = None
    taxes_included: bool = True
    tax_title: str = "GST"
    tax_rate: float = 0.1
    discount_code: str | None = None
    presentment_currency: str = ""
    presentment_rate: float = 1
    cancelled_at: int | None = None
    cancel_reason: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"#{self.number}"

    @property
    def subtotal(self) -> int:
        """Lines after discounts."""
        return sum(line.discounted for line in self.lines)

    @property
    def discounts(self) -> int:
        return sum(line.discount for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines) + (self.shipping.tax if self.shipping else 0)

    @property
    def shipping_price(self) -> int:
        return self.shipping.price if self.shipping else 0

    @property
    def total(self) -> int:
        """What the customer pays, tax included either way."""
        return self.subtotal + self.shipping_price + (0 if self.taxes_included else self.tax)

    @property
    def received(self) -> int:
        return sum(item.amount for item in self.transactions if item.kind in RECEIVING and item.status == "success")

    @property
    def refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds)

    @property
    def outstanding(self) -> int:
        """Nothing is owed on a cancelled order."""
        return 0 if self.cancelled_at else max(0, self.total - self.received)

    @property
    def financial_status(self) -> str:
        """In lower case, as webhooks have it."""
        received, refunded = self.received, self.refunded
        if received == 0:
            is_authorised = any(item.kind == "authorization" and item.status == "success" for item in self.transactions)
            return "voided" if self.cancelled_at else "authorized" if is_authorised else "pending"
        if refunded >= received:
            return "refunded"
        if refunded:
            return "partially_refunded"
        return "paid" if received >= self.total else "partially_paid"

    def returned(self, line: Line) -> int:
        """How many pieces of a line were given back."""
        return sum(item.quantity for refund in self.refunds for item in refund.lines if item.line is line)

    @property
    def returned_subtotal(self) -> int:
        return sum(item.subtotal for refund in self.refunds for item in refund.lines)

    @property
    def returned_tax(self) -> int:
        lines = sum(item.tax for refund in self.refunds for item in refund.lines)
        return lines + sum(refund.shipping_tax for refund in self.refunds)

    @property
    def refunded_shipping(self) -> int:
        return sum(refund.shipping for refund in self.refunds)

    @property
    def current_total(self) -> int:
        """What the order is worth after what was returned; an amount without lines changes nothing."""
        tax = 0 if self.taxes_included else self.returned_tax
        return self.total - self.returned_subtotal - self.refunded_shipping - tax

    def bag(self, cents: int) -> MoneyBag:
        return MoneyBag(cents, self.currency, self.presentment_currency or self.currency, self.presentment_rate)


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """A piece of an order with the order, which knows the currency."""

    order: Order
    item: T
