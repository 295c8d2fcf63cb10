"""Reconciliations over the API and the command: asked for, reported, repaired with one click, accepted; and who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.support.ledger import WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from zixly_cli.main import app
from zixly_core.ids import new_id
from zixly_core.stores.database import Database
from zixly_core.stores.drifts import settle_all_repairs
from zixly_core.stores.reconciliations import due_reconciliations

pytestmark = pytest.mark.integration
FIELDS = {"xero_last_invoice_status": {"source": "PAID", "target": "OPEN"}}


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


@pytest.fixture
def zixly(bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, talking to the bridge."""
    monkeypatch.setenv("ZIXLY_BRIDGE_PUBLIC_URL", str(bridge.http.base_url).rstrip("/"))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == 0, result.output
        return result.output

    return run


def done(ledger: TestLedger, *, drifts: int = 1, tenant: Any = None, **columns: Any) -> UUID:
    """A reconciliation that has ended, and what it found."""
    owner, one = tenant or ledger.tenant, new_id()
    now = datetime.now(UTC)
    values = {"id": one, "tenant_id": owner.id, "connection_id": owner.xero, "workflow": WORKFLOW, "origin": "nightly", "status": "DONE"}
    values |= {"since": now - timedelta(days=1), "until": now, "counts": Jsonb({"read": 5, "compared": 5, "field_drift": drifts})} | columns
    insert(ledger, "reconciliations", values)
    for number in range(drifts):
        about = {"id": new_id(), "tenant_id": owner.id, "connection_id": owner.xero, "workflow": WORKFLOW, "kind": "field_drift"}
        record = {"record_key": f"xero:org:INVOICE:{number}", "record_id": f"invoice-{number}", "target": "901", "fields": Jsonb(FIELDS)}
        insert(ledger, "drifts", about | record | {"found_by": one, "seen_by": one})
    return one


def insert(ledger: TestLedger, table: str, values: dict[str, Any]) -> None:
    places = ", ".join(["%s"] * len(values))
    ledger.owner.execute(f"insert into zixly.{table} ({', '.join(values)}) values ({places})", list(values.values()))


def report(bridge: RunningBridge, one: UUID) -> dict[str, Any]:
    answer = bridge.http.get(f"/api/reconciliations/{one}")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_one_is_asked_for_once_and_its_run_is_due_at_once(bridge: RunningBridge, ledger: TestLedger) -> None:
    body = {"tenant": "demo", "full": True, "days": 7, "settle_seconds": 0}
    answer = bridge.http.post("/api/reconciliations", json=body)
    assert answer.status_code == 202, answer.text
    (one,) = answer.json()["reconciliations"]
    assert (one["workflow"], one["status"], one["origin"], one["is_full"]) == (WORKFLOW, "WANTED", "asked", True)
    length = datetime.fromisoformat(one["until"]) - datetime.fromisoformat(one["since"])
    assert length == timedelta(days=7)
    assert [str(due.id) for due in due_reconciliations(ledger.dispatch)] == [one["id"]]
    again = bridge.http.post("/api/reconciliations", json=body)
    assert (again.status_code, again.json()["reason"]) == (409, "wrong_state")
    audited = ledger.owner.execute("select action, subject from zixly.audit_log").fetchall()
    assert audited == [{"action": "reconciliation.ask", "subject": one["id"]}]


def test_what_cannot_be_compared_is_refused_in_words(bridge: RunningBridge) -> None:
    answer = bridge.http.post("/api/reconciliations", json={"tenant": "demo", "workflow": "trading-sweep"})
    assert (answer.status_code, "xero-invoice-to-hubspot" in answer.json()["detail"]) == (404, True)
    assert bridge.http.post("/api/reconciliations", json={"tenant": "nobody"}).status_code in {400, 404}
    assert bridge.http.get(f"/api/reconciliations/{new_id()}").status_code == 404
    assert bridge.http.post(f"/api/drifts/{new_id()}/repair").status_code == 409


