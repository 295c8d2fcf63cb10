"""`POST /batch` (developers.asana.com/docs/batch-requests): up to ten actions, answered in order, each as if called alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from zixly_sandbox.asana.answers import Refused, data, refusal
from zixly_sandbox.asana.desk import Visit
from zixly_sandbox.asana.inputs import body_data
from zixly_sandbox.http import Answer, Call

MAX_ACTIONS = 10
METHODS = {"GET", "POST", "PUT", "DELETE"}

Handler = Callable[[Call, Visit], Answer | Awaitable[Answer]]
Route = Callable[[str, str], tuple[Handler, Mapping[str, str]] | None]
"""Finds the handler of a method and path, with what the path holds."""


def batch(call: Call, visit: Visit, *, route: Route) -> Answer:
    actions = body_data(call).get("actions")
    if not isinstance(actions, list) or not actions:
        raise Refused("actions: Missing input")
    if len(actions) > MAX_ACTIONS:
        raise Refused(f"actions: There may be at most {MAX_ACTIONS} actions in a batch request")
    return data([done(call, visit, action, route=route) for action in actions])


def done(call: Call, visit: Visit, action: Any, *, route: Route) -> dict[str, Any]:
    """One action's answer, whatever happened to the others."""
    try:
        answer = acted(call, visit, action, route=route)
    except Refused as error:
        answer = refusal(error)
    return {"status_code": answer.status, "headers": {}, "body": orjson.loads(answer.body) if answer.body else {}}


def acted(call: Call, visit: Visit, action: Any, *, route: Route) -> Answer:
    if not isinstance(action, dict) or not {"relative_path", "method"} <= set(action):
        raise Refused("actions: Each needs relative_path and method")
    method, address = str(action["method"]).upper(), urlsplit(str(action["relative_path"]))
    found = route(method, address.path)
    if method not in METHODS or found is None or address.path in {"/batch", "/webhooks"}:
        raise Refused("No matching route for request", status=404)
    handler, params = found
    values = {"data": action.get("data") or {}}
    query = "&".join(part for part in (address.query, options_query(action)) if part)
    if method == "GET":
        query = "&".join(part for part in (query, urlencode(values["data"], doseq=True)) if part)
    path = f"{call.path.removesuffix('/batch')}{address.path}"
    inner = Call(call.system, method, path, query, params, call.headers, orjson.dumps(values))
    answer = handler(inner, visit)
    if not isinstance(answer, Answer):
        raise Refused("This action cannot be part of a batch request.")
    return answer


def options_query(action: Mapping[str, Any]) -> str:
    """`options` in the words of a query: `fields` are `opt_fields`."""
    options = action.get("options") or {}
    query = {name: options[name] for name in ("limit", "offset") if name in options}
    if fields := options.get("fields"):
        query["opt_fields"] = ",".join(fields)
    return urlencode(query)
