"""Shopify's errors (shopify.dev/docs/api/admin-graphql, status and error codes). Most of a GraphQL call's failures come with 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from zixly_sandbox.http import Answer, Headers, header, json_answer

LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"
TOO_COSTLY = (
    "Query cost is {cost}, which exceeds the single query max cost limit ({limit}).\n\n"
    "See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the cost of a query is calculated.\n\n"
    "To query larger amounts of data with fewer limits, bulk operations should be used instead."
)


def refused(status: int, message: str) -> Answer:
    """A refusal that no query caused."""
    return json_answer({"errors": message}, status=status)


def unauthorized() -> Answer:
    return refused(401, "[API] Invalid API key or access token (unrecognized login or wrong password)")


def not_found() -> Answer:
    return refused(404, "Not Found")


def graphql_error(message: str, *, code: str, **extensions: Any) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code, **extensions}}


def throttled() -> dict[str, Any]:
    return graphql_error("Throttled", code="THROTTLED", documentation=LIMITS_PAGE)


def too_costly(cost: int, *, limit: int) -> dict[str, Any]:
    return graphql_error(
        TOO_COSTLY.format(cost=cost, limit=limit), code="MAX_COST_EXCEEDED", cost=cost, maxCost=limit, documentation=LIMITS_PAGE
    )


def internal_error() -> dict[str, Any]:
    request = str(uuid4())
    message = f"Internal error. Looks like something went wrong on our end.\nRequest ID: {request} (include this in support requests)."
    return graphql_error(message, code="INTERNAL_SERVER_ERROR", requestId=request)


def graphql_answer(document: Mapping[str, Any], *, headers: Headers = ()) -> Answer:
    return json_answer(document, headers=(header("X-Request-Id", uuid4()), *headers))


def oauth_error(word: str, text: str, *, status: int = 400) -> Answer:
    return json_answer({"error": word, "error_description": text}, status=status)
