"""Whoever wants to change something in Dagster and may not: viewers, clients, nobody, and other web sites in an editor's browser."""

from __future__ import annotations

import json

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from tests.acceptance.security.conftest import ADMIN, CLIENT, EDITOR, VIEWER, Site
from tests.support.front import subscribed

RELOAD = 'mutation Reload { reloadRepositoryLocation(repositoryLocationName: "zixly") { __typename } }'
STOP = 'mutation Stop { shutdownRepositoryLocation(repositoryLocationName: "zixly") { __typename } }'
CODE = """{ workspaceLocationEntryOrError(name: "zixly") {
  ... on WorkspaceLocationEntry { locationOrLoadError { __typename } } } }"""
SWITCH = "mutation Off { stopRunningSchedule(id: 1) { __typename } }"
GRAPHQL = "/dagster/graphql"
# The same wish in every form that some server reads as GraphQL.
FORMS = {
    "plain": {"json": {"query": STOP}},
    "named among queries": {"json": {"query": "query Look { version } " + STOP, "operationName": "Stop"}},
    "after a comment": {"json": {"query": "#query {\n" + STOP}},
    "by an alias": {"json": {"query": STOP.replace("{ shutdown", "{ version: shutdown", 1)}},
    "in a batch": {"json": [{"query": "{ version }"}, {"query": STOP}]},
    "as a form": {"data": {"query": STOP}},
    "as a file": {"files": {"operations": (None, json.dumps({"query": STOP})), "map": (None, "{}")}},
    "as GraphQL": {"content": STOP, "headers": {"content-type": "application/graphql"}},
    "as text": {"content": json.dumps({"query": STOP}), "headers": {"content-type": "text/plain"}},
    "in two places": {"params": {"query": STOP}, "json": {"query": "{ version }"}},
}


def is_reloaded_by(site: Site, http: httpx2.Client) -> str:
    answer = http.post(GRAPHQL, json={"query": RELOAD}, headers={"origin": site.front.url})
    return str(answer.json()["data"]["reloadRepositoryLocation"]["__typename"])


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_mutation_passes_a_viewer(site: Site, form: str) -> None:
    with site.person(VIEWER) as http:
        answer = http.post(GRAPHQL, **FORMS[form])
        assert answer.status_code in {400, 403, 415}, (answer.status_code, answer.text[:300])
        assert "shutdownRepositoryLocation" not in (answer.json().get("data") or {} if "json" in answer.headers["content-type"] else {})
        for verb in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            assert http.request(verb, GRAPHQL, params={"query": STOP}).status_code in {400, 403, 405}, verb
        assert http.post(GRAPHQL, json={"query": "{ version }"}).json()["data"]["version"], "but looking works, and the code is there"
        assert "RepositoryLocation" in http.post(GRAPHQL, json={"query": CODE}).text


def test_an_editor_can_and_it_is_written_down_as_his(site: Site) -> None:
    """Or the tests around it would prove nothing."""
    with site.person(EDITOR) as http:
        assert is_reloaded_by(site, http) == "WorkspaceLocationEntry"
        by = http.get("/auth/me", headers={"accept": "application/json"}).json()["name"]
    lines = site.stack.rows("select subject from zixly.audit_log where action = 'dagster_ui.change' and actor = %s", by)
    assert {"subject": "reloadRepositoryLocation"} in lines


def test_nothing_that_a_viewer_says_of_himself_makes_him_an_editor(site: Site) -> None:
    spoofed = {
        "X-Zixly-Role": "ADMIN",
        "X-Zixly-User": "user:1",
        "X_Zixly_Role": "ADMIN",
        "Connection": "X-Zixly-Role",
        "Zixly-Role": "ADMIN",
    }
    with site.person(VIEWER) as http:
        for name, value in spoofed.items():
            assert http.post(GRAPHQL, json={"query": STOP}, headers={name: value}).status_code == 403, name
        assert http.post("/dagster/report_asset_materialization/a", json={}).status_code == 403
        assert http.post("/dagster/upload_debug_file", content=b"x").status_code == 403


