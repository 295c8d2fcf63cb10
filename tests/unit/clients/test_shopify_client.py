"""Shopify's client: orders whole, points used up, errors that come with 200."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import orjson
import pytest

from tests.unit.clients.vendor import Answers, FixedTokens, Vendor, answered
from zixly_core.errors import BudgetSpent, Permanent, Transient
from zixly_core.systems.shopify.client import ShopifyClient
from zixly_core.systems.shopify.shop import topic_from, topic_name

SHOP = "zixly-demo.myshopify.com"
STATUS = {"maximumAvailable": 2000.0, "currentlyAvailable": 150, "restoreRate": 100.0}


class Shopify:
    """A client with the vendor behind it."""

    def __init__(self, answers: Answers) -> None:
        self.vendor = Vendor(answers)
        self.client = ShopifyClient(
            self.vendor.http,
            base_url="https://{shop}",
            version="2026-10",
            tokens=FixedTokens(),
            external_id=SHOP,
        )

    def variables(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.vendor.body(number)["variables"]
        return found


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "AUD"}}


def page(*nodes: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def line_json(number: int = 1, **overrides: Any) -> dict[str, Any]:
    discounts = [{"allocatedAmountSet": money("5.00")}, {"allocatedAmountSet": money("1.25")}]
    prices = {"originalUnitPriceSet": money("55.00"), "discountAllocations": discounts, "taxLines": [{"priceSet": money("4.43")}]}
    return {"id": gid("LineItem", number), "title": "Tee", "sku": "TEE-1", "quantity": 2, **prices, **overrides}


def order_json(number: int = 5678901234567, **overrides: Any) -> dict[str, Any]:
    transaction = {
        "id": gid("OrderTransaction", 1),
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "paymentId": "#1001.1",
        "processedAt": "2026-11-22T10:00:00Z",
        "amountSet": money("104.30"),
    }
    customer = {"id": gid("Customer", 7), "firstName": "Ada", "lastName": None, "defaultEmailAddress": {"emailAddress": "ada@example.test"}}
    sets = {"totalPriceSet": "104.30", "subtotalPriceSet": "98.75", "totalTaxSet": "9.48", "totalShippingPriceSet": "5.55"}
    return {
        "id": gid("Order", number),
        "name": "#1001",
        "email": "ada@example.test",
        "currencyCode": "AUD",
        "displayFinancialStatus": "PAID",
        "taxesIncluded": True,
        "cancelledAt": None,
        "createdAt": "2026-11-22T10:00:00Z",
        "updatedAt": "2026-11-22T20:00:05+10:00",
        **{name: money(amount) for name, amount in sets.items()},
        "totalDiscountsSet": None,
        "customer": customer,
        "lineItems": page(line_json()),
        "transactions": [transaction],
        "refunds": [],
        **overrides,
    }


def refund_json(number: int = 1, **overrides: Any) -> dict[str, Any]:
    line = {
        "quantity": 1,
        "subtotalSet": money("50.00"),
        "totalTaxSet": money("4.50"),
        "lineItem": {"id": gid("LineItem", 1), "title": "Tee"},
    }
    shipping = {"subtotalAmountSet": money("5.00"), "taxAmountSet": money("0.50")}
    return {
        "id": gid("Refund", number),
        "createdAt": "2026-11-23T10:00:00Z",
        "totalRefundedSet": money("55.00"),
        "refundLineItems": page(line),
        "refundShippingLines": {"nodes": [shipping]},
        **overrides,
    }


def nodes(*items: dict[str, Any] | None) -> httpx2.Response:
    return data({"nodes": list(items)})


def data(body: dict[str, Any], **beside: Any) -> httpx2.Response:
    return answered({"data": body, "extensions": {"cost": {"requestedQueryCost": 60, "throttleStatus": STATUS}}, **beside})


def failed(code: str | None, *, cost: int = 400) -> httpx2.Response:
    error = {"message": "about ada@example.test", **({"extensions": {"code": code}} if code else {})}
    return answered({"errors": [error], "extensions": {"cost": {"requestedQueryCost": cost, "throttleStatus": STATUS}}})


def test_an_order_is_read_whole_with_exact_money_in_the_shops_currency() -> None:
    (order,) = Shopify([nodes(order_json())]).client.orders_by_ids(["5678901234567"])
    assert (order.id, order.name, order.financial_status, order.currency) == ("5678901234567", "#1001", "PAID", "AUD")
    assert (order.total, order.subtotal, order.tax, order.shipping) == (
        Decimal("104.30"),
        Decimal("98.75"),
        Decimal("9.48"),
        Decimal("5.55"),
    )
    assert (order.discounts, order.cancelled_at, order.updated_at) == (Decimal(0), None, datetime(2026, 11, 22, 10, 0, 5, tzinfo=UTC))
    (line,), (transaction,), customer = order.lines, order.transactions, order.customer
    assert (line.unit_price, line.discount, line.tax, line.quantity) == (Decimal("55.00"), Decimal("6.25"), Decimal("4.43"), 2)
    assert (transaction.kind, transaction.amount, transaction.authorization) == ("SALE", Decimal("104.30"), "#1001.1")
    assert customer is not None
    assert (customer.id, customer.email, customer.first_name, customer.last_name) == ("7", "ada@example.test", "Ada", None)
    assert "ada" not in repr(order)


def test_a_guest_without_address_is_an_order_without_customer() -> None:
    (order,) = Shopify([nodes(order_json(customer=None, email=None, displayFinancialStatus=None))]).client.orders_by_ids(["1"])
    assert (order.customer, order.email, order.financial_status) == (None, None, "")


def test_orders_are_asked_for_by_number_or_gid_a_few_a_call_and_missing_ones_are_missing() -> None:
    def found(request: httpx2.Request) -> httpx2.Response:
        ids = orjson.loads(request.content)["variables"]["ids"]
        return nodes(*(order_json(int(one.rpartition("/")[2])) if one.endswith("1") else None for one in ids))

    shopify = Shopify(found)
    wanted = [*(str(number) for number in range(1, 13)), gid("Order", 11), "#1001", "x"]
    assert [order.id for order in shopify.client.orders_by_ids(wanted)] == ["1", "11"]
    assert [len(shopify.variables(number)["ids"]) for number in range(3)] == [5, 5, 2]
    assert shopify.client.orders_by_ids([]) == []


def test_lines_beyond_the_first_page_are_read_page_by_page() -> None:
    first = nodes(order_json(lineItems=page(line_json(1), after="c1")))
    more = [data({"order": {"lineItems": page(line_json(2), after="c2")}}), data({"order": {"lineItems": page(line_json(3))}})]
    shopify = Shopify([first, *more])
    (order,) = shopify.client.orders_by_ids(["1"])
    assert [line.id for line in order.lines] == ["1", "2", "3"]
    assert [shopify.variables(number)["after"] for number in (1, 2)] == ["c1", "c2"]


def test_refunds_are_read_with_their_lines_only_where_there_are_any() -> None:
    order = nodes(order_json(refunds=[{"id": gid("Refund", 2)}, {"id": gid("Refund", 1)}]))
    more = data({"node": {"refundLineItems": page(refund_json()["refundLineItems"]["nodes"][0])}})
    first = refund_json(1, refundLineItems={**refund_json()["refundLineItems"], "pageInfo": {"hasNextPage": True, "endCursor": "c"}})
    second = refund_json(2, createdAt="2026-11-24T10:00:00Z", refundLineItems=page(), refundShippingLines={"nodes": []})
    shopify = Shopify([order, nodes(second, first), more])
    (found,) = shopify.client.orders_by_ids(["1"])
    assert [(one.id, one.amount, one.tax, one.shipping, len(one.lines)) for one in found.refunds] == [
        ("1", Decimal("55.00"), Decimal("9.50"), Decimal("5.00"), 2),
        ("2", Decimal("55.00"), Decimal(0), Decimal(0), 0),
    ]
    assert (found.refunds[0].lines[0].line_id, found.refunds[0].lines[0].subtotal) == ("1", Decimal("50.00"))


def test_a_refund_that_is_not_told_is_a_failure_and_not_an_order_without_it() -> None:
    order = nodes(order_json(refunds=[{"id": gid("Refund", 1)}]))
    with pytest.raises(Transient) as failure:
        Shopify([order, nodes(None)]).client.orders_by_ids(["1"])
    assert failure.value.reason == "partial_read"


def test_an_order_with_a_full_list_of_transactions_is_read_again_with_a_longer_one() -> None:
    """A plain list does not say that it was cut."""
    (transaction,) = order_json()["transactions"]
    cut, whole = order_json(transactions=[transaction] * 10), order_json(transactions=[transaction] * 12)
    shopify = Shopify([nodes(cut), nodes(whole)])
    assert len(shopify.client.orders_by_ids(["1"])[0].transactions) == 12
    with pytest.raises(Permanent) as failure:
        Shopify([nodes(cut), nodes(order_json(transactions=[transaction] * 100))]).client.orders_by_ids(["1"])
    assert failure.value.reason == "order_too_long"


def test_a_query_that_costs_too_much_is_halved() -> None:
    def dear(request: httpx2.Request) -> httpx2.Response:
        ids = orjson.loads(request.content)["variables"]["ids"]
        return failed("MAX_COST_EXCEEDED") if len(ids) > 2 else nodes(*(order_json(int(one.rpartition("/")[2])) for one in ids))

    shopify = Shopify(dear)
    assert len(shopify.client.orders_by_ids([str(number) for number in range(1, 8)])) == 7
    assert [len(shopify.variables(number)["ids"]) for number in range(len(shopify.vendor.requests))] == [5, 2, 2, 2, 1]
    with pytest.raises(Permanent) as failure:
        Shopify(lambda _: failed("MAX_COST_EXCEEDED")).client.orders_by_ids(["1", "2", "3"])
    assert failure.value.reason == "query_too_costly"


def test_a_throttled_query_is_a_spent_budget_that_says_when_there_will_be_enough() -> None:
    shopify = Shopify([failed("THROTTLED", cost=400)])
    with pytest.raises(BudgetSpent) as failure:
        shopify.client.shop()
    assert failure.value.retry_after == timedelta(seconds=2.5)


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("ACCESS_DENIED", Permanent, "forbidden"),
        ("SHOP_INACTIVE", Permanent, "account_closed"),
        ("INTERNAL_SERVER_ERROR", Transient, "vendor_unavailable"),
        ("undefinedField", Permanent, "refused"),
        (None, Permanent, "refused"),
    ],
)
def test_errors_that_come_with_200_are_told_apart_by_their_code(code: str | None, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind) as failure:
        Shopify([failed(code)]).client.shop()
    assert getattr(failure.value, "reason", "") == reason
    assert "ada" not in str(failure.value)


def test_data_beside_an_error_is_not_taken_for_the_whole() -> None:
    """Without a scope Shopify answers the rest of the query and null for what is denied."""
    partly = data({"nodes": [order_json(customer=None)]}, errors=[{"message": "denied", "extensions": {"code": "ACCESS_DENIED"}}])
    with pytest.raises(Permanent):
        Shopify([partly]).client.orders_by_ids(["1"])


BREAKS: list[Callable[[], dict[str, Any]]] = [
    lambda: order_json(id=None),
    lambda: order_json(totalPriceSet={"shopMoney": {"amount": "much"}}),
    lambda: order_json(totalPriceSet={"shopMoney": {"amount": "NaN"}}),
    lambda: order_json(updatedAt="soon"),
    lambda: order_json(lineItems=None),
    lambda: order_json(lineItems=page(line_json(quantity="2"))),
    lambda: order_json(transactions=None),
]


@pytest.mark.parametrize("broken", BREAKS)
def test_an_order_of_unknown_shape_is_a_permanent_error_without_its_values(broken: Callable[[], dict[str, Any]]) -> None:
    with pytest.raises(Permanent) as failure:
        Shopify([nodes(broken())]).client.orders_by_ids(["1"])
    assert failure.value.reason == "unexpected_answer"
    assert "much" not in str(failure.value)


def test_the_token_goes_where_shopify_wants_it_and_is_renewed_there() -> None:
    shop = data({"shop": {"name": "Demo", "currencyCode": "AUD", "myshopifyDomain": SHOP, "ianaTimezone": "Australia/Brisbane"}})
    shopify = Shopify([httpx2.Response(401), shop])
    assert shopify.client.shop().timezone == "Australia/Brisbane"
    assert [request.headers["x-shopify-access-token"] for request in shopify.vendor.requests] == ["test-access-token", "renewed-token"]
    assert "authorization" not in shopify.vendor.requests[0].headers
    assert str(shopify.vendor.requests[0].url) == f"https://{SHOP}/admin/api/2026-10/graphql.json"


def test_changed_orders_are_listed_from_all_pages() -> None:
    def change(number: int) -> dict[str, Any]:
        return {"id": gid("Order", number), "updatedAt": "2026-11-22T10:00:00Z"}

    shopify = Shopify([data({"orders": page(change(1), after="c")}), data({"orders": page(change(2))})])
    changes = list(shopify.client.order_changes_since(datetime(2026, 11, 21, tzinfo=UTC)))
    assert [one.id for one in changes] == ["1", "2"]
    assert shopify.variables(0)["q"] == "updated_at:>='2026-11-21T00:00:00Z'"
    assert [shopify.variables(number)["after"] for number in (0, 1)] == [None, "c"]


def subscription(topic: str = "ORDERS_PAID") -> dict[str, Any]:
    return {"id": gid("WebhookSubscription", 1), "topic": topic, "uri": "https://bridge.test/w", "createdAt": "2026-11-22T10:00:00Z"}


def test_a_topic_is_subscribed_to_or_refused_with_a_reason() -> None:
    made = {"webhookSubscriptionCreate": {"webhookSubscription": subscription(), "userErrors": []}}
    taken = [{"field": ["webhookSubscription", "callbackUrl"], "message": "Address for this topic has already been taken"}]
    refused = [{"field": ["webhookSubscription", "uri"], "message": "Address is invalid: ada@example.test"}]
    bad = [data({"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": errors}}) for errors in (taken, refused)]
    shopify = Shopify([data(made), *bad, data({"webhookSubscriptions": page(subscription("CUSTOMERS_DATA_REQUEST"))})])
    assert shopify.client.subscribe("orders/paid", "https://bridge.test/w").topic == "orders/paid"
    for reason in ("already_exists", "refused"):
        with pytest.raises(Permanent) as failure:
            shopify.client.subscribe("orders/paid", "https://bridge.test/w")
        assert failure.value.reason == reason
        assert "ada" not in str(failure.value)
    assert [one.topic for one in shopify.client.webhook_subscriptions()] == ["customers/data_request"]
    assert shopify.variables(0) == {"topic": "ORDERS_PAID", "sub": {"uri": "https://bridge.test/w", "format": "JSON"}}


def test_a_subscription_is_never_sent_twice() -> None:
    shopify = Shopify([httpx2.ReadError("reset"), data({})])
    with pytest.raises(Transient):
        shopify.client.subscribe("orders/paid", "https://bridge.test/w")
    assert len(shopify.vendor.requests) == 1


@pytest.mark.parametrize(
    "topic", ["orders/paid", "customers/data_request", "bulk_operations/finish", "app/uninstalled", "draft_orders/create"]
)
def test_a_topic_keeps_its_name_through_graphql(topic: str) -> None:
    assert topic_from(topic_name(topic)) == topic