def test_the_report_has_counts_examples_and_one_click_repairs_all_once(bridge: RunningBridge, ledger: TestLedger) -> None:
    one = done(ledger, drifts=3)
    found = report(bridge, one)
    assert (found["counts"]["field_drift"], found["drifts"]) == (3, {"field_drift": {"OPEN": 3}})
    assert found["examples"][0]["fields"] == FIELDS
    first = bridge.http.post(f"/api/reconciliations/{one}/repair", json={})
    again = bridge.http.post(f"/api/reconciliations/{one}/repair", json={})
    assert (first.status_code, first.json(), again.json()) == (202, {"jobs": 3}, {"jobs": 0})
    jobs = ledger.owner.execute("select * from zixly.workflow_jobs order by record_id").fetchall()
    assert [(job["origin"], job["made_by"], job["lane"]) for job in jobs] == [("reconciliation", one, "bulk")] * 3
    assert {job["trigger_data"]["drift"] for job in jobs} == {drift["id"] for drift in found["examples"]}
    assert report(bridge, one)["drifts"] == {"field_drift": {"REPAIRING": 3}}


def test_a_repair_that_failed_leaves_the_drift_open_for_another_one(bridge: RunningBridge, ledger: TestLedger) -> None:
    one = done(ledger)
    (drift,) = report(bridge, one)["examples"]
    for ended, stands in (("FAILED", "OPEN"), ("COMPLETED", "REPAIRED")):
        assert bridge.http.post(f"/api/drifts/{drift['id']}/repair").json() == {"jobs": 1}
        assert bridge.http.post(f"/api/drifts/{drift['id']}/repair").status_code == 409
        ledger.owner.execute("update zixly.workflow_jobs set status = %s where status = 'QUEUED'", (ended,))
        assert settle_all_repairs(ledger.dispatch) == 1
        assert report(bridge, one)["examples"][0]["status"] == stands


def test_chosen_drifts_are_repaired_and_others_accepted(bridge: RunningBridge, ledger: TestLedger) -> None:
    one = done(ledger, drifts=2)
    first, second = report(bridge, one)["examples"]
    assert bridge.http.post(f"/api/reconciliations/{one}/repair", json={"drift_ids": [first["id"]]}).json() == {"jobs": 1}
    assert bridge.http.post(f"/api/drifts/{second['id']}/accept").json() == {"id": second["id"], "status": "ACCEPTED"}
    assert bridge.http.post(f"/api/drifts/{second['id']}/accept").status_code == 409
    open_ones = bridge.http.get("/api/drifts", params={"tenant": "demo", "status": "OPEN"}).json()
    assert open_ones == {"drifts": [], "next_cursor": None}
    actions = {row["action"] for row in ledger.owner.execute("select action from zixly.audit_log").fetchall()}
    assert actions == {"reconciliation.view", "drift.repair", "drift.accept"}


def test_lists_come_a_page_at_a_time(bridge: RunningBridge, ledger: TestLedger) -> None:
    made = {str(done(ledger, drifts=0)) for _ in range(3)}
    first = bridge.http.get("/api/reconciliations", params={"limit": 2}).json()
    rest = bridge.http.get("/api/reconciliations", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert {one["id"] for one in first["reconciliations"] + rest["reconciliations"]} == made
    assert rest["next_cursor"] is None


def test_tenants_cannot_see_each_other_and_sensors_see_no_values(ledger: TestLedger, database: TestDatabase) -> None:
    other = ledger.add_tenant("other")
    done(ledger, tenant=other)
    for table in ("reconciliations", "drifts"):
        with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
            assert connection.execute(f"select count(*) as n from zixly.{table}").fetchone() == {"n": 0}
        with ledger.runs.transaction(tenant_id=other.id) as connection:
            assert connection.execute(f"select count(*) as n from zixly.{table}").fetchone() == {"n": 1}
    for column in ("fields", "record_key", "record_id", "target"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.dispatch.transaction() as connection:
            connection.execute(f"select {column} from zixly.drifts")
    metrics = Database(database.url("metrics"), name="metrics")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), metrics.transaction() as connection:
        connection.execute("select fields from zixly.drifts")
    metrics.close()


def test_the_command_asks_shows_and_repairs(zixly: Any, ledger: TestLedger) -> None:
    one = done(ledger, drifts=2)
    listed = zixly("reconcile", "ls", "--tenant", "demo")
    assert str(one) in listed
    shown = zixly("reconcile", "show", str(one))
    assert "xero_last_invoice_status: PAID / OPEN" in shown
    assert f"zixly reconcile repair {one}" in shown
    assert "2 under repair" in zixly("reconcile", "repair", str(one))
    asked = zixly("reconcile", "run", WORKFLOW, "--tenant", "demo", "--full", "--wait", "0")
    assert "xero-invoice-to-hubspot of demo: WANTED, full" in asked
    assert '"status": "WANTED"' in zixly("reconcile", "ls", "--json")
