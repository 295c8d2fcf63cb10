"""Where a person opens a record in a shop's admin."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

ShopifyRecord = Literal["order", "customer"]

PATHS: dict[ShopifyRecord, str] = {"order": "orders", "customer": "customers"}


def record_url(record_type: ShopifyRecord, record_id: str, *, shop: str) -> str:
    """Deep link to a record; `shop` is the myshopify.com name."""
    return f"https://{quote(shop, safe='')}/admin/{PATHS[record_type]}/{quote(record_id, safe='')}"
