from __future__ import annotations

from typing import Any

import httpx2
import orjson
import pytest

from tests.support.sandbox import SandboxCaller
from tests.support.sandbox_receiver import receiving, until
from zixly_sandbox.constants import DEMO, ORDER, SECOND

ORDER_ID = f"gid://shopify/Order/{ORDER}"
DAY = 86_400
AMOUNTS = """query Amounts($id: ID!) { order(id: $id) {
  name currencyCode taxesIncluded displayFinancialStatus
  totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
  subtotalPriceSet { shopMoney { amount } } totalTaxSet { shopMoney { amount } } totalDiscountsSet { shopMoney { amount } }
  totalShippingPriceSet { shopMoney { amount } } totalRefundedSet { shopMoney { amount } } currentTotalPriceSet { shopMoney { amount } }
  lineItems(first: 10) { nodes {
    title quantity totalDiscountSet { shopMoney { amount } } discountAllocations { allocatedAmountSet { shopMoney { amount } } }
    discountedUnitPriceAfterAllDiscountsSet { shopMoney { amount } } taxLines { title rate priceSet { shopMoney { amount } } } } }
  transactions { id kind status gateway amountSet { shopMoney { amount } } authorizationCode paymentId }
  refunds { id note totalRefundedSet { shopMoney { amount } }
    refundLineItems(first: 5) { nodes { quantity lineItem { title } subtotalSet { shopMoney { amount } } } } }
} }"""


def amount(order: dict[str, Any], name: str) -> str:
    found: str = order[name]["shopMoney"]["amount"]
    return found


async def amounts_of(caller: SandboxCaller, number: int) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.graphql(AMOUNTS, id=f"gid://shopify/Order/{number}"))["data"]["order"]
    return found


async def placed(caller: SandboxCaller, **order: Any) -> int:
    """An order without webhooks' waits; its id."""
    lines = [{"title": "Chair", "sku": "C-1", "quantity": 2, "price": 55}, {"title": "Desk", "quantity": 1, "price": 110}]
    made = await caller.admin("POST", f"/shopify/{DEMO.shop}/orders", {"email": "ada.lovelace@example.test", "lines": lines, **order})
    number: int = made["id"]
    return number


async def test_the_known_order_is_paid_by_ada(caller: SandboxCaller) -> None:
    order = await amounts_of(caller, ORDER)
    assert (order["name"], order["displayFinancialStatus"], order["currencyCode"]) == ("#1001", "PAID", "AUD")
    assert [(item["kind"], item["status"], amount(item, "amountSet")) for item in order["transactions"]] == [
        ("SALE", "SUCCESS", amount(order, "totalPriceSet"))
    ]


async def test_amounts_add_up_with_tax_inside_a_discount_and_shipping(caller: SandboxCaller) -> None:
    order = await amounts_of(caller, await placed(caller, discount_percent=10))
    assert (amount(order, "subtotalPriceSet"), amount(order, "totalDiscountsSet")) == ("198.0", "22.0")
    assert (amount(order, "totalShippingPriceSet"), amount(order, "totalPriceSet")) == ("9.95", "207.95")
    assert amount(order, "totalTaxSet") == "18.9"  # 9.00 in each line, 0.90 in shipping
    chair = order["lineItems"]["nodes"][0]
    assert chair["taxLines"] == [{"title": "GST", "rate": 0.1, "priceSet": {"shopMoney": {"amount": "9.0"}}}]


async def test_a_discount_by_code_is_in_a_lines_allocations_only(caller: SandboxCaller) -> None:
    """`totalDiscountSet` leaves discounts of the whole order out; who reads only that books too much."""
    order = await amounts_of(caller, await placed(caller, discount_percent=10))
    chair = order["lineItems"]["nodes"][0]
    assert amount(chair, "totalDiscountSet") == "0.0"
    assert [amount(item, "allocatedAmountSet") for item in chair["discountAllocations"]] == ["11.0"]
    assert amount(chair, "discountedUnitPriceAfterAllDiscountsSet") == "49.5"


async def test_tax_on_top_makes_the_order_dearer(caller: SandboxCaller) -> None:
    order = await amounts_of(caller, await placed(caller, taxes_included=False, with_shipping=False))
    assert (order["taxesIncluded"], amount(order, "totalPriceSet"), amount(order, "totalTaxSet")) == (False, "242.0", "22.0")


