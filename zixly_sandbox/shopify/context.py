"""What resolvers need of the call: the shop, the time, who may see what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zixly_sandbox.shopify.records import Customer, Order, Part, Refund
from zixly_sandbox.shopify.shop import Shop

if TYPE_CHECKING:
    from zixly_sandbox.shopify.desk import ShopAccount

# Older orders are for apps with the scope `read_all_orders` only.
VISIBLE_MS = 60 * 86_400_000


@dataclass
class QueryContext:
    """One run of an operation. In a bulk operation connections have no end."""

    account: ShopAccount
    now: int
    version: str
    sees_all_orders: bool
    is_bulk: bool = False
    bulk_slice: tuple[int, int] | None = None
    """In a bulk operation: the part of the outermost list that this run is for."""
    search_notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def shop(self) -> Shop:
        return self.account.shop

    def sees(self, order: Order) -> bool:
        return self.sees_all_orders or order.created_at > self.now - VISIBLE_MS

    def order(self, number: int) -> Order | None:
        found = self.shop.orders.get(number)
        return found if found is not None and self.sees(found) else None

    def node(self, global_id: str) -> Any:
        """The object with this id, None when there is none. `ValueError` for a text that is no id."""
        kind, number = parsed_gid(global_id)
        look_up: Mapping[str, Callable[[int], Any]] = {
            "Order": self.order,
            "Customer": self.shop.customers.get,
            "LineItem": lambda key: self._visible(self.shop.line(key)),
            "OrderTransaction": lambda key: self._visible(self.shop.transaction(key)),
            "Refund": lambda key: self._visible(self.shop.refund(key)),
            "WebhookSubscription": self.account.hooks.api_subscription,
            "BulkOperation": self.account.bulk.operations.get,
            "Shop": lambda key: self.shop if key == self.shop.id else None,
        }
        return look_up[kind](number) if kind in look_up else None

    def _visible(self, found: Part[Any] | Refund | None) -> Part[Any] | Refund | None:
        return found if found is not None and self.sees(found.order) else None


def parsed_gid(text: str) -> tuple[str, int]:
    """Kind and number of `gid://shopify/Order/1`. `ValueError` for anything else."""
    scheme, _, rest = text.partition("://")
    owner, _, path = rest.partition("/")
    kind, _, number = path.partition("/")
    number = number.partition("?")[0]
    if (scheme, owner) != ("gid", "shopify") or not kind or not (number.isascii() and number.isdecimal()):
        raise ValueError(text)
    return kind, int(number)


def customer_orders(context: QueryContext, customer: Customer) -> list[Order]:
    found = (context.order(number) for number in customer.orders)
    return [order for order in found if order is not None]
