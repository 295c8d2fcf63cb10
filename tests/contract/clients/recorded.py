"""What the official clients send, recorded in `tests/payloads/<system>/requests/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import orjson

PAYLOADS = Path(__file__).parents[2] / "payloads"

# What a request means; the official clients also send a content type for a body that is not there.
HEADERS = ("xero-tenant-id", "if-modified-since", "idempotency-key", "accept", "authorization", "x-shopify-access-token")


def recorded(system: str, name: str) -> dict[str, Any]:
    """The recorded request in the form of `seen`; query booleans in lower case, as the official description wants them."""
    document = orjson.loads((PAYLOADS / system / "requests" / f"{name}.json").read_bytes())
    headers = {key.lower(): value for key, value in document["headers"].items()}
    query = [[key, value.lower() if value in {"True", "False"} else value] for key, value in document.get("query", [])]
    return {
        "method": document["method"],
        "path": document["path"],
        "query": query,
        "headers": {key: headers[key] for key in HEADERS if key in headers},
        "body": document["body"],
    }


def seen(request: httpx2.Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.url.raw_path.decode().partition("?")[0],
        "query": [list(pair) for pair in request.url.params.multi_items()],
        "headers": {key: request.headers[key] for key in HEADERS if key in request.headers},
        "body": orjson.loads(request.content) if request.content else None,
    }