async def test_a_customer_who_saw_another_currency_has_both_amounts(caller: SandboxCaller) -> None:
    order = await amounts_of(caller, await placed(caller, presentment_currency="USD", presentment_rate=0.5, with_shipping=False))
    assert order["totalPriceSet"]["shopMoney"] == {"amount": "220.0", "currencyCode": "AUD"}
    assert order["totalPriceSet"]["presentmentMoney"] == {"amount": "110.0", "currencyCode": "USD"}


async def test_a_refund_of_a_piece_lowers_what_the_order_is_worth_now(caller: SandboxCaller) -> None:
    number = await placed(caller)
    line = (await caller.admin("GET", f"/shopify/{DEMO.shop}/orders/{number}"))["line_items"][0]["id"]
    await caller.admin("POST", f"/shopify/{DEMO.shop}/orders/{number}/refund", {"quantities": {line: 1}, "note": "broken"})
    order = await amounts_of(caller, number)
    assert order["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert (amount(order, "totalRefundedSet"), amount(order, "currentTotalPriceSet")) == ("55.0", "174.95")
    (refund,) = order["refunds"]
    assert (refund["note"], refund["refundLineItems"]["nodes"][0]["quantity"]) == ("broken", 1)


async def test_an_amount_without_lines_is_refunded_as_a_discrepancy(caller: SandboxCaller) -> None:
    number = await placed(caller)
    refund = await caller.admin("POST", f"/shopify/{DEMO.shop}/orders/{number}/refund", {"amount": 12.34})
    assert (refund["refund_line_items"], refund["order_adjustments"][0]["amount"]) == ([], "-12.34")
    assert amount(await amounts_of(caller, number), "totalRefundedSet") == "12.34"


async def test_a_cancelled_order_is_refunded_or_void(caller: SandboxCaller) -> None:
    paid, unpaid = await placed(caller), await placed(caller, is_paid=False)
    for number in (paid, unpaid):
        await caller.admin("POST", f"/shopify/{DEMO.shop}/orders/{number}/cancel", {})
    assert [(await amounts_of(caller, number))["displayFinancialStatus"] for number in (paid, unpaid)] == ["REFUNDED", "VOIDED"]
    again = await caller.http.post(f"/_sandbox/shopify/{DEMO.shop}/orders/{paid}/cancel", json={})
    assert again.status_code == 409


async def test_more_than_was_paid_cannot_be_given_back(caller: SandboxCaller) -> None:
    number = await placed(caller)
    answer = await caller.http.post(f"/_sandbox/shopify/{DEMO.shop}/orders/{number}/refund", json={"amount": 10_000})
    assert answer.status_code == 409


async def test_nodes_come_in_the_order_of_the_ids_with_gaps(caller: SandboxCaller) -> None:
    ids = ["gid://shopify/Order/1", ORDER_ID, "gid://shopify/Nonsense/1"]
    answer = await caller.graphql("query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Order { name } } }", ids=ids)
    assert answer["data"]["nodes"] == [None, {"id": ORDER_ID, "name": "#1001"}, None]


async def test_a_text_that_is_no_id_is_an_error(caller: SandboxCaller) -> None:
    answer = await caller.graphql('{ order(id: "1001") { name } }')
    assert answer["errors"][0]["message"] == "Invalid global id '1001'"


async def test_orders_changed_in_a_span_are_paged_without_gap_or_repeat(caller: SandboxCaller) -> None:
    query = """query($after: String) { orders(first: 7, after: $after, sortKey: UPDATED_AT,
      query: "updated_at:>='2026-10-20T00:00:00Z' AND updated_at:<'2026-11-22T00:00:00Z'")
      { nodes { id updatedAt } pageInfo { hasNextPage endCursor } } }"""
    seen: list[dict[str, str]] = []
    after, pages = None, 0
    while pages == 0 or after is not None:
        page = (await caller.graphql(query, after=after))["data"]["orders"]
        seen += page["nodes"]
        after, pages = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None, pages + 1
    times = [item["updatedAt"] for item in seen]
    assert pages > 1
    assert times == sorted(times)
    assert len({item["id"] for item in seen}) == len(seen)
    shop = caller.sandbox.shopify.shops[DEMO.shop].shop
    span = [item for item in shop.orders.values() if 1_792_454_400_000 <= item.updated_at < 1_795_305_600_000]
    assert len(seen) == len(span)


async def test_orders_are_found_by_status_and_a_date_in_the_shops_own_zone(caller: SandboxCaller) -> None:
    number = await placed(caller, is_paid=False)
    query = "query($q: String) { orders(first: 250, query: $q) { nodes { legacyResourceId displayFinancialStatus } } }"
    found = (await caller.graphql(query, q="financial_status:pending created_at:2026-11-22"))["data"]["orders"]["nodes"]
    assert {"legacyResourceId": str(number), "displayFinancialStatus": "PENDING"} in found
    assert {item["displayFinancialStatus"] for item in found} == {"PENDING"}
    earlier = (await caller.graphql(query, q="created_at:2026-11-21"))["data"]["orders"]["nodes"]
    assert str(number) not in {item["legacyResourceId"] for item in earlier}


async def test_an_unknown_search_field_is_ignored_and_only_a_note_tells(caller: SandboxCaller) -> None:
    answer = await caller.graphql('{ orders(first: 250, query: "updatet_at:>2026-11-22") { nodes { id } } }')
    assert len(answer["data"]["orders"]["nodes"]) == len(caller.sandbox.shopify.shops[DEMO.shop].shop.orders)
    assert answer["extensions"]["search"][0]["warnings"][0]["field"] == "updatet_at"


async def test_orders_older_than_sixty_days_are_invisible_without_the_scope(caller: SandboxCaller) -> None:
    caller.clock.advance(61 * DAY)
    query = "query($id: ID!) { order(id: $id) { id } ordersCount { count } }"
    assert (await caller.graphql(query, id=ORDER_ID))["data"] == {"order": None, "ordersCount": {"count": 0}}
    await caller.admin("PATCH", "/rules", {"shopify": {"read_all_orders": 1}})
    assert (await caller.graphql(query, id=ORDER_ID))["data"]["order"] == {"id": ORDER_ID}


async def test_an_unknown_field_is_refused_in_the_servers_words(caller: SandboxCaller) -> None:
    (error,) = (await caller.graphql('query Find { order(id: "gid://shopify/Order/1") { name nonsense } }'))["errors"]
    assert error["message"] == "Field 'nonsense' doesn't exist on type 'Order'"
    assert error["path"] == ["query Find", "order", "nonsense"]
    assert error["extensions"] == {"code": "undefinedField", "typeName": "Order", "fieldName": "nonsense"}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ orders { nodes { id } } }", "you must provide one of first or last"),
        ("{ orders(first: 251) { nodes { id } } }", "at most 250"),
        ('{ orders(first: 1, after: "x") { nodes { id } } }', "not a valid cursor"),
        ("{ orders(first: 1, sort: ID) { nodes { id } } }", "doesn't accept argument 'sort'"),
        ("{ orders(first: 1", "Syntax Error"),
        ("query($id: ID!) { order(id: $id) { id } }", "Variable $id of type ID! was provided invalid value"),
    ],
)
async def test_a_wrong_query_is_told_with_status_200(caller: SandboxCaller, query: str, words: str) -> None:
    assert words in (await caller.graphql(query))["errors"][0]["message"]


