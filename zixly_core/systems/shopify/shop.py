"""The shop itself, and its webhook subscriptions, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zixly_core.systems.shopify.fields import moment_of, object_of, optional_text, text_of


@dataclass(frozen=True)
class Shop:
    """`domain` is the myshopify.com name, `timezone` a name of the IANA database."""

    name: str
    currency: str
    domain: str
    timezone: str
    taxes_included: bool


@dataclass(frozen=True)
class WebhookSubscription:
    """A subscription that was made through the API; those of the app's configuration file are not listed. `topic` as deliveries
    name it (`orders/paid`)."""

    gid: str
    topic: str
    url: str = field(repr=False)
    created_at: datetime


def shop_from(item: object) -> Shop:
    """Raises `Permanent` (`unexpected_answer`)."""
    source = object_of(item, what="a shop")
    return Shop(
        name=text_of(source, "name"),
        currency=text_of(source, "currencyCode"),
        domain=text_of(source, "myshopifyDomain"),
        timezone=optional_text(source, "ianaTimezone") or "UTC",
        taxes_included=source.get("taxesIncluded") is True,
    )


def subscription_from(source: Mapping[str, Any]) -> WebhookSubscription:
    """Raises `Permanent`."""
    return WebhookSubscription(
        gid=text_of(source, "id"),
        topic=topic_from(text_of(source, "topic")),
        url=text_of(source, "uri"),
        created_at=moment_of(source, "createdAt"),
    )


# Categories of topics whose name has more than one word, as GraphQL writes them; topics end in one word or more.
LONG_CATEGORIES = (
    "app_subscriptions bulk_operations customer_groups customer_tags draft_orders fulfillment_events fulfillment_orders inventory_items "
    "inventory_levels locales order_transactions product_listings selling_plan_groups subscription_contracts tender_transactions"
).split()


def topic_from(name: str) -> str:
    """`ORDERS_PAID` as deliveries write it, `orders/paid`."""
    lower = name.lower()
    category = next((one for one in LONG_CATEGORIES if lower.startswith(f"{one}_")), lower.partition("_")[0])
    return f"{category}/{lower[len(category) + 1 :]}"


def topic_name(topic: str) -> str:
    """`orders/paid` as GraphQL writes it, `ORDERS_PAID`."""
    return topic.replace("/", "_").upper()
