"""What `shopify-privacy` reads out of a request of privacy law: whose data it is about, and what is to be done with it.

Shopify sends `customers/data_request`, `customers/redact` and `shop/redact`; the last one 48 hours after the shop removed the
app. An answer is due within 30 days (shopify.dev/docs/apps/build/compliance/privacy-law-compliance).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from zixly_core.errors import Permanent
from zixly_core.payloads import text_or_none


class Demand(StrEnum):
    """What a request asks for, by the kind of its event."""

    TELL = "customers.data_request"
    ERASE_CUSTOMER = "customers.redact"
    ERASE_SHOP = "shop.redact"


# Where the body of a request lists orders.
ORDER_LISTS = ("orders_requested", "orders_to_redact")
NOT_OF_AN_ADDRESS = r"[^[:alnum:]._%+-]"


@dataclass(frozen=True)
class PrivacyRequest:
    """Whose data a request is about. `email` is None once the request's own payload was erased."""

    demand: Demand
    shop: str
    customer_id: str | None = None
    order_ids: tuple[str, ...] = ()
    email: str | None = field(default=None, repr=False)

    @property
    def subject(self) -> str:
        """The record that the request is about, in ids."""
        if self.demand is Demand.ERASE_SHOP:
            return f"shopify:{self.shop}"
        return f"shopify:{self.shop}:customer:{self.customer_id or 'unknown'}"

    @property
    def record_keys(self) -> tuple[str, ...]:
        """The records of the shop that hold the customer's data."""
        customer = (f"shopify:{self.shop}:customer:{self.customer_id}",) if self.customer_id else ()
        return (*customer, *(f"shopify:{self.shop}:order:{order_id}" for order_id in self.order_ids))

    @property
    def address_pattern(self) -> str | None:
        """A regular expression of Postgres that finds the customer's address where it stands alone: ann@example.test is not part
        of joann@example.test."""
        if self.email is None:
            return None
        escaped = re.sub(r"([^A-Za-z0-9])", r"\\\1", self.email)
        return rf"(^|{NOT_OF_AN_ADDRESS}){escaped}($|[^[:alnum:].-]|\.([^[:alnum:]]|$))"

    def is_in(self, payload: bytes) -> bool:
        """Whether the customer's address stands in a payload that lies in an archive, where Postgres cannot look."""
        if self.email is None:
            return False
        alone = rf"(?<![\w.%+-]){re.escape(self.email)}(?![\w-]|\.\w)"
        return re.search(alone, payload.decode(errors="replace"), re.IGNORECASE) is not None


def request_from(kind: str, shop: str, payload: Mapping[str, Any]) -> PrivacyRequest:
    """The request in an event's payload. Raises `Permanent` for one that names neither a customer nor orders, and for an event of
    another kind."""
    demand = demand_of(kind)
    if demand is Demand.ERASE_SHOP:
        return PrivacyRequest(demand, shop)
    found = payload.get("customer")
    customer: Mapping[str, Any] = found if isinstance(found, dict) else {}
    listed = [item for name in ORDER_LISTS if isinstance(items := payload.get(name), list) for item in items]
    orders = [order for item in listed if (order := text_or_none({"id": item}, "id")) is not None]
    customer_id, email = text_or_none(customer, "id"), text_or_none(customer, "email")
    if customer_id is None and not orders and email is None:
        raise Permanent("A privacy request names neither a customer nor an order.", reason="subject_missing")
    is_address = email is not None and "@" in email.strip("@")
    return PrivacyRequest(demand, shop, customer_id, tuple(dict.fromkeys(orders)), email.strip() if email and is_address else None)


def demand_of(kind: str) -> Demand:
    try:
        return Demand(kind)
    except ValueError:
        raise Permanent(f"An event of kind {kind[:60]} is no privacy request.", reason="unknown_request") from None


def request_to_json(request: PrivacyRequest) -> dict[str, Any]:
    """The request in ids, as it may stay in a checkpoint: without the address."""
    return {
        "demand": request.demand.value,
        "shop": request.shop,
        "customer_id": request.customer_id,
        "order_ids": list(request.order_ids),
    }


def request_from_json(kept: Mapping[str, Any], *, email: str | None = None) -> PrivacyRequest:
    return PrivacyRequest(Demand(kept["demand"]), kept["shop"], kept["customer_id"], tuple(kept["order_ids"]), email)
