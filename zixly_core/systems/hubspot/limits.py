"""HubSpot's limits for one portal (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines): 110 calls in any 10 s for
an app connected by OAuth, and apart from them 5 searches a second, whose answers tell nothing. A day's limit exists where answers
name one, which they do for apps of a single account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from zixly_core.api_limits import FixedWindow, Limits, bucket_of_span, number_in, report_of_headers

HEADERS = {"x-hubspot-ratelimit-remaining": "interval", "x-hubspot-ratelimit-daily-remaining": "day"}
REPORT_OF = report_of_headers(HEADERS)


def is_search(request: httpx2.Request) -> bool:
    return request.url.path.endswith("/search")


def is_no_search(request: httpx2.Request) -> bool:
    return not is_search(request)


def hubspot_limits(settings: Mapping[str, Any]) -> Limits:
    """The setting `calls_per_10_seconds` names what the account's plan allows (100, 190 or 250 for an app of a single account)."""
    burst = number_in(settings, "calls_per_10_seconds", default=110)
    return Limits(
        windows=(
            bucket_of_span("interval", limit=burst, seconds=10, at_once=20, kept_for_live=5, counts=is_no_search),
            bucket_of_span("search", limit=5, seconds=1, at_once=2, kept_for_live=0, counts=is_search),
            FixedWindow("day", seconds=86_400, limit=None, kept_for_live=5_000),
        ),
        report_of=REPORT_OF,
    )
