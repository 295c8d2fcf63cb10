"""The GraphQL texts that we send. Checked in the contract tests against the whole schema of the version in the settings.

An object costs a point, a connection as many as it asks for, and one query may ask for 1,000
(shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits): so orders come with a first page of their lines, with their
refunds' ids only, and what is left is asked for where there is any.
"""

from __future__ import annotations

LINE = """
  id title sku quantity
  originalUnitPriceSet { shopMoney { amount } }
  discountAllocations { allocatedAmountSet { shopMoney { amount } } }
  taxLines { priceSet { shopMoney { amount } } }
"""

ORDERS = f"""query Orders($ids: [ID!]!, $lines: Int!, $transactions: Int!, $refunds: Int!) {{
  nodes(ids: $ids) {{
    ... on Order {{
      id name email phone test currencyCode displayFinancialStatus taxesIncluded cancelledAt createdAt updatedAt
      totalPriceSet {{ shopMoney {{ amount }} }}
      subtotalPriceSet {{ shopMoney {{ amount }} }}
      totalTaxSet {{ shopMoney {{ amount }} }}
      totalShippingPriceSet {{ shopMoney {{ amount }} }}
      totalDiscountsSet {{ shopMoney {{ amount }} }}
      customer {{ id firstName lastName defaultEmailAddress {{ emailAddress }} }}
      lineItems(first: $lines) {{ nodes {{ {LINE} }} pageInfo {{ hasNextPage endCursor }} }}
      transactions(first: $transactions) {{
        id kind status gateway paymentId processedAt amountSet {{ shopMoney {{ amount currencyCode }} }}
      }}
      refunds(first: $refunds) {{ id }}
    }}
  }}
}}"""

MORE_LINES = f"""query MoreLines($id: ID!, $first: Int!, $after: String) {{
  order(id: $id) {{ lineItems(first: $first, after: $after) {{ nodes {{ {LINE} }} pageInfo {{ hasNextPage endCursor }} }} }}
}}"""

REFUND_LINE = """
  quantity
  subtotalSet { shopMoney { amount } }
  totalTaxSet { shopMoney { amount } }
  lineItem { id title sku }
"""

REFUNDS = f"""query Refunds($ids: [ID!]!, $lines: Int!) {{
  nodes(ids: $ids) {{
    ... on Refund {{
      id createdAt processedAt
      totalRefundedSet {{ shopMoney {{ amount }} }}
      refundLineItems(first: $lines) {{ nodes {{ {REFUND_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
      refundShippingLines(first: 10) {{
        nodes {{ subtotalAmountSet {{ shopMoney {{ amount }} }} taxAmountSet {{ shopMoney {{ amount }} }} }}
      }}
    }}
  }}
}}"""

MORE_REFUND_LINES = f"""query MoreRefundLines($id: ID!, $first: Int!, $after: String) {{
  node(id: $id) {{
    ... on Refund {{
      refundLineItems(first: $first, after: $after) {{ nodes {{ {REFUND_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
    }}
  }}
}}"""

CHANGED_ORDERS = """query ChangedOrders($q: String!, $first: Int!, $after: String) {
  orders(first: $first, after: $after, query: $q, sortKey: UPDATED_AT) {
    nodes { id updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}"""

SHOP = """query Shop { shop { id name currencyCode myshopifyDomain ianaTimezone taxesIncluded } }"""

SUBSCRIPTIONS = """query Subscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    nodes { id topic uri createdAt }
    pageInfo { hasNextPage endCursor }
  }
}"""

MOVE_SUBSCRIPTION = """mutation MoveSubscription($id: ID!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $sub) {
    webhookSubscription { id topic uri createdAt }
    userErrors { field message }
  }
}"""

SUBSCRIBE = """mutation Subscribe($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
    webhookSubscription { id topic uri createdAt }
    userErrors { field message }
  }
}"""
