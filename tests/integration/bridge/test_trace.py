"""`/api/trace` and `/api/ledger` over real HTTP and Postgres."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.integration.bridge.running import XERO_KEY, RunningBridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, POLICY, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.job import Completed, Failed, JobEnd
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.ledger_view import LedgerWanted, ledger_view
from zixly_core.stores.settle import settle
from zixly_core.stores.trace import trace_of


def received(bridge: RunningBridge, *records: str) -> None:
    body = xero_body(*(xero_event(ORGANISATION, resourceId=record) for record in records))
    assert bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)).status_code == 200


def in_one_hour(ledger: TestLedger) -> None:
    """As if all that came had come with the first: around the full hour it would be of two."""
    for table, column in (("deliveries", "received_at"), ("events", "received_at"), ("workflow_jobs", "created_at")):
        ledger.owner.execute(f"update zixly.{table} set {column} = (select min(received_at) from zixly.deliveries)")


def one_of(ledger: TestLedger, table: str) -> UUID:
    row = ledger.owner.execute(f"select id from zixly.{table} order by id limit 1").fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def test_a_trace_is_the_same_whichever_id_it_is_asked_by(bridge: RunningBridge, ledger: TestLedger) -> None:
    received(bridge, "inv-1")
    run_id = str(new_id())
    batch = ledger.hand_over()[0]
    run = ledger.run_of(batch, run_id)
    (job,) = ledger.claim(run)
    settle(ledger.runs, run, [JobEnd(job, Completed({"updated": "contact-1"}))], policy=POLICY, jitter=random.Random(1))
    ids = {"delivery": one_of(ledger, "deliveries"), "event": one_of(ledger, "events"), "job": job.id, "batch": batch.id, "run": run_id}
    traces: dict[str, Any] = {kind: bridge.http.get(f"/api/trace/{wanted}").json() for kind, wanted in ids.items()}
    assert {kind: trace.pop("kind") for kind, trace in traces.items()} == {kind: kind for kind in ids}
    first = traces["delivery"]
    assert all(trace == first for trace in traces.values())
    assert ([one["id"] for one in first["deliveries"]], [one["id"] for one in first["jobs"]]) == ([str(ids["delivery"])], [str(job.id)])
    assert first["jobs"][0]["attempt_log"][0]["outcome"] == "completed"


def test_a_repeated_delivery_leads_to_the_jobs_of_the_first(bridge: RunningBridge, ledger: TestLedger) -> None:
    received(bridge, "inv-1")
    received(bridge, "inv-1")
    row = ledger.owner.execute("select id from zixly.deliveries where verdict = 'duplicate'").fetchone()
    assert row is not None
    trace = bridge.http.get(f"/api/trace/{row['id']}").json()
    assert (trace["kind"], trace["job_count"]) == ("delivery", 1)


def test_a_replay_is_seen_from_its_origin(bridge: RunningBridge, ledger: TestLedger) -> None:
    (origin,) = ledger.add_jobs(1)
    (replay,) = ledger.add_jobs(1, origin="replay", origin_job_id=origin, made_by=new_id())
    assert [one["id"] for one in bridge.http.get(f"/api/trace/{origin}").json()["jobs"][0]["later_jobs"]] == [str(replay)]
    assert bridge.http.get(f"/api/trace/{replay}").json()["jobs"][0]["origin_job_id"] == str(origin)


def test_an_id_that_nothing_bears_is_said_to_be_unknown(bridge: RunningBridge) -> None:
    answer = bridge.http.get(f"/api/trace/{new_id()}")
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
    assert bridge.http.get("/api/trace/rubbish").status_code == 422


def test_another_tenant_traces_and_counts_nothing(bridge: RunningBridge, ledger: TestLedger, database: TestDatabase) -> None:
    received(bridge, "inv-1")
    other = ledger.add_tenant("other")
    api = Database(database.url("api"), name="api")
    now = datetime.now(UTC)
    wanted = LedgerWanted(since=now - timedelta(hours=2), until=now + timedelta(hours=1))
    try:
        with scoped(api, Scope(other.id)) as connection:
            for table in ("deliveries", "events", "workflow_jobs"):
                assert trace_of(connection, one_of(ledger, table)) is None
            view = ledger_view(connection, wanted, is_staff=False)
        assert (view.events, view.jobs, view.received) == ([], [], None)
    finally:
        api.close()


def test_the_ledger_adds_up_and_shows_an_event_that_was_lost(bridge: RunningBridge, ledger: TestLedger) -> None:
    received(bridge, "inv-1", "inv-2")
    received(bridge, "inv-1", "inv-2")
    in_one_hour(ledger)
    run = ledger.run_of(ledger.hand_over()[0])
    job = ledger.claim(run)[0]
    settle(ledger.runs, run, [JobEnd(job, Failed("record_gone", "Gone.", permanent=True))], policy=POLICY, jitter=random.Random(1))
    found = bridge.http.get("/api/ledger").json()
    (events,), (jobs,), (came,) = found["events"], found["jobs"], found["received"]
    assert (events["tenant"], events["with_jobs"], events["duplicate"]) == ("demo", 2, 2)
    assert (jobs["made"], jobs["by_event"], jobs["failed"], jobs["open"]) == (2, 2, 1, 1)
    assert (came["received"], came["events"], came["difference"], found["unaccounted"]) == (4, 4, 0, 0)
    ledger.owner.execute("delete from zixly.events where outcome = 'duplicate' and record_id = 'inv-1'")
    ledger.owner.execute("update zixly.workflow_jobs set status = 'RUNNING' where status = 'QUEUED'")
    found = bridge.http.get("/api/ledger").json()
    assert (found["received"][0]["difference"], found["unaccounted"]) == (1, 1)
    assert bridge.http.get("/api/ledger", params={"tenant": "demo", "system": "hubspot"}).json()["events"] == []


def test_a_window_that_is_empty_or_too_long_is_refused(bridge: RunningBridge) -> None:
    for since, until in (("2026-11-02T00:00Z", "2026-11-01T00:00Z"), ("2026-01-01T00:00Z", "2026-11-01T00:00Z")):
        answer = bridge.http.get("/api/ledger", params={"since": since, "until": until})
        assert (answer.status_code, answer.json()["reason"][:7]) == (400, "window_")


def test_jobs_are_found_by_reason_origin_and_what_made_them(bridge: RunningBridge, ledger: TestLedger) -> None:
    made_by = new_id()
    (wanted,) = ledger.add_jobs(1, origin="backfill", made_by=made_by, status="FAILED", error_reason="record_gone")
    ledger.add_jobs(2)
    query = {"reason": "record_gone", "origin": "backfill", "made_by": str(made_by)}
    assert [job["id"] for job in bridge.http.get("/api/jobs", params=query).json()["jobs"]] == [str(wanted)]
    assert bridge.http.get("/api/jobs", params=query | {"reason": "none"}).json()["jobs"] == []
    assert bridge.http.get("/api/jobs", params={"origin": "nobody"}).status_code == 422
