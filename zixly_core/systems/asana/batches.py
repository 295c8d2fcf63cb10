"""Reads of several records in one call: `POST /batch` runs ten actions side by side and answers in their order
(developers.asana.com/docs/batch-requests). It saves round trips; each action counts against the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
import orjson

from zixly_core.errors import Transient
from zixly_core.http_errors import failure_of

# Of one record among several: it is gone, or the person who connected the account may not see it.
UNSEEN = {403, 404, 410}


def read_action(path: str, *, fields: Sequence[str]) -> dict[str, Any]:
    return {"relative_path": path, "method": "get", "options": {"fields": list(fields)}}


def records_in(answers: object, *, asked: Sequence[str], operation: str) -> list[Any]:
    """The records that were there. Raises `Transient` or `Permanent` when an action failed otherwise than by finding nothing, and
    where nothing at all may be seen."""
    if not isinstance(answers, list) or len(answers) != len(asked):
        raise Transient(f"asana did not answer all when asked to {operation}; it is tried again.", reason="partial_read")
    found = [answer if isinstance(answer, dict) else {} for answer in answers]
    statuses = [status_of(answer) for answer in found]
    for answer, status in zip(found, statuses, strict=True):
        if status // 100 != 2 and (status not in UNSEEN or set(statuses) == {403}):
            raise failure_of(response_from(answer, status=status), system="asana", operation=operation)
    return [data_in(answer) for answer, status in zip(found, statuses, strict=True) if status // 100 == 2]


def status_of(answer: Mapping[str, Any]) -> int:
    """The status of an action; one that is left out is a failure of the vendor's."""
    status = answer.get("status_code")
    return status if isinstance(status, int) else 502


def data_in(answer: Mapping[str, Any]) -> Any:
    body = answer.get("body")
    return body.get("data") if isinstance(body, dict) else None


def response_from(answer: Mapping[str, Any], *, status: int) -> httpx2.Response:
    """An action's answer as one of its own."""
    headers = answer.get("headers")
    texts = {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    texts = {name: value for name, value in texts.items() if name.isascii() and value.isascii()}  # as HTTP would have had them
    return httpx2.Response(status, headers=texts, content=orjson.dumps(answer.get("body")))
