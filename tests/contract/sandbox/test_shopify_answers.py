"""The stand-in against what Shopify publishes: its schema, and the sample bodies of its webhooks."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from tests.contract.sandbox.cut_shopify_schema import cut
from tests.support.sandbox import SandboxCaller
from zixly_sandbox.constants import DEMO, ORDER
from zixly_sandbox.shopify.bodies import customer_body, customer_redact_body, data_request_body, redact_body, refund_body
from zixly_sandbox.shopify.bulk import BulkOperation
from zixly_sandbox.shopify.desk import finish_body
from zixly_sandbox.shopify.engine import SCHEMA, admin_schema
from zixly_sandbox.shopify.order_body import order_body
from zixly_sandbox.shopify.shop_body import shop_body

OFFICIAL = Path(__file__).parents[1] / "descriptions" / "shopify_admin_2026-10.graphql.gz"
SAMPLES = Path(__file__).parents[2] / "payloads" / "shopify" / "webhooks"
PAGED = "(first: 3)"
DEEPEST = 7
# What REST bodies hold as numbers beyond a double's reach, or as one or the other.
KINDS = {int: "number", float: "number", str: "text", bool: "flag", dict: "object", list: "list"}


def test_the_schema_is_a_part_of_the_official_one_to_the_letter() -> None:
    assert cut(gzip.decompress(OFFICIAL.read_bytes()).decode()) == SCHEMA.read_text(encoding="utf-8")


def selection(kind: Any, *, above: tuple[str, ...] = ()) -> str:
    """All fields of a type, and of the types in it, as far as none comes twice on the way."""
    chosen = [text for name, field in sorted(kind.fields.items()) if (text := selected(name, field, above=(*above, kind.name)))]
    return f"{{ {' '.join(chosen)} }}"


def selected(name: str, field: GraphQLField, *, above: tuple[str, ...]) -> str:
    inner = get_named_type(field.type)
    arguments = PAGED if "first" in field.args else ""
    if any(is_required_argument(argument) for argument in field.args.values()):
        return ""
    if is_leaf_type(inner):
        return name
    if inner.name in above or len(above) > DEEPEST or isinstance(inner, GraphQLInterfaceType):
        return ""
    text = selection(inner, above=above)
    return f"{name}{arguments} {text}" if text != "{  }" else ""


def object_type(name: str) -> GraphQLObjectType:
    found = admin_schema().type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


async def refunded_order(caller: SandboxCaller) -> str:
    """An order that has everything: discount, tax, shipping, a refund of lines, shipping and more, a cancellation."""
    shop = f"/shopify/{DEMO.shop}/orders"
    lines = [{"title": "Chair", "quantity": 2, "price": 55}]
    made = await caller.admin("POST", shop, {"email": "ada.lovelace@example.test", "lines": lines, "discount_percent": 10})
    line = made["line_items"][0]["id"]
    await caller.admin("POST", f"{shop}/{made['id']}/refund", {"quantities": {line: 1}, "amount": 61, "with_shipping": True})
    await caller.admin("POST", f"{shop}/{made['id']}/cancel", {})
    return f"gid://shopify/Order/{made['id']}"


async def test_every_field_of_an_order_and_what_hangs_on_it_is_answered(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"shopify": {"query_points": 10**9, "bucket_points": 10**9}})
    order = await refunded_order(caller)
    answer = await caller.graphql(f"query($id: ID!) {{ order(id: $id) {selection(object_type('Order'))} }}", id=order)
    assert answer.get("errors") is None
    assert answer["data"]["order"]["refunds"][0]["refundShippingLines"]["nodes"]


@pytest.mark.parametrize("field", ["shop", "currentAppInstallation", "customers", "webhookSubscriptions", "ordersCount"])
async def test_every_field_of_the_other_roots_is_answered(caller: SandboxCaller, field: str) -> None:
    await caller.admin("PATCH", "/rules", {"shopify": {"query_points": 10**9, "bucket_points": 10**9}})
    create = """mutation { webhookSubscriptionCreate(topic: ORDERS_PAID, webhookSubscription: {uri: "https://a.example.test"})
      { userErrors { message } } }"""
    assert (await caller.graphql(create))["data"]["webhookSubscriptionCreate"]["userErrors"] == []
    text = selected(field, object_type("QueryRoot").fields[field], above=("QueryRoot",))
    answer = await caller.graphql(f"{{ {text} }}")
    assert answer.get("errors") is None
    assert answer["data"][field]


async def bodies(caller: SandboxCaller) -> dict[str, Any]:
    """A body of each topic, by the name of its sample."""
    await refunded_order(caller)
    shop = caller.sandbox.shopify.shops[DEMO.shop].shop
    order = next(item for item in shop.orders.values() if item.refunds)
    assert order.customer is not None
    return {
        "orders_paid": order_body(shop, order),
        "refunds_create": refund_body(shop, order.refunds[0]),
        "customers_create": customer_body(shop, order.customer),
        "customers_redact": customer_redact_body(shop, order.customer),
        "customers_data_request": data_request_body(shop, order.customer, request_id=1),
        "shop_redact": redact_body(shop),
        "app_uninstalled": shop_body(shop, now=1),
        "bulk_operations_finish": finish_body(BulkOperation(1, "", 1, status="COMPLETED", completed_at=2)),
    }


def differences(body: Any, sample: Any, path: str = "") -> Iterator[str]:
    """Names that the sample has and the body lacks, or the other way round, and values of another kind."""
    if body is None or sample is None:
        return
    if KINDS[type(body)] != KINDS[type(sample)]:
        yield f"{path}: {type(body).__name__} instead of {type(sample).__name__}"
    elif isinstance(sample, dict):
        yield from (f"{path}/{name} is missing" for name in sample.keys() - body.keys())
        yield from (f"{path}/{name} is not in the sample" for name in body.keys() - sample.keys())
        for name in sample.keys() & body.keys():
            yield from differences(body[name], sample[name], f"{path}/{name}")
    elif isinstance(sample, list) and sample and body:
        yield from differences(body[0], sample[0], f"{path}/0")


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("*.json")))
async def test_a_body_has_the_names_and_kinds_of_the_published_sample(caller: SandboxCaller, name: str) -> None:
    found = orjson.loads(orjson.dumps((await bodies(caller))[name]))
    assert sorted(differences(found, orjson.loads((SAMPLES / f"{name}.json").read_bytes()))) == []


async def test_the_demos_order_is_the_one_of_the_recorded_requests(caller: SandboxCaller) -> None:
    answer = await caller.graphql("query($id: ID!) { order(id: $id) { name } }", id=f"gid://shopify/Order/{ORDER}")
    assert answer["data"]["order"]["name"] == "#1001"
