"""The REST form of an order, with every name of the published sample (2026-07)."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.shopify.bodies import (
    bag_document,
    bags,
    customer_document,
    line_document,
    order_address,
    priced,
    refund_body,
    shipping_document,
    tax_lines,
    time_text,
)
from zixly_sandbox.shopify.money import rest_amount
from zixly_sandbox.shopify.records import Order, gid
from zixly_sandbox.shopify.shop import Shop

NOTHING = (
    "app_id browser_ip cart_token checkout_token client_details closed_at confirmation_number current_total_additional_fees_set "
    "current_total_duties_set device_id fulfillment_status landing_site landing_site_ref location_id merchant_of_record_app_id "
    "original_total_additional_fees_set original_total_duties_set phone po_number reference referring_site source_identifier "
    "source_url user_id payment_terms"
).split()
EMPTY = "note_attributes fulfillments returns line_item_groups".split()


def order_body(shop: Shop, order: Order) -> dict[str, Any]:
    customer = order.customer
    where = order_address(customer)
    return {
        "id": order.id,
        "admin_graphql_api_id": gid("Order", order.id),
        **dict.fromkeys(NOTHING),
        **{name: [] for name in EMPTY},
        **money(order),
        "buyer_accepts_marketing": False,
        "cancel_reason": order.cancel_reason,
        "cancelled_at": time_text(shop, order.cancelled_at),
        "confirmed": True,
        "contact_email": order.email,
        "created_at": time_text(shop, order.created_at),
        "currency": order.currency,
        "customer_locale": "en",
        "discount_codes": discount_codes(order),
        "duties_included": False,
        "email": order.email,
        "estimated_taxes": False,
        "financial_status": order.financial_status,
        "merchant_business_entity_id": "MTU0ODM4MDAwOQ",
        "name": order.name,
        "note": order.note,
        "number": order.number - 1000,
        "order_number": order.number,
        "order_status_url": f"https://{shop.domain}/{shop.id}/orders/{order.id:x}/authenticate?key=sandbox",
        "payment_gateway_names": sorted({item.gateway for item in order.transactions}),
        "presentment_currency": order.presentment_currency or order.currency,
        "processed_at": time_text(shop, order.created_at),
        "source_name": "web",
        "tags": ", ".join(order.tags),
        "tax_exempt": False,
        "tax_lines": tax_lines(order, order.tax),
        "taxes_included": order.taxes_included,
        "test": False,
        "token": f"{order.id:x}",
        "total_weight": sum(line.quantity for line in order.lines) * 500,
        "updated_at": time_text(shop, order.updated_at),
        "billing_address": where,
        "customer": customer_document(shop, customer) if customer else None,
        "discount_applications": discount_applications(order),
        "line_items": [line_document(order, line) for line in order.lines],
        "refunds": [refund_body(shop, refund) for refund in order.refunds],
        "shipping_address": where,
        "shipping_lines": [shipping_document(order, order.shipping)] if order.shipping else [],
    }


def money(order: Order) -> dict[str, Any]:
    """All amounts; `current_..` are those after what was returned."""
    kept_subtotal = order.subtotal - order.returned_subtotal
    return {
        **bags(order, current_shipping_price=order.shipping_price - order.refunded_shipping),
        **priced(
            order,
            current_subtotal_price=kept_subtotal,
            current_total_discounts=order.discounts,
            current_total_price=order.current_total,
            current_total_tax=order.tax - order.returned_tax,
            subtotal_price=order.subtotal,
            total_discounts=order.discounts,
            total_line_items_price=sum(line.total for line in order.lines),
            total_price=order.total,
            total_tax=order.tax,
        ),
        "total_shipping_price_set": bag_document(order.bag(order.shipping_price)),
        **bags(order, total_cash_rounding_payment_adjustment=0, total_cash_rounding_refund_adjustment=0),
        "total_outstanding": rest_amount(order.outstanding),
        "total_tip_received": "0.00",
    }


def discount_codes(order: Order) -> list[dict[str, str]]:
    if order.discount_code is None:
        return []
    return [{"code": order.discount_code, "amount": rest_amount(order.discounts), "type": "fixed_amount"}]


def discount_applications(order: Order) -> list[dict[str, str]]:
    if not order.discounts:
        return []
    return [
        {
            "target_type": "line_item",
            "type": "discount_code",
            "value": rest_amount(order.discounts),
            "value_type": "fixed_amount",
            "allocation_method": "across",
            "target_selection": "all",
            "code": order.discount_code or "",
        }
    ]
