"""What a query starts from: look-ups by id, lists with search, the shop, the app's own things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from graphql import GraphQLError

from zixly_sandbox.shopify.context import QueryContext, parsed_gid
from zixly_sandbox.shopify.order_fields import Fields, instant, plain
from zixly_sandbox.shopify.pages import Connection, listed, paged
from zixly_sandbox.shopify.records import Customer, Order, gid
from zixly_sandbox.shopify.search import CUSTOMER_TEXTS, ORDER_TEXTS, Test, searched
from zixly_sandbox.shopify.shop import Shop
from zixly_sandbox.shopify.versions import VERSIONS

SCOPES = ("read_orders", "read_customers", "read_products")
ALL_ORDERS = "read_all_orders"
MAX_IDS = 250
# For so long a kept list may miss that an order grew too old to be seen.
HOUR_MS = 3_600_000

SortKey = Callable[[Any], Any]
ORDER_KEYS: Mapping[str, SortKey] = {
    "CREATED_AT": lambda order: order.created_at,
    "PROCESSED_AT": lambda order: order.created_at,
    "UPDATED_AT": lambda order: order.updated_at,
    "ID": lambda order: order.id,
    "ORDER_NUMBER": lambda order: order.number,
    "TOTAL_PRICE": lambda order: order.total,
    "CURRENT_TOTAL_PRICE": lambda order: order.current_total,
    "FINANCIAL_STATUS": lambda order: order.financial_status,
    "CUSTOMER_NAME": lambda order: order.customer.name if order.customer else "",
}
CUSTOMER_KEYS: Mapping[str, SortKey] = {
    "CREATED_AT": lambda customer: customer.created_at,
    "UPDATED_AT": lambda customer: customer.updated_at,
    "ID": lambda customer: customer.id,
    "NAME": lambda customer: customer.name,
}


def node(_source: Any, context: QueryContext, *, id: str) -> Any:  # noqa: A002  # the schema's name
    return found_node(context, id)


def nodes(_source: Any, context: QueryContext, *, ids: list[str]) -> list[Any]:
    """In the order of the ids, with nothing in the place of an unknown one."""
    if len(ids) > MAX_IDS:
        raise GraphQLError(f"The input array size of {len(ids)} is greater than the maximum allowed of {MAX_IDS}.")
    return [found_node(context, text) for text in ids]


def found_node(context: QueryContext, text: str) -> Any:
    try:
        return context.node(text)
    except ValueError:
        raise GraphQLError(f"Invalid global id '{text}'", extensions={"code": "argumentLiteralsIncompatible"}) from None


def only(kind: str) -> Callable[..., Any]:
    """A look-up that finds one kind of object; the id of another kind is refused."""

    def look_up(_source: Any, context: QueryContext, *, id: str) -> Any:  # noqa: A002
        found = found_node(context, id)
        if parsed_gid(id)[0] != kind:
            raise GraphQLError(f"Invalid id: {id}", extensions={"code": "RESOURCE_NOT_FOUND"})
        return found

    return look_up


def orders(_source: Any, context: QueryContext, *, query: str | None = None, **arguments: Any) -> Connection:
    test, sort = order_test(context, query), arguments.pop("sortKey", "PROCESSED_AT")
    return sorted_page(context, ("orders", query), lambda: fitting_orders(context, test), keys=ORDER_KEYS, sort=sort, **arguments)


def order_test(context: QueryContext, query: str | None) -> Test:
    return search_test(context, "orders", query, texts=ORDER_TEXTS)


def fitting_orders(context: QueryContext, test: Test) -> list[Order]:
    return [order for order in context.shop.orders.values() if context.sees(order) and test(order)]


def customers(_source: Any, context: QueryContext, *, query: str | None = None, **arguments: Any) -> Connection:
    test, sort = customer_test(context, query), arguments.pop("sortKey", "ID")
    return sorted_page(context, ("customers", query), lambda: fitting_customers(context, test), keys=CUSTOMER_KEYS, sort=sort, **arguments)


def customer_test(context: QueryContext, query: str | None) -> Test:
    return search_test(context, "customers", query, texts=CUSTOMER_TEXTS)


def fitting_customers(context: QueryContext, test: Test) -> list[Customer]:
    return [customer for customer in context.shop.customers.values() if test(customer)]


def search_test(context: QueryContext, name: str, query: str | None, *, texts: Mapping[str, Callable[[Any], set[str]]]) -> Test:
    """What was not understood of the text is noted for the answer."""
    if not query:
        return lambda _item: True
    found = searched(query, shop=context.shop, texts=texts)
    if found.notes:
        context.search_notes.append({"path": [name], "query": query, "warnings": found.notes})
    return found.test


def sorted_page(
    context: QueryContext,
    asked: tuple[str, str | None],
    find: Callable[[], list[Any]],
    *,
    keys: Mapping[str, SortKey],
    sort: str,
    reverse: bool = False,
    **arguments: Any,
) -> Connection:
    """A page of what was asked for (list and search text); of records that sort alike, the older id comes first."""
    if sort not in keys:
        raise GraphQLError(f"The sandbox does not sort by {sort}.", extensions={"code": "BAD_USER_INPUT"})
    of = keys[sort]
    key = (*asked, sort, reverse, context.sees_all_orders, context.now // HOUR_MS)
    items = context.account.lists.get(
        key, revision=context.shop.revision, make=lambda: sorted(find(), key=lambda item: (of(item), item.id), reverse=reverse)
    )
    if context.bulk_slice is not None:
        start, stop = context.bulk_slice
        items = items[start:stop]
    return paged(items, key=lambda _place, item: [of(item), item.id], unlimited=context.is_bulk, **arguments)


def count(items: Callable[[QueryContext, str | None], list[Any]]) -> Callable[..., dict[str, Any]]:
    """Exact up to `limit`, as the real one: a higher number reads `limit`."""

    def counted(_source: Any, context: QueryContext, *, query: str | None = None, limit: int | None = None, **_: Any) -> dict[str, Any]:
        number = len(items(context, query))
        is_cut = limit is not None and number > limit
        return {"count": limit if is_cut else number, "precision": "AT_LEAST" if is_cut else "EXACT"}

    return counted


def subscriptions(
    _source: Any, context: QueryContext, *, topics: list[str] | None = None, uri: str | None = None, **page: Any
) -> Connection:
    """Those made through the API; the ones of the app's configuration file are not told."""
    found = [
        item
        for item in context.account.hooks.api_subscriptions()
        if (topics is None or item.topic in topics) and (uri is None or item.uri == uri)
    ]
    return listed(found, **page)


