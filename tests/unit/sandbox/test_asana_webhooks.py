from __future__ import annotations

from typing import Any

import httpx2
import orjson
import pytest

from tests.support.sandbox import SandboxCaller
from tests.support.sandbox_receiver import Endpoint, receiving, until
from zixly_core.signatures import hmac_hex
from zixly_sandbox.asana.hooks import backoff
from zixly_sandbox.constants import DEMO, TASK

TARGET = "http://bridge.test/webhook/asana/wh_7f3a91"
COMPLETED = [{"resource_type": "task", "action": "changed", "fields": ["completed"]}]


def echo(request: httpx2.Request) -> httpx2.Response:
    """A receiver that passes the handshake and takes all deliveries."""
    secret = request.headers.get("X-Hook-Secret")
    return httpx2.Response(200, headers={"X-Hook-Secret": secret} if secret else {})


async def created(caller: SandboxCaller, *, filters: Any = COMPLETED, resource: str = DEMO.project) -> httpx2.Response:
    return await caller.asana("POST", "/webhooks", {"resource": resource, "target": TARGET, "filters": filters})


def deliveries(requests: list[httpx2.Request]) -> list[httpx2.Request]:
    return [request for request in requests if "X-Hook-Signature" in request.headers]


def events_in(requests: list[httpx2.Request]) -> list[dict[str, Any]]:
    return [event for request in deliveries(requests) for event in orjson.loads(request.content)["events"]]


async def complete(caller: SandboxCaller, task: str = TASK) -> None:
    await caller.admin("POST", f"/asana/{DEMO.workspace}/tasks/{task}/complete")


async def test_the_handshake_happens_while_the_create_call_waits_and_a_heartbeat_follows() -> None:
    async with receiving(echo) as (caller, arrived):
        answer = await created(caller)
        assert [(request.content, "X-Hook-Signature" in request.headers) for request in arrived] == [(b"{}", False)]
        await until(lambda: deliveries(arrived))
    secret = answer.json()["X-Hook-Secret"]
    assert (answer.status_code, answer.json()["data"]["active"], arrived[0].headers["X-Hook-Secret"]) == (201, True, secret)
    beat = deliveries(arrived)[0]
    assert beat.content == b'{"events":[]}'
    assert beat.headers["X-Hook-Signature"] == hmac_hex(secret.encode(), beat.content)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (lambda _: httpx2.Response(200), "status 200, header missing"),
        (lambda _: httpx2.Response(200, headers={"X-Hook-Secret": "other"}), "status 200, header wrong"),
        (lambda r: httpx2.Response(202, headers={"X-Hook-Secret": r.headers["X-Hook-Secret"]}), "status 202, header right"),
    ],
)
async def test_without_the_handshake_there_is_no_webhook(endpoint: Endpoint, words: str) -> None:
    async with receiving(endpoint) as (caller, _arrived):
        answer = await created(caller)
        listed = (await caller.asana("GET", f"/webhooks?workspace={DEMO.workspace}")).json()["data"]
    assert (answer.status_code, listed) == (400, [])
    assert words in answer.json()["errors"][0]["message"]


async def test_a_completed_task_is_told_without_its_value_as_the_recorded_delivery_has_it() -> None:
    async with receiving(echo) as (caller, arrived):
        await created(caller)
        await complete(caller)
        await until(lambda: events_in(arrived))
    assert events_in(arrived) == [
        {
            "user": {"gid": "1201111111111111", "resource_type": "user"},
            "created_at": "2026-11-22T10:00:00.000Z",
            "action": "changed",
            "resource": {"gid": TASK, "resource_type": "task", "resource_subtype": "default_task"},
            "parent": None,
            "change": {"field": "completed", "action": "changed"},
        }
    ]


async def test_what_happens_within_a_moment_shares_a_delivery() -> None:
    async with receiving(echo) as (caller, arrived):
        await created(caller)
        made = await caller.admin("POST", f"/asana/{DEMO.workspace}/tasks", {"count": 5})
        for gid in made["task_gids"]:
            await complete(caller, gid)
        await until(lambda: len(events_in(arrived)) == 5)
    assert len([request for request in deliveries(arrived) if orjson.loads(request.content)["events"]]) == 1


async def test_events_of_subtasks_and_comments_rise_to_the_project() -> None:
    async with receiving(echo) as (caller, arrived):
        await created(caller, filters=[])
        part = (await caller.admin("POST", f"/asana/{DEMO.workspace}/tasks", {"parent": TASK}))["task_gids"][0]
        await complete(caller, part)
        await until(lambda: len(events_in(arrived)) == 3)
    kinds = [(event["resource"]["resource_type"], event["action"], (event["parent"] or {}).get("gid")) for event in events_in(arrived)]
    assert kinds == [("task", "added", TASK), ("task", "changed", None), ("story", "added", part)]


