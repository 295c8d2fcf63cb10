from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from tests.support.sandbox import ASANA, SandboxCaller
from zixly_sandbox.constants import DEAL, DEMO, SECOND, TASK

EXTERNAL = f"hubspot-deal-{DEAL}"
NEW = {"name": "Welcome call", "projects": [DEMO.project]}


async def made(caller: SandboxCaller, **values: Any) -> dict[str, Any]:
    answer = await caller.asana("POST", "/tasks", {**NEW, **values})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_the_known_task_belongs_to_the_demos_deal(caller: SandboxCaller) -> None:
    fields = "name,completed,projects,external,custom_fields.display_value"
    task = (await caller.asana("GET", f"/tasks/{TASK}?opt_fields={fields}")).json()["data"]
    assert (task["gid"], task["completed"], task["external"]) == (TASK, False, {"gid": EXTERNAL, "data": f'{{"deal":{DEAL}}}'})
    assert task["projects"] == [{"gid": DEMO.project, "resource_type": "project", "name": "Onboarding"}]
    assert [field["display_value"] for field in task["custom_fields"]] == [f"deal:{DEAL}"]


async def test_only_the_fields_that_were_asked_for_come(caller: SandboxCaller) -> None:
    task = (await caller.asana("GET", f"/tasks/{TASK}?opt_fields=name,assignee.email,nonsense")).json()["data"]
    assert set(task) == {"gid", "name", "assignee"}
    assert set(task["assignee"]) == {"gid", "email"}


async def test_lists_are_short_and_a_single_record_is_whole(caller: SandboxCaller) -> None:
    listed = (await caller.asana("GET", f"/tasks?project={DEMO.project}")).json()
    assert set(listed["data"][0]) == {"gid", "resource_type", "resource_subtype", "name"}
    assert "next_page" not in listed
    whole = (await caller.asana("GET", f"/tasks/{TASK}")).json()["data"]
    assert {"completed_by", "memberships", "permalink_url", "workspace"} <= set(whole)


async def test_a_task_is_found_by_its_external_id(caller: SandboxCaller) -> None:
    await made(caller, external={"gid": "job-1", "data": "{}"})
    found = await caller.asana("GET", "/tasks/external%3Ajob-1?opt_fields=name")
    assert found.json()["data"]["name"] == NEW["name"]
    missing = await caller.asana("GET", "/tasks/external%3Ajob-2")
    assert (missing.status_code, missing.json()["errors"][0]["message"]) == (404, "task: Unknown object: external:job-2")


async def test_an_external_id_does_not_stop_a_second_task(caller: SandboxCaller) -> None:
    """Nothing says that Asana would; so callers have to look first."""
    first, second = [await made(caller, external={"gid": "job-1"}) for _ in range(2)]
    assert first["gid"] != second["gid"]
    assert (await caller.asana("GET", "/tasks/external:job-1")).json()["data"]["gid"] == first["gid"]


async def test_completing_notes_when_and_by_whom_and_reopening_forgets_it(caller: SandboxCaller) -> None:
    done = (await caller.asana("PUT", f"/tasks/{TASK}", {"completed": True})).json()["data"]
    assert (done["completed"], done["completed_at"], done["completed_by"]["name"]) == (True, "2026-11-22T10:00:00.000Z", "Robin Keller")
    again = (await caller.asana("PUT", f"/tasks/{TASK}", {"completed": False})).json()["data"]
    assert (again["completed"], again["completed_at"], again["completed_by"]) == (False, None, None)


async def test_a_comment_is_a_story_of_its_task(caller: SandboxCaller) -> None:
    answer = await caller.asana("POST", f"/tasks/{TASK}/stories", {"text": "Invoice INV-0042 paid"})
    assert (answer.status_code, answer.json()["data"]["resource_subtype"]) == (201, "comment_added")
    stories = (await caller.asana("GET", f"/tasks/{TASK}/stories?opt_fields=text")).json()["data"]
    assert stories == [{"gid": answer.json()["data"]["gid"], "text": "Invoice INV-0042 paid"}]


