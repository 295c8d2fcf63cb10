"""Fields of the Admin API's answers read into values. Errors name a field, never its value.

Money comes as text with its currency beside it, once in the shop's currency and once in the customer's; the shop's is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from zixly_core.errors import Permanent


def object_of(item: object, *, what: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise unexpected(what)
    return item


def objects_of(source: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects. Raises `Permanent` where it is left out."""
    items = source.get(name)
    if not isinstance(items, list):
        raise unexpected(name)
    return [object_of(item, what=name) for item in items]


def nodes_of(source: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The nodes of a connection's page."""
    return objects_of(object_of(source.get(name), what=name), "nodes")


def text_of(source: Mapping[str, Any], name: str) -> str:
    """A text that is always there. Raises `Permanent`."""
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise unexpected(name)
    return value


def optional_text(source: Mapping[str, Any], name: str) -> str | None:
    value = source.get(name)
    return value if isinstance(value, str) and value else None


def moment_of(source: Mapping[str, Any], name: str) -> datetime:
    """A moment in UTC. Raises `Permanent`."""
    try:
        at = datetime.fromisoformat(text_of(source, name))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise unexpected(name) from None


def optional_moment(source: Mapping[str, Any], name: str) -> datetime | None:
    return moment_of(source, name) if source.get(name) else None


def money_of(source: Mapping[str, Any], name: str) -> Decimal:
    """An amount in the shop's currency; 0 where it is null. Raises `Permanent`."""
    bag = source.get(name)
    if bag is None:
        return Decimal(0)
    inner = object_of(object_of(bag, what=name).get("shopMoney"), what=name)
    try:
        amount = Decimal(str(inner["amount"]))
    except (KeyError, InvalidOperation):
        raise unexpected(name) from None
    if not amount.is_finite():
        raise unexpected(name)
    return amount


def currency_of(source: Mapping[str, Any], name: str) -> str:
    bag = object_of(source.get(name), what=name)
    return text_of(object_of(bag.get("shopMoney"), what=name), "currencyCode")


def total_of(items: Sequence[Mapping[str, Any]], name: str) -> Decimal:
    return sum((money_of(item, name) for item in items), Decimal(0))


def plain_id(gid: str) -> str:
    """The number in `gid://shopify/Order/1`, which webhooks name a record by."""
    return gid.partition("?")[0].rpartition("/")[2]


def unexpected(what: str) -> Permanent:
    return Permanent(f"Shopify's answer holds {what} in a form that is not known here.", reason="unexpected_answer")
