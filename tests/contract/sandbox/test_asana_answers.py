"""The stand-in's answers against Asana's official description (OpenAPI 3.0)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx2
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.contract.clients.description import nullable, text_of
from tests.support.sandbox import SandboxCaller
from tests.support.sandbox_receiver import receiving
from zixly_sandbox.constants import DEMO, TASK

# What the pages show and the description leaves out here and there.
UNDESCRIBED = {"X-Hook-Secret", "next_page", "help"}

Case = tuple[str, str, str, Any, int]

# Method, described path, path, data, status.
CALLS: list[Case] = [
    ("GET", "/tasks/{task_gid}", f"/tasks/{TASK}", None, 200),
    ("GET", "/tasks/{task_gid}", "/tasks/999", None, 404),
    ("GET", "/tasks", f"/tasks?project={DEMO.project}&limit=3", None, 200),
    ("GET", "/tasks", "/tasks", None, 400),
    ("POST", "/tasks", "/tasks", {"name": "New", "projects": [DEMO.project], "external": {"gid": "a", "data": "b"}}, 201),
    ("PUT", "/tasks/{task_gid}", f"/tasks/{TASK}", {"completed": True}, 200),
    ("DELETE", "/tasks/{task_gid}", f"/tasks/{TASK}", None, 200),
    ("POST", "/tasks/{task_gid}/subtasks", f"/tasks/{TASK}/subtasks", {"name": "Part"}, 201),
    ("GET", "/tasks/{task_gid}/subtasks", f"/tasks/{TASK}/subtasks", None, 200),
    ("POST", "/tasks/{task_gid}/stories", f"/tasks/{TASK}/stories", {"text": "Hello"}, 201),
    ("GET", "/tasks/{task_gid}/stories", f"/tasks/{TASK}/stories", None, 200),
    ("GET", "/projects", f"/projects?workspace={DEMO.workspace}", None, 200),
    ("GET", "/projects/{project_gid}", f"/projects/{DEMO.project}", None, 200),
    ("POST", "/projects", "/projects", {"name": "New", "workspace": DEMO.workspace}, 201),
    ("GET", "/users/{user_gid}", "/users/me", None, 200),
    ("GET", "/workspaces", "/workspaces", None, 200),
    ("GET", "/webhooks", f"/webhooks?workspace={DEMO.workspace}", None, 200),
    ("GET", "/events", f"/events?resource={DEMO.project}", None, 412),
]


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(text_of("asana_oas"), Loader=yaml.CSafeLoader)
    return found


@cache
def components() -> Any:
    return absent_too(nullable(document()["components"]))


def absent_too(node: Any) -> Any:
    """Where one part of an `allOf` says `nullable`, the whole may be null."""
    if isinstance(node, list):
        return [absent_too(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: absent_too(value) for name, value in node.items()}
    if any(isinstance(part, dict) and part.get("nullable") is True for part in node.get("allOf", ())):
        return {"anyOf": [made, {"type": "null"}]}
    return made


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document()
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def faults_of(answer: httpx2.Response, *, path: str) -> list[str]:
    """What is wrong with an answer to a call of the described path; empty when nothing is."""
    responses = document()["paths"][path][answer.request.method.lower()]["responses"]
    described = responses.get(answer.status_code)  # YAML's statuses are numbers
    if described is None:
        return [f"status {answer.status_code} is not described"]
    schema = resolved(described)["content"]["application/json"]["schema"]
    checker = Draft202012Validator({**absent_too(nullable(schema)), "components": components()})
    shape = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in checker.iter_errors(answer.json())]
    return [*shape, *unknown_names(answer.json(), schema)]


def unknown_names(value: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Names that the description does not have."""
    if isinstance(value, list):
        for one in value:
            yield from unknown_names(one, resolved(schema).get("items", {}), path)
    elif isinstance(value, dict):
        known = properties(schema)
        for name, one in value.items():
            if known and name not in known and name not in UNDESCRIBED:
                yield f"{path}/{name} is not described"
            elif name in known:
                yield from unknown_names(one, known[name], f"{path}/{name}")


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    """The properties of an object and of what it is put together from."""
    found = resolved(schema)
    parts = [properties(part) for part in found.get("allOf", [])]
    return {name: one for part in [*parts, found.get("properties", {})] for name, one in part.items()}


@pytest.mark.parametrize("case", CALLS, ids=lambda case: f"{case[0]} {case[2]}")
async def test_answers_fit_the_official_description(caller: SandboxCaller, case: Case) -> None:
    method, described, path, data, status = case
    answer = await caller.asana(method, path, data)
    assert answer.status_code == status, answer.text
    assert faults_of(answer, path=described) == []


async def test_a_webhooks_answers_fit_the_official_description() -> None:
    def echo(request: httpx2.Request) -> httpx2.Response:
        secret = request.headers.get("X-Hook-Secret")
        return httpx2.Response(200, headers={"X-Hook-Secret": secret} if secret else {})

    async with receiving(echo) as (caller, _arrived):
        filters = [{"resource_type": "task", "action": "changed", "fields": ["completed"]}]
        values = {"resource": DEMO.project, "target": "http://bridge.test/hook", "filters": filters}
        answer = await caller.asana("POST", "/webhooks", values)
        one = await caller.asana("GET", f"/webhooks/{answer.json()['data']['gid']}")
    assert (answer.status_code, faults_of(answer, path="/webhooks")) == (201, [])
    assert faults_of(one, path="/webhooks/{webhook_gid}") == []


async def test_a_batchs_answer_fits_the_official_description(caller: SandboxCaller) -> None:
    actions = [{"method": "get", "relative_path": path} for path in (f"/tasks/{TASK}", "/tasks/999")]
    answer = await caller.asana("POST", "/batch", {"actions": actions})
    assert (answer.status_code, faults_of(answer, path="/batch")) == (200, [])


def test_the_check_notices_a_name_and_a_kind_that_are_not_described() -> None:
    request = httpx2.Request("GET", "http://sandbox.test/tasks/1")
    answer = httpx2.Response(200, json={"data": {"gid": 1, "nonsense": True}}, request=request)
    assert len(faults_of(answer, path="/tasks/{task_gid}")) == 2
