"""Every query of Shopify's client: valid in the whole schema of the version in the settings, sent as the official client sends."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from functools import cache

import httpx2
import pytest
from graphql import GraphQLSchema, TypeInfo, TypeInfoVisitor, Visitor, build_schema, parse, validate, visit
from graphql.language import FieldNode

from tests.contract.clients.description import FOLDER
from tests.contract.clients.recorded import recorded, seen
from tests.unit.clients.test_shopify_client import Shopify, data, nodes, order_json, page, subscription
from zixly_core.settings import Settings
from zixly_core.systems.shopify import queries
from zixly_core.systems.shopify.client import LINES_AT_FIRST, ORDERS_PER_CALL, PARTS_AT_FIRST, REFUNDS_PER_CALL

QUERIES = {
    name: text
    for name, text in vars(queries).items()
    if isinstance(text, str) and not name.startswith("_") and text.startswith(("query", "mutation"))
}
# What one query may ask for (shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits).
MAX_COST = 1_000


@cache
def schema() -> GraphQLSchema:
    """The official schema breaks rules about deprecations, so it is taken as it is."""
    text = gzip.decompress((FOLDER / "shopify_admin_2026-10.graphql.gz").read_bytes()).decode()
    return build_schema(text, assume_valid=True, assume_valid_sdl=True)


def test_there_are_queries_to_check() -> None:
    assert len(QUERIES) == 9


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_valid_in_the_official_schema(name: str) -> None:
    assert Settings().shopify_api_version == "2026-10"
    assert validate(schema(), parse(QUERIES[name])) == []


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_names_nothing_that_is_deprecated(name: str) -> None:
    info = TypeInfo(schema())
    found: list[str] = []

    class Deprecated(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            field = info.get_field_def()
            if field is not None and field.deprecation_reason:
                found.append(node.name.value)

    visit(parse(QUERIES[name]), TypeInfoVisitor(info, Deprecated()))
    assert found == []


def test_the_largest_reads_stay_below_the_cost_of_one_query() -> None:
    """Counted without the amounts, which are objects without an id; if Shopify counts more it says so, and the call is halved."""
    an_order = 1 + 1 + LINES_AT_FIRST + 2 * PARTS_AT_FIRST
    assert ORDERS_PER_CALL * an_order < MAX_COST / 4
    assert REFUNDS_PER_CALL * (1 + LINES_AT_FIRST + 10) < MAX_COST / 4


def test_queries_are_sent_as_the_official_client_does() -> None:
    shopify = Shopify([nodes(order_json())])
    shopify.client.orders_by_ids(["5678901234567"])
    (request,) = shopify.vendor.requests
    sent, expected = seen(request), recorded("shopify", "graphql-order-by-id")
    assert sent["body"]["variables"]["ids"] == [expected["body"]["variables"]["id"]]
    assert without_body(request) == {**expected, "path": expected["path"].replace("2026-07", "2026-10"), "query": [], "body": None}


def test_a_topic_is_subscribed_to_as_the_official_client_does() -> None:
    shopify = Shopify([data({"webhookSubscriptionCreate": {"webhookSubscription": subscription(), "userErrors": []}})])
    shopify.client.subscribe("orders/paid", "https://bridge.example.test/webhooks/shopify")
    assert shopify.variables(0) == recorded("shopify", "graphql-webhook-subscribe")["body"]["variables"]


def test_changed_orders_are_asked_for_as_the_official_client_does() -> None:
    shopify = Shopify([data({"orders": page()})])
    list(shopify.client.order_changes_since(datetime(2026, 11, 21, tzinfo=UTC)))
    expected = recorded("shopify", "graphql-orders-updated-since")["body"]["variables"]["q"]
    assert expected.startswith(shopify.variables(0)["q"] + " AND ")


def without_body(request: httpx2.Request) -> dict[str, object]:
    return {**seen(request), "body": None}


def test_the_check_itself_refuses_a_field_that_is_not_there() -> None:
    assert validate(schema(), parse("query Q { shop { nonsense } }")) != []
