"""`/api/holes` and checks over HTTP: what people see, ask for, and may not see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.bridge.running import RunningBridge
from tests.support.ledger import TestLedger
from zixly_core.holes import Hole, HoleKind
from zixly_core.ids import new_id
from zixly_core.stores.connections import connection_in
from zixly_core.stores.holes import note_hole, note_recovered
from zixly_core.stores.watching import Check, Trouble, WatchState, due_checks, note_check

pytestmark = pytest.mark.integration
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def add_hole(ledger: TestLedger) -> Hole:
    hole = Hole(new_id(), ledger.tenant.xero, HoleKind.MISSED, NOON, NOON + timedelta(hours=1))
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as rows:
        note_hole(rows, hole, tenant_id=ledger.tenant.id, system="xero")
    return hole


def test_a_hole_is_shown_with_what_was_made_good(bridge: RunningBridge, ledger: TestLedger) -> None:
    hole = add_hole(ledger)
    (open_one,) = bridge.http.get("/api/holes", params={"status": "OPEN", "tenant": "demo"}).json()["holes"]
    assert (open_one["id"], open_one["kind"], open_one["jobs"]) == (str(hole.id), "missed", 0)
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as rows:
        note_recovered(rows, hole, to=NOON + timedelta(hours=2), objects=7, jobs=5)
    assert bridge.http.get("/api/holes", params={"status": "OPEN"}).json()["holes"] == []
    (done,) = bridge.http.get("/api/holes", params={"connection_id": str(ledger.tenant.xero)}).json()["holes"]
    assert (done["status"], done["objects"], done["jobs"]) == ("RECOVERED", 7, 5)


def test_a_check_that_is_asked_for_is_due_once_and_written_down(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.owner.execute("update zixly.connections set watched_at = now()")
    assert due_checks(ledger.dispatch) == []
    asked = bridge.http.post(f"/api/connections/{ledger.tenant.xero}/check")
    assert (asked.status_code, asked.json()["connection_id"]) == (202, str(ledger.tenant.xero))
    (due,) = due_checks(ledger.dispatch)
    assert (due["tenant_id"], due["connection_ids"]) == (ledger.tenant.id, [ledger.tenant.xero])
    assert [row["action"] for row in ledger.owner.execute("select action from zixly.audit_log")] == ["connection.check"]
    note_check(ledger.runs, connection_in(ledger.runs, ledger.tenant.id, ledger.tenant.xero), Check(WatchState.WELL, {"missed": 0}))
    assert due_checks(ledger.dispatch) == []
    (check,) = bridge.http.get(f"/api/connections/{ledger.tenant.xero}/checks").json()["checks"]
    assert (check["state"], check["findings"]) == ("well", {"missed": 0})
    (shown,) = bridge.http.get("/api/connections", params={"system": "xero"}).json()["connections"]
    assert shown["watch_state"] == "well"


def test_what_is_overdue_was_never_looked_at_or_has_an_untried_hole_is_due(ledger: TestLedger) -> None:
    (due,) = due_checks(ledger.dispatch)
    assert due["connection_ids"] == sorted([ledger.tenant.xero, ledger.tenant.hubspot])
    ledger.owner.execute("update zixly.connections set watched_at = now() - interval '74 minutes'")
    assert due_checks(ledger.dispatch) == []
    add_hole(ledger)
    assert due_checks(ledger.dispatch)[0]["connection_ids"] == [ledger.tenant.xero]
    ledger.owner.execute("update zixly.holes set tried_at = now()")
    ledger.owner.execute("update zixly.connections set watched_at = now() - interval '76 minutes' where system = 'hubspot'")
    assert due_checks(ledger.dispatch)[0]["connection_ids"] == [ledger.tenant.hubspot]


def test_nobody_is_looked_at_who_is_unknown_or_disconnected(bridge: RunningBridge, ledger: TestLedger) -> None:
    assert bridge.http.post(f"/api/connections/{new_id()}/check").status_code == 404
    ledger.owner.execute("update zixly.connections set status = 'DISCONNECTED'")
    assert bridge.http.post(f"/api/connections/{ledger.tenant.xero}/check").status_code == 409
    assert due_checks(ledger.dispatch) == []


def test_troubles_are_issues_until_a_check_no_longer_finds_them(bridge: RunningBridge, ledger: TestLedger) -> None:
    connection = connection_in(ledger.runs, ledger.tenant.id, ledger.tenant.xero)
    for _ in range(2):
        note_check(ledger.runs, connection, Check(WatchState.SILENT, troubles={Trouble.SILENT: "Nothing comes."}))
    (issue,) = bridge.http.get("/api/issues").json()["issues"]
    assert (issue["reason"], issue["status"], issue["count"], issue["title"]) == ("webhook_silent", "OPEN", 2, "Nothing comes.")
    assert "webhooks-that-went-silent" in issue["runbook"]
    text = bridge.http.get("/metrics").text
    assert 'connection_webhooks{state="silent",system="xero"} 1.0' in text
    assert 'webhook_check_age_seconds{system="xero"}' in text
    note_check(ledger.runs, connection, Check(WatchState.UNKNOWN))
    assert bridge.http.get("/api/issues").json()["issues"][0]["status"] == "OPEN"
    note_check(ledger.runs, connection, Check(WatchState.WELL))
    assert bridge.http.get("/api/issues").json()["issues"][0]["status"] == "RESOLVED"
