"""Asana's client: batches answered in order, records found again, webhooks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx2
import orjson
import pytest

from tests.unit.clients.vendor import Answers, FixedTokens, Vendor, answered
from zixly_core.errors import BudgetSpent, Permanent, RecordGone, Transient
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.systems.asana.projects import NewProject
from zixly_core.systems.asana.tasks import NewTask, task_from
from zixly_core.systems.asana.webhooks import COMPLETIONS, WebhookFilter

WORKSPACE = "1200000000000001"
PROJECT = "1203333333333301"


class Asana:
    """A client with the vendor behind it."""

    def __init__(self, answers: Answers) -> None:
        self.vendor = Vendor(answers)
        base_url = "https://app.asana.test/api/1.0"
        self.client = AsanaClient(self.vendor.http, base_url=base_url, tokens=FixedTokens(), external_id=WORKSPACE)


def task_json(gid: str = "1202222222222201", **overrides: Any) -> dict[str, Any]:
    return {
        "gid": gid,
        "resource_type": "task",
        "name": "Onboard Acme Ltd",
        "completed": True,
        "completed_at": "2026-11-22T10:00:00.000Z",
        "completed_by": {"gid": "1", "name": "Ada"},
        "assignee": None,
        "due_on": "2026-12-01",
        "permalink_url": f"https://app.asana.com/0/0/{gid}",
        "external": {"gid": "effect-1", "data": '{"deal":17}'},
        "projects": [{"gid": PROJECT, "resource_type": "project"}],
        "custom_fields": [
            {"gid": "77", "name": "HubSpot deal", "display_value": "17"},
            {"gid": "78", "name": "Empty", "display_value": None},
        ],
        "modified_at": "2026-11-22T20:00:01.000+10:00",
        "notes": "",
        **overrides,
    }


def project_json(number: int, **overrides: Any) -> dict[str, Any]:
    created = f"2026-11-{number:02d}T10:00:00.000Z"
    return {"gid": str(number), "name": f"Project {number}", "notes": "", "created_at": created, "archived": False, **overrides}


def data(body: object, **beside: object) -> httpx2.Response:
    return answered({"data": body, **beside})


def acted(request: httpx2.Request) -> httpx2.Response:
    """A batch in which the tasks with even gids are there."""
    actions = orjson.loads(request.content)["data"]["actions"]
    gids = [action["relative_path"].rpartition("/")[2] for action in actions]
    return data([action_answer(gid) if int(gid) % 2 == 0 else failed_action(404) for gid in gids])


def action_answer(gid: str) -> dict[str, Any]:
    return {"status_code": 200, "headers": {}, "body": {"data": task_json(gid)}}


def failed_action(status: int, **headers: str) -> dict[str, Any]:
    return {"status_code": status, "headers": headers, "body": {"errors": [{"message": "about ada@example.test"}]}}


def test_a_task_is_read_with_aware_moments_names_and_what_an_app_wrote() -> None:
    task = task_from(task_json())
    assert task.completed_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert task.modified_at == datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)
    assert (task.completed_by, task.assignee_name, task.due_on) == ("Ada", None, date(2026, 12, 1))
    assert (task.external_gid, task.external_data, task.project_gids) == ("effect-1", '{"deal":17}', (PROJECT,))
    assert task.custom_fields == {"HubSpot deal": "17", "77": "17", "Empty": None, "78": None}


def test_an_open_task_of_a_person_has_gaps() -> None:
    bare = {"gid": "1", "name": "x", "completed": False, "completed_at": None, "modified_at": "2026-11-22T10:00:00Z"}
    task = task_from(bare)
    assert (task.completed, task.completed_at, task.completed_by, task.external_gid, task.due_on) == (False, None, None, None, None)
    assert (task.project_gids, task.custom_fields) == ((), {})


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {**task_json(), "gid": 3},
        task_json(modified_at=None),
        task_json(due_on="soon"),
        task_json(completed_at=5),
        task_json(projects={"gid": "1"}),
    ],
)
def test_a_task_of_unknown_shape_is_a_permanent_error_without_its_values(broken: object) -> None:
    with pytest.raises(Permanent) as failure:
        task_from(broken)
    assert failure.value.reason == "unexpected_answer"
    assert "Onboard" not in str(failure.value)


def test_tasks_are_read_ten_a_call_and_those_that_are_gone_are_missing() -> None:
    asana = Asana(acted)
    gids = [str(number) for number in range(1, 24)]
    assert set(asana.client.tasks_by_ids([*gids, "2", "no gid", "../users"])) == {gid for gid in gids if int(gid) % 2 == 0}
    assert [len(asana.vendor.body(number)["data"]["actions"]) for number in range(3)] == [10, 10, 3]


def test_a_task_that_may_not_be_seen_is_missing_but_an_account_that_may_see_nothing_is_forbidden() -> None:
    assert set(Asana([data([action_answer("2"), failed_action(403)])]).client.tasks_by_ids(["2", "3"])) == {"2"}
    with pytest.raises(Permanent) as failure:
        Asana([data([failed_action(403), failed_action(403)])]).client.tasks_by_ids(["2", "3"])
    assert failure.value.reason == "forbidden"


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (data([action_answer("2"), failed_action(500)]), Transient, "vendor_unavailable"),
        (data([action_answer("2"), failed_action(429, **{"Retry-After": "30"})]), BudgetSpent, "rate_limited_unknown"),
        (data([action_answer("2"), {}]), Transient, "vendor_unavailable"),
        (data([action_answer("2")]), Transient, "partial_read"),
        (data(None), Transient, "partial_read"),
        (answered({"errors": []}), Transient, "unreadable_answer"),
        (httpx2.Response(429, headers={"Retry-After": "17"}), BudgetSpent, "rate_limited_unknown"),
    ],
)
def test_a_batch_that_failed_in_part_is_a_failure_and_not_a_missing_task(
    answer: httpx2.Response, kind: type[Exception], reason: str
) -> None:
    with pytest.raises(kind) as failure:
        Asana([answer]).client.tasks_by_ids(["2", "3"])
    assert getattr(failure.value, "reason", "") == reason
    assert "ada" not in str(failure.value)


def test_a_task_of_ours_is_found_by_its_external_gid_or_is_not_there() -> None:
    asana = Asana([data(task_json()), httpx2.Response(404)])
    found = asana.client.task_by_external("zixly/7:1")
    assert found is not None
    assert asana.client.task_by_external("zixly/7:1") is None
    assert asana.vendor.requests[0].url.raw_path.decode().partition("?")[0] == "/api/1.0/tasks/external%3Azixly%2F7%3A1"


def test_a_task_is_created_with_what_it_has() -> None:
    asana = Asana([data(task_json()), data(task_json())])
    full = NewTask("Call", "Notes", PROJECT, date(2026, 12, 1), "me", "effect-1", "{}")
    assert asana.client.create_task(full).gid == "1202222222222201"
    asana.client.create_task(NewTask("Call", "", PROJECT))
    external = {"gid": "effect-1", "data": "{}"}
    due = {"due_on": "2026-12-01", "notes": "Notes", "assignee": "me"}
    assert asana.vendor.body(0)["data"] == {"name": "Call", "projects": [PROJECT], **due, "external": external}
    assert asana.vendor.body(1)["data"] == {"name": "Call", "projects": [PROJECT]}


def test_a_write_without_an_answer_is_sent_once() -> None:
    asana = Asana([httpx2.ReadTimeout("slow"), data(task_json())])
    with pytest.raises(Transient):
        asana.client.create_task(NewTask("Call", "", PROJECT))
    assert len(asana.vendor.requests) == 1


def test_projects_are_listed_from_all_pages_the_newest_last() -> None:
    second = data([project_json(1)], next_page=None)
    asana = Asana([data([project_json(9), project_json(5, archived=True)], next_page={"offset": "o2", "path": "x"}), second])
    assert [(one.gid, one.is_archived) for one in asana.client.projects()] == [("1", False), ("5", True), ("9", False)]
    assert [request.url.params.get("offset") for request in asana.vendor.requests] == [None, "o2"]
    assert asana.vendor.requests[0].url.params["workspace"] == WORKSPACE


def test_a_project_is_created_in_its_workspace() -> None:
    asana = Asana([data(project_json(1))])
    made = asana.client.create_project(NewProject("Acme", "Made by Zixly: 1", WORKSPACE, team="12", due_on=date(2026, 12, 1)))
    assert (made.gid, made.created_at.tzinfo) == ("1", UTC)
    expected = {"name": "Acme", "workspace": WORKSPACE, "team": "12", "notes": "Made by Zixly: 1", "due_on": "2026-12-01"}
    assert asana.vendor.body()["data"] == expected


def test_changed_tasks_of_a_project_are_listed() -> None:
    asana = Asana([data([task_json()], next_page={"offset": "o2"}), data([task_json("3")])])
    since = datetime(2026, 11, 21, tzinfo=UTC)
    assert [one.gid for one in asana.client.tasks_changed_since(PROJECT, since)] == ["1202222222222201", "3"]
    assert asana.vendor.requests[0].url.params["modified_since"] == "2026-11-21T00:00:00.000Z"


def webhook_json(**overrides: Any) -> dict[str, Any]:
    resource = {"gid": PROJECT, "resource_type": "project"}
    return {"gid": "55", "resource": resource, "target": "https://bridge.test/w/1", "active": True, **overrides}


def test_a_webhook_tells_its_secret_when_it_is_made_and_never_again() -> None:
    made = data(webhook_json(), **{"X-Hook-Secret": "s3cret"})
    deletion = "2026-11-23T10:00:00.000Z"
    asana = Asana([made, data([webhook_json(active=False, failure_deletion_timestamp=deletion)])])
    webhook = asana.client.create_webhook(PROJECT, "https://bridge.test/w/1", [COMPLETIONS, WebhookFilter("task", "added")])
    assert (webhook.gid, webhook.resource_gid, webhook.secret, webhook.is_active) == ("55", PROJECT, "s3cret", True)
    assert "s3cret" not in repr(webhook)
    filters = [{"resource_type": "task", "action": "changed", "fields": ["completed"]}, {"resource_type": "task", "action": "added"}]
    assert asana.vendor.body()["data"]["filters"] == filters
    (listed,) = asana.client.webhooks(resource=PROJECT)
    assert (listed.secret, listed.is_active, listed.deleted_at) == (None, False, datetime(2026, 11, 23, 10, tzinfo=UTC))


def test_a_webhook_that_is_gone_already_is_deleted() -> None:
    asana = Asana([data({}), httpx2.Response(404), httpx2.Response(403)])
    asana.client.delete_webhook("55")
    asana.client.delete_webhook("55")
    with pytest.raises(Permanent):
        asana.client.delete_webhook("55")
    assert [request.method for request in asana.vendor.requests] == ["DELETE"] * 3


def test_a_comment_is_written_on_a_task() -> None:
    asana = Asana([data({"gid": "900"}), httpx2.Response(404)])
    assert asana.client.add_comment("12", "Invoice INV-0042 paid") == "900"
    with pytest.raises(RecordGone):
        asana.client.add_comment("13", "x")