def test_the_viewers_webserver_refuses_changes_itself(site: Site) -> None:
    """Somebody who is inside already, and leaves the gateway out."""
    inside = site.stack.plan.urls.viewer_webserver
    for headers in ({}, {"X-Zixly-User": "user:1", "X-Zixly-Role": "ADMIN"}):
        answer = httpx2.post(f"{inside}/graphql", json={"query": STOP}, headers=headers, timeout=30, trust_env=False)
        assert answer.status_code == 403, answer.text


@pytest.mark.parametrize("who", [None, CLIENT], ids=["nobody", "a client's"])
def test_no_websocket_opens_for_whoever_is_not_staff(site: Site, who: object) -> None:
    cookie = site.cookie(CLIENT) if who else None
    for path in (GRAPHQL, "//dagster/graphql", "/dagster/./graphql", "/x/../dagster/graphql"):
        with pytest.raises(InvalidStatus) as refused:
            site.front.websocket(cookie, path=path)
        assert refused.value.response.status_code in {401, 403, 404}, path


def test_a_viewers_websocket_carries_no_mutation_and_no_other_sites_opens(site: Site) -> None:
    with site.front.websocket(site.cookie(VIEWER)) as opened:
        assert subscribed(opened, STOP)["type"] == "error"
    for origin in (
        "https://evil.example",
        "null",
        "https://localhost.evil.example",
        site.front.url.replace("https", "http"),
        "https://localhost",
    ):
        with pytest.raises(InvalidStatus) as refused:
            site.front.websocket(site.cookie(EDITOR), origin=origin)
        assert refused.value.response.status_code == 403, origin


def test_another_site_changes_nothing_through_an_editors_browser(site: Site) -> None:
    with site.person(EDITOR) as http:
        for said in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ):
            assert http.post(GRAPHQL, json={"query": STOP}, headers=said).status_code == 403, said
        by_link = http.get(GRAPHQL, params={"query": STOP}, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
        assert by_link.status_code in {400, 403}
        assert is_reloaded_by(site, http) == "WorkspaceLocationEntry", "the code location was not stopped"


def test_what_a_client_asks_is_refused_and_named_in_the_gateways_log(site: Site) -> None:
    paths = {GRAPHQL, "/dagster/", "/grafana/", "/prometheus/"}
    with site.person(CLIENT) as http:
        before = len(site.front.access_log())
        assert {http.get(path).status_code for path in paths} == {403}
    for path in paths:
        site.front.wait_for_lines(1, since=before, status=403, verdict="staff_only", path=path)
    names = {line["user"] for line in site.front.access_log()[before:] if line["verdict"] == "staff_only"}
    assert len(names) == 1
    assert names != {""}


def test_whoever_loses_his_role_changes_nothing_from_the_next_request_on(site: Site) -> None:
    with site.program() as known, site.front.client(site.signed_in(EDITOR), source=next(site.addresses)) as http:
        people = known.get("/api/people").json()["people"]
        person = next(one["id"] for one in people if one["email"] == EDITOR.email)
        assert is_reloaded_by(site, http) == "WorkspaceLocationEntry"
        assert known.patch(f"/api/people/{person}/memberships", json={"role": "VIEWER"}).is_success
        try:
            assert http.post(GRAPHQL, json={"query": RELOAD}, headers={"origin": site.front.url}).status_code == 403
        finally:
            assert known.patch(f"/api/people/{person}/memberships", json={"role": "EDITOR"}).is_success


def test_an_administrators_session_is_needed_by_nobody_for_that(site: Site) -> None:
    with site.person(ADMIN) as http:
        assert http.post(GRAPHQL, json={"query": "{ version }"}).status_code == 200
        assert http.post(GRAPHQL, json={"query": SWITCH}, headers={"origin": "https://evil.example"}).status_code == 403
