"""Our errors as HTTP answers (RFC 9457, problem details). One table decides the status of each."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from zixly_core.errors import (
    InvalidSignature,
    MalformedPayload,
    NotAllowed,
    Permanent,
    Rejected,
    StaleTimestamp,
    Transient,
    ZixlyError,
)
from zixly_core.stores.pauses import NothingToPause
from zixly_core.stores.people import AlreadyMember, LastAdmin, NoSuchMember
from zixly_core.stores.priorities import NothingToPrioritise

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5


class NotSignedIn(Rejected):
    default_reason = "not_signed_in"


class NotFound(Rejected):
    default_reason = "not_found"


class WrongState(Rejected):
    default_reason = "wrong_state"


class TooManyRequests(Rejected):
    """Within its rate again after `retry_after_seconds`."""

    default_reason = "too_many_requests"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BodyTooLarge(Rejected):
    default_reason = "body_too_large"


class BodyTooSlow(Rejected):
    default_reason = "body_too_slow"


class AnswerTooSlow(Transient):
    default_reason = "answer_too_slow"


# The first line that fits decides; the base classes come last.
STATUSES: tuple[tuple[type[ZixlyError], int], ...] = (
    (NotSignedIn, 401),
    (InvalidSignature, 401),
    (StaleTimestamp, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (NothingToPause, 404),
    (NothingToPrioritise, 404),
    (BodyTooSlow, 408),
    (WrongState, 409),
    (NoSuchMember, 404),
    (AlreadyMember, 409),
    (LastAdmin, 409),
    (BodyTooLarge, 413),
    (TooManyRequests, 429),
    (MalformedPayload, 400),
    (Rejected, 400),
    (Transient, 503),
    (Permanent, 500),
    (ZixlyError, 500),
)


class Problem(BaseModel):
    """What went wrong, for people (`detail`) and for programs (`reason`)."""

    status: int = Field(description="The HTTP status, again.")
    reason: str = Field(description="A machine word.", examples=["not_found"])
    detail: str = Field(description="What was tried, with which ids, and what to do next.")


def status_of(error: ZixlyError) -> int:
    """The HTTP status of one of our errors."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def problem(status: int, *, reason: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = Problem(status=status, reason=reason, detail=detail).model_dump_json()
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def problem_of(error: ZixlyError) -> Response:
    """The answer to one of our errors, with `Retry-After` where another try may help."""
    status, headers = status_of(error), when_again(error)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return problem(status, reason=error.reason, detail=str(error), headers=headers)


def when_again(error: ZixlyError) -> dict[str, str]:
    """`Retry-After`, of an error that is over after a while."""
    if isinstance(error, TooManyRequests):
        return {"retry-after": str(error.retry_after_seconds)}
    if isinstance(error, Transient):
        seconds = error.retry_after.total_seconds() if error.retry_after else RETRY_SECONDS
        return {"retry-after": str(max(ceil(seconds), 1))}
    return {}


def handle_problems(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""
    describe_problems(app)

    @app.exception_handler(ZixlyError)
    async def ours(_request: Request, error: ZixlyError) -> Response:
        return problem_of(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return problem(422, reason="invalid_parameter", detail=f"{place}: {first['msg']}")

    @app.exception_handler(psycopg.DataError)
    async def unstorable(_request: Request, error: psycopg.DataError) -> Response:
        """Of the right form, and yet nothing that Postgres can compare with, such as a text with U+0000 in it."""
        log.warning("value_refused_by_postgres", sqlstate=error.sqlstate)
        return problem(422, reason="invalid_parameter", detail="A value holds a character or number that cannot be looked for or stored.")

    @app.exception_handler(HTTPException)
    async def plain(_request: Request, error: HTTPException) -> Response:
        reason = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        return problem(error.status_code, reason=reason, detail=str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def other(_request: Request, error: Exception) -> Response:
        return unforeseen(error)


def unforeseen(error: Exception) -> Response:
    """The answer to an error that nobody thought of, which is logged."""
    log.error("request_failed", exc_info=error)
    return problem(500, reason="internal_error", detail="Something went wrong here; the log has it under this request's id.")


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """For OpenAPI: the problems that a route may answer with. They point at one schema (`describe_problems`): were the model given,
    FastAPI would build a validator for each of them, which was more than half of the time that a bridge took to start."""
    schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
    return {status: {"content": {MEDIA_TYPE: schema}, "description": DESCRIPTIONS[status]} for status in statuses}


def describe_problems(app: FastAPI) -> None:
    """Put the schema that all problems share into the app's OpenAPI, and those that no route answers itself."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        document.setdefault("components", {}).setdefault("schemas", {})[Problem.__name__] = Problem.model_json_schema()
        for methods in document["paths"].values():
            for method, operation in methods.items():
                operation["responses"] |= problems_before(method, operation["responses"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def problems_before(method: str, responses: Mapping[str, Any]) -> dict[str, Any]:
    """What a request may be answered before its route is asked: where somebody must be known, that it is not his to do or too often, and
    where a body may come, that it cannot be taken. Routes name only what they answer themselves."""
    if MEDIA_TYPE not in responses.get("401", {}).get("content", {}):
        return {}
    statuses = (403, 429) if method == "get" else (400, 403, 408, 413, 429)
    return {str(status): answer for status, answer in problems(*statuses).items() if str(status) not in responses}


DESCRIPTIONS = {
    400: "The body cannot be read.",
    401: "Not signed (in), or signed wrongly.",
    403: "Signed in, but this is not yours to do.",
    404: "There is no such thing, or it is not yours to see.",
    405: "Not with this method.",
    408: "The body took too long to arrive.",
    409: "Not in its present state.",
    413: "The body is larger than what is taken here.",
    415: "Not a content type that this path takes.",
    422: "A parameter is wrong.",
    429: "Too many requests in a minute; try again after `Retry-After` seconds.",
    503: "Nothing was changed, or not surely; try again after `Retry-After` seconds.",
}
