"""Asana's addresses, under `/asana`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import unquote

from starlette.routing import BaseRoute, Route

from zixly_sandbox.asana import batch, directory, oauth, tasks, webhook_calls
from zixly_sandbox.asana.answers import Refused, refusal
from zixly_sandbox.asana.desk import AsanaDesk, Visit
from zixly_sandbox.gate import Gate, Handler, House
from zixly_sandbox.http import Answer, Call

# Method, path, handler. Often used ones first.
CALLS: tuple[tuple[str, str, batch.Handler], ...] = (
    ("GET", "/tasks/{task}", tasks.get_task),
    ("GET", "/tasks", tasks.list_tasks),
    ("POST", "/tasks", tasks.create_task),
    ("PUT", "/tasks/{task}", tasks.update_task),
    ("DELETE", "/tasks/{task}", tasks.delete_task),
    ("GET", "/tasks/{task}/stories", tasks.list_stories),
    ("POST", "/tasks/{task}/stories", tasks.create_story),
    ("GET", "/tasks/{task}/subtasks", tasks.list_subtasks),
    ("POST", "/tasks/{task}/subtasks", tasks.create_subtask),
    ("POST", "/tasks/{task}/addProject", tasks.add_project),
    ("POST", "/tasks/{task}/removeProject", tasks.remove_project),
    ("GET", "/stories/{story}", tasks.get_story),
    ("GET", "/projects", directory.list_projects),
    ("POST", "/projects", directory.create_project),
    ("GET", "/projects/{project}", directory.get_project),
    ("PUT", "/projects/{project}", directory.update_project),
    ("DELETE", "/projects/{project}", directory.delete_project),
    ("GET", "/projects/{project}/tasks", tasks.tasks_of_project),
    ("GET", "/workspaces", directory.list_workspaces),
    ("GET", "/workspaces/{workspace}", directory.get_workspace),
    ("GET", "/workspaces/{workspace}/projects", directory.list_projects),
    ("POST", "/workspaces/{workspace}/projects", directory.create_project),
    ("GET", "/workspaces/{workspace}/teams", directory.list_teams),
    ("GET", "/workspaces/{workspace}/users", directory.list_users),
    ("GET", "/workspaces/{workspace}/custom_fields", directory.list_custom_fields),
    ("POST", "/teams/{team}/projects", directory.create_project),
    ("GET", "/users", directory.list_users),
    ("GET", "/users/{user}", directory.get_user),
    ("GET", "/webhooks", webhook_calls.list_webhooks),
    ("POST", "/webhooks", webhook_calls.create_webhook),
    ("GET", "/webhooks/{webhook}", webhook_calls.get_webhook),
    ("PUT", "/webhooks/{webhook}", webhook_calls.update_webhook),
    ("DELETE", "/webhooks/{webhook}", webhook_calls.delete_webhook),
    ("GET", "/events", webhook_calls.list_events),
)
OAUTH: tuple[tuple[str, str, Callable[[Call, AsanaDesk], Answer]], ...] = (
    ("GET", "/-/oauth_authorize", oauth.authorize),
    ("POST", "/-/oauth_token", oauth.token),
    ("POST", "/-/oauth_revoke", oauth.revoke),
)
API = "/api/1.0"
PATTERNS = tuple((method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), handler) for method, path, handler in CALLS)


def routed(method: str, path: str) -> tuple[batch.Handler, Mapping[str, str]] | None:
    """The handler of an action inside a batch."""
    for known, pattern, handler in PATTERNS:
        found = pattern.fullmatch(path) if known == method else None
        if found:
            return handler, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def asana_routes(house: House, desk: Callable[[], AsanaDesk]) -> list[BaseRoute]:
    """`desk` gives the vendor of the moment: a reset replaces it."""
    calls = (*CALLS, ("POST", "/batch", lambda call, visit: batch.batch(call, visit, route=routed)))
    found: list[BaseRoute] = [
        Route(API + path, Gate(house, desk, f"{method} {path}", guarded(handler)), methods=[method]) for method, path, handler in calls
    ]
    for method, path, handler in OAUTH:
        found.append(Route(path, open_gate(house, desk, f"{method} {path}", handler), methods=[method]))
    return found


def guarded(handler: batch.Handler) -> Handler:
    """Refusals become answers."""

    def handle(call: Call, visit: Visit) -> Answer | Awaitable[Answer]:
        try:
            answer = handler(call, visit)
        except Refused as error:
            return refusal(error)
        return answer if isinstance(answer, Answer) else rescued(answer)

    return handle


async def rescued(answer: Awaitable[Answer]) -> Answer:
    try:
        return await answer
    except Refused as error:
        return refusal(error)


def open_gate(house: House, desk: Callable[[], AsanaDesk], endpoint: str, handler: Callable[[Call, AsanaDesk], Answer]) -> Gate:
    return Gate(house, desk, endpoint, lambda call, _visit: handler(call, desk()), is_open=True)