async def test_a_webhook_of_one_project_hears_nothing_of_another() -> None:
    async with receiving(echo) as (caller, arrived):
        await created(caller, filters=[])
        project = (await caller.asana("POST", "/projects", {"name": "Other", "workspace": DEMO.workspace})).json()["data"]["gid"]
        await caller.asana("POST", "/tasks", {"name": "Elsewhere", "projects": [project]})
        await complete(caller)
        await until(lambda: events_in(arrived))
    assert {event["resource"]["gid"] for event in events_in(arrived) if event["resource"]["resource_type"] == "task"} == {TASK}


async def test_a_delivery_that_fails_for_a_day_ends_the_webhook() -> None:
    healthy = True

    def endpoint(request: httpx2.Request) -> httpx2.Response:
        return echo(request) if healthy else httpx2.Response(202)

    async with receiving(endpoint) as (caller, arrived):
        gid = (await created(caller)).json()["data"]["gid"]
        await until(lambda: deliveries(arrived))
        healthy, before = False, len(arrived)
        await complete(caller)
        await until(lambda: not caller.sandbox.asana.accounts[DEMO.workspace].hooks.found)
        gone = await caller.asana("GET", f"/webhooks/{gid}")
    tries = [request for request in arrived[before:] if orjson.loads(request.content)["events"]]
    assert gone.status_code == 404
    assert len(tries) == 1 + len(list(backoff(86_400)))
    assert len({request.content for request in tries}) == 1


async def test_a_failed_delivery_is_tried_again_until_it_is_taken() -> None:
    answers = iter([500, 302, 204])

    def endpoint(request: httpx2.Request) -> httpx2.Response:
        is_event = b"changed" in request.content
        return httpx2.Response(next(answers)) if is_event else echo(request)

    async with receiving(endpoint) as (caller, _arrived):
        await created(caller)
        await complete(caller)
        courier = caller.sandbox.asana_courier
        await until(lambda: any(len(parcel.attempts) == 3 for parcel in courier.select()))
        log = await caller.admin("GET", "/webhooks/asana/deliveries?limit=1")
    assert [attempt["outcome"] for attempt in log["deliveries"][0]["attempts"]] == ["500", "302", "204"]


async def test_some_events_are_lost_when_asked() -> None:
    async with receiving(echo) as (caller, arrived):
        await created(caller)
        await caller.admin("PATCH", "/rules", {"asana": {"lost_percent": 100}})
        await complete(caller)
        await caller.admin("PATCH", "/rules", {"asana": {"lost_percent": 0}})
        await caller.admin("POST", f"/asana/{DEMO.workspace}/tasks/{TASK}/reopen")
        await until(lambda: events_in(arrived))
    assert len(events_in(arrived)) == 1


async def test_duplicates_and_disorder_on_demand() -> None:
    async with receiving(echo) as (caller, arrived):
        await created(caller)
        body = {"workspace": DEMO.workspace, "count": 3, "duplicates": 1, "shuffled": True}
        sent = await caller.admin("POST", "/webhooks/asana/send", body)
        await until(lambda: len(events_in(arrived)) == 6)
    bodies = [request.content for request in deliveries(arrived) if b"changed" in request.content]
    assert (sent["deliveries"], len(bodies), len(set(bodies))) == (6, 6, 3)


async def test_a_webhook_can_be_put_in_place_with_a_known_secret() -> None:
    secret = "known-secret-known-secret"
    async with receiving(lambda _request: httpx2.Response(200)) as (caller, arrived):
        body = {"workspace": DEMO.workspace, "resource": DEMO.project, "target_url": TARGET, "secret": secret, "filters": COMPLETED}
        for _ in range(2):
            await caller.admin("POST", "/webhooks/asana", body)
        await complete(caller)
        await until(lambda: events_in(arrived))
    assert len(events_in(arrived)) == 1
    assert all(request.headers["X-Hook-Signature"] == hmac_hex(secret.encode(), request.content) for request in arrived)


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"target": "ftp://x"}, 400),
        ({"resource": "999"}, 404),
        ({"filters": [{"action": "changed"}]}, 400),
        ({"filters": [{"resource_type": "task", "action": "nonsense"}]}, 400),
        ({"resource": DEMO.workspace, "filters": []}, 403),
        ({"resource": DEMO.workspace, "filters": COMPLETED}, 403),
    ],
)
async def test_a_webhook_that_makes_no_sense_is_refused_without_a_handshake(values: dict[str, Any], status: int) -> None:
    async with receiving(echo) as (caller, arrived):
        answer = await caller.asana("POST", "/webhooks", {"resource": DEMO.project, "target": TARGET, **values})
    assert (answer.status_code, arrived) == (status, [])


async def test_a_deleted_webhook_hears_nothing_more_and_its_place_is_free_again() -> None:
    async with receiving(echo) as (caller, arrived):
        gid = (await created(caller)).json()["data"]["gid"]
        assert (await created(caller)).status_code == 403
        assert (await caller.asana("DELETE", f"/webhooks/{gid}")).json() == {"data": {}}
        await complete(caller)
        assert (await created(caller)).status_code == 201
        await until(lambda: deliveries(arrived))
    assert events_in(arrived) == []
