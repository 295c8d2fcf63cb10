"""A shop's webhooks (shopify.dev/docs/apps/build/webhooks): who is told of what, the headers, the signature, eight retries.

Subscriptions of the app's configuration file are there from the start and stay. One made through the API is deleted after its
delivery failed nine times.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson

from zixly_core.signatures import hmac_base64
from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.courier import Courier, Parcel
from zixly_sandbox.rules import ShopifyRules
from zixly_sandbox.shopify.bodies import only
from zixly_sandbox.shopify.versions import VERSIONS

PRIVACY = ("customers/data_request", "customers/redact", "shop/redact")
APP_TOPICS = (
    "orders/create",
    "orders/paid",
    "orders/updated",
    "orders/cancelled",
    "refunds/create",
    "customers/create",
    "customers/update",
    "app/uninstalled",
    *PRIVACY,
)
# Eight waits, four hours in all; the real ones are not published.
RETRY_WAITS = (60, 180, 360, 720, 1440, 2880, 4320, 4440)


@dataclass
class Subscription:
    """One topic to one address. `topic` in the words of the schema: `ORDERS_PAID`."""

    id: int
    topic: str
    uri: str
    created_at: int
    updated_at: int
    include_fields: tuple[str, ...] = ()
    name: str | None = None
    version: str = VERSIONS[-1]
    is_of_app: bool = False
    recent: dict[bytes, float] = field(default_factory=dict)
    """Bodies sent a moment ago, by digest."""


@dataclass
class HookTarget:
    """Where the app's own subscriptions go and what signs; the same for all shops."""

    url: str
    secrets: list[str]
    """While the app's secret is being changed there are two, and deliveries are signed with one or the other."""
    topics: tuple[str, ...] = APP_TOPICS


def topic_name(topic: str) -> str:
    """`ORDERS_PAID` as headers have it: `orders/paid`."""
    head, _, tail = topic.lower().rpartition("_")
    return f"{head}/{tail}" if topic != "CUSTOMERS_DATA_REQUEST" else PRIVACY[0]


def topic_word(name: str) -> str:
    return name.upper().replace("/", "_")


class Hooks:
    """The webhooks of one shop."""

    def __init__(self, shop: str, *, target: HookTarget, courier: Courier, clock: Clock, rules: ShopifyRules) -> None:
        self._shop = shop
        self._target = target
        self._courier = courier
        self._clock = clock
        self._rules = rules
        self._ids = itertools.count(1_400_000_000_001)
        self._turns = itertools.count()
        self._made: dict[int, Subscription] = {}

    def api_subscriptions(self) -> list[Subscription]:
        return list(self._made.values())

    def api_subscription(self, number: int) -> Subscription | None:
        return self._made.get(number)

    def subscribe(self, topic: str, *, uri: str, include_fields: tuple[str, ...], name: str | None, version: str) -> Subscription:
        now = self._clock.milliseconds()
        made = Subscription(next(self._ids), topic, uri, now, now, include_fields, name, version)
        self._made[made.id] = made
        return made

    def unsubscribe(self, number: int) -> bool:
        return self._made.pop(number, None) is not None

    def emit(self, topic: str, body: Mapping[str, Any], *, event_id: str | None = None) -> list[Parcel]:
        """Tell all who asked for the topic. What one action of a merchant causes shares an event id."""
        event = event_id or str(uuid4())
        listeners = [item for item in (*self._of_app(), *self._made.values()) if topic_name(item.topic) == topic]
        parcels = [self._parcel(item, topic, body, event=event) for item in listeners]
        chosen = [parcel for item, parcel in zip(listeners, parcels, strict=True) if self._is_new(item, parcel.body)]
        for parcel in chosen:
            self._courier.send(parcel)
        return chosen

    def send_again(self, parcel: Parcel) -> Parcel:
        """The same delivery once more: same body, same id."""
        again = self._copy(parcel)
        self._courier.send(again)
        return again

    def _of_app(self) -> list[Subscription]:
        return [Subscription(0, topic_word(topic), self._target.url, 0, 0, is_of_app=True) for topic in self._target.topics]

    def _is_new(self, subscription: Subscription, body: bytes) -> bool:
        """A body that equals one of a moment ago is dropped (shopify.dev/docs/apps/build/webhooks/delivery-structure)."""
        if subscription.is_of_app:
            return True
        now, digest = self._clock.seconds(), hashlib.sha256(body).digest()
        subscription.recent = {key: at for key, at in subscription.recent.items() if now - at < self._rules.same_body_seconds}
        is_new = digest not in subscription.recent
        subscription.recent[digest] = now
        return is_new

    def _parcel(self, subscription: Subscription, topic: str, body: Mapping[str, Any], *, event: str) -> Parcel:
        content = orjson.dumps(only(body, subscription.include_fields))
        secret = self._target.secrets[next(self._turns) % len(self._target.secrets)]
        webhook_id = str(uuid4())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": hmac_base64(secret.encode(), content),
            "X-Shopify-Shop-Domain": self._shop,
            "X-Shopify-API-Version": subscription.version,
            "X-Shopify-Webhook-Id": webhook_id,
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": iso_milliseconds(self._clock.milliseconds()).replace("Z", "000000Z"),
        }
        if subscription.name:
            headers["X-Shopify-Name"] = subscription.name
        about: dict[str, str | int] = {
            "shop": self._shop,
            "topic": topic,
            "webhook_id": webhook_id,
            "event_id": event,
            "subscription": subscription.id,
        }
        return Parcel(
            url=subscription.uri,
            headers=headers,
            body=content,
            about=about,
            answer_seconds=self._rules.answer_seconds,
            waits=RETRY_WAITS,
            on_end=lambda is_taken: self._ended(subscription, is_taken=is_taken),
        )

    def _copy(self, parcel: Parcel) -> Parcel:
        return Parcel(
            url=parcel.url,
            headers=parcel.headers,
            body=parcel.body,
            about=parcel.about,
            answer_seconds=parcel.answer_seconds,
            waits=parcel.waits,
            on_end=parcel.on_end,
        )

    def _ended(self, subscription: Subscription, *, is_taken: bool) -> None:
        if not is_taken and not subscription.is_of_app:
            self._made.pop(subscription.id, None)
