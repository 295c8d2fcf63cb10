"""Shopify's subscriptions: those that we made through the API are made again when Shopify deleted them, one for each topic that an
enabled workflow wants. It deletes one after eight failures in a row, within four hours
(shopify.dev/docs/apps/build/webhooks/troubleshoot)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from zixly_core.connection_settings import ShopifySettings, settings_in
from zixly_core.errors import Permanent
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.database import Database
from zixly_core.stores.subscriptions import (
    KnownSubscription,
    WantedPath,
    end_subscription,
    note_vendors_subscription,
    subscriptions_of,
)
from zixly_core.stores.watching import Trouble
from zixly_core.subscriptions import SubscriptionKind
from zixly_core.systems.shopify.shop import WebhookSubscription
from zixly_core.vendor_subscriptions import Loss, SubscriptionsSeen

# Shopify takes these from the app's configuration only.
PRIVACY_TOPICS = frozenset({"customers/data_request", "customers/redact", "shop/redact"})
TRIGGER = "shopify:"

log = structlog.get_logger(__name__)


class Shop(Protocol):
    """What is needed of a shop's client."""

    def webhook_subscriptions(self) -> list[WebhookSubscription]: ...

    def subscribe(self, topic: str, url: str) -> WebhookSubscription: ...

    def move_subscription(self, gid: str, url: str) -> WebhookSubscription: ...


def wanted_topics(triggers: Iterable[str]) -> list[str]:
    """The topics that triggers such as `shopify:orders.paid` need, without those that are no matter of the API."""
    kinds = (trigger.removeprefix(TRIGGER) for trigger in triggers if trigger.startswith(TRIGGER))
    return sorted({kind.replace(".", "/", 1) for kind in kinds} - PRIVACY_TOPICS)


def shop_subscriptions(
    database: Database, shop: Shop, connection: ConfiguredConnection, *, triggers: Iterable[str], url: str, watched_until: datetime | None
) -> SubscriptionsSeen:
    """Look at a shop's subscriptions, and make what is missing. Raises what the client raises where that may help later."""
    if settings_in(ShopifySettings, connection.settings, connection_id=connection.id).webhooks == "app":
        return SubscriptionsSeen()
    known = {one.topic: one for one in subscriptions_of(database, tenant_id=connection.tenant_id, connection_id=connection.id) if one.topic}
    there = shop.webhook_subscriptions()
    losses: list[Loss] = []
    made, refused = 0, dict[str, str]()
    for topic in wanted_topics(triggers):
        if is_there(there, topic, url):
            continue
        ours = known.get(topic)
        try:
            new = placed(shop, there, ours, topic=topic, url=url)
        except Permanent as error:
            refused[topic] = error.reason
        else:
            keep(database, connection, ours, new)
            made += 1
        if ours is not None:
            losses.append(Loss(since=watched_until or ours.created_at, is_mended=topic not in refused))
    return SubscriptionsSeen(losses=tuple(losses), made=made, troubles=troubles_of(connection, refused))


def is_there(there: Sequence[WebhookSubscription], topic: str, url: str) -> bool:
    return any((one.topic, one.url) == (topic, url) for one in there)


def placed(
    shop: Shop, there: Sequence[WebhookSubscription], ours: KnownSubscription | None, *, topic: str, url: str
) -> WebhookSubscription:
    """The subscription made, or ours moved to where we are now. What leads elsewhere and is not ours is left alone."""
    moved = next((one for one in there if ours is not None and one.gid == ours.external_id), None)
    return shop.move_subscription(moved.gid, url) if moved is not None else shop.subscribe(topic, url)


def keep(database: Database, connection: ConfiguredConnection, ours: KnownSubscription | None, new: WebhookSubscription) -> None:
    log.info("webhook_made", system="shopify", topic=new.topic, connection_id=str(connection.id))
    if ours is not None and ours.external_id == new.gid:
        return
    if ours is not None:
        end_subscription(database, tenant_id=connection.tenant_id, subscription_id=ours.id)
    wanted = WantedPath(connection.tenant_id, connection.id, "shopify", SubscriptionKind.SIGNED, topic=new.topic)
    note_vendors_subscription(database, wanted, external_id=new.gid)


def troubles_of(connection: ConfiguredConnection, refused: Mapping[str, str]) -> dict[Trouble, str]:
    if not refused:
        return {}
    reasons = ", ".join(sorted(set(refused.values())))
    text = (
        f"Shopify does not make the webhooks of {connection.name} for {', '.join(sorted(refused))} ({reasons}). Check that the app may "
        "read orders and that ZIXLY_BRIDGE_PUBLIC_URL is an address that Shopify can call; until then what changes is read every hour."
    )
    return {Trouble.LOST: text}
