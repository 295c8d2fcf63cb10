"""The gateway as browsers and attackers meet it: a real nginx over TLS, the real bridge, both real Dagster webservers."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.integration.gateway.conftest import WEBSERVER, Gateway, Person, child, wait_for_webserver
from tests.support.busy import longest
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.programs import STOP_SECONDS
from zixly_core.access import Role
from zixly_core.ids import new_id
from zixly_dagster.workflow import LANE_TAG

# Two webservers and a code server start first, on a machine that may be busy.
pytestmark = pytest.mark.timeout(400)
QUERY = {"query": "{ version }"}
LAUNCH = """mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}"""
TAGS = "query Tags($id: ID!) { runOrError(runId: $id) { ... on Run { status tags { key value } } } }"
SUBSCRIBE = "subscription { locationStateChangeEvents { event { eventType } } }"


def launch(**execution: Any) -> dict[str, Any]:
    selector = {"repositoryName": "__repository__", "repositoryLocationName": "zixly", "jobName": "five_steps"}
    return {"query": LAUNCH, "variables": {"params": {"selector": selector, "runConfigData": {}, **execution}}}


def asked(browser: httpx2.Client, body: Mapping[str, Any], **headers: str) -> httpx2.Response:
    return browser.post("/dagster/graphql", json=body, headers=headers)


def run_by(gateway: Gateway, person: Person, body: Mapping[str, Any], **headers: str) -> tuple[str, dict[str, str]]:
    """Launch; the run's id and its tags."""
    with gateway.browser(person) as browser:
        launched = asked(browser, body, **headers).json()["data"]["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id: str = launched["run"]["runId"]
        found = asked(browser, {"query": TAGS, "variables": {"id": run_id}}).json()["data"]["runOrError"]
    return run_id, {tag["key"]: tag["value"] for tag in found["tags"]}


@pytest.fixture(scope="module")
def editor(gateway: Gateway) -> Person:
    return gateway.sign_in(Role.EDITOR)


@pytest.fixture(scope="module")
def viewer(gateway: Gateway) -> Person:
    return gateway.sign_in(Role.VIEWER)


@pytest.fixture(scope="module")
def member(gateway: Gateway) -> Person:
    """An administrator of one client: not of the agency."""
    tenant = new_id()
    gateway.owner.execute("insert into zixly.tenants (id, slug, name) values (%s, 'gateway-client', 'Client')", (tenant,))
    return gateway.sign_in(Role.ADMIN, tenant_id=tenant)


# --- Nobody ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/dagster/runs?view=all&q=a", "/grafana/d/1", "/prometheus/graph"])
def test_whoever_is_not_signed_in_is_led_from_a_page_to_the_sign_in(gateway: Gateway, path: str) -> None:
    with gateway.browser() as browser:
        answer = browser.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 302
    assert httpx2.URL(answer.headers["location"]).path == "/auth/sign-in"
    assert httpx2.URL(answer.headers["location"]).params["next"] == path


@pytest.mark.parametrize("path", ["/dagster/graphql", "/dagster/report_asset_materialization/a", "/grafana/api/health"])
def test_a_program_that_proves_nothing_gets_nothing(gateway: Gateway, path: str) -> None:
    with gateway.browser() as browser:
        assert browser.post(path, json=launch()).status_code == 401
        assert browser.get(path, headers={"accept": "application/json"}).status_code == 401


def test_a_websocket_of_nobody_is_refused(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus) as refused:
        gateway.websocket_of(None)
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Zixly-User": "user:1", "X-Zixly-Role": "ADMIN"},
        {"X-Forwarded-User": "admin", "X-Forwarded-Method": "OPTIONS", "X-Forwarded-Uri": "/health"},
        {"X_Zixly_User": "user:1", "X_Zixly_Role": "ADMIN"},
        {"Cookie": "__Host-zixly=guess; zixly=guess"},
        {"Authorization": "Bearer guess"},
    ],
    ids=["names", "forwarded", "underscores", "cookie", "token"],
)
def test_no_header_lets_anybody_in(gateway: Gateway, headers: dict[str, str]) -> None:
    with gateway.browser() as browser:
        assert browser.post("/dagster/graphql", json=launch(), headers=headers).status_code == 401


