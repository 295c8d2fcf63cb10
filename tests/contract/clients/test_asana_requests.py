"""Every request of Asana's client: allowed by the official description, equal to what the official client sends."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx2
import orjson

from tests.contract.clients.description import description
from tests.contract.clients.recorded import recorded, seen
from tests.unit.clients.test_asana_client import Asana, action_answer, data, project_json, task_json, webhook_json
from zixly_core.systems.asana.projects import PROJECT_FIELDS, NewProject
from zixly_core.systems.asana.tasks import TASK_FIELDS, NewTask
from zixly_core.systems.asana.webhooks import COMPLETIONS, WEBHOOK_FIELDS

PROJECT = "1203333333333301"
WORKSPACE = "1200000000000001"
TASK = "1202222222222201"
NEW_TASK = NewTask(
    "Onboard Acme Ltd",
    "Deal 17812345601",
    PROJECT,
    due_on=date(2026, 12, 1),
    external_gid="hubspot-deal-17812345601",
    external_data='{"deal":17812345601}',
)


def faults(request: httpx2.Request) -> list[str]:
    return description("asana_oas").faults_of(request, base_path="/api/1.0")


def vendor(request: httpx2.Request) -> httpx2.Response:
    """A workspace in which everything is there."""
    match request.method, request.url.path.removeprefix("/api/1.0").split("/")[1:]:
        case "POST", ["batch"]:
            actions = orjson.loads(request.content)["data"]["actions"]
            return data([action_answer(action["relative_path"].rpartition("/")[2]) for action in actions])
        case "GET", ["tasks" | "projects" | "webhooks"]:
            return data([])
        case _, ["projects"]:
            return data(project_json(1))
        case _, ["webhooks", *_]:
            return data(webhook_json())
        case _:
            return data(task_json())


def asked(request: httpx2.Request) -> dict[str, Any]:
    """What a request means but for the fields of its answer and the spelling of the media type."""
    return told(seen(request))


def told(document: dict[str, Any]) -> dict[str, Any]:
    query = [pair for pair in document["query"] if pair[0] not in {"opt_fields", "limit"}]
    return {**document, "query": query, "headers": {**document["headers"], "accept": "application/json"}}


def fields_of(request: httpx2.Request) -> list[str]:
    return request.url.params["opt_fields"].split(",")


def test_a_task_is_created_as_the_official_client_does() -> None:
    asana = Asana(vendor)
    asana.client.create_task(NEW_TASK)
    (request,) = asana.vendor.requests
    assert asked(request) == told(recorded("asana", "create-task"))
    assert set(fields_of(request)) >= {"permalink_url"}
    assert faults(request) == []


def test_a_task_is_found_by_its_external_gid_as_the_official_client_does() -> None:
    asana = Asana(vendor)
    asana.client.task_by_external("hubspot-deal-17812345601")
    (request,) = asana.vendor.requests
    assert asked(request) == told(recorded("asana", "get-task-by-external-gid"))
    assert faults(request) == []


def test_tasks_are_read_in_a_batch_as_the_official_client_does() -> None:
    asana = Asana(vendor)
    asana.client.tasks_by_ids(["1202222222222201", "1202222222222202"])
    (request,) = asana.vendor.requests
    sent, expected = asked(request), told(recorded("asana", "batch"))
    for action in (*sent["body"]["data"]["actions"], *expected["body"]["data"]["actions"]):
        assert set(action["options"].pop("fields")) >= {"name", "completed"}
    assert sent == expected
    assert faults(request) == []


def test_the_fields_of_a_task_in_a_batch_are_those_that_a_single_read_may_ask_for() -> None:
    url = f"https://x.test/api/1.0/tasks/{TASK}?opt_fields={','.join(TASK_FIELDS)}"
    assert faults(httpx2.Request("GET", url)) == []
    assert set(TASK_FIELDS) >= set(dict(recorded("asana", "get-task")["query"])["opt_fields"].split(",")) - {"custom_fields"}


def test_changed_tasks_are_listed_as_the_official_client_does() -> None:
    asana = Asana(vendor)
    list(asana.client.tasks_changed_since(PROJECT, datetime(2026, 11, 21, tzinfo=UTC)))
    (request,) = asana.vendor.requests
    assert asked(request) == told(recorded("asana", "list-tasks-modified-since"))
    assert ["limit", "100"] in seen(request)["query"]
    assert faults(request) == []


def test_a_project_is_created_as_the_official_client_does() -> None:
    asana = Asana(vendor)
    asana.client.create_project(NewProject("Acme Ltd onboarding", "", WORKSPACE, team="1200000000000002"))
    (request,) = asana.vendor.requests
    assert asked(request) == told(recorded("asana", "create-project"))
    assert faults(request) == []


def test_a_webhook_is_made_as_the_official_client_does() -> None:
    asana = Asana(vendor)
    asana.client.create_webhook(PROJECT, "https://bridge.example.test/webhooks/asana/wh_7f3a91", [COMPLETIONS])
    (request,) = asana.vendor.requests
    assert asked(request) == told(recorded("asana", "create-webhook"))
    assert faults(request) == []


def test_a_comment_is_written_as_the_official_client_does() -> None:
    asana = Asana(vendor)
    asana.client.add_comment(TASK, "Invoice INV-0042 paid")
    (request,) = asana.vendor.requests
    assert asked(request) == told(recorded("asana", "add-comment"))
    assert faults(request) == []


def test_every_other_call_of_asana_is_allowed_by_its_description() -> None:
    asana = Asana(vendor)
    list(asana.client.projects())
    list(asana.client.projects(archived=False))
    asana.client.create_project(NewProject("Acme", "Notes", WORKSPACE, due_on=date(2026, 12, 1)))
    asana.client.create_task(NewTask("Call", "", PROJECT, assignee="me"))
    asana.client.webhooks(resource=PROJECT)
    asana.client.delete_webhook("55")
    assert [faults(request) for request in asana.vendor.requests] == [[]] * 6
    assert fields_of(asana.vendor.requests[0]) == list(PROJECT_FIELDS)
    assert fields_of(asana.vendor.requests[4]) == list(WEBHOOK_FIELDS)


def test_the_check_itself_refuses_fields_and_names_that_are_not_described() -> None:
    url = "https://x.test/api/1.0/tasks"
    assert faults(httpx2.Request("GET", f"{url}/1?opt_fields=name,nonsense")) != []
    assert faults(httpx2.Request("POST", url, json={"data": {"nam": "x"}})) == ["nam is not described"]
    assert faults(httpx2.Request("GET", f"{url}?limit=500")) != []
