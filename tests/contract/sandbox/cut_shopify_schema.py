"""Cuts the part of Shopify's Admin API schema that the sandbox serves out of the whole one.

    python -m tests.contract.sandbox.cut_shopify_schema admin_2026-10.graphql > zixly_sandbox/shopify/schema.graphql

A field that is named here keeps its type and arguments to the letter; what its type needs comes along. Everything else is left
out, so that the sandbox answers a query for it as it answers one for a field that never was.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import DefinitionNode, parse, print_ast

HEAD = """\
# A part of the Admin API schema of Shopify, version 2026-10, cut by tests/contract/sandbox/cut_shopify_schema.py from the
# introspection result in the npm package @shopify/dev-mcp 1.16.0.
#
# ISC License. Copyright 2025-present, Shopify Inc.
# Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
# provided that the above copyright notice and this permission notice appear in all copies. THE SOFTWARE IS PROVIDED "AS IS" AND
# THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
# FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
# WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION,
# ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
"""

FIELDS = {
    "QueryRoot": "bulkOperation currentAppInstallation currentBulkOperation customer customers customersCount node nodes order orders "
    "ordersCount shop webhookSubscription webhookSubscriptions webhookSubscriptionsCount",
    "Mutation": "bulkOperationCancel bulkOperationRunQuery webhookSubscriptionCreate webhookSubscriptionDelete webhookSubscriptionUpdate",
    "Order": "billingAddress cancelReason cancellation cancelledAt closed closedAt confirmed createdAt currencyCode "
    "currentShippingPriceSet currentSubtotalPriceSet currentTotalDiscountsSet currentTotalPriceSet currentTotalTaxSet "
    "customAttributes customer discountCode discountCodes displayFinancialStatus displayFulfillmentStatus email fullyPaid "
    "id legacyResourceId lineItems name netPaymentSet note number originalTotalPriceSet paymentGatewayNames phone poNumber "
    "presentmentCurrencyCode processedAt refundable refunds shippingAddress shippingLine shippingLines sourceName "
    "subtotalPriceSet tags taxExempt taxLines taxesIncluded test totalDiscountsSet totalOutstandingSet totalPriceSet "
    "totalReceivedSet totalRefundedSet totalRefundedShippingSet totalShippingPriceSet totalTaxSet totalTipReceivedSet "
    "transactions unpaid updatedAt",
    "OrderCancellation": "staffNote",
    "Attribute": "key value",
    "Customer": "createdAt defaultAddress defaultEmailAddress defaultPhoneNumber displayName email firstName id lastName legacyResourceId "
    "locale note numberOfOrders orders phone state tags taxExempt updatedAt verifiedEmail",
    "CustomerEmailAddress": "emailAddress validFormat",
    "CustomerPhoneNumber": "phoneNumber",
    "LineItem": "currentQuantity customAttributes discountAllocations discountedTotalSet discountedUnitPriceAfterAllDiscountsSet "
    "discountedUnitPriceSet id isGiftCard name originalTotalSet originalUnitPriceSet quantity refundableQuantity requiresShipping sku "
    "taxLines taxable title totalDiscountSet variantTitle vendor",
    "DiscountAllocation": "allocatedAmountSet",
    "MailingAddress": "address1 address2 city company country countryCodeV2 firstName id lastName name phone province provinceCode zip",
    "MoneyBag": "presentmentMoney shopMoney",
    "MoneyV2": "amount currencyCode",
    "OrderTransaction": "accountNumber amountSet authorizationCode createdAt errorCode formattedGateway gateway id kind "
    "manualPaymentGateway order parentTransaction paymentId processedAt status test",
    "Refund": "createdAt id legacyResourceId note order orderAdjustments processedAt refundLineItems refundShippingLines totalRefundedSet "
    "transactions updatedAt",
    "OrderAdjustment": "amountSet id reason taxAmountSet",
    "RefundLineItem": "id lineItem priceSet quantity restockType restocked subtotalSet totalTaxSet",
    "RefundShippingLine": "id shippingLine subtotalAmountSet taxAmountSet",
    "ShippingLine": "code currentDiscountedPriceSet discountedPriceSet id isRemoved originalPriceSet source taxLines title",
    "TaxLine": "priceSet rate ratePercentage title",
    "Shop": "contactEmail createdAt currencyCode email ianaTimezone id myshopifyDomain name plan primaryDomain shopOwnerName taxesIncluded "
    "timezoneOffsetMinutes updatedAt url",
    "ShopPlan": "partnerDevelopment publicDisplayName shopifyPlus",
    "Domain": "host id url",
    "AppInstallation": "accessScopes id",
    "AccessScope": "handle",
    "WebhookSubscription": "apiVersion callbackUrl createdAt filter format id includeFields legacyResourceId metafieldNamespaces name "
    "topic updatedAt uri",
    "ApiVersion": "displayName handle supported",
    "BulkOperation": "completedAt createdAt errorCode fileSize id objectCount partialDataUrl query rootObjectCount status type url",
}
# Kept as they are: few fields, all served.
WHOLE = (
    "PageInfo Count UserError BulkOperationUserError WebhookSubscriptionCreatePayload WebhookSubscriptionDeletePayload "
    "WebhookSubscriptionUpdatePayload BulkOperationRunQueryPayload BulkOperationCancelPayload Node LegacyInteroperability DisplayableError"
)
CONNECTION = {"edges", "nodes", "pageInfo"}
EDGE = {"cursor", "node"}
LEFT_OUT_INPUTS = {"metafields"}


@dataclass(frozen=True)
class Cut:
    """The whole schema's definitions by name."""

    definitions: dict[str, Any]

    def kept_fields(self, name: str) -> set[str] | None:
        """The fields of an object type to keep; None: all."""
        if name in FIELDS:
            return set(FIELDS[name].split())
        if name.endswith("Connection"):
            return CONNECTION
        return EDGE if name.endswith("Edge") else None

    def trimmed(self, name: str) -> DefinitionNode:
        """The definition without descriptions and without what is not kept."""
        node = self.definitions[name]
        node.description, node.directives = None, ()
        fields = list(getattr(node, "fields", None) or ())
        kept = self.kept_fields(name) if node.kind == "object_type_definition" else None
        if node.kind == "input_object_type_definition":
            fields = [field for field in fields if field.name.value not in LEFT_OUT_INPUTS]
        if fields:
            node.fields = tuple(plain(field) for field in fields if kept is None or field.name.value in kept)
        if hasattr(node, "interfaces"):
            node.interfaces = tuple(item for item in node.interfaces if item.name.value in WHOLE.split())
        for value in getattr(node, "values", None) or ():
            plain(value)
        return node  # type: ignore[no-any-return]  # the definitions come from the parser

    def needed(self, roots: Iterable[str]) -> Iterator[str]:
        """The types that the roots reach, each once."""
        waiting = list(dict.fromkeys(roots))
        seen = set(waiting)
        while waiting:
            name = waiting.pop()
            if name not in self.definitions:
                continue
            yield name
            fresh = set(named_types(self.trimmed(name))) - seen
            seen |= fresh
            waiting += sorted(fresh)