async def test_unused_points_are_given_back(caller: SandboxCaller) -> None:
    cost = (await caller.graphql('{ orders(first: 200, query: "name:#1001") { nodes { id customer { id } } } }'))["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (400, 2)
    assert cost["throttleStatus"] == {"maximumAvailable": 2000.0, "currentlyAvailable": 1998, "restoreRate": 100.0}


async def test_one_query_may_not_cost_more_than_a_thousand(caller: SandboxCaller) -> None:
    answer = await caller.graphql("{ orders(first: 20) { nodes { id lineItems(first: 50) { nodes { id } } } } }")
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert answer["errors"][0]["extensions"]["cost"] == 1020


async def test_an_empty_bucket_throttles_until_it_has_filled_again(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"shopify": {"bucket_points": 300, "restore_per_second": 50}})
    query = "query($first: Int!) { orders(first: $first) { nodes { id } } }"
    assert "data" in await caller.graphql(query, first=250)
    caller.sandbox.shopify.shops[DEMO.shop].bucket.spend(100)
    refused = await caller.graphql(query, first=250)
    assert refused["errors"][0]["extensions"]["code"] == "THROTTLED"
    missing = 250 - refused["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"]
    caller.clock.advance(missing / 50 + 0.1)
    assert "data" in await caller.graphql(query, first=250)


