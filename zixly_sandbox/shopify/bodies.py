"""Bodies of webhooks: the REST form of a record, with the names of the published samples (2026-07)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from zixly_sandbox.shopify.money import MoneyBag, rest_amount
from zixly_sandbox.shopify.records import Customer, Line, Order, Refund, RefundLine, Shipping, Transaction, gid
from zixly_sandbox.shopify.shop import Shop

Document = dict[str, Any]

COUNTRIES = {"AU": "Australia", "NZ": "New Zealand", "US": "United States"}
GRAMS = 500


def time_text(shop: Shop, at: int | None) -> str | None:
    """With the shop's offset: `2026-11-22T19:59:41+10:00`."""
    return datetime.fromtimestamp(at / 1000, shop.zone).isoformat(timespec="seconds") if at is not None else None


def bag_document(bag: MoneyBag) -> Document:
    shop, seen = bag.shop_money, bag.presentment_money
    return {
        "shop_money": {"amount": rest_amount(shop.cents), "currency_code": shop.currency},
        "presentment_money": {"amount": rest_amount(seen.cents), "currency_code": seen.currency},
    }


def priced(order: Order, **amounts: int) -> Document:
    """Each amount twice: as text, and as `.._set` with currencies."""
    found: Document = {}
    for name, cents in amounts.items():
        found[name] = rest_amount(cents)
        found[f"{name}_set"] = bag_document(order.bag(cents))
    return found


def bags(order: Order, **amounts: int) -> Document:
    return {f"{name}_set": bag_document(order.bag(cents)) for name, cents in amounts.items()}


def customer_body(shop: Shop, customer: Customer) -> Document:
    return {**customer_document(shop, customer), "addresses": [address(customer)]}


def customer_document(shop: Shop, customer: Customer) -> Document:
    return {
        "id": customer.id,
        "created_at": time_text(shop, customer.created_at),
        "updated_at": time_text(shop, customer.updated_at),
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": "disabled",
        "note": customer.note,
        "verified_email": customer.email is not None,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": customer.email,
        "phone": customer.phone,
        "currency": shop.currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", customer.id),
        "default_address": address(customer),
    }


def address(customer: Customer) -> Document:
    return {
        "id": customer.id + 1,
        "customer_id": customer.id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "company": None,
        "address1": "1 Queen Street",
        "address2": None,
        "city": customer.city,
        "province": None,
        "country": COUNTRIES[customer.country],
        "zip": "4000",
        "phone": customer.phone,
        "name": customer.name,
        "province_code": None,
        "country_code": customer.country,
        "country_name": COUNTRIES[customer.country],
        "default": True,
    }


def order_address(customer: Customer | None) -> Document | None:
    """The copy of the address that an order keeps."""
    if customer is None:
        return None
    full = address(customer)
    kept = "first_name address1 phone city zip province country last_name address2 company name country_code province_code"
    return {**{name: full[name] for name in kept.split()}, "latitude": None, "longitude": None}


def tax_lines(order: Order, cents: int) -> list[Document]:
    if not cents:
        return []
    return [{"channel_liable": False, "rate": order.tax_rate, "title": order.tax_title, **priced(order, price=cents)}]


def line_document(order: Order, line: Line) -> Document:
    return {
        "id": line.id,
        "admin_graphql_api_id": gid("LineItem", line.id),
        "attributed_staffs": [],
        "current_quantity": line.quantity - order.returned(line),
        "fulfillable_quantity": line.quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": GRAMS,
        "name": line.title,
        **priced(order, price=line.price),
        "product_exists": True,
        "product_id": line.id + 1,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": True,
        "sales_line_item_group_id": None,
        "sku": line.sku,
        "taxable": True,
        "title": line.title,
        # What an order-wide discount takes off a line is in its allocations, never here.
        **priced(order, total_discount=0),
        "variant_id": None,
        "variant_inventory_management": None,
        "variant_title": None,
        "vendor": line.vendor,
        "tax_lines": tax_lines(order, line.tax),
        "duties": [],
        "discount_allocations": discount_allocations(order, line),
    }


def discount_allocations(order: Order, line: Line) -> list[Document]:
    if not line.discount:
        return []
    return [{"amount": rest_amount(line.discount), "amount_set": bag_document(order.bag(line.discount)), "discount_application_index": 0}]