@pytest.mark.parametrize(
    "path", ["/metrics", "//metrics", "/./metrics", "/x/../metrics", "/%6detrics", "/%2fmetrics", "/ready", "/auth/verify", "/metrics?a=b"]
)
def test_what_is_for_machines_inside_is_not_reached_from_outside(gateway: Gateway, path: str) -> None:
    answer = gateway.asked_raw(f"GET {path} HTTP/1.1")
    assert answer.startswith(b"HTTP/1.1 404"), answer[:200]
    assert b"http_request_duration" not in answer


@pytest.mark.parametrize("path", ["/dagster/../dagster/graphql", "/x/..%2fdagster/graphql", "/%64agster/graphql", "//dagster/graphql"])
def test_no_spelling_of_the_path_leads_round_the_verdict(gateway: Gateway, path: str) -> None:
    answer = gateway.asked_raw(f"POST {path} HTTP/1.1", body=json.dumps(QUERY).encode())
    assert answer.split()[1] in {b"401", b"404", b"405"}, answer[:200]


# --- Staff ----------------------------------------------------------------------------------------------------------------


DRESSED = {
    "as somebody's": {"zixly/launched_by": "user:somebody-else"},
    "as a sensor's": {LANE_TAG: "live", "dagster/sensor_name": "dispatch_xero"},
}


@pytest.mark.parametrize("given", DRESSED.values(), ids=DRESSED)
def test_an_editors_run_carries_his_id_and_nobody_elses(gateway: Gateway, editor: Person, given: dict[str, str]) -> None:
    dressed = launch(executionMetadata={"tags": [{"key": key, "value": value} for key, value in given.items()]})
    _, tags = run_by(gateway, editor, dressed, **{"X-Zixly-User": "user:somebody-else", "X-Zixly-Role": "ADMIN"})
    assert (tags["zixly/launched_by"], tags[LANE_TAG]) == (editor.name, "bulk")
    assert ("dagster_ui.change", "launchRun") in gateway.audited(editor)


def test_the_page_and_its_files_are_served_under_the_prefix(gateway: Gateway, viewer: Person) -> None:
    with gateway.browser(viewer) as browser:
        page = browser.get("/dagster/runs", headers={"accept": "text/html"})
        assert page.status_code == 200
        scripts = [part.split('"')[0] for part in page.text.split('src="')[1:]]
        assert scripts
        assert all(path.startswith("/dagster/") for path in scripts)
        script = browser.get(scripts[0])
    assert script.status_code == 200
    assert "javascript" in script.headers["content-type"]
    assert page.headers["content-security-policy"].startswith("base-uri 'none'")


def test_a_viewer_looks_and_changes_nothing(gateway: Gateway, viewer: Person) -> None:
    with gateway.browser(viewer) as browser:
        assert asked(browser, QUERY).json()["data"]["version"]
        refused = asked(browser, launch(), **{"X-Zixly-Role": "ADMIN"})
        by_get = browser.get("/dagster/graphql", params={"query": "mutation { reloadWorkspace { __typename } }"})
        other = browser.post("/dagster/report_asset_materialization/a", json={})
        runs = asked(browser, {"query": "{ runsOrError(limit: 99) { ... on Runs { results { tags { value } } } } }"}).json()
    assert [refused.status_code, by_get.status_code, other.status_code] == [403, 403, 403]
    assert "Nothing was changed" in refused.json()["errors"][0]["message"]
    assert viewer.name not in json.dumps(runs)


def test_a_viewers_attempt_is_in_the_log_and_in_the_audit_log(gateway: Gateway) -> None:
    viewer = gateway.sign_in(Role.VIEWER)
    with gateway.browser(viewer) as browser:
        asked(browser, launch())
    assert gateway.audited(viewer) == [("dagster_ui.refused", "launchRun")]
    lines = [json.loads(line) for line in gateway.logs["read_only"].read_text().splitlines() if '"ui_write_refused"' in line]
    assert (lines[-1]["user_id"], lines[-1]["role"], lines[-1]["changes"]) == (viewer.name, "VIEWER", ["launchRun"])


def test_whoever_loses_his_role_writes_no_more(gateway: Gateway) -> None:
    person = gateway.sign_in(Role.EDITOR)
    run_by(gateway, person, launch())
    gateway.owner.execute("update zixly.memberships set role = 'VIEWER' where user_id = %s", (person.id,))
    with gateway.browser(person) as browser:
        assert soon(lambda: asked(browser, launch()).status_code == 403)


