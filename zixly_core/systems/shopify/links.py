"""Where a person opens a record in a shop's admin.

A shop is named by its handle, the name before `.myshopify.com` (help.shopify.com, "Shopify admin": admin.shopify.com/store/{handle});
ids are those of the REST API, the last part of a `gid://`.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

PATHS: Mapping[str, str] = {"order": "orders", "customer": "customers"}
ENDING = ".myshopify.com"


def record_url(kind: str, record_id: str, *, account: str, base: str) -> str | None:
    """Deep link to a record; `account` is the myshopify.com name. None for a kind that has no page of its own."""
    path = PATHS.get(kind)
    handle = quote(account.removesuffix(ENDING), safe="")
    return f"{base}/store/{handle}/{path}/{quote(record_id, safe='')}" if path else None
