"""HubSpot's errors (developers.hubspot.com/docs/api-reference/error-handling) and batch answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from zixly_sandbox.http import Answer, json_answer


class Refused(Exception):
    """The whole request is refused. `code` and `context` say why, for machines."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        category: str = "VALIDATION_ERROR",
        code: str | None = None,
        context: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.code = code
        self.context = dict(context or {})

    def details(self) -> list[dict[str, Any]]:
        """The element of `errors`, where there is more to say than the message."""
        return [{"message": str(self), "code": self.code, "context": self.context}] if self.code else []


def refusal(error: Refused) -> Answer:
    """The error in the shape of a whole answer."""
    body: dict[str, Any] = {
        "status": "error",
        "message": str(error),
        "correlationId": str(uuid4()),
        "category": error.category,
    }
    if details := error.details():
        body["errors"] = details
    elif error.context:
        body["context"] = error.context
    return json_answer(body, status=error.status)


def too_many(policy: str) -> Answer:
    """429 as the usage guidelines show it; no `Retry-After` is documented."""
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid4()),
        "policyName": policy,
    }
    return json_answer(body, status=429)


def input_error(error: Refused, *, trace_id: str | None = None) -> dict[str, Any]:
    """The error of one input, or of several that failed alike, as an element of a batch answer."""
    context = {**error.context, **({"objectWriteTraceId": [trace_id]} if trace_id else {})}
    return {
        "status": "error",
        "category": error.category,
        "message": str(error),
        "context": context,
        "errors": [],
        "links": {},
    }


def batch(
    results: Sequence[Mapping[str, Any]], *, started_at: str, completed_at: str, errors: Sequence[Mapping[str, Any]] = (), done: int
) -> Answer:
    """The answer to a batch: `done` when all inputs succeeded, 207 with errors otherwise."""
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": started_at,
        "completedAt": completed_at,
    }
    if not errors:
        return json_answer(body, status=done)
    return json_answer({**body, "numErrors": len(errors), "errors": errors}, status=207)
