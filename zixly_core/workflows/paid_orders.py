"""What `shopify-order-to-xero` decides about an order: whether it is booked, for whom its invoice is, and which money came in.

What stands in the invoice is in `order_invoices.py`, what was given back in `refunds.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from pydantic import TypeAdapter

from zixly_core.connection_settings import PaidOrders
from zixly_core.stores.effects import SourceState
from zixly_core.systems.shopify.orders import Order, OrderTransaction
from zixly_core.workflows.customers import Party

# shopify.dev/docs/api/admin-graphql/latest/enums/OrderDisplayFinancialStatus : all of the money came in, whatever went back.
BOOKED_STATUSES = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
# Kinds of transactions that bring money in.
INCOMING = frozenset({"SALE", "CAPTURE"})
MAX_REFERENCE = 255  # of characters in a reference in Xero

ORDER: TypeAdapter[Order] = TypeAdapter(Order)


class Plan(StrEnum):
    """What is to be done about an order."""

    BOOK = "book"
    VOID = "void"


class NotBooked(StrEnum):
    """Why an event about an order needs nothing."""

    TEST = "is a test order"
    OPEN = "is not paid"
    FREE = "costs nothing"
    CANCELLED = "was cancelled before it was paid"
    KNOWN = "has not changed since it was last acted on"


def judged(order: Order, seen: SourceState | None, *, is_repair: bool = False) -> Plan | NotBooked:
    """What the order's present state asks for, given the state that was acted on last. A repair books what was booked before."""
    if order.is_test:
        return NotBooked.TEST
    if not is_repair and seen is not None and seen.state.get("fingerprint") == fingerprint_of(order):
        return NotBooked.KNOWN
    if order.financial_status in BOOKED_STATUSES:
        return Plan.BOOK if order.total else NotBooked.FREE
    if order.cancelled_at is None and order.financial_status != "VOIDED":
        return NotBooked.OPEN
    return Plan.VOID if invoice_in(seen) is not None else NotBooked.CANCELLED


def fingerprint_of(order: Order) -> str:
    """What of an order makes a difference in the books; equal for equal."""
    money = {
        "status": order.financial_status,
        "cancelled": order.cancelled_at is not None,
        "total": str(order.total),
        "transactions": sorted([one.id, one.status] for one in order.transactions),
        "refunds": sorted([one.id, str(one.amount)] for one in order.refunds),
    }
    return hashlib.sha256(orjson.dumps(money, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def state_of(order: Order, *, invoice: Mapping[str, Any] | None) -> SourceState:
    """What is remembered of an order that was acted on, with the invoice that was made."""
    return SourceState(order.updated_at, {"fingerprint": fingerprint_of(order), "invoice": dict(invoice) if invoice else None})


def invoice_in(seen: SourceState | None) -> Mapping[str, Any] | None:
    """The invoice that was made for the order, as far as it is remembered."""
    invoice = seen.state.get("invoice") if seen is not None else None
    return invoice if isinstance(invoice, Mapping) else None


def order_to_json(order: Order) -> dict[str, Any]:
    """The checkpoint of a fetched order; it lies in Postgres under the tenant's policy and nowhere else."""
    kept: dict[str, Any] = ORDER.dump_python(order, mode="json")
    return kept


def order_from_json(kept: Mapping[str, Any]) -> Order:
    return ORDER.validate_python(dict(kept))


def number_of(order: Order, settings: PaidOrders) -> str:
    """The number of the order's invoice. Shops choose what stands around the number; Xero can look for anything but quotes."""
    name = "".join(letter for letter in order.name.removeprefix("#") if letter.isprintable() and letter not in '"\\')
    return settings.number_prefix + name.strip()


def email_of(order: Order) -> str | None:
    """The customer's address in lower case: the order's own, else the one of the customer's account."""
    found = order.email or (order.customer.email if order.customer else None)
    text = (found or "").strip().lower()
    return text if "@" in text else None


def party_of(order: Order, *, key: str) -> Party:
    """Whom the invoice is for. A guest without name and address is known by the order."""
    customer, email = order.customer, email_of(order)
    first, last = (customer.first_name, customer.last_name) if customer else (None, None)
    name = " ".join(part for part in (first, last) if part) or email or f"Shopify order {order.name}"
    return Party(key=key, name=name, email=email, first_name=first, last_name=last)


def contact_properties(order: Order, settings: PaidOrders) -> dict[str, str]:
    """What the HubSpot contact's properties get. Empty fields are left out: they must not clear what HubSpot knows."""
    customer = order.customer
    fields = {
        "first_name": customer.first_name if customer else None,
        "last_name": customer.last_name if customer else None,
        "phone": order.phone,
    }
    values = {name: fields[source] for name, source in settings.contact_properties.items()}
    return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class Takings:
    """Money that came in for an order, as it is booked: `reference` names the transaction."""

    transaction_id: str
    amount: Decimal
    date: date
    reference: str = field(repr=False)


def takings_of(order: Order, *, zone: ZoneInfo) -> list[Takings]:
    """The successful transactions that brought money, oldest first."""
    incoming = [one for one in order.transactions if one.kind.upper() in INCOMING and one.status.upper() == "SUCCESS" and one.amount]
    return [
        Takings(one.id, one.amount, (one.processed_at or order.created_at).astimezone(zone).date(), reference_of(one))
        for one in sorted(incoming, key=lambda one: (one.processed_at or order.created_at, one.id))
    ]


def reference_of(transaction: OrderTransaction) -> str:
    """Gateway, authorisation and id: the id alone tells two captures of one authorisation apart."""
    parts = (transaction.gateway, transaction.authorization, transaction.id)
    return " ".join(part for part in parts if part)[-MAX_REFERENCE:]
