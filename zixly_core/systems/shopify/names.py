"""What the body of a Shopify delivery tells about itself: its record, and whether topic and shop in the headers can be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from zixly_core.errors import InvalidSignature
from zixly_core.payloads import is_text, text_or_none

Document: TypeAlias = Mapping[str, Any]

# Category of the topic -> kind of record and where the body has its id; jobs about one order wait for each other, whatever the topic.
RECORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "orders": (("order", "id"), ("order", "order_id"), ("order", "order_edit.order_id")),
    "refunds": (("order", "order_id"),),
    "order_transactions": (("order", "order_id"),),
    "fulfillments": (("order", "order_id"),),
    "customers": (("customer", "customer.id"), ("customer", "id")),
    "shop": (("shop", "shop_id"), ("shop", "id")),
}
# Category -> the type in `admin_graphql_api_id`. What the body says was signed, what the topic says was not.
GRAPHQL_TYPES = {"orders": "Order", "refunds": "Refund", "customers": "Customer", "order_transactions": "OrderTransaction"}
# The topics of privacy law, whose jobs erase things: each has a form of its own, and nothing else may pass for one of them
# (shopify.dev/docs/apps/build/compliance/privacy-law-compliance).
PRIVACY_FIELDS = {
    "customers/data_request": frozenset({"shop_domain", "customer", "data_request"}),
    "customers/redact": frozenset({"shop_domain", "customer", "orders_to_redact"}),
    "shop/redact": frozenset({"shop_domain", "shop_id"}),
}
NOT_OF_SHOP_REDACT = frozenset({"customer", "orders_to_redact", "orders_requested"})
# The fields in which a body names its shop.
SHOP_FIELDS = ("shop_domain", "myshopify_domain")


def record_of(document: Document, category: str) -> tuple[str, str] | None:
    """Kind and id of the record that the delivery is about; None when its body names none."""
    for kind, place in RECORDS.get(category, ((category, "id"),)):
        record_id = value_at(document, place)
        if record_id is not None:
            return kind, record_id
    graphql_id = text_or_none(document, "admin_graphql_api_id")
    return (category, graphql_id.rpartition("/")[2]) if graphql_id else None


def value_at(document: Document, place: str) -> str | None:
    outer, _, inner = place.rpartition(".")
    holder = document.get(outer) if outer else document
    return text_or_none(holder, inner) if isinstance(holder, dict) else None


def check_topic(document: Document, topic: str) -> None:
    """Raises `InvalidSignature` when the body is not one of this topic's."""
    category, _, verb = topic.partition("/")
    if not verb or not is_text(category):
        raise InvalidSignature("The topic of a Shopify delivery is not a category and a verb.", reason="topic_mismatch")
    kind = graphql_type(document)
    wanted = GRAPHQL_TYPES.get(category)
    is_other = kind is not None and wanted is not None and kind != wanted
    is_incomplete = not PRIVACY_FIELDS.get(topic, frozenset()) <= document.keys()
    is_about_a_customer = topic == "shop/redact" and bool(NOT_OF_SHOP_REDACT & document.keys())
    if is_other or is_incomplete or is_about_a_customer:
        raise InvalidSignature("The body of a Shopify delivery does not fit the topic in its headers.", reason="topic_mismatch")


def graphql_type(document: Document) -> str | None:
    """The type in `gid://shopify/Order/1`; None when the body has no such id."""
    graphql_id = text_or_none(document, "admin_graphql_api_id")
    parts = graphql_id.split("/") if graphql_id else []
    return parts[3] if len(parts) == 5 and parts[:3] == ["gid:", "", "shopify"] else None


def check_shop(document: Document, shop: str) -> None:
    """Raises `InvalidSignature` when the body names another shop than the headers. Most bodies name none: then only the record's
    id, which no other shop has, keeps one shop's deliveries from doing anything for another."""
    for name in SHOP_FIELDS:
        said = text_or_none(document, name)
        if said is not None and said.lower() != shop:
            raise InvalidSignature("The body of a Shopify delivery names another shop than its headers.", reason="shop_mismatch")
