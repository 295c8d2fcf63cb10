from __future__ import annotations

from typing import Any

import httpx2
import orjson
import pytest

from tests.support.sandbox import SandboxCaller
from tests.support.sandbox_receiver import receiving, until
from zixly_core.signatures import hmac_base64
from zixly_sandbox.constants import APP, DEMO, ORDER
from zixly_sandbox.shopify.hooks import APP_TOPICS

SHOP = f"/shopify/{DEMO.shop}"
SUBSCRIBE = """mutation($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
    webhookSubscription { id topic uri includeFields apiVersion { handle } } userErrors { field message } } }"""
OWN = "https://own.example.test/hook"


def good(_request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200)


def topics_of(requests: list[httpx2.Request]) -> list[str]:
    return [request.headers["X-Shopify-Topic"] for request in requests]


def is_signed(request: httpx2.Request, secret: str = APP.client_secret) -> bool:
    return request.headers["X-Shopify-Hmac-Sha256"] == hmac_base64(secret.encode(), request.content)


async def subscribed(caller: SandboxCaller, topic: str, **sub: Any) -> dict[str, Any]:
    answer = await caller.graphql(SUBSCRIBE, topic=topic, sub={"uri": OWN, "format": "JSON", **sub})
    found: dict[str, Any] = answer["data"]["webhookSubscriptionCreate"]
    return found


async def test_an_order_that_is_placed_and_paid_is_told_by_three_topics_of_one_event() -> None:
    async with receiving(good) as (caller, arrived):
        made = await caller.admin("POST", f"{SHOP}/orders", {"email": "ada.lovelace@example.test"})
        await until(lambda: len(arrived) == 3)
    assert sorted(topics_of(arrived)) == ["orders/create", "orders/paid", "orders/updated"]
    assert all(is_signed(request) for request in arrived)
    assert len({request.headers["X-Shopify-Webhook-Id"] for request in arrived}) == 3
    assert len({request.headers["X-Shopify-Event-Id"] for request in arrived}) == 1
    first = arrived[0]
    assert first.headers["X-Shopify-Shop-Domain"] == DEMO.shop
    assert first.headers["X-Shopify-API-Version"] == "2026-10"
    assert first.headers["X-Shopify-Triggered-At"] == "2026-11-22T10:00:00.000000000Z"
    body = orjson.loads(first.content)
    assert (body["id"], body["financial_status"], body["currency"]) == (made["order_ids"][0], "paid", "AUD")
    assert body["created_at"] == "2026-11-22T20:00:00+10:00"


async def test_a_refund_and_a_cancellation_are_told() -> None:
    async with receiving(good) as (caller, arrived):
        await caller.admin("POST", f"{SHOP}/orders/{ORDER}/refund", {"amount": 5})
        await until(lambda: len(arrived) == 2)
        await caller.admin("POST", f"{SHOP}/orders/{ORDER}/cancel", {"reason": "fraud"})
        await until(lambda: len(arrived) == 6)
    assert sorted(topics_of(arrived[:2])) == ["orders/updated", "refunds/create"]
    assert sorted(topics_of(arrived[2:])) == ["orders/cancelled", "orders/updated", "orders/updated", "refunds/create"]
    refund = orjson.loads(next(request for request in arrived if request.headers["X-Shopify-Topic"] == "refunds/create").content)
    assert (refund["order_id"], refund["transactions"][0]["amount"]) == (ORDER, "5.00")


async def test_the_three_privacy_topics_and_the_uninstallation_are_told() -> None:
    async with receiving(good) as (caller, arrived):
        customer = next(iter(caller.sandbox.shopify.shops[DEMO.shop].shop.customers.values()))
        await caller.admin("POST", f"{SHOP}/customers/{customer.id}/data-request")
        await caller.admin("POST", f"{SHOP}/customers/{customer.id}/redact")
        await caller.admin("POST", f"{SHOP}/redact")
        headers = await caller.shopify_headers()
        await caller.admin("POST", f"{SHOP}/uninstall")
        await until(lambda: len(arrived) == 4)
        refused = await caller.http.post(f"{SHOP}/admin/api/2026-10/graphql.json", json={"query": "{shop{id}}"}, headers=headers)
    assert topics_of(arrived) == ["customers/data_request", "customers/redact", "shop/redact", "app/uninstalled"]
    bodies = [orjson.loads(request.content) for request in arrived]
    assert bodies[0]["orders_requested"] == bodies[1]["orders_to_redact"] == customer.orders
    assert (bodies[1]["customer"]["id"], bodies[2]["shop_domain"], refused.status_code) == (customer.id, DEMO.shop, 401)


