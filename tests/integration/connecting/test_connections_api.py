"""What the API tells of connections and issues, and what may be set."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.integration.bridge.running import RunningBridge
from tests.integration.connecting.browser import Browser
from tests.integration.connecting.conftest import PUBLIC_URL, Office
from tests.support.postgres import TestDatabase
from zixly_core.stores.issues import raise_issue, raise_reconnect_issue
from zixly_sandbox.constants import DEMO, SECOND

pytestmark = pytest.mark.integration


@pytest.fixture
def connected(browser: Browser, office: Office) -> dict[str, Any]:
    """The demo client's portal."""
    browser.connect("/connect/hubspot?tenant=demo", ("account", DEMO.portal))
    return office.connections()[0]


def lose(office: Office, connection: dict[str, Any], *, times: int = 1) -> None:
    office.rows("update zixly.connections set status = 'DISCONNECTED' where id = %s returning id", connection["id"])
    for _ in range(times):
        raise_reconnect_issue(
            office.owner,
            connection_id=connection["id"],
            tenant_id=connection["tenant_id"],
            system=connection["system"],
            name=connection["name"],
        )


def test_a_connection_is_shown_with_the_health_of_its_authorisation(
    bridge: RunningBridge, connected: dict[str, Any], office: Office
) -> None:
    (shown,) = bridge.http.get("/api/connections?tenant=demo&system=hubspot").json()["connections"]
    assert (shown["external_id"], shown["status"], shown["health"], shown["version"]) == (DEMO.portal, "ACTIVE", "well", 1)
    assert shown["token_expires_at"]
    assert shown["refreshed_at"]
    assert shown["reconnect"] == f"{PUBLIC_URL}/connect/hubspot?connection={connected['id']}"
    assert "token" not in {name for name in shown if "expires" not in name}
    assert bridge.http.get("/api/connections?tenant=second").json()["connections"] == []


@pytest.mark.parametrize(
    ("change", "health"),
    [
        ("paused_at = now()", "paused"),
        ("parked_until = now() + interval '1 hour', parked_reason = 'rate_limited_day'", "parked"),
        ("parked_until = now() - interval '1 hour', parked_reason = 'rate_limited_day'", "well"),
        ("status = 'DISCONNECTED', paused_at = now()", "disconnected"),
    ],
)
def test_the_health_is_the_first_thing_that_holds_its_jobs_back(
    bridge: RunningBridge, connected: dict[str, Any], office: Office, change: str, health: str
) -> None:
    office.rows(f"update zixly.connections set {change} returning id")
    assert bridge.http.get("/api/connections").json()["connections"][0]["health"] == health


def test_an_issue_is_one_however_often_it_is_seen_and_reconnecting_resolves_it(
    bridge: RunningBridge, browser: Browser, connected: dict[str, Any], office: Office
) -> None:
    lose(office, connected, times=3)
    (issue,) = bridge.http.get("/api/issues?status=OPEN&tenant=demo").json()["issues"]
    assert (issue["system"], issue["reason"], issue["count"]) == ("hubspot", "reconnect_needed", 3)
    assert issue["link"].startswith(PUBLIC_URL)
    page = browser.connect(issue["link"].removeprefix(PUBLIC_URL), ("account", DEMO.portal))
    assert page.status_code == 200, page.text
    assert bridge.http.get("/api/issues?status=OPEN").json()["issues"] == []
    (resolved,) = bridge.http.get("/api/issues?status=RESOLVED").json()["issues"]
    assert resolved["id"] == issue["id"]
    lose(office, connected)
    (fresh,) = bridge.http.get("/api/issues?status=OPEN").json()["issues"]
    assert (fresh["id"] == issue["id"], fresh["count"]) == (False, 1)


def test_an_issue_that_somebody_ignores_is_counted_and_not_raised_again(
    bridge: RunningBridge, connected: dict[str, Any], office: Office
) -> None:
    lose(office, connected)
    office.rows("update zixly.issues set status = 'IGNORED' returning id")
    lose(office, connected)
    (issue,) = bridge.http.get("/api/issues").json()["issues"]
    assert (issue["status"], issue["count"]) == ("IGNORED", 2)


