"""Xero's limits for one organisation (developer.xero.com/documentation/oauth2/limits): 60 calls a minute, 5,000 a day (1,000 in the
free tier), 5 at once, and 10,000 a minute for the app over all organisations. Windows are fixed; their ends differ from
organisation to organisation and are nowhere told, except by the `Retry-After` of a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zixly_core.api_limits import Concurrent, FixedWindow, Limits, report_of_headers

HEADERS = {
    "x-minlimit-remaining": "minute",
    "x-daylimit-remaining": "day",
    "x-appminlimit-remaining": "app_minute",
}
REPORT_OF = report_of_headers(HEADERS)


def xero_limits(settings: Mapping[str, Any]) -> Limits:
    """A quarter of a minute is kept from bulk work: 12 calls for live work, each event of which costs two, and 4 for what is of high
    priority. What the free tier's day has left is told by answers."""
    return Limits(
        windows=(
            FixedWindow("minute", seconds=60, limit=60, kept_for_live=16, kept_for_urgent=4),
            FixedWindow("day", seconds=86_400, limit=5_000, kept_for_live=200),
            FixedWindow("app_minute", seconds=60, limit=10_000, kept_for_live=1_000),
        ),
        concurrent=(Concurrent(limit=5, kept_for_live=1),),
        report_of=REPORT_OF,
    )
