"""What counts as a change in a request to the Dagster webserver."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from zixly_dagster.instance.gateway_user import GatewayUser
from zixly_dagster.instance.ui_guard import MAX_BODY_BYTES, AskedWrite, UiGuard
from zixly_dagster.instance.ui_writes import writes_asked

LAUNCH = "mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename } }"
QUERY = "query Runs { runsOrError { __typename } }"


def asked(body: object = None, *, method: str = "POST", path: str = "/graphql", query: bytes = b"", raw: bytes | None = None) -> Any:
    return writes_asked(method, path, query_string=query, body=json.dumps(body).encode() if raw is None else raw)


def test_a_query_changes_nothing() -> None:
    assert asked({"query": QUERY, "variables": {"mutation": 1}}) == ()


def test_a_mutation_is_told_by_name_and_never_with_what_it_holds() -> None:
    assert asked({"query": LAUNCH, "variables": {"params": {"runConfigData": {"secret": 1}}}}) == ("launchRun",)
    assert asked({"query": 'mutation { renamed: terminateRun(runId: "r-1") { __typename } }'}) == ("terminateRun",)


def test_what_the_ui_sends_by_itself_is_no_change() -> None:
    assert asked({"query": 'mutation Log { logTelemetry(action: "a") { __typename } }'}) == ()


def test_harmless_beside_harmful_is_harmful() -> None:
    assert asked({"query": 'mutation { setNuxSeen deleteRun(runId: "r") { __typename } }'}) == ("deleteRun",)


@pytest.mark.parametrize(
    "request_of",
    [
        {"raw": LAUNCH.encode()},
        {"raw": b"", "query": b"query=mutation%7BlaunchRun%7B__typename%7D%7D"},
        {"raw": b"", "query": b"query=mutation%7BlaunchRun%7B__typename%7D%7D", "method": "GET"},
        {"raw": json.dumps({"query": LAUNCH}).encode("utf-16")},
        {"raw": json.dumps({"query": LAUNCH}).replace("mutation", "\\u006dutation").encode()},
        {"body": [{"query": LAUNCH}]},
        {"body": {"query": f"{QUERY} {LAUNCH}", "operationName": "Launch"}},
        {"body": {"query": f"#\n{LAUNCH}"}},
    ],
    ids=["bare body", "query string", "GET", "UTF-16", "escaped", "batch", "second operation", "after a comment"],
)
def test_a_mutation_is_found_however_it_is_sent(request_of: dict[str, Any]) -> None:
    assert asked(**request_of) == ("launchRun",)


def test_a_fragment_hides_no_mutation() -> None:
    assert asked({"query": "mutation { ...F } fragment F on Mutation { launchRun { __typename } }"}) == ("fragment",)


def test_what_cannot_be_parsed_is_not_taken_for_harmless() -> None:
    assert asked({"query": "mutation { launchRun("}) == ("unreadable",)
    assert asked({"query": "mutation {" + "a " * 30_000 + "}"}) == ("unreadable",)


def test_other_paths_change_something_unless_they_only_read() -> None:
    assert asked(path="/report_asset_materialization/a/b") == ("report_asset_materialization",)
    assert asked(path="/runs", method="GET") == ()


def application(seen: list[bytes]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await receive()).get("body", b""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


def client(*, is_read_only: bool, noted: list[AskedWrite], seen: list[bytes]) -> TestClient:
    guard = UiGuard(application(seen), prefix="/dagster", is_read_only=is_read_only, trusts_gateway=True, note=noted.append)
    return TestClient(guard)


def test_a_viewers_change_is_refused_and_noted() -> None:
    noted: list[AskedWrite] = []
    seen: list[bytes] = []
    answer = client(is_read_only=True, noted=noted, seen=seen).post(
        "/dagster/graphql", json={"query": LAUNCH}, headers={"x-zixly-user": "u-1", "x-zixly-role": "VIEWER"}
    )
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.json()["errors"][0]["message"]
    assert seen == []
    assert noted == [AskedWrite(user=GatewayUser("u-1", "VIEWER"), changes=("launchRun",), is_refused=True)]


def test_a_viewers_query_passes_unchanged_and_unnoted() -> None:
    noted: list[AskedWrite] = []
    seen: list[bytes] = []
    sent = json.dumps({"query": QUERY}).encode()
    assert client(is_read_only=True, noted=noted, seen=seen).post("/dagster/graphql", content=sent).status_code == 200
    assert (seen, noted) == ([sent], [])


def test_an_editors_change_passes_and_is_noted() -> None:
    noted: list[AskedWrite] = []
    seen: list[bytes] = []
    answer = client(is_read_only=False, noted=noted, seen=seen).post(
        "/dagster/graphql", json={"query": LAUNCH}, headers={"x-zixly-user": "u-2"}
    )
    assert answer.status_code == 200
    assert noted == [AskedWrite(user=GatewayUser("u-2", None), changes=("launchRun",), is_refused=False)]


def test_no_link_changes_anything_either_as_an_editor() -> None:
    noted: list[AskedWrite] = []
    seen: list[bytes] = []
    answer = client(is_read_only=False, noted=noted, seen=seen).get(
        "/dagster/graphql", params={"query": "mutation { reloadWorkspace { __typename } }"}, headers={"x-zixly-user": "u-2"}
    )
    assert (answer.status_code, seen) == (403, [])
    assert noted == [AskedWrite(user=GatewayUser("u-2", None), changes=("reloadWorkspace",), is_refused=True)]


def test_a_body_that_would_fill_the_memory_is_not_read_to_its_end() -> None:
    seen: list[bytes] = []
    answer = client(is_read_only=False, noted=[], seen=seen).post("/dagster/graphql", content=b"x" * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, seen) == (413, [])


async def listening(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that sends nothing of itself and listens until it is told to stop."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def test_a_websocket_ends_by_itself_so_that_the_verdict_is_asked_for_again() -> None:
    guard = UiGuard(listening, prefix="/dagster", is_read_only=False, trusts_gateway=True, note=lambda _: None, socket_seconds=0.2)
    with TestClient(guard).websocket_connect("/dagster/graphql") as opened:
        opened.send_text("{}")
        assert opened.receive() == {"type": "websocket.close", "code": 1001}
