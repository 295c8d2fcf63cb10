"""The one address of the Admin API: a GraphQL document in, data and its cost out."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.shopify.answers import graphql_answer, not_found, throttled, too_costly
from zixly_sandbox.shopify.context import QueryContext
from zixly_sandbox.shopify.desk import ShopifyDesk, Visit, throttle_status
from zixly_sandbox.shopify.engine import Operation, WrongQuery, operation_of


def graphql(call: Call, visit: Visit) -> Answer:
    """Checked, priced, run if the shop's points allow it."""
    try:
        body = call.json()
        query, variables, name = body["query"], body.get("variables") or {}, body.get("operationName")
    except (ValueError, KeyError):
        return json_answer({"errors": {"query": "Required parameter missing or invalid"}}, status=400)
    if not isinstance(query, str) or not isinstance(variables, dict):
        return json_answer({"errors": {"query": "Required parameter missing or invalid"}}, status=400)
    try:
        operation = operation_of(query, variables=variables, name=name)
    except WrongQuery as error:
        return graphql_answer({"errors": error.errors})
    return priced_answer(operation, visit)


def priced_answer(operation: Operation, visit: Visit) -> Answer:
    rules, bucket, pricing = visit.desk.rules, visit.account.bucket, operation.pricing
    asked = pricing.requested()
    if asked > rules.query_points:
        return graphql_answer({"errors": [too_costly(asked, limit=rules.query_points)]})
    if asked > available(visit):
        return graphql_answer({"errors": [throttled()], "extensions": {"cost": cost_document(visit, asked, None)}})
    bucket.spend(asked)
    context = QueryContext(
        visit.account, now=visit.desk.clock.milliseconds(), version=visit.version, sees_all_orders=bool(rules.read_all_orders)
    )
    data, errors = operation.result(context)
    spent = min(asked, pricing.actual(data))
    bucket.give_back(asked - spent)
    document: dict[str, Any] = {"data": data, **({"errors": errors} if errors else {})}
    extensions: dict[str, Any] = {"cost": cost_document(visit, asked, spent)}
    if context.search_notes:
        extensions["search"] = context.search_notes
    return graphql_answer({**document, "extensions": extensions})


def cost_document(visit: Visit, asked: int, spent: int | None) -> dict[str, Any]:
    status = throttle_status(visit.desk.rules, available=available(visit))
    return {"requestedQueryCost": asked, "actualQueryCost": spent, "throttleStatus": status}


def available(visit: Visit) -> int:
    desk = visit.desk
    return visit.account.bucket.available(desk.clock.seconds(), size=desk.rules.bucket_points, restore=desk.rules.restore_per_second)


def bulk_file(call: Call, desk: ShopifyDesk) -> Answer:
    """The result of a bulk operation: a link that needs no token, as the real one."""
    account = desk.shops.get(call.params["shop"].lower())
    found = account.bulk.operations.get(int(call.params["number"])) if account else None
    return Answer(200, found.content, b"application/jsonl") if found and found.url else not_found()