def shipping_document(order: Order, shipping: Shipping) -> Document:
    return {
        "id": shipping.id,
        "carrier_identifier": None,
        "code": shipping.title,
        **bags(order, current_discounted_price=shipping.price - order.refunded_shipping),
        **priced(order, discounted_price=shipping.price, price=shipping.price),
        "is_removed": False,
        "phone": None,
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": shipping.title,
        "tax_lines": tax_lines(order, shipping.tax),
        "discount_allocations": [],
    }


def transaction_document(order: Order, item: Transaction) -> Document:
    unsettled = {"amount": "0.0", "currency": order.currency}  # so named here only
    return {
        "id": item.id,
        "order_id": order.id,
        "kind": item.kind,
        "gateway": item.gateway,
        "status": item.status,
        "message": None,
        "created_at": None,
        "test": False,
        "authorization": item.authorization,
        "location_id": None,
        "user_id": None,
        "parent_id": item.parent.id if item.parent else None,
        "processed_at": None,
        "device_id": None,
        "error_code": None,
        "source_name": "web",
        "receipt": {},
        "amount": rest_amount(item.amount),
        "currency": order.currency,
        "payment_id": item.payment_id,
        "total_unsettled_set": {"presentment_money": unsettled, "shop_money": unsettled},
        "manual_payment_gateway": False,
        "amount_rounding": None,
        "admin_graphql_api_id": gid("OrderTransaction", item.id),
    }


def refund_body(shop: Shop, refund: Refund) -> Document:
    order = refund.order
    at = time_text(shop, refund.at)
    moved = [
        {**transaction_document(order, item), "created_at": time_text(shop, item.at), "processed_at": time_text(shop, item.at)}
        for item in refund.transactions
    ]
    return {
        "id": refund.id,
        "order_id": order.id,
        "created_at": at,
        "note": refund.note,
        "user_id": None,
        "processed_at": at,
        "duties": [],
        **bags(order, total_duties=0),
        "return": None,
        "refund_shipping_lines": refund_shipping_lines(refund),
        "restock": any(item.restock_type != "no_restock" for item in refund.lines),
        "admin_graphql_api_id": gid("Refund", refund.id),
        "order_adjustments": order_adjustments(refund),
        "refund_line_items": [refund_line_document(order, item) for item in refund.lines],
        "transactions": moved,
    }


def refund_shipping_lines(refund: Refund) -> list[Document]:
    order = refund.order
    if not refund.shipping or order.shipping is None:
        return []
    amounts = bags(order, subtotal_amount=refund.shipping, tax_amount=refund.shipping_tax)
    return [{"id": refund.id + 1, "shipping_line": shipping_document(order, order.shipping), **amounts}]


def order_adjustments(refund: Refund) -> list[Document]:
    """What is given back without a line is a discrepancy; it counts from the shop's side, so it is negative."""
    if not refund.adjustment:
        return []
    return [
        {
            "id": refund.id + 2,
            "order_id": refund.order.id,
            "refund_id": refund.id,
            "kind": "refund_discrepancy",
            "reason": "Refund discrepancy",
            **priced(refund.order, amount=-refund.adjustment, tax_amount=0),
        }
    ]


def refund_line_document(order: Order, item: RefundLine) -> Document:
    line = line_document(order, item.line)
    for name in ("attributed_staffs", "current_quantity", "sales_line_item_group_id"):
        line.pop(name)
    return {
        "id": item.id,
        "quantity": item.quantity,
        "line_item_id": item.line.id,
        "location_id": None,
        "restock_type": item.restock_type,
        # Numbers here, texts everywhere else: so the samples have it.
        "subtotal": item.subtotal / 100,
        "total_tax": item.tax / 100,
        **bags(order, subtotal=item.subtotal, total_tax=item.tax),
        "line_item": line,
    }


def redact_body(shop: Shop) -> Document:
    return {"shop_id": shop.id, "shop_domain": shop.domain}


def customer_redact_body(shop: Shop, customer: Customer) -> Document:
    who = {"id": customer.id, "email": customer.email, "phone": customer.phone}
    return {**redact_body(shop), "customer": who, "orders_to_redact": list(customer.orders)}


def data_request_body(shop: Shop, customer: Customer, *, request_id: int) -> Document:
    who = {"id": customer.id, "email": customer.email, "phone": customer.phone}
    return {**redact_body(shop), "customer": who, "orders_requested": list(customer.orders), "data_request": {"id": request_id}}


def only(body: Mapping[str, Any], fields: tuple[str, ...]) -> Document:
    """Cut down to what `include_fields` names at the top; empty: all."""
    return {name: value for name, value in body.items() if name in fields} if fields else dict(body)