def plain(node: Any) -> Any:
    """Without descriptions; reasons for deprecation stay away too."""
    node.description, node.directives = None, ()
    for argument in getattr(node, "arguments", None) or ():
        argument.description, argument.directives = None, ()
    return node


def named_types(node: Any) -> Iterator[str]:
    for field in getattr(node, "fields", None) or ():
        yield named(field.type)
        yield from (named(argument.type) for argument in getattr(field, "arguments", None) or ())
    yield from (item.name.value for item in getattr(node, "interfaces", None) or ())


def named(node: Any) -> str:
    while hasattr(node, "type"):
        node = node.type
    return str(node.name.value)


def cut(text: str) -> str:
    """The part as text."""
    document = parse(text, no_location=True)
    whole = Cut({item.name.value: item for item in document.definitions if getattr(item, "name", None)})  # type: ignore[attr-defined]
    names = sorted(whole.needed(("QueryRoot", "Mutation", *WHOLE.split(), *FIELDS)))
    parts = [print_ast(whole.trimmed(name)) for name in names]
    schema = "schema {\n  query: QueryRoot\n  mutation: Mutation\n}"
    return "\n\n".join((HEAD.rstrip(), schema, "directive @idempotent(key: String!) on FIELD", *parts)) + "\n"


if __name__ == "__main__":
    sys.stdout.write(cut(Path(sys.argv[1]).read_text(encoding="utf-8")))