async def test_a_project_and_its_tasks_are_made_and_deleted(caller: SandboxCaller) -> None:
    project = (await caller.asana("POST", "/projects", {"name": "Acme", "workspace": DEMO.workspace})).json()["data"]
    task = await made(caller, projects=[project["gid"]])
    part = (await caller.asana("POST", f"/tasks/{task['gid']}/subtasks", {"name": "A part"})).json()["data"]
    assert part["parent"]["gid"] == task["gid"]
    assert (await caller.asana("DELETE", f"/tasks/{task['gid']}")).json() == {"data": {}}
    assert [(await caller.asana("GET", f"/tasks/{gid}")).status_code for gid in (task["gid"], part["gid"])] == [404, 404]
    projects = (await caller.asana("GET", f"/projects?workspace={DEMO.workspace}")).json()["data"]
    assert [item["gid"] for item in projects] == [DEMO.project, project["gid"]]
    writes = (await caller.admin("GET", "/writes?system=asana"))["writes"]
    assert [(item["operation"], item["object_type"]) for item in writes] == [
        ("CREATE", "project"),
        ("CREATE", "task"),
        ("CREATE", "task"),
        ("DELETE", "task"),
    ]


async def test_pages_follow_one_another_without_gap_or_repeat(caller: SandboxCaller) -> None:
    await caller.admin("POST", f"/asana/{DEMO.workspace}/seed", {"tasks": 40})
    seen: list[str] = []
    query = "limit=20"
    while query:
        answer = (await caller.asana("GET", f"/tasks?project={DEMO.project}&{query}")).json()
        seen += [item["gid"] for item in answer["data"]]
        query = f"limit=20&offset={answer['next_page']['offset']}" if answer["next_page"] else ""
    assert len(seen) == len(set(seen)) == 48


async def test_tasks_changed_since_a_moment_are_listed(caller: SandboxCaller) -> None:
    await caller.asana("PUT", f"/tasks/{TASK}", {"notes": "new"})
    query = "modified_since=2026-11-22T09:00:00.000Z&limit=100"
    assert [item["gid"] for item in (await caller.asana("GET", f"/tasks?project={DEMO.project}&{query}")).json()["data"]] == [TASK]


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/tasks", None, 400),
        ("GET", f"/tasks?project={DEMO.project}&limit=101", None, 400),
        ("GET", f"/tasks?project={DEMO.project}&limit=5&offset=x", None, 400),
        ("GET", "/tasks/nonsense", None, 400),
        ("GET", "/tasks/999", None, 404),
        ("POST", "/tasks", {"name": "homeless"}, 400),
        ("POST", "/tasks", {**NEW, "due_on": "soon"}, 400),
        ("POST", "/tasks", {**NEW, "nonsense": 1}, 400),
        ("POST", "/tasks", {**NEW, "workspace": SECOND.workspace}, 403),
        ("POST", "/tasks", {**NEW, "external": {"data": "x" * 32_769}}, 400),
        ("PUT", f"/tasks/{TASK}", {"completed": "yes"}, 400),
        ("POST", "/projects", {"name": "Acme"}, 400),
    ],
)
async def test_a_call_that_makes_no_sense_is_refused(caller: SandboxCaller, method: str, path: str, data: Any, status: int) -> None:
    answer = await caller.asana(method, path, data)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["errors"][0]) == {"message", "help"}


async def test_another_workspaces_task_is_unknown(caller: SandboxCaller) -> None:
    assert (await caller.asana("GET", f"/tasks/{TASK}", client=SECOND)).status_code == 404