async def test_a_subscription_of_the_api_gets_its_own_delivery_cut_to_its_fields() -> None:
    async with receiving(good) as (caller, arrived):
        made = await subscribed(caller, "ORDERS_PAID", includeFields=["id", "updated_at"], name="slim")
        await caller.admin("POST", f"{SHOP}/orders", {})
        await until(lambda: len(arrived) == 4)
    assert made["webhookSubscription"]["apiVersion"] == {"handle": "2026-10"}
    (own,) = [request for request in arrived if str(request.url) == OWN]
    assert set(orjson.loads(own.content)) == {"id", "updated_at"}
    assert own.headers["X-Shopify-Name"] == "slim"
    twin = next(request for request in arrived if topics_of([request]) == ["orders/paid"] and request is not own)
    assert own.headers["X-Shopify-Event-Id"] == twin.headers["X-Shopify-Event-Id"]
    assert own.headers["X-Shopify-Webhook-Id"] != twin.headers["X-Shopify-Webhook-Id"]


async def test_equal_bodies_within_a_moment_are_dropped() -> None:
    async with receiving(good) as (caller, arrived):
        await caller.admin("PUT", "/webhooks/shopify", {"topics": []})
        await subscribed(caller, "ORDERS_UPDATED", includeFields=["id"])
        for note in ("a", "b"):
            await caller.admin("PATCH", f"{SHOP}/orders/{ORDER}", {"note": note})
        caller.clock.advance(2)
        await caller.admin("PATCH", f"{SHOP}/orders/{ORDER}", {"note": "c"})
        await until(lambda: len(arrived) == 2)
        counts = (await caller.admin("GET", "/webhooks/shopify/deliveries"))["counts"]
    assert sum(counts.values()) == 2


async def test_after_eight_retries_a_subscription_of_the_api_is_deleted_and_the_apps_own_stay() -> None:
    async with receiving(lambda _request: httpx2.Response(302)) as (caller, arrived):
        await subscribed(caller, "ORDERS_PAID")
        await caller.admin("PUT", "/webhooks/shopify", {"topics": ["orders/paid"]})
        await caller.admin("POST", f"{SHOP}/orders", {})
        await until(lambda: len(arrived) == 18)
        hooks = caller.sandbox.shopify.shops[DEMO.shop].hooks
        await until(lambda: not hooks.api_subscriptions())
        log = await caller.admin("GET", "/webhooks/shopify/deliveries?state=failed")
        await caller.admin("POST", f"{SHOP}/orders", {})
        await until(lambda: len(arrived) > 18)
    assert [len(item["attempts"]) for item in log["deliveries"]] == [9, 9]
    assert str(arrived[18].url) == caller.sandbox.shopify_target.url
    same = [request for request in arrived[:18] if str(request.url) == OWN]
    assert len({(request.content, request.headers["X-Shopify-Webhook-Id"]) for request in same}) == 1


async def test_while_the_secret_is_changed_deliveries_are_signed_with_one_or_the_other() -> None:
    async with receiving(good) as (caller, arrived):
        await caller.admin("PUT", "/webhooks/shopify", {"secrets": ["new", "old"], "topics": ["orders/paid"]})
        sent = await caller.admin("POST", "/webhooks/shopify/send", {"shop": DEMO.shop, "count": 4})
        await until(lambda: len(arrived) == 4)
    assert sent["deliveries"] == 4
    assert [sum(is_signed(request, secret) for request in arrived) for secret in ("new", "old")] == [2, 2]


async def test_duplicates_are_the_same_bytes_under_the_same_id() -> None:
    async with receiving(good) as (caller, arrived):
        await caller.admin("POST", "/webhooks/shopify/send", {"shop": DEMO.shop, "record_ids": [ORDER], "duplicates": 2, "shuffled": True})
        await until(lambda: len(arrived) == 3)
    assert len({(request.content, request.headers["X-Shopify-Webhook-Id"]) for request in arrived}) == 1


async def test_subscriptions_are_listed_changed_and_deleted_and_those_of_the_app_are_not_told(caller: SandboxCaller) -> None:
    made = (await subscribed(caller, "REFUNDS_CREATE"))["webhookSubscription"]
    again = await subscribed(caller, "REFUNDS_CREATE")
    assert again["userErrors"][0]["message"] == "Address for this topic has already been taken"
    listed = (await caller.graphql("{ webhookSubscriptions(first: 10) { nodes { id topic uri } } }"))["data"]
    assert listed["webhookSubscriptions"]["nodes"] == [{"id": made["id"], "topic": "REFUNDS_CREATE", "uri": OWN}]
    delete = "mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }"
    assert (await caller.graphql(delete, id=made["id"]))["data"]["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] == made["id"]
    gone = (await caller.graphql(delete, id=made["id"]))["data"]["webhookSubscriptionDelete"]
    assert gone["userErrors"] == [{"message": "Webhook subscription does not exist"}]
    writes = (await caller.admin("GET", "/writes?system=shopify"))["writes"]
    assert [write["operation"] for write in writes] == ["CREATE", "DELETE"]


@pytest.mark.parametrize("uri", ["", "ftp://a.example.test", "nonsense"])
async def test_an_address_that_is_none_is_refused(caller: SandboxCaller, uri: str) -> None:
    assert (await subscribed(caller, "ORDERS_PAID", uri=uri))["userErrors"][0]["message"] == "Address is invalid"


def test_the_app_listens_to_the_privacy_topics_from_the_start() -> None:
    assert {"customers/data_request", "customers/redact", "shop/redact", "app/uninstalled"} <= set(APP_TOPICS)
