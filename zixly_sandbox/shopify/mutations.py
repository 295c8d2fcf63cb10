"""What the app may change: its webhooks and bulk operations. Refusals come as `userErrors` with 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from zixly_sandbox.shopify.bulk import OPEN_STATES, BulkOperation, fault_in
from zixly_sandbox.shopify.context import QueryContext
from zixly_sandbox.shopify.hooks import Subscription
from zixly_sandbox.shopify.order_fields import Fields
from zixly_sandbox.shopify.records import gid
from zixly_sandbox.shopify.root_fields import found_node

Payload = dict[str, Any]
UNSERVED = ("filter", "metafieldNamespaces", "metafields")


def user_error(message: str, *field: str, code: str | None = None) -> Payload:
    return {"field": list(field) or None, "message": message, "code": code}


def create_subscription(_source: Any, context: QueryContext, *, topic: str, webhookSubscription: Payload) -> Payload:  # noqa: N803
    uri = webhookSubscription.get("uri") or webhookSubscription.get("callbackUrl")
    errors = faults_of(context, topic, uri, webhookSubscription)
    if errors or uri is None:
        return {"webhookSubscription": None, "userErrors": errors}
    made = context.account.hooks.subscribe(
        topic,
        uri=uri,
        include_fields=tuple(webhookSubscription.get("includeFields") or ()),
        name=webhookSubscription.get("name"),
        version=context.version,
    )
    context.account.record("CREATE", "webhook_subscription", str(made.id), {"topic": topic, "uri": uri})
    return {"webhookSubscription": made, "userErrors": []}


def update_subscription(_source: Any, context: QueryContext, *, id: str, webhookSubscription: Payload) -> Payload:  # noqa: A002, N803
    found = found_node(context, id)
    if not isinstance(found, Subscription):
        return {"webhookSubscription": None, "userErrors": [user_error("Webhook subscription does not exist", "id")]}
    uri = webhookSubscription.get("uri") or webhookSubscription.get("callbackUrl") or found.uri
    errors = faults_of(context, found.topic, uri, webhookSubscription, known=found)
    if errors:
        return {"webhookSubscription": None, "userErrors": errors}
    found.uri, found.updated_at = uri, context.now
    if "includeFields" in webhookSubscription:
        found.include_fields = tuple(webhookSubscription["includeFields"] or ())
    context.account.record("UPDATE", "webhook_subscription", str(found.id), {"topic": found.topic, "uri": uri})
    return {"webhookSubscription": found, "userErrors": []}


def faults_of(context: QueryContext, topic: str, uri: str | None, asked: Payload, *, known: Subscription | None = None) -> list[Payload]:
    """Plain http and this machine are taken as addresses, which Shopify would refuse: everything here is local."""
    field = ("webhookSubscription", "callbackUrl")
    if not uri or urlsplit(uri).scheme not in {"http", "https"} or not urlsplit(uri).netloc:
        return [user_error("Address is invalid", *field)]
    if asked.get("format") == "XML":
        return [user_error("The sandbox sends JSON only", "webhookSubscription", "format")]
    unserved = next((name for name in UNSERVED if asked.get(name)), None)
    if unserved:
        return [user_error(f"The sandbox does not serve {unserved}", "webhookSubscription", unserved)]
    others = (item for item in context.account.hooks.api_subscriptions() if item is not known)
    if any((item.topic, item.uri) == (topic, uri) for item in others):
        return [user_error("Address for this topic has already been taken", *field)]
    return []


def delete_subscription(_source: Any, context: QueryContext, *, id: str) -> Payload:  # noqa: A002
    found = found_node(context, id)
    if not isinstance(found, Subscription):
        return {"deletedWebhookSubscriptionId": None, "userErrors": [user_error("Webhook subscription does not exist", "id")]}
    context.account.hooks.unsubscribe(found.id)
    context.account.record("DELETE", "webhook_subscription", str(found.id), {"topic": found.topic, "uri": found.uri})
    return {"deletedWebhookSubscriptionId": gid("WebhookSubscription", found.id), "userErrors": []}


def run_bulk(_source: Any, context: QueryContext, *, query: str, groupObjects: bool = False) -> Payload:  # noqa: N803
    fault = fault_in(query) or context.account.fault_of_query(query)
    if groupObjects:
        fault = "The sandbox does not group objects."
    if fault:
        return {"bulkOperation": None, "userErrors": [user_error(fault, "query", code="INVALID")]}
    if context.account.bulk.is_full():
        text = "A bulk query operation for this app and shop is already in progress."
        return {"bulkOperation": None, "userErrors": [user_error(text, code="OPERATION_IN_PROGRESS")]}
    return {"bulkOperation": context.account.start_bulk(query, context=context), "userErrors": []}


def cancel_bulk(_source: Any, context: QueryContext, *, id: str) -> Payload:  # noqa: A002
    found = found_node(context, id)
    if not isinstance(found, BulkOperation):
        return {"bulkOperation": None, "userErrors": [user_error("Bulk operation does not exist", "id")]}
    if found.status not in OPEN_STATES:
        text = f"A bulk operation cannot be canceled when it is {found.status.lower()}"
        return {"bulkOperation": found, "userErrors": [user_error(text)]}
    found.status = "CANCELING"
    return {"bulkOperation": found, "userErrors": []}


TABLES: Mapping[str, Fields] = {
    "Mutation": {
        "webhookSubscriptionCreate": create_subscription,
        "webhookSubscriptionUpdate": update_subscription,
        "webhookSubscriptionDelete": delete_subscription,
        "bulkOperationRunQuery": run_bulk,
        "bulkOperationCancel": cancel_bulk,
    },
}
KINDS: Mapping[type, str] = {Subscription: "WebhookSubscription", BulkOperation: "BulkOperation"}
