"""Asana's limits for one token (developers.asana.com/docs/rate-limits): 150 requests a minute in the free plan and 1,500 in a paid one,
evaluated more often than once a minute; 50 reads and 15 writes at once. Answers tell nothing, and refused calls count as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson

from zixly_core.api_limits import Concurrent, Limits, bucket_of_span, number_in


def asana_limits(settings: Mapping[str, Any]) -> Limits:
    """The setting `calls_per_minute` names a paid plan's 1,500. A tenth of a minute may go at once, and always a whole batch."""
    minute = number_in(settings, "calls_per_minute", default=150)
    return Limits(
        windows=(bucket_of_span("minute", limit=minute, seconds=60, at_once=max(15, minute / 10), kept_for_live=3),),
        concurrent=(Concurrent(limit=50, kept_for_live=10, of="reads"), Concurrent(limit=15, kept_for_live=3, of="writes")),
        cost_of=actions_in,
    )


def actions_in(request: httpx2.Request) -> int:
    """Each action of a batch counts as a request, and as one under way (developers.asana.com/docs/batch-requests)."""
    if not request.url.path.endswith("/batch"):
        return 1
    try:
        return max(len(orjson.loads(request.content)["data"]["actions"]), 1)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return 1
