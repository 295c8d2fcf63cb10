from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from tests.support.deliveries import shopify_headers
from zixly_core.errors import InvalidSignature
from zixly_core.ids import new_id
from zixly_core.prepared import RoutedEvent
from zixly_core.system import IncomingRequest, ParsedEvent
from zixly_core.systems.shopify.receive import ShopifyProfile

PROFILE = ShopifyProfile()
SECRET = "client-secret"
SHOP = "zixly-demo.myshopify.com"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ORDER = {"id": 5678901234567, "admin_graphql_api_id": "gid://shopify/Order/5678901234567", "updated_at": "2026-11-22T19:59:57+10:00"}
CUSTOMER = {"id": 191167, "email": "john@example.test"}
REDACT = {"shop_id": 954889, "shop_domain": SHOP, "customer": CUSTOMER, "orders_to_redact": [1]}
DATA_REQUEST = {"shop_id": 954889, "shop_domain": SHOP, "customer": CUSTOMER, "orders_requested": [1], "data_request": {"id": 9}}
SHOP_REDACT = {"shop_id": 954889, "shop_domain": SHOP}


def request_with(document: object, *, topic: str = "orders/paid", shop: str = SHOP, **headers: str) -> IncomingRequest:
    body = json.dumps(document).encode()
    return IncomingRequest("POST", "http://x", shopify_headers(body, secret=SECRET, shop=shop, topic=topic, **headers), body, NOW)


def event_of(document: object, *, topic: str = "orders/paid", **headers: str) -> ParsedEvent:
    (event,) = PROFILE.read(request_with(document, topic=topic, **headers)).events
    return event


def stored_key(event: ParsedEvent) -> str:
    return RoutedEvent(new_id(), event, None, ()).stored_key


@pytest.mark.parametrize(
    ("topic", "document", "kind", "record_key"),
    [
        ("orders/paid", ORDER, "orders.paid", "order:5678901234567"),
        ("orders/updated", {"id": "12"}, "orders.updated", "order:12"),
        ("orders/edited", {"order_edit": {"id": 1, "order_id": 12}}, "orders.edited", "order:12"),
        ("refunds/create", {"id": 9, "order_id": 12, "admin_graphql_api_id": "gid://shopify/Refund/9"}, "refunds.create", "order:12"),
        ("customers/create", {**CUSTOMER, "admin_graphql_api_id": "gid://shopify/Customer/191167"}, "customers.create", "customer:191167"),
        ("customers/redact", REDACT, "customers.redact", "customer:191167"),
        ("customers/data_request", DATA_REQUEST, "customers.data_request", "customer:191167"),
        ("shop/redact", SHOP_REDACT, "shop.redact", "shop:954889"),
        ("app/uninstalled", {"id": 7, "myshopify_domain": SHOP}, "app.uninstalled", "app:7"),
        (
            "bulk_operations/finish",
            {"admin_graphql_api_id": "gid://shopify/BulkOperation/5"},
            "bulk_operations.finish",
            "bulk_operations:5",
        ),
        ("new_things/made", {"id": 3}, "new_things.made", "new_things:3"),
    ],
)
def test_each_topic_is_a_kind_about_the_record_in_its_body(topic: str, document: object, kind: str, record_key: str) -> None:
    event = event_of(document, topic=topic)
    assert (event.kind, event.record_key, event.external_id) == (kind, f"shopify:{SHOP}:{record_key}", SHOP)


def test_a_body_that_names_no_record_is_kept_under_its_delivery() -> None:
    assert event_of({}, topic="new_things/made", x_shopify_webhook_id="w-1").record_key == f"shopify:{SHOP}:new_things:w-1"


def test_the_time_is_the_bodys_in_utc_and_never_in_the_future() -> None:
    assert event_of(ORDER).occurred_at == datetime(2026, 11, 22, 9, 59, 57, tzinfo=UTC)
    assert event_of({**ORDER, "updated_at": "2036-01-01T00:00:00Z"}).occurred_at == NOW
    assert event_of({"id": 1}, x_shopify_triggered_at="2036-01-01T00:00:00Z").occurred_at == NOW


def test_the_newer_header_names_do_as_well() -> None:
    request = request_with(ORDER)
    newer = replace(request, headers={name.removeprefix("x-"): value for name, value in request.headers.items()})
    PROFILE.verify(newer, secrets=["the newer one", SECRET])
    assert PROFILE.read(newer).events == PROFILE.read(request).events


@pytest.mark.parametrize("name", ["topic", "shop-domain", "webhook-id", "hmac-sha256"])
def test_a_delivery_without_one_of_its_headers_is_refused(name: str) -> None:
    request = request_with(ORDER)
    lacking = replace(request, headers={key: value for key, value in request.headers.items() if key != f"x-shopify-{name}"})
    judge = PROFILE.read if name != "hmac-sha256" else partial(PROFILE.verify, secrets=[SECRET])
    with pytest.raises(InvalidSignature) as refused:
        judge(lacking)
    assert refused.value.reason == "signature_missing"


@pytest.mark.parametrize(
    ("topic", "document"),
    [
        ("customers/redact", ORDER),
        ("customers/redact", DATA_REQUEST),
        ("customers/data_request", REDACT),
        ("shop/redact", REDACT),
        ("shop/redact", ORDER),
        ("orders/paid", {"id": 1, "admin_graphql_api_id": "gid://shopify/Customer/1"}),
        ("refunds/create", ORDER),
        ("orders", ORDER),
    ],
)
def test_a_signed_body_under_another_topic_is_refused(topic: str, document: object) -> None:
    """The topic is not signed; an order's body must not pass for the order to erase somebody."""
    with pytest.raises(InvalidSignature) as refused:
        event_of(document, topic=topic)
    assert (refused.value.reason, PROFILE.rejection(refused.value).status) == ("topic_mismatch", 401)


@pytest.mark.parametrize(("topic", "document"), [("customers/redact", REDACT), ("app/uninstalled", {"id": 7, "myshopify_domain": SHOP})])
def test_a_body_that_names_another_shop_than_the_headers_is_refused(topic: str, document: object) -> None:
    with pytest.raises(InvalidSignature) as refused:
        PROFILE.read(request_with(document, topic=topic, shop="other.myshopify.com"))
    assert refused.value.reason == "shop_mismatch"


def test_a_retry_is_the_same_delivery() -> None:
    first, again = (event_of(ORDER, x_shopify_webhook_id="w-1", x_shopify_triggered_at=at) for at in ("a", "b"))
    assert stored_key(first) == stored_key(again)


@pytest.mark.parametrize(
    ("document", "topic", "webhook_id"),
    [(ORDER, "orders/paid", "w-2"), ({**ORDER, "note": "x"}, "orders/paid", "w-1"), (ORDER, "orders/updated", "w-1")],
    ids=["another id", "another body", "another topic"],
)
def test_a_made_up_header_takes_no_other_deliverys_place(document: object, topic: str, webhook_id: str) -> None:
    """Whoever saw one delivery can send it first under the id of another; the other one must still count."""
    real = event_of(ORDER, x_shopify_webhook_id="w-1")
    assert stored_key(real) != stored_key(event_of(document, topic=topic, x_shopify_webhook_id=webhook_id))
