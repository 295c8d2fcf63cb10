"""The fields of orders and their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.shopify.bodies import COUNTRIES
from zixly_sandbox.shopify.context import QueryContext, customer_orders
from zixly_sandbox.shopify.money import MoneyBag, graphql_amount, share
from zixly_sandbox.shopify.pages import Connection, listed, paged
from zixly_sandbox.shopify.records import Customer, Line, Order, Part, Refund, RefundLine, Shipping, Transaction, gid

Resolver = Callable[..., Any]
Fields = Mapping[str, Resolver]


def instant(at: int | None) -> str | None:
    """`2026-11-22T09:58:40Z`."""
    return iso_milliseconds(at)[:19] + "Z" if at is not None else None


def plain(value: Any) -> Resolver:
    """The same for every record."""
    return lambda _source, _context: value


def amount_of(cents: Callable[[Order], int]) -> Resolver:
    return lambda order, _context: order.bag(cents(order))


def part_amount(cents: Callable[[Any], int]) -> Resolver:
    return lambda part, _context, **_arguments: part.order.bag(cents(part.item))


def parts(order: Order, items: list[Any]) -> list[Part[Any]]:
    return [Part(order, item) for item in items]


def list_of(items: Callable[[Any], list[Any]]) -> Resolver:
    """A connection over a short list."""

    def connection(source: Any, context: QueryContext, **arguments: Any) -> Connection:
        return listed(items(source), unlimited=context.is_bulk, **arguments)

    return connection


def first_of(items: Callable[[Any], list[Any]]) -> Resolver:
    """A plain list that may be cut to its first ones."""
    return lambda source, _context, first=None, **_filters: items(source)[:first]


def tax_lines(order: Order, cents: int) -> list[Part[int]]:
    return [Part(order, cents)] if cents else []


def shipping_lines(order: Order) -> list[Part[Any]]:
    return parts(order, [order.shipping]) if order.shipping else []


def refunded_shipping(refund: Refund) -> list[Refund]:
    return [refund] if refund.shipping else []


def orders_of(customer: Customer, context: QueryContext, **arguments: Any) -> Connection:
    orders = customer_orders(context, customer)
    ordered = list(reversed(orders)) if arguments.get("reverse") else orders
    return paged(ordered, key=lambda _place, order: [order.id], unlimited=context.is_bulk, **{**arguments, "reverse": False})


ORDER: Fields = {
    "id": lambda order, _: gid("Order", order.id),
    "legacyResourceId": lambda order, _: str(order.id),
    "billingAddress": lambda order, _: order.customer,
    "shippingAddress": lambda order, _: order.customer,
    "cancelReason": lambda order, _: order.cancel_reason.upper() if order.cancel_reason else None,
    "cancellation": lambda order, _: order if order.cancelled_at else None,
    "cancelledAt": lambda order, _: instant(order.cancelled_at),
    "closed": plain(False),
    "closedAt": plain(None),
    "confirmed": plain(True),
    "createdAt": lambda order, _: instant(order.created_at),
    "processedAt": lambda order, _: instant(order.created_at),
    "updatedAt": lambda order, _: instant(order.updated_at),
    "currencyCode": lambda order, _: order.currency,
    "presentmentCurrencyCode": lambda order, _: order.presentment_currency or order.currency,
    "customAttributes": plain([]),
    "discountCodes": lambda order, _: [order.discount_code] if order.discount_code else [],
    "displayFinancialStatus": lambda order, _: order.financial_status.upper(),
    "displayFulfillmentStatus": plain("UNFULFILLED"),
    "fullyPaid": lambda order, _: order.received >= order.total,
    "unpaid": lambda order, _: order.received == 0,
    "lineItems": list_of(lambda order: parts(order, order.lines)),
    "shippingLines": list_of(shipping_lines),
    "shippingLine": lambda order, _: next(iter(shipping_lines(order)), None),
    "number": lambda order, _: order.number - 1000,
    "paymentGatewayNames": lambda order, _: sorted({item.gateway for item in order.transactions}),
    "phone": plain(None),
    "poNumber": plain(None),
    "refundable": lambda order, _: order.received > order.refunded,
    "refunds": first_of(lambda order: order.refunds),
    "transactions": first_of(lambda order: parts(order, order.transactions)),
    "sourceName": plain("web"),
    "tags": lambda order, _: sorted(order.tags),
    "taxExempt": plain(False),
    "taxLines": lambda order, _: tax_lines(order, order.tax),
    "test": plain(False),
    "currentShippingPriceSet": amount_of(lambda order: order.shipping_price - order.refunded_shipping),
    "currentSubtotalPriceSet": amount_of(lambda order: order.subtotal - order.returned_subtotal),
    "currentTotalDiscountsSet": amount_of(lambda order: order.discounts),
    "currentTotalPriceSet": amount_of(lambda order: order.current_total),
    "currentTotalTaxSet": amount_of(lambda order: order.tax - order.returned_tax),
    "netPaymentSet": amount_of(lambda order: order.received - order.refunded),
    "originalTotalPriceSet": amount_of(lambda order: order.total),
    "subtotalPriceSet": amount_of(lambda order: order.subtotal),
    "totalDiscountsSet": amount_of(lambda order: order.discounts),
    "totalOutstandingSet": amount_of(lambda order: order.outstanding),
    "totalPriceSet": amount_of(lambda order: order.total),
    "totalReceivedSet": amount_of(lambda order: order.received),
    "totalRefundedSet": amount_of(lambda order: order.refunded),
    "totalRefundedShippingSet": amount_of(lambda order: order.refunded_shipping),
    "totalShippingPriceSet": amount_of(lambda order: order.shipping_price),
    "totalTaxSet": amount_of(lambda order: order.tax),
    "totalTipReceivedSet": amount_of(lambda _order: 0),
}
LINE: Fields = {
    "id": lambda part, _: gid("LineItem", part.item.id),
    "name": lambda part, _: part.item.title,
    "title": lambda part, _: part.item.title,
    "sku": lambda part, _: part.item.sku,
    "vendor": lambda part, _: part.item.vendor,
    "quantity": lambda part, _: part.item.quantity,
    "currentQuantity": lambda part, _: part.item.quantity - part.order.returned(part.item),
    "refundableQuantity": lambda part, _: part.item.quantity - part.order.returned(part.item),
    "customAttributes": plain([]),
    "discountAllocations": lambda part, _: [part] if part.item.discount else [],
    # The sandbox's discounts are all by code over the whole order, so these three leave them out, as the schema says.
    "discountedUnitPriceSet": part_amount(lambda line: line.price),
    "totalDiscountSet": part_amount(lambda _line: 0),
    "discountedTotalSet": lambda part, _, withCodeDiscounts=False: part.order.bag(  # noqa: N803  # the schema's name
        part.item.discounted if withCodeDiscounts else part.item.total
    ),
    "discountedUnitPriceAfterAllDiscountsSet": part_amount(lambda line: share(line.discounted, 1, line.quantity)),
    "originalTotalSet": part_amount(lambda line: line.total),
    "originalUnitPriceSet": part_amount(lambda line: line.price),
    "isGiftCard": plain(False),
    "requiresShipping": plain(True),
    "taxable": plain(True),
    "taxLines": first_of(lambda part: tax_lines(part.order, part.item.tax)),
    "variantTitle": plain(None),
}
SHIPPING: Fields = {
    "id": lambda part, _: gid("ShippingLine", part.item.id),
    "code": lambda part, _: part.item.title,
    "title": lambda part, _: part.item.title,
    "source": plain("shopify"),
    "isRemoved": plain(False),
    "originalPriceSet": part_amount(lambda line: line.price),
    "discountedPriceSet": part_amount(lambda line: line.price),
    "currentDiscountedPriceSet": lambda part, _: part.order.bag(part.item.price - part.order.refunded_shipping),
    "taxLines": lambda part, _: tax_lines(part.order, part.item.tax),
}
TAX_LINE: Fields = {
    "title": lambda part, _: part.order.tax_title,
    "rate": lambda part, _: part.order.tax_rate,
    "ratePercentage": lambda part, _: part.order.tax_rate * 100,
    "priceSet": part_amount(lambda cents: cents),
}
TRANSACTION: Fields = {
    "id": lambda part, _: gid("OrderTransaction", part.item.id),
    "kind": lambda part, _: part.item.kind.upper(),
    "status": lambda part, _: part.item.status.upper(),
    "gateway": lambda part, _: part.item.gateway,
    "formattedGateway": lambda part, _: part.item.gateway.replace("_", " ").title(),
    "amountSet": part_amount(lambda item: item.amount),
    "authorizationCode": lambda part, _: part.item.authorization,
    "paymentId": lambda part, _: part.item.payment_id,
    "createdAt": lambda part, _: instant(part.item.at),
    "processedAt": lambda part, _: instant(part.item.at),
    "order": lambda part, _: part.order,
    "parentTransaction": lambda part, _: Part(part.order, part.item.parent) if part.item.parent else None,
    "accountNumber": plain(None),
    "errorCode": plain(None),
    "manualPaymentGateway": plain(False),
    "test": plain(False),
}
REFUND: Fields = {
    "id": lambda refund, _: gid("Refund", refund.id),
    "legacyResourceId": lambda refund, _: str(refund.id),
    "createdAt": lambda refund, _: instant(refund.at),
    "processedAt": lambda refund, _: instant(refund.at),
    "updatedAt": lambda refund, _: instant(refund.at),
    "totalRefundedSet": lambda refund, _: refund.order.bag(refund.amount),
    "refundLineItems": list_of(lambda refund: parts(refund.order, refund.lines)),
    "refundShippingLines": list_of(refunded_shipping),
    "orderAdjustments": list_of(lambda refund: [refund] if refund.adjustment else []),
    "transactions": list_of(lambda refund: parts(refund.order, refund.transactions)),
}
REFUND_LINE: Fields = {
    "id": lambda part, _: gid("RefundLineItem", part.item.id),
    "lineItem": lambda part, _: Part(part.order, part.item.line),
    "quantity": lambda part, _: part.item.quantity,
    "restockType": lambda part, _: part.item.restock_type.upper(),
    "restocked": lambda part, _: part.item.restock_type != "no_restock",
    "priceSet": part_amount(lambda item: item.line.price),
    "subtotalSet": part_amount(lambda item: item.subtotal),
    "totalTaxSet": part_amount(lambda item: item.tax),
}
REFUND_SHIPPING: Fields = {
    "id": lambda refund, _: gid("RefundShippingLine", refund.id + 1),
    "shippingLine": lambda refund, _: Part(refund.order, refund.order.shipping),
    "subtotalAmountSet": lambda refund, _: refund.order.bag(refund.shipping),
    "taxAmountSet": lambda refund, _: refund.order.bag(refund.shipping_tax),
}
ADJUSTMENT: Fields = {
    "id": lambda refund, _: gid("OrderAdjustment", refund.id + 2),
    "amountSet": lambda refund, _: refund.order.bag(-refund.adjustment),
    "taxAmountSet": lambda refund, _: refund.order.bag(0),
    "reason": plain("REFUND_DISCREPANCY"),
}
ADDRESS: Fields = {
    "id": lambda customer, _: gid("MailingAddress", f"{customer.id + 1}?model_name=CustomerAddress"),
    "address1": plain("1 Queen Street"),
    "address2": plain(None),
    "company": plain(None),
    "country": lambda customer, _: COUNTRIES[customer.country],
    "countryCodeV2": lambda customer, _: customer.country,
    "province": plain(None),
    "provinceCode": plain(None),
    "zip": plain("4000"),
}
CUSTOMER: Fields = {
    "id": lambda customer, _: gid("Customer", customer.id),
    "legacyResourceId": lambda customer, _: str(customer.id),
    "createdAt": lambda customer, _: instant(customer.created_at),
    "updatedAt": lambda customer, _: instant(customer.updated_at),
    "displayName": lambda customer, _: customer.name,
    "defaultAddress": lambda customer, _: customer,
    "defaultEmailAddress": lambda customer, _: customer if customer.email else None,
    "defaultPhoneNumber": lambda customer, _: customer if customer.phone else None,
    "locale": plain("en"),
    "numberOfOrders": lambda customer, _: str(len(customer.orders)),
    "orders": orders_of,
    "state": plain("DISABLED"),
    "tags": lambda customer, _: sorted(customer.tags),
    "taxExempt": plain(False),
    "verifiedEmail": lambda customer, _: customer.email is not None,
}
TABLES: Mapping[str, Fields] = {
    "Order": ORDER,
    "LineItem": LINE,
    "ShippingLine": SHIPPING,
    "TaxLine": TAX_LINE,
    "OrderTransaction": TRANSACTION,
    "Refund": REFUND,
    "RefundLineItem": REFUND_LINE,
    "RefundShippingLine": REFUND_SHIPPING,
    "OrderAdjustment": ADJUSTMENT,
    "MailingAddress": ADDRESS,
    "Customer": CUSTOMER,
    "OrderCancellation": {"staffNote": plain(None)},
    "DiscountAllocation": {"allocatedAmountSet": part_amount(lambda line: line.discount)},
    "CustomerEmailAddress": {"emailAddress": lambda customer, _: customer.email, "validFormat": plain(True)},
    "CustomerPhoneNumber": {"phoneNumber": lambda customer, _: customer.phone},
    "MoneyV2": {"amount": lambda money, _: graphql_amount(money.cents), "currencyCode": lambda money, _: money.currency},
}
KINDS: Mapping[type, str] = {
    Order: "Order",
    Customer: "Customer",
    Refund: "Refund",
    Line: "LineItem",
    Transaction: "OrderTransaction",
    RefundLine: "RefundLineItem",
    Shipping: "ShippingLine",
    MoneyBag: "MoneyBag",
}