def offset_minutes(shop: Shop, context: QueryContext) -> int:
    offset = datetime.fromtimestamp(context.now / 1000, shop.zone).utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


ROOT: Fields = {
    "node": node,
    "nodes": nodes,
    "order": only("Order"),
    "orders": orders,
    "ordersCount": count(lambda context, query: list(fitting_orders(context, order_test(context, query)))),
    "customer": only("Customer"),
    "customers": customers,
    "customersCount": count(lambda context, query: list(fitting_customers(context, customer_test(context, query)))),
    "shop": lambda _, context: context.shop,
    "currentAppInstallation": lambda _, context: context,
    "webhookSubscription": only("WebhookSubscription"),
    "webhookSubscriptions": subscriptions,
    "webhookSubscriptionsCount": count(lambda context, _query: list(context.account.hooks.api_subscriptions())),
    "bulkOperation": only("BulkOperation"),
    "currentBulkOperation": lambda _, context, **_arguments: context.account.bulk.newest(),
}
SHOP: Fields = {
    "id": lambda shop, _: gid("Shop", shop.id),
    "contactEmail": lambda shop, _: shop.email,
    "createdAt": lambda shop, _: instant(shop.created_at),
    "updatedAt": lambda shop, _: instant(shop.created_at),
    "currencyCode": lambda shop, _: shop.currency,
    "ianaTimezone": lambda shop, _: shop.zone.key,
    "myshopifyDomain": lambda shop, _: shop.domain,
    "plan": lambda shop, _: shop,
    "primaryDomain": lambda shop, _: shop,
    "shopOwnerName": plain("Demo Owner"),
    "taxesIncluded": plain(True),
    "timezoneOffsetMinutes": offset_minutes,
    "url": lambda shop, _: f"https://{shop.domain}",
}
WEBHOOK: Fields = {
    "id": lambda item, _: gid("WebhookSubscription", item.id),
    "legacyResourceId": lambda item, _: str(item.id),
    "callbackUrl": lambda item, _: item.uri,
    "createdAt": lambda item, _: instant(item.created_at),
    "updatedAt": lambda item, _: instant(item.updated_at),
    "format": plain("JSON"),
    "filter": plain(None),
    "includeFields": lambda item, _: list(item.include_fields),
    "metafieldNamespaces": plain([]),
    "apiVersion": lambda item, _: {"handle": item.version, "displayName": item.version, "supported": item.version in VERSIONS},
}
BULK: Fields = {
    "id": lambda item, _: gid("BulkOperation", item.id),
    "createdAt": lambda item, _: instant(item.created_at),
    "completedAt": lambda item, _: instant(item.completed_at),
    "fileSize": lambda item, _: str(len(item.content)) if item.url else None,
    "objectCount": lambda item, _: str(item.objects),
    "rootObjectCount": lambda item, _: str(item.root_objects),
    "partialDataUrl": plain(None),
    "errorCode": plain(None),
    "type": plain("QUERY"),
}


def scopes(context: QueryContext) -> list[dict[str, str]]:
    names = (*SCOPES, ALL_ORDERS) if context.sees_all_orders else SCOPES
    return [{"handle": name} for name in names]


TABLES: Mapping[str, Fields] = {
    "QueryRoot": ROOT,
    "Shop": SHOP,
    "ShopPlan": {
        "partnerDevelopment": plain(False),
        "publicDisplayName": plain("Basic"),
        "shopifyPlus": plain(False),
    },
    "Domain": {
        "id": lambda shop, _: gid("Domain", shop.id + 2),
        "host": lambda shop, _: shop.domain,
        "url": lambda shop, _: f"https://{shop.domain}",
    },
    "AppInstallation": {
        "id": lambda context, _: gid("AppInstallation", context.shop.id + 3),
        "accessScopes": lambda context, _: scopes(context),
    },
    "WebhookSubscription": WEBHOOK,
    "BulkOperation": BULK,
}
KINDS: Mapping[type, str] = {Shop: "Shop"}
