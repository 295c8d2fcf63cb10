"""Shopify's search text, such as `updated_at:>='2026-11-21T00:00:00Z' AND financial_status:paid`
(shopify.dev/docs/api/usage/search-syntax). A field that the list does not know is ignored, as the real one does, which then finds
too much; a note in the answer's `extensions.search` is all that tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from graphql import GraphQLError

from zixly_sandbox.shopify.records import Customer, Order
from zixly_sandbox.shopify.shop import Shop

TERM = re.compile(r"(?P<minus>-?)(?P<name>[A-Za-z_]+):(?P<op>>=|<=|>|<|=)?(?P<value>'[^']*'|\"[^\"]*\"|\S+)")

Value = Callable[[Any], Any]
Test = Callable[[Any], bool]
Comparison = Callable[[Any, Any], bool]

COMPARISONS: Mapping[str, Comparison] = {
    ">=": lambda left, right: bool(left >= right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    "<": lambda left, right: bool(left < right),
}
TIMES: Mapping[str, Value] = {
    "updated_at": lambda item: item.updated_at,
    "created_at": lambda item: item.created_at,
    "processed_at": lambda item: item.created_at,
}


@dataclass
class Found:
    """What a search text asks for, and what of it was not understood."""

    test: Test
    notes: list[dict[str, str]] = field(default_factory=list)


def order_status(order: Order) -> set[str]:
    return {"any", "cancelled" if order.cancelled_at else "open"}


ORDER_TEXTS: Mapping[str, Callable[[Order], set[str]]] = {
    "id": lambda order: {str(order.id)},
    "name": lambda order: {order.name.lower(), str(order.number)},
    "email": lambda order: {(order.email or "").lower()},
    "financial_status": lambda order: {order.financial_status},
    "status": order_status,
    "customer_id": lambda order: {str(order.customer.id) if order.customer else ""},
    "tag": lambda order: {tag.lower() for tag in order.tags},
}
CUSTOMER_TEXTS: Mapping[str, Callable[[Customer], set[str]]] = {
    "id": lambda customer: {str(customer.id)},
    "email": lambda customer: {(customer.email or "").lower()},
    "first_name": lambda customer: {(customer.first_name or "").lower()},
    "last_name": lambda customer: {(customer.last_name or "").lower()},
    "tag": lambda customer: {tag.lower() for tag in customer.tags},
}


def searched(text: str, *, shop: Shop, texts: Mapping[str, Callable[[Any], set[str]]]) -> Found:
    """Raises `GraphQLError` for a time that is none."""
    found = Found(test=bool)
    groups = [[term_test(term, shop=shop, texts=texts, notes=found.notes) for term in group] for group in groups_of(text)]
    found.test = lambda item: any(all(test(item) for test in group) for group in groups)
    return found


def groups_of(text: str) -> Iterable[list[re.Match[str]]]:
    """Terms joined by AND (or a blank), in groups joined by OR."""
    return [list(TERM.finditer(part)) for part in re.split(r"\s+OR\s+", text)]


def term_test(term: re.Match[str], *, shop: Shop, texts: Mapping[str, Callable[[Any], set[str]]], notes: list[dict[str, str]]) -> Test:
    name, value = term["name"], term["value"].strip("'\"")
    if name in TIMES:
        test = time_test(TIMES[name], term["op"], value, shop=shop)
    elif name in texts:
        wanted = {part.lower() for part in value.split(",")}
        of = texts[name]
        test = lambda item: bool(of(item) & wanted)  # noqa: E731  # one of two short tests
    else:
        notes.append({"field": name, "message": "Invalid search field for this query.", "code": "invalid_field"})
        return lambda _item: True
    return (lambda item: not test(item)) if term["minus"] else test


def time_test(of: Value, op: str | None, value: str, *, shop: Shop) -> Test:
    """Without an operator, a date means the whole day."""
    at = instant(value, shop=shop)
    mark = at.timestamp() * 1000
    compare = COMPARISONS.get(op or "")
    if compare is not None:
        return lambda item: compare(of(item), mark)
    end = (at + (timedelta(days=1) if len(value) == len("2026-11-21") else timedelta(seconds=1))).timestamp() * 1000
    return lambda item: bool(mark <= of(item) < end)


def instant(value: str, *, shop: Shop) -> datetime:
    """A time without a zone is in the shop's."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise GraphQLError(f"'{value}' is not a valid date or time", extensions={"code": "BAD_USER_INPUT"}) from None
    return at if at.tzinfo else at.replace(tzinfo=shop.zone)
