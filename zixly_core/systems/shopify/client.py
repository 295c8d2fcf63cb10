"""Shopify's Admin API for one shop, read with GraphQL: orders with everything in them, the shop, its subscriptions.

Pages: shopify.dev/docs/api/admin-graphql , shopify.dev/docs/api/usage/limits . What the calls look like is recorded from the
official Node client in tests/payloads/shopify/requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import httpx2

from zixly_core.api_budget import UNLIMITED, CallBudget
from zixly_core.errors import Permanent, Transient
from zixly_core.systems.shopify.fields import nodes_of, object_of, objects_of, plain_id, text_of
from zixly_core.systems.shopify.graphql import data_of, user_failure
from zixly_core.systems.shopify.orders import Order, OrderChange, change_from, node_ids, order_from
from zixly_core.systems.shopify.queries import (
    CHANGED_ORDERS,
    MORE_LINES,
    MORE_REFUND_LINES,
    MOVE_SUBSCRIPTION,
    ORDERS,
    REFUNDS,
    SHOP,
    SUBSCRIBE,
    SUBSCRIPTIONS,
)
from zixly_core.systems.shopify.refunds import Refund, refund_from
from zixly_core.systems.shopify.shop import Shop, WebhookSubscription, shop_from, subscription_from, topic_name
from zixly_core.tokens import AccessTokens
from zixly_core.vendor_api import VendorApi, counted

# Together a few hundred points of the 1,000 that one query may ask for; more is asked for where a page was full.
ORDERS_PER_CALL = 5
REFUNDS_PER_CALL = 5
LINES_AT_FIRST = 20
PARTS_AT_FIRST = 10
# The largest page.
PAGE_SIZE = 250
# How many changed orders are read before the listing begins anew: whole pages, below the 25,000 objects at which paging ends
# (shopify.dev/docs/api/usage/limits).
MOST_PAGED = 24_000
# The most transactions and refunds of one order that are read.
MAX_PARTS = 100

Node = Mapping[str, Any]


class ShopifyClient:
    """One shop. Safe to share between threads. All methods raise `Transient` (`BudgetSpent` while the shop's points are used up) and
    `Permanent`."""

    def __init__(
        self,
        http: httpx2.Client,
        *,
        base_url: str,
        version: str,
        tokens: AccessTokens,
        external_id: str,
        budget: CallBudget = UNLIMITED,
    ) -> None:
        """`external_id` is the shop's myshopify.com name, which stands for `{shop}` in `base_url`; `version` is the quarterly one in
        the path (`2026-10`)."""
        self._path = f"/admin/api/{version}/graphql.json"
        self._api = VendorApi(
            http,
            system="shopify",
            base_url=base_url.replace("{shop}", external_id),
            tokens=tokens,
            authorise=lambda token: {"X-Shopify-Access-Token": token},
            budget=budget,
        )

    def orders_by_ids(self, ids: Iterable[str]) -> list[Order]:
        """The orders with these ids (numbers as webhooks tell them, or gids) with all lines, transactions and refunds, in no
        particular order. Those that are gone are missing, and so are those of more than 60 days ago without the scope
        `read_all_orders`."""
        wanted = list(dict.fromkeys(plain_id(one) for one in ids))
        gids = [f"gid://shopify/Order/{one}" for one in wanted if one.isascii() and one.isdecimal()]
        sizes = {"lines": LINES_AT_FIRST, "transactions": PARTS_AT_FIRST, "refunds": PARTS_AT_FIRST}
        sources = self._nodes(ORDERS, gids, sizes=sizes, per_call=ORDERS_PER_CALL, what="orders")
        whole = [source if is_whole(source, PARTS_AT_FIRST) else self._whole(source) for source in sources]
        refunds = self._refunds([gid for source in whole for gid in node_ids(source, "refunds")])
        return [
            order_from(
                source,
                lines=self._all_of(source, "lineItems", MORE_LINES, holder="order"),
                refunds=[refunds[gid] for gid in node_ids(source, "refunds")],
            )
            for source in whole
        ]

    def order_changes_since(self, since: datetime) -> Iterator[OrderChange]:
        """Which orders changed at `since` or later, oldest change first; read them with `orders_by_ids`.

        Paging ends at 25,000 objects, so before that the reading begins anew with the last change seen; orders of that second come
        twice. `Permanent` when so many changed within one second.
        """
        while True:
            last, count = since, 0
            for change in islice(self._order_changes(since), MOST_PAGED):
                last, count = change.updated_at, count + 1
                yield change
            if count < MOST_PAGED:
                return
            if last <= since:
                raise Permanent(f"More than {MOST_PAGED} orders changed within one second.", reason="too_many_changes")
            since = last

    def _order_changes(self, since: datetime) -> Iterator[OrderChange]:
        moment = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        pages = self._pages(CHANGED_ORDERS, "orders", {"q": f"updated_at:>='{moment}'"}, operation="list changed orders")
        return map(change_from, pages)

    def shop(self) -> Shop:
        """The shop itself."""
        return shop_from(self._query(SHOP, {}, operation="read the shop").get("shop"))

    def webhook_subscriptions(self) -> list[WebhookSubscription]:
        """The subscriptions that this app made through the API. Shopify deletes one after eight failures in a row."""
        pages = self._pages(SUBSCRIPTIONS, "webhookSubscriptions", {}, operation="list the webhook subscriptions")
        return [subscription_from(one) for one in pages]

    def subscribe(self, topic: str, url: str) -> WebhookSubscription:
        """Subscribe an address to a topic (`orders/paid`). `Permanent` with `already_exists` when it is subscribed."""
        variables = {"topic": topic_name(topic), "sub": {"uri": url, "format": "JSON"}}
        return self._subscription(SUBSCRIBE, "webhookSubscriptionCreate", variables, operation=f"subscribe to {topic}")

    def move_subscription(self, gid: str, url: str) -> WebhookSubscription:
        """Have a subscription of ours lead to another address."""
        variables = {"id": gid, "sub": {"uri": url}}
        operation = f"move subscription {plain_id(gid)}"
        return self._subscription(MOVE_SUBSCRIPTION, "webhookSubscriptionUpdate", variables, operation=operation)

    def _subscription(self, query: str, name: str, variables: Mapping[str, object], *, operation: str) -> WebhookSubscription:
        payload = object_of(self._query(query, variables, operation=operation, is_read=False).get(name), what=name)
        failure = user_failure(payload, operation=operation)
        if failure is not None:
            raise failure
        return subscription_from(object_of(payload.get("webhookSubscription"), what="webhookSubscription"))

    def _refunds(self, gids: Sequence[str]) -> dict[str, Refund]:
        sources = self._nodes(REFUNDS, gids, sizes={"lines": LINES_AT_FIRST}, per_call=REFUNDS_PER_CALL, what="refunds")
        if len(sources) < len(set(gids)):
            raise Transient("shopify did not tell all refunds of an order; it is tried again.", reason="partial_read")
        return {
            text_of(source, "id"): refund_from(source, lines=self._all_of(source, "refundLineItems", MORE_REFUND_LINES, holder="node"))
            for source in sources
        }

    def _whole(self, source: Node) -> Node:
        """An order with more transactions or refunds than were asked for at first."""
        gid = text_of(source, "id")
        sizes = {"lines": LINES_AT_FIRST, "transactions": MAX_PARTS, "refunds": MAX_PARTS}
        found = self._nodes(ORDERS, [gid], sizes=sizes, per_call=1, what="orders")
        if len(found) != 1 or not is_whole(found[0], MAX_PARTS):
            text = f"Order {plain_id(gid)} has {MAX_PARTS} transactions or refunds and more; settle it by hand."
            raise Permanent(text, reason="order_too_long")
        return found[0]

    def _nodes(self, query: str, gids: Sequence[str], *, sizes: Mapping[str, int], per_call: int, what: str) -> list[Node]:
        """The nodes with these ids that are there. A call that costs too much is halved, and so are those after it."""
        found: list[Node] = []
        rest, size = list(gids), per_call
        while rest:
            some = rest[:size]
            operation = f"read {counted([plain_id(gid) for gid in some], what)}"
            try:
                data = self._query(query, {"ids": some, **sizes}, operation=operation)
            except Permanent as error:
                if error.reason != "query_too_costly" or size == 1:
                    raise
                size = max(1, len(some) // 2)
                continue
            found += [node for node in data.get("nodes") or [] if isinstance(node, dict) and node]
            rest = rest[len(some) :]
        return found

    def _all_of(self, source: Node, connection: str, query: str, *, holder: str) -> list[Node]:
        """All nodes of a connection whose first page stands in the record, the others read page by page."""
        nodes = nodes_of(source, connection)
        after = cursor_after(source, connection)
        while after is not None:
            gid = text_of(source, "id")
            operation = f"read the rest of {plain_id(gid)}"
            data = self._query(query, {"id": gid, "first": PAGE_SIZE, "after": after}, operation=operation)
            page = object_of(data.get(holder), what=holder)
            nodes += nodes_of(page, connection)
            after = cursor_after(page, connection)
        return nodes

    def _pages(self, query: str, name: str, variables: Mapping[str, object], *, operation: str) -> Iterator[Node]:
        after: str | None = None
        while True:
            data = self._query(query, {**variables, "first": PAGE_SIZE, "after": after}, operation=operation)
            yield from nodes_of(data, name)
            after = cursor_after(data, name)
            if after is None:
                return

    def _query(self, query: str, variables: Mapping[str, object], *, operation: str, is_read: bool = True) -> Node:
        body = {"query": query, "variables": dict(variables)}
        answer = self._api.post(self._path, operation=operation, body=body, is_read=is_read)
        return data_of(self._api.document_of(answer, operation=operation), answer, operation=operation)


def is_whole(source: Node, size: int) -> bool:
    """Whether all of an order's transactions and refunds were there: plain lists do not say that they were cut."""
    return all(len(objects_of(source, name)) < size for name in ("transactions", "refunds"))


def cursor_after(source: Node, connection: str) -> str | None:
    """Where the next page of a connection begins, None on the last one."""
    info = object_of(object_of(source.get(connection), what=connection).get("pageInfo"), what="pageInfo")
    return text_of(info, "endCursor") if info.get("hasNextPage") is True else None