@pytest.mark.parametrize("path", ["/dagster/", "/grafana/", "/prometheus/graph"])
def test_a_clients_own_administrator_is_refused_with_a_page(gateway: Gateway, member: Person, path: str) -> None:
    with gateway.browser(member) as browser:
        page = browser.get(path, headers={"accept": "text/html"})
        program = browser.post("/dagster/graphql", json=QUERY)
    assert page.status_code == program.status_code == 403
    assert "agency&#39;s staff" in page.text
    assert program.json()["reason"] == "not_allowed"
    with pytest.raises(InvalidStatus) as refused:
        gateway.websocket_of(member)
    assert refused.value.response.status_code == 403
    # nginx writes the line when it has answered.
    told = {"status": 403, "verdict": "staff_only", "path": path, "user": member.name}
    assert soon(lambda: any(told.items() <= line.items() for line in gateway.access_log())), str(gateway.access_log()[-3:])


def test_another_web_site_neither_changes_anything_nor_listens(gateway: Gateway, editor: Person) -> None:
    with gateway.browser(editor) as browser:
        assert asked(browser, launch(), origin="https://evil.example").status_code == 403
        assert asked(browser, launch(), **{"sec-fetch-site": "same-site"}).status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        gateway.websocket_of(editor, origin="https://evil.example")
    assert refused.value.response.status_code == 403


def subscribed(socket: ClientConnection) -> None:
    """`graphql-ws`: open, and ask for changes of the code location."""
    socket.send(json.dumps({"type": "connection_init"}))
    assert json.loads(socket.recv(timeout=20)) == {"type": "connection_ack"}
    socket.send(json.dumps({"id": "1", "type": "start", "payload": {"query": SUBSCRIBE}}))


def test_a_websocket_works_through_tls_for_both_roles(gateway: Gateway, editor: Person, viewer: Person) -> None:
    for person in (editor, viewer):
        with gateway.websocket_of(person) as opened:
            assert opened.subprotocol == "graphql-ws"
            subscribed(opened)
            opened.send(json.dumps({"id": "2", "type": "start", "payload": {"query": "subscription { nothing }"}}))
            answer = json.loads(opened.recv(timeout=20))
            assert (answer["type"], answer["id"]) == ("error", "2")


def test_no_mutation_passes_through_a_viewers_websocket(gateway: Gateway, viewer: Person) -> None:
    with gateway.websocket_of(viewer) as opened:
        opened.send(json.dumps({"type": "connection_init"}))
        opened.recv(timeout=20)
        opened.send(json.dumps({"id": "1", "type": "start", "payload": launch()}))
        assert json.loads(opened.recv(timeout=20))["type"] == "error"


def test_signing_out_ends_access_within_seconds(gateway: Gateway) -> None:
    person = gateway.sign_in(Role.EDITOR)
    with gateway.browser(person) as browser:
        assert asked(browser, QUERY).status_code == 200
        assert browser.post("/auth/sign-out", headers={"origin": gateway.url}).status_code == 303
        assert soon(lambda: asked(browser, QUERY).status_code == 401)


def soon(true: Any, *, seconds: float = 5) -> bool:
    deadline = time.monotonic() + longest(seconds)
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return False


# --- What reaches the parts behind -------------------------------------------------------------------------------------------


def test_grafana_and_prometheus_are_told_who_it_is_and_nothing_that_could_be_used_elsewhere(gateway: Gateway, viewer: Person) -> None:
    spoofed = {
        "X-Zixly-User": "user:1",
        "X-Zixly-Role": "ADMIN",
        "X-Zixly-Grafana-Role": "Admin",
        "X-Zixly-More": "1",
        "X-WEBAUTH-USER": "admin",
    }
    for tool in ("grafana", "prometheus"):
        with gateway.browser(viewer) as browser:
            answer = browser.get(f"/{tool}/api/v1/query?query=up", headers=spoofed)
        told = answer.json()["headers"]
        assert (told["x-zixly-user"], told["x-zixly-role"], told["x-zixly-grafana-role"]) == (viewer.name, "VIEWER", "Viewer")
        assert answer.json()["path"] == f"/{tool}/api/v1/query?query=up"
        assert not {"cookie", "authorization", "x-zixly-more", "x-webauth-user"} & told.keys()
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/prometheus/-/quit", "/prometheus/-/reload", "/prometheus/api/v1/admin/tsdb/delete_series"])
def test_nobody_stops_prometheus_through_the_gateway(gateway: Gateway, editor: Person, path: str) -> None:
    with gateway.browser(editor) as browser:
        assert browser.post(path).status_code == 404


