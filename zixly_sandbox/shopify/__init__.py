"""Shopify's stand-in: shops, the GraphQL Admin API, OAuth and webhooks."""
