"""`/_sandbox/webhooks/shopify`: where deliveries go, what signs them, and sending them on demand."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from zixly_sandbox.admin.shopify import account_of, customer_in, order_in
from zixly_sandbox.courier import Parcel
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.shopify.bodies import customer_body, refund_body
from zixly_sandbox.shopify.desk import ShopAccount
from zixly_sandbox.shopify.hooks import APP_TOPICS
from zixly_sandbox.shopify.order_body import order_body
from zixly_sandbox.webhooks.deliveries import DeliveryState

Topic = Literal["orders/create", "orders/paid", "orders/updated", "orders/cancelled", "refunds/create", "customers/update"]


class Target(BaseModel):
    """Where the app's own subscriptions go, what signs (two secrets take turns), and what the app listens to."""

    target_url: str | None = None
    secrets: list[str] | None = Field(default=None, min_length=1)
    topics: list[str] | None = None


class SendTopic(BaseModel):
    """Deliveries to send now: for the named records, or for so many orders with a status."""

    shop: str
    topic: Topic = "orders/paid"
    record_ids: list[int] | None = None
    count: int = Field(default=1, ge=1, le=500_000)
    status: str | None = "paid"
    duplicates: int = Field(default=0, ge=0, le=1000)
    """How many more times each delivery is sent, with the same id, byte for byte."""
    shuffled: bool = False


def shopify_webhooks_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/webhooks/shopify", tags=["webhooks"])

    @router.get("")
    async def target() -> dict[str, Any]:
        """Where deliveries of the app's own subscriptions go."""
        return {"target_url": sandbox.shopify_target.url, "topics": list(sandbox.shopify_target.topics)}

    @router.put("")
    async def set_target(body: Target) -> dict[str, Any]:
        """Set where deliveries go; what is left out stays."""
        found = sandbox.shopify_target
        found.url = body.target_url or found.url
        found.secrets = body.secrets or found.secrets
        found.topics = tuple(body.topics) if body.topics is not None else found.topics
        return {"target_url": found.url, "topics": list(found.topics), "known_topics": list(APP_TOPICS)}

    @router.post("/send", status_code=202)
    async def send(body: SendTopic) -> dict[str, Any]:
        """Send deliveries without changing any record."""
        return sent(sandbox, body)

    @router.delete("/subscriptions")
    async def delete(shop: str) -> dict[str, int]:
        """Delete the subscriptions that the app made through the API, as Shopify does after eight failures in a row."""
        hooks = account_of(sandbox, shop).hooks
        return {"deleted": sum(hooks.unsubscribe(one.id) for one in hooks.api_subscriptions())}

    @router.get("/deliveries")
    async def deliveries(state: DeliveryState | None = None, limit: int = 100) -> dict[str, Any]:
        """What was sent and what came back, newest first."""
        chosen = sandbox.shopify_courier.select(state=state, limit=limit)
        return {"counts": sandbox.shopify_courier.counts(), "deliveries": [item.document() for item in chosen]}

    return router


def sent(sandbox: Sandbox, body: SendTopic) -> dict[str, Any]:
    account = account_of(sandbox, body.shop)
    records = chosen_records(account, body)
    if body.shuffled:
        sandbox.random.shuffle(records)
    parcels: list[Parcel] = []
    for _, document in records:
        parcels += account.hooks.emit(body.topic, document)
    copies = [account.hooks.send_again(parcel) for parcel in parcels for _ in range(body.duplicates)]
    return {"deliveries": len(parcels) + len(copies), "record_ids": [key for key, _ in records]}


def chosen_records(account: ShopAccount, body: SendTopic) -> list[tuple[int, dict[str, Any]]]:
    """The records with their bodies."""
    shop = account.shop
    if body.topic == "customers/update":
        people = [customer_in(shop, key) for key in body.record_ids] if body.record_ids is not None else list(shop.customers.values())
        return [(item.id, customer_body(shop, item)) for item in islice(people, body.count if body.record_ids is None else None)]
    if body.record_ids is not None:
        orders = [order_in(shop, key) for key in body.record_ids]
    elif body.topic == "refunds/create":
        orders = list(islice((item for item in shop.orders.values() if item.refunds), body.count))
    else:
        orders = list(islice((item for item in shop.orders.values() if body.status in {None, item.financial_status}), body.count))
    if body.topic == "refunds/create":
        return [(refund.id, refund_body(shop, refund)) for order in orders for refund in order.refunds]
    return [(order.id, order_body(shop, order)) for order in orders]