async def test_a_rate_fault_is_told_as_throttled(caller: SandboxCaller) -> None:
    await caller.admin("POST", "/faults", {"system": "shopify", "pattern": "POST */graphql.json", "kind": "429", "seconds": 2, "count": 1})
    assert (await caller.graphql("{ shop { name } }"))["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert (await caller.graphql("{ shop { name } }"))["data"]["shop"]["name"] == DEMO.name


@pytest.mark.parametrize(("state", "status"), [("frozen", 402), ("forbidden", 403), ("closed", 404), ("locked", 423)])
async def test_a_shop_that_is_not_open_has_a_status_of_its_own(caller: SandboxCaller, state: str, status: int) -> None:
    headers = await caller.shopify_headers()
    await caller.admin("PATCH", f"/shopify/{DEMO.shop}", {"state": state})
    answer = await caller.http.post(f"/shopify/{DEMO.shop}/admin/api/2026-10/graphql.json", json={"query": "{shop{id}}"}, headers=headers)
    assert answer.status_code == status
    assert isinstance(answer.json()["errors"], str)


async def test_another_shops_token_and_another_version_are_refused(caller: SandboxCaller) -> None:
    headers = await caller.shopify_headers()
    body = {"query": "{ shop { id } }"}
    for shop, version, status in ((SECOND.shop, "2026-10", 401), (DEMO.shop, "2027-01", 404), (DEMO.shop, "2025-10", 200)):
        answer = await caller.http.post(f"/shopify/{shop}/admin/api/{version}/graphql.json", json=body, headers=headers)
        assert answer.status_code == status
    assert answer.headers["X-Shopify-API-Version"] == "2026-01"


async def test_fifty_thousand_orders_are_seeded_and_found(caller: SandboxCaller) -> None:
    made = await caller.admin("POST", f"/shopify/{DEMO.shop}/seed", {"customers": 100, "orders": 50_000})
    assert len(made["order_ids"]) == 50_000
    assert (await caller.graphql("{ ordersCount(limit: 10) { count precision } }"))["data"]["ordersCount"] == {
        "count": 10,
        "precision": "AT_LEAST",
    }


BULK = """mutation($query: String!) { bulkOperationRunQuery(query: $query) {
  bulkOperation { id status } userErrors { field message code } } }"""


async def test_a_bulk_query_gives_a_file_in_which_lines_name_their_parent() -> None:
    async with receiving(lambda _request: httpx2.Response(200)) as (caller, _arrived):
        query = "{ orders { edges { node { id name lineItems { edges { node { id quantity } } } } } } }"
        started = (await caller.graphql(BULK, query=query))["data"]["bulkOperationRunQuery"]
        assert started["userErrors"] == []
        operation = caller.sandbox.shopify.shops[DEMO.shop].bulk.newest()
        assert operation is not None
        await until(lambda: operation.status == "COMPLETED")
        look = "query($id: ID!) { node(id: $id) { ... on BulkOperation { url objectCount rootObjectCount } } }"
        told = (await caller.graphql(look, id=started["bulkOperation"]["id"]))["data"]["node"]
        rows = [orjson.loads(row) for row in (await caller.http.get(told["url"].partition("3900")[2])).content.splitlines()]
    orders = caller.sandbox.shopify.shops[DEMO.shop].shop.orders
    roots = {row["id"] for row in rows if "__parentId" not in row}
    assert len(roots) == int(told["rootObjectCount"]) == len(orders)
    assert len(rows) == int(told["objectCount"]) == len(orders) + sum(len(order.lines) for order in orders.values())
    assert {row["__parentId"] for row in rows if "__parentId" in row} == roots


@pytest.mark.parametrize("query", ["{ shop { id } }", "{ orders { edges { node { nonsense } } } }", "nonsense"])
async def test_a_query_that_cannot_run_in_bulk_is_refused(caller: SandboxCaller, query: str) -> None:
    answer = (await caller.graphql(BULK, query=query))["data"]["bulkOperationRunQuery"]
    assert answer["bulkOperation"] is None
    assert answer["userErrors"][0]["code"] == "INVALID"
