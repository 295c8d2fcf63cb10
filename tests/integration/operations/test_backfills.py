"""Backfills over the API and in the ledger: what is refused, ten thousand records in a day, whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.support.ledger import WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.backfilling import DayReader
from zixly_core.changes import ChangedRecord, Window
from zixly_core.ids import new_id
from zixly_core.stores.backfill_days import TakenDay, due_days, take_day
from zixly_core.stores.connections import connection_in

pytestmark = pytest.mark.integration

DAY = date(2026, 11, 20)
BEGIN = datetime(2026, 11, 19, 14, tzinfo=UTC)


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    ledger.owner.execute("update zixly.workflows set record_form = 'xero:{account}:INVOICE:{id}'")
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


def wanted(**fields: Any) -> dict[str, Any]:
    return {"workflow": WORKFLOW, "tenant": "demo", "first_day": "2026-11-20", "last_day": "2026-11-20", **fields}


class Source:
    """Records of a day, told in pages; notes how many pages are in memory at once."""

    def __init__(self, count: int, *, page: int = 500) -> None:
        self.records = [ChangedRecord(f"r{number}", BEGIN + timedelta(seconds=number)) for number in range(count)]
        self.page = page

    def changed(self, window: Window) -> Iterator[Sequence[ChangedRecord]]:
        found = [one for one in self.records if window.holds(one.changed_at)]
        for start in range(0, len(found), self.page):
            yield found[start : start + self.page]


def taken(ledger: TestLedger, backfill_id: Any, run: str = "run-1") -> TakenDay | None:
    return take_day(ledger.runs, tenant_id=ledger.tenant.id, backfill_id=backfill_id, day=DAY, run_id=run)


def reader_for_day(ledger: TestLedger, day: TakenDay | None, told: list[Any]) -> DayReader:
    assert day is not None
    account = connection_in(ledger.runs, day.tenant_id, day.connection_id)
    return DayReader(ledger.runs, day, account, announce=told.append)


def test_what_cannot_be_done_is_refused_in_one_sentence_and_nothing_is_written(bridge: RunningBridge, ledger: TestLedger) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    ledger.owner.execute(
        "insert into zixly.workflows (name, system, title, triggers, max_batch) values ('trading-sweep', 'callbacks', 'Sweep', '{}', 9)"
    )
    refusals = {
        "workflow_unknown": wanted(workflow="no-such"),
        "workflow_not_backfilled": wanted(workflow="trading-sweep"),
        "tenant_unknown": wanted(tenant="nobody"),
        "days_reversed": wanted(first_day="2026-11-21"),
        "days_in_future": wanted(last_day=tomorrow),
        "days_too_many": wanted(first_day="2025-01-01"),
        "connection_undecided": wanted(connection_id=str(new_id())),
    }
    for reason, body in refusals.items():
        answer = bridge.http.post("/api/backfills", json=body)
        assert (answer.status_code, answer.json()["reason"]) == (400, reason)
        assert answer.json()["detail"].endswith((".", "to see."))
    assert bridge.http.post("/api/backfills", json=wanted(first_day="soon")).status_code == 422
    ledger.owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'xero', 'second', 'Second')",
        (new_id(), ledger.tenant.id),
    )
    several = bridge.http.post("/api/backfills", json=wanted()).json()
    assert several["detail"] == "Tenant 'demo' has several xero connections; name one with its id."
    assert bridge.http.post("/api/backfills", json=wanted(connection_id=str(ledger.tenant.xero))).status_code == 202
    assert len(ledger.owner.execute("select id from zixly.backfills").fetchall()) == 1


def test_a_backfill_is_asked_for_listed_shown_and_stopped(bridge: RunningBridge, ledger: TestLedger) -> None:
    made = bridge.http.post("/api/backfills", json=wanted(first_day="2026-11-18", dry_run=True)).json()
    assert (made["status"], made["days"], made["dry_run"], made["time_zone"]) == ("WANTED", 3, True, "Australia/Brisbane")
    bridge.http.post("/api/backfills", json=wanted())
    page = bridge.http.get("/api/backfills", params={"limit": 1}).json()
    rest = bridge.http.get("/api/backfills", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert [one["id"] for one in rest["backfills"]] == [made["id"]]
    assert bridge.http.get("/api/backfills", params={"tenant": "other"}).json()["backfills"] == []
    assert bridge.http.post(f"/api/backfills/{made['id']}/stop").json() == {"id": made["id"], "jobs_cancelled": 0}
    shown = bridge.http.get(f"/api/backfills/{made['id']}").json()
    assert (shown["status"], [day["state"] for day in shown["days_log"]]) == ("STOPPED", ["STOPPED"] * 3)
    again = bridge.http.post(f"/api/backfills/{made['id']}/stop")
    assert (again.status_code, again.json()["detail"]) == (409, f"Backfill {made['id']} is STOPPED and cannot be stopped.")
    assert bridge.http.get(f"/api/backfills/{new_id()}").status_code == 404
    actions = [row["action"] for row in ledger.owner.execute("select action from zixly.audit_log order by at")]
    assert actions == ["backfill.make", "backfill.make", "backfill.stop"]


def test_ten_thousand_records_of_a_day_are_ten_thousand_jobs_and_a_second_reading_makes_none(
    bridge: RunningBridge, ledger: TestLedger
) -> None:
    backfill_id = bridge.http.post("/api/backfills", json=wanted()).json()["id"]
    told: list[Any] = []
    read = reader_for_day(ledger, taken(ledger, backfill_id), told).read(lambda: Source(10_000))
    assert (read.state, read.found, read.known, read.made) == ("DONE", 10_000, 0, 10_000)
    assert sum(len(ids) for by_system in told for ids in by_system.values()) == 10_000
    shown = bridge.http.get(f"/api/backfills/{backfill_id}").json()
    assert (shown["jobs_made"], shown["jobs_open"], shown["jobs_expected"], shown["is_estimate"]) == (10_000, 10_000, 10_000, False)
    ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED', started_at = now(), completed_at = now()")
    second = bridge.http.post("/api/backfills", json=wanted()).json()["id"]
    read = reader_for_day(ledger, taken(ledger, second), told).read(lambda: Source(10_000))
    assert (read.state, read.found, read.known, read.made) == ("DONE", 10_000, 10_000, 0)


def test_a_day_that_another_run_took_takes_no_more_from_the_first(bridge: RunningBridge, ledger: TestLedger) -> None:
    backfill_id = bridge.http.post("/api/backfills", json=wanted()).json()["id"]
    first = taken(ledger, backfill_id)
    assert taken(ledger, backfill_id, run="run-2") is None
    ledger.owner.execute("update zixly.backfill_days set lease_until = now() - interval '1 second'")
    assert [one["day"] for one in due_days(ledger.dispatch)] == [DAY]
    assert taken(ledger, backfill_id, run="run-2") is not None
    assert reader_for_day(ledger, first, []).read(lambda: Source(3)).state == "STOPPED"
    assert ledger.owner.execute("select count(*) as n from zixly.workflow_jobs").fetchone() == {"n": 0}


def test_a_tenant_sees_and_stops_only_its_own(bridge: RunningBridge, ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    bridge.http.post("/api/backfills", json=wanted())
    with ledger.runs.transaction(tenant_id=other.id) as connection:
        assert list(connection.execute("select id from zixly.backfills")) == []
        assert list(connection.execute("select day from zixly.backfill_days")) == []
        assert connection.execute("update zixly.backfill_days set state = 'STOPPED'").rowcount == 0