async def test_a_batch_answers_in_order_and_each_action_for_itself(caller: SandboxCaller) -> None:
    actions = [
        {"method": "get", "relative_path": f"/tasks/{TASK}", "options": {"fields": ["name"]}},
        {"method": "get", "relative_path": "/tasks/999"},
        {"method": "post", "relative_path": "/tasks", "data": NEW, "options": {"fields": ["name"]}},
        {"method": "get", "relative_path": f"/tasks/external%3A{EXTERNAL}?opt_fields=name"},
        {"method": "post", "relative_path": "/batch", "data": {"actions": []}},
    ]
    answer = await caller.asana("POST", "/batch", {"actions": actions})
    found = answer.json()["data"]
    assert answer.status_code == 200
    assert [item["status_code"] for item in found] == [200, 404, 201, 200, 404]
    assert found[0]["body"] == found[3]["body"] == {"data": {"gid": TASK, "name": "Onboard Analytical Engines"}}


async def test_more_than_ten_actions_are_refused(caller: SandboxCaller) -> None:
    actions = [{"method": "get", "relative_path": f"/tasks/{TASK}"}] * 11
    assert (await caller.asana("POST", "/batch", {"actions": actions})).status_code == 400


async def test_every_action_of_a_batch_counts_and_one_too_many_refuses_all(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"asana": {"minute_calls": 15}})
    actions = {"actions": [{"method": "get", "relative_path": f"/tasks/{TASK}"}] * 10}
    answers = [await caller.asana("POST", "/batch", actions) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


async def test_the_151st_call_of_a_minute_is_refused_and_refused_calls_count_too(caller: SandboxCaller) -> None:
    headers = await caller.asana_headers()

    async def call() -> httpx2.Response:
        return await caller.http.get(f"{ASANA}/users/me", headers=headers)

    answers = [await call() for _ in range(151)]
    assert [answer.status_code for answer in answers] == [200] * 150 + [429]
    assert answers[150].headers["Retry-After"] == "60"
    caller.clock.advance(30)
    for _ in range(150):
        await call()
    caller.clock.advance(30)
    assert (await call()).status_code == 429  # who did not wait has filled the next minute with refusals
    caller.clock.advance(60)
    assert (await call()).status_code == 200


async def test_sixteen_writes_at_once_are_one_too_many_while_reads_go_on(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"latency_seconds": 0.05})
    headers = await caller.asana_headers()
    writes = [caller.http.put(f"{ASANA}/tasks/{TASK}", json={"data": {"name": str(n)}}, headers=headers) for n in range(16)]
    reads = [caller.http.get(f"{ASANA}/tasks/{TASK}", headers=headers) for _ in range(50)]
    answers = await asyncio.gather(*writes, *reads)
    assert sorted(answer.status_code for answer in answers[:16]) == [200] * 15 + [429]
    assert {answer.status_code for answer in answers[16:]} == {200}


async def test_events_need_a_sync_token_and_tell_what_happened_since(caller: SandboxCaller) -> None:
    first = await caller.asana("GET", f"/events?resource={DEMO.project}")
    assert first.status_code == 412
    await caller.admin("POST", f"/asana/{DEMO.workspace}/tasks/{TASK}/complete")
    answer = (await caller.asana("GET", f"/events?resource={DEMO.project}&sync={first.json()['sync']}")).json()
    kinds = [(event["resource"]["resource_type"], event["action"]) for event in answer["data"]]
    assert (kinds, answer["has_more"]) == ([("task", "changed"), ("story", "added")], False)
    assert (await caller.asana("GET", f"/events?resource={DEMO.project}&sync={answer['sync']}")).json()["data"] == []
    caller.clock.advance(86_401)
    assert (await caller.asana("GET", f"/events?resource={DEMO.project}&sync={answer['sync']}")).status_code == 412


async def test_faults_come_in_asanas_words(caller: SandboxCaller) -> None:
    await caller.admin("POST", "/faults", {"system": "asana", "pattern": "GET */users/me", "kind": "500", "count": 1})
    await caller.admin("POST", "/faults", {"system": "asana", "pattern": "GET */users/me", "kind": "429", "seconds": 7, "count": 1})
    answers = [await caller.asana("GET", "/users/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 429, 200]
    assert ("phrase" in answers[0].json()["errors"][0], answers[1].headers["Retry-After"]) == (True, "7")