# --- Transport ---------------------------------------------------------------------------------------------------------------


def test_tls_1_2_is_refused(gateway: Gateway) -> None:
    older = gateway.trust
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain,
        pytest.raises(ssl.SSLError),
    ):
        older.wrap_socket(plain, server_hostname="localhost")


def test_another_host_name_is_not_served(gateway: Gateway) -> None:
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain,
        pytest.raises(ssl.SSLError),
    ):
        gateway.trust.wrap_socket(plain, server_hostname="evil.example")
    assert gateway.asked_raw("GET /health HTTP/1.1", host="evil.example").startswith(b"HTTP/1.1 421")


def test_plain_http_is_sent_to_tls(gateway: Gateway) -> None:
    answer = httpx2.get(f"http://127.0.0.1:{gateway.plain_port}/dagster/runs?a=b", headers={"host": "evil.example"}, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, f"{gateway.url}/dagster/runs?a=b")


@pytest.mark.parametrize("path", ["/health", "/dagster/runs", "/grafana/"])
def test_browsers_are_told_to_be_careful_once(gateway: Gateway, editor: Person, path: str) -> None:
    with gateway.browser(editor) as browser:
        answer = browser.get(path)
    assert answer.status_code == 200
    for name in ("strict-transport-security", "x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy"):
        assert len(answer.headers.get_list(name)) == 1, (name, answer.headers)
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    assert "nginx/" not in answer.headers.get("server", "")


def test_webhooks_reach_the_bridge_without_signing_in(gateway: Gateway) -> None:
    with gateway.browser() as browser:
        unsigned = browser.post("/webhook/xero", content=b"{}")
        large = browser.post("/webhook/xero", content=b"x" * 10_500_000)
        api = browser.get("/api/jobs")
    assert (unsigned.status_code, large.status_code, api.status_code) == (401, 413, 401)
    assert large.content == b""  # the bridge's answer, not a page of nginx


def test_a_header_too_large_is_refused(gateway: Gateway) -> None:
    with gateway.browser() as browser:
        assert browser.get("/health", headers={"x-much": "x" * 20_000}).status_code == 400


def test_the_gateways_log_holds_no_token(gateway: Gateway) -> None:
    before = len(gateway.access_log())
    with gateway.browser() as browser:
        browser.post("/webhook/callbacks/planted-secret-path", content=b"{}")
        browser.get("/auth/callback?code=planted-secret-code&state=planted-secret-state")
        browser.get("/connect/xero/callback?code=planted-secret-code")
        browser.get("/dagster/runs?token=planted-secret-query")
    assert soon(lambda: len(gateway.access_log()) >= before + 4), "all of them are written down"
    said = (gateway.folder / "access.log").read_text() + (gateway.folder / "nginx.out").read_text()
    assert "planted-secret" not in said
    assert '"path":"/webhook/callbacks"' in said


def test_a_webserver_that_is_told_to_end_ends_with_success_though_somebody_listens_to_it(gateway: Gateway) -> None:
    """A page that is left open listens for ever. It had ended as if it had been killed."""
    port, log = free_port(), gateway.folder / "ending.log"
    command = [WEBSERVER, "--path-prefix", "/dagster", "--port", str(port)]
    with child("ending", command, environment=gateway.environment, log=log) as webserver:
        wait_for_webserver(port, log)
        with connect(f"ws://127.0.0.1:{port}/dagster/graphql", subprotocols=["graphql-ws"], proxy=None) as page:  # type: ignore[list-item]
            subscribed(page)
            began = time.monotonic()
            webserver.terminate()
            assert webserver.wait(longest(10)) == 0
            assert time.monotonic() - began < longest(STOP_SECONDS["webserver"])
    assert "Traceback" not in log.read_text()
