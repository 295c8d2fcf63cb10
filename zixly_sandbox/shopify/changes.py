"""What merchants and customers do in a shop, and which webhooks tell of it. All that one action causes shares an event id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from zixly_sandbox.clock import Clock
from zixly_sandbox.shopify.bodies import customer_body, customer_redact_body, data_request_body, redact_body, refund_body
from zixly_sandbox.shopify.desk import ShopAccount
from zixly_sandbox.shopify.order_body import order_body
from zixly_sandbox.shopify.records import Customer, Order, Refund, RefundLine, Transaction
from zixly_sandbox.shopify.shop import Shop
from zixly_sandbox.shopify.shop_body import shop_body

GATEWAY = "shopify_payments"


class CannotBeDone(Exception):
    """The order's state does not allow it."""


@dataclass(frozen=True)
class Merchant:
    """Acts in one shop."""

    account: ShopAccount
    clock: Clock

    @property
    def shop(self) -> Shop:
        return self.account.shop

    def place(self, order: Order, *, is_paid: bool) -> None:
        """A customer orders, and pays at once or not."""
        self.shop.keep_order(order)
        if is_paid:
            receive_payment(self.shop, order, at=order.created_at)
        self._tell(order, "orders/create", *(("orders/paid",) if is_paid else ()), "orders/updated")

    def pay(self, order: Order) -> None:
        """Raises `CannotBeDone` when nothing is owed."""
        if not order.outstanding:
            raise CannotBeDone(f"Order {order.id} is {order.financial_status}: nothing is owed.")
        receive_payment(self.shop, order, at=self.clock.milliseconds())
        self._touch(order)
        self._tell(order, "orders/paid", "orders/updated")

    def refund(
        self, order: Order, *, quantities: Mapping[int, int] | None, amount: int | None, shipping: bool, note: str | None, restock: bool
    ) -> Refund:
        """Give back pieces of lines, shipping, or an amount; everything that is left when neither is named. `CannotBeDone`."""
        left = order.received - order.refunded
        if not left:
            raise CannotBeDone(f"Order {order.id} is {order.financial_status}: nothing can be given back.")
        if quantities is None and amount is None:
            quantities, shipping = {line.id: line.quantity - order.returned(line) for line in order.lines}, True
        refund = new_refund(self.shop, order, quantities or {}, shipping=shipping, at=self.clock.milliseconds(), restock=restock)
        refund.note = note
        worth = amount if amount is not None else min(left, worth_of(refund))
        if worth < 1 or worth > left:
            raise CannotBeDone(f"Between 0.01 and {left / 100:.2f} can be given back of order {order.id}.")
        refund.adjustment = worth - worth_of(refund)
        refund.transactions.append(refund_transaction(self.shop, order, worth, at=refund.at))
        order.transactions += refund.transactions
        order.refunds.append(refund)
        self.shop.keep_refund(refund)
        self._touch(order)
        event = str(uuid4())
        self.account.hooks.emit("refunds/create", refund_body(self.shop, refund), event_id=event)
        self._tell(order, "orders/updated", event=event)
        return refund

    def cancel(self, order: Order, *, reason: str, refund: bool) -> None:
        """Raises `CannotBeDone` for a second time."""
        if order.cancelled_at is not None:
            raise CannotBeDone(f"Order {order.id} is cancelled already.")
        if refund and order.received > order.refunded:
            self.refund(order, quantities=None, amount=None, shipping=True, note="Cancelled", restock=True)
        order.cancelled_at, order.cancel_reason = self.clock.milliseconds(), reason
        self._touch(order)
        self._tell(order, "orders/cancelled", "orders/updated")

    def change(self, order: Order, *, email: str | None, note: str | None, tags: Sequence[str] | None) -> None:
        order.email = email if email is not None else order.email
        order.note = note if note is not None else order.note
        order.tags = tuple(tags) if tags is not None else order.tags
        self._touch(order)
        self._tell(order, "orders/updated")

    def keep_customer(self, customer: Customer, *, is_new: bool) -> None:
        customer.updated_at = self.clock.milliseconds()
        self.shop.keep_customer(customer)
        topic = "customers/create" if is_new else "customers/update"
        self.account.hooks.emit(topic, customer_body(self.shop, customer))

    def ask_for_data(self, customer: Customer) -> None:
        body = data_request_body(self.shop, customer, request_id=self.shop.next_id())
        self.account.hooks.emit("customers/data_request", body)

    def redact(self, customer: Customer) -> None:
        """The real one asks ten days after a customer's data was erased."""
        self.account.hooks.emit("customers/redact", customer_redact_body(self.shop, customer))

    def redact_shop(self) -> None:
        """The real one asks 48 hours after the app was uninstalled."""
        self.account.hooks.emit("shop/redact", redact_body(self.shop))

    def uninstall(self) -> None:
        self.account.hooks.emit("app/uninstalled", shop_body(self.shop, now=self.clock.milliseconds()))

    def _touch(self, order: Order) -> None:
        order.updated_at = max(order.updated_at + 1, self.clock.milliseconds())
        self.shop.revision += 1

    def _tell(self, order: Order, *topics: str, event: str | None = None) -> None:
        event, body = event or str(uuid4()), order_body(self.shop, order)
        for topic in topics:
            self.account.hooks.emit(topic, body, event_id=event)


def receive_payment(shop: Shop, order: Order, *, at: int) -> Transaction:
    """All that is owed, in one sale."""
    number = shop.next_id()
    paid = Transaction(number, "sale", "success", GATEWAY, order.total - order.received, at, payment_id=f"{order.name}.1")
    paid.authorization = f"auth-{number}"
    order.transactions.append(paid)
    shop.keep_transactions(order, [paid])
    return paid


def new_refund(shop: Shop, order: Order, quantities: Mapping[int, int], *, shipping: bool, at: int, restock: bool) -> Refund:
    """Raises `CannotBeDone` for more pieces of a line than are left."""
    lines = []
    for line in order.lines:
        quantity = quantities.get(line.id, 0)
        if not 0 <= quantity <= line.quantity - order.returned(line):
            raise CannotBeDone(f"There are not {quantity} pieces left of line {line.id}.")
        if quantity:
            lines.append(RefundLine(shop.next_id(), line, quantity, "return" if restock else "no_restock"))
    price = order.shipping_price - order.refunded_shipping if shipping else 0
    tax = order.shipping.tax if shipping and order.shipping and price else 0
    return Refund(shop.next_id(), order, at, None, lines, price, tax, [])


def worth_of(refund: Refund) -> int:
    """What the lines and the shipping come to, with tax."""
    tax = 0 if refund.order.taxes_included else sum(item.tax for item in refund.lines) + refund.shipping_tax
    return sum(item.subtotal for item in refund.lines) + refund.shipping + tax


def refund_transaction(shop: Shop, order: Order, cents: int, *, at: int) -> Transaction:
    paid = next((item for item in order.transactions if item.kind == "sale"), None)
    number = shop.next_id()
    return Transaction(number, "refund", "success", GATEWAY, cents, at, parent=paid, payment_id=f"{order.name}.{len(order.refunds) + 2}")