def test_an_issue_without_a_connection_is_one_too(office: Office, bridge: RunningBridge) -> None:
    for _ in range(2):
        raise_issue(
            office.owner,
            tenant_id=office.tenants["demo"],
            system="xero",
            operation="receive",
            reason="webhook_disabled",
            connection_id=None,
            title="Xero has switched the webhook off.",
            link=None,
        )
    (issue,) = bridge.http.get("/api/issues").json()["issues"]
    assert (issue["count"], issue["link"]) == (2, None)


def test_settings_are_saved_after_they_were_checked_and_who_did_it_is_kept(
    bridge: RunningBridge, connected: dict[str, Any], office: Office
) -> None:
    path = f"/api/connections/{connected['id']}/settings"
    wrong = bridge.http.put(path, json={"no_such_field": 1})
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "settings_invalid")
    assert office.connections()[0]["settings"] == {}
    assert bridge.http.put(path, json={}).status_code == 200
    (entry,) = office.rows("select actor, subject, details from zixly.audit_log where action = 'connection.settings'")
    assert (entry["actor"], entry["subject"], entry["details"]) == ("local", str(connected["id"]), {"fields": []})


def test_settings_of_a_connection_that_is_not_there_are_not_found(bridge: RunningBridge) -> None:
    answer = bridge.http.put("/api/connections/00000000-0000-4000-8000-000000000000/settings", json={})
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")


def test_a_consent_that_is_not_there_is_not_found(bridge: RunningBridge) -> None:
    assert bridge.http.get("/api/consents/00000000-0000-4000-8000-000000000000").status_code == 404


def test_a_tenant_sees_neither_grants_nor_issues_nor_consents_of_another(
    browser: Browser, connected: dict[str, Any], office: Office, database: TestDatabase
) -> None:
    browser.connect("/connect/hubspot?tenant=second", ("account", SECOND.portal))
    for connection in office.connections():
        lose(office, connection)
    for role in ("api", "runs"):
        with psycopg.connect(database.url(role), row_factory=dict_row) as rows:
            rows.execute("select set_config('app.tenant_id', %s, true)", (str(office.tenants["demo"]),))
            for table in ("grants", "issues") if role == "runs" else ("grants", "issues", "oauth_states"):
                seen = rows.execute(f"select tenant_id from zixly.{table}").fetchall()
                assert {row["tenant_id"] for row in seen} == {office.tenants["demo"]}, (role, table)


def test_a_connection_cannot_live_on_another_tenants_tokens(browser: Browser, connected: dict[str, Any], office: Office) -> None:
    browser.connect("/connect/hubspot?tenant=second", ("account", SECOND.portal))
    theirs = next(row for row in office.connections() if row["slug"] == "second")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        office.rows("update zixly.connections set grant_id = %s where id = %s returning id", theirs["grant_id"], connected["id"])


def test_metrics_tell_what_is_connected_and_how_long_an_unused_authorisation_lasts(
    bridge: RunningBridge, browser: Browser, connected: dict[str, Any], office: Office
) -> None:
    browser.connect("/connect/xero?tenant=demo", ("account", DEMO.organisation))
    office.rows("update zixly.grants set refreshed_at = now() - interval '59 days' where system = 'xero' returning id")
    lose(office, connected)
    figures = dict(line.rsplit(" ", 1) for line in bridge.http.get("/metrics").text.splitlines() if not line.startswith("#"))
    assert figures['connections{status="active",system="xero"}'] == "1.0"
    assert figures['connections{status="disconnected",system="hubspot"}'] == "1.0"
    assert figures['issues_open{system="hubspot"}'] == "1.0"
    left = float(figures['connection_authorisation_left_seconds{system="xero"}'])
    assert left == pytest.approx(86_400, abs=60)
    assert 'connection_authorisation_left_seconds{system="hubspot"}' not in figures
