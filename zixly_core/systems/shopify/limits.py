"""Shopify's limit for one shop (shopify.dev/docs/api/usage/limits): points, of which a query costs as many as it asks for and gets back
what it did not use. Bucket and rate depend on the shop's plan and are told by each answer. A query that finds too few is answered 200
with the error THROTTLED."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson

from zixly_core.api_limits import Bucket, Level, Limits, Report

# The rate of the Standard plan; one query may cost 1,000. Both are replaced by what the first answer tells.
SIZE = 1_000
PER_SECOND = 100
# What one of our queries asks for, about: 50 orders with their lines. The answer puts it right.
TYPICAL_COST = 100
# What a query that was refused, and did not say what it asked for, is to wait for.
UNKNOWN_WAIT = 1.0


def shopify_limits(settings: Mapping[str, Any]) -> Limits:
    return Limits(
        windows=(Bucket("points", size=SIZE, per_second=PER_SECOND, kept_for_live=200, is_told=True),),
        cost_of=lambda _: TYPICAL_COST,
        report_of=report_of,
    )


def report_of(answer: httpx2.Response) -> Report:
    """The bucket as `extensions.cost.throttleStatus` tells it, and whether the query was refused."""
    try:
        document = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return Report()
    cost = mapping_in(mapping_in(document, "extensions"), "cost")
    status = mapping_in(cost, "throttleStatus")
    left, size, rate = (number(status.get(name)) for name in ("currentlyAvailable", "maximumAvailable", "restoreRate"))
    levels = {"points": Level(left, size=size, per_second=rate)} if left is not None else {}
    if not is_throttled(document):
        return Report(levels)
    asked = number(cost.get("requestedQueryCost"))
    wait = UNKNOWN_WAIT if asked is None or left is None or not rate else max((asked - left) / rate, 0.1)
    return Report(levels, throttled_for=wait)


def is_throttled(document: object) -> bool:
    errors = document.get("errors") if isinstance(document, dict) else None
    return isinstance(errors, list) and any(mapping_in(one, "extensions").get("code") == "THROTTLED" for one in errors)


def mapping_in(document: object, name: str) -> Mapping[str, Any]:
    """The object under a name; empty where there is none."""
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
