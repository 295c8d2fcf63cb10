"""HubSpot's limits for one portal (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines): 110 calls in any 10 s for
an app connected by OAuth, other numbers for an app of a single account, which the answers tell; and apart from them 5 searches a
second, whose answers tell nothing. A day's limit exists where answers name one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from zixly_core.api_limits import FixedWindow, Level, Limits, Report, bucket_of_span, report_of_headers

HEADERS = {"x-hubspot-ratelimit-remaining": "interval", "x-hubspot-ratelimit-daily-remaining": "day"}
BURST_HEADERS = {"x-hubspot-ratelimit-max": "limit", "x-hubspot-ratelimit-interval-milliseconds": "milliseconds"}
REMAINING_OF = report_of_headers(HEADERS)
BURST_OF = report_of_headers(BURST_HEADERS)

BURST_CALLS = 110
BURST_SECONDS = 10
# How many of them may go at once; the others come back at a steady rate.
PART_AT_ONCE = 0.2


def is_search(request: httpx2.Request) -> bool:
    return request.url.path.endswith("/search")


def is_no_search(request: httpx2.Request) -> bool:
    return not is_search(request)


def hubspot_limits(settings: Mapping[str, Any]) -> Limits:
    at_once = BURST_CALLS * PART_AT_ONCE
    return Limits(
        windows=(
            bucket_of_span("interval", limit=BURST_CALLS, seconds=BURST_SECONDS, at_once=at_once, kept_for_live=5, counts=is_no_search),
            bucket_of_span("search", limit=5, seconds=1, at_once=2, kept_for_live=0, counts=is_search),
            FixedWindow("day", seconds=86_400, limit=None, kept_for_live=5_000),
        ),
        report_of=report_of,
    )


def report_of(answer: httpx2.Response) -> Report:
    """What is left, and the size and rate of the bucket that the account's own limit makes."""
    levels = dict(REMAINING_OF(answer).levels)
    burst = BURST_OF(answer).levels
    if {"interval"} <= levels.keys() and {"limit", "milliseconds"} <= burst.keys() and burst["milliseconds"].left > 0:
        limit, seconds = burst["limit"].left, burst["milliseconds"].left / 1000
        at_once = limit * PART_AT_ONCE
        levels["interval"] = Level(levels["interval"].left, size=at_once, per_second=(limit - at_once) / seconds)
    return Report(levels)
