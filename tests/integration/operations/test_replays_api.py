"""Replays and searches over the API: what is asked for, refused in words, shown with links both ways, and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from psycopg.types.json import Jsonb

from tests.integration.bridge.running import RunningBridge, eventually, settings_for, start_bridge
from tests.support.ledger import WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from tests.support.received import add_event, index_everything
from zixly_core.ids import new_id

pytestmark = pytest.mark.integration


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


def post(bridge: RunningBridge, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    answer = bridge.http.post(path, json=body)
    return answer.status_code, answer.json()


def get(bridge: RunningBridge, path: str) -> dict[str, Any]:
    answer = bridge.http.get(path)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_one_job_leads_to_its_replay_and_back_and_its_queue_is_told(bridge: RunningBridge, ledger: TestLedger) -> None:
    (origin,) = ledger.add_jobs(status="FAILED")
    status, replay = post(bridge, "/api/replays", {"job_id": str(origin)})
    assert (status, replay["status"], replay["made"], replay["counts"]) == (202, "RUNNING", 1, {"QUEUED": 1})
    (job,) = replay["jobs"]
    assert job["origin_job_id"] == str(origin)
    made = get(bridge, f"/webhook/jobs/{job['id']}")
    assert (made["origin_job_id"], made["replay_id"]) == (str(origin), replay["id"])
    assert (made["links"]["origin"], made["links"]["replay"]) == (f"/webhook/jobs/{origin}", f"/api/replays/{replay['id']}")
    (seen,) = get(bridge, made["links"]["origin"])["replays"]
    assert (seen["id"], seen["replay_id"], seen["dry_run"]) == (job["id"], replay["id"], False)
    assert [one["id"] for one in get(bridge, replay["links"]["jobs"])["jobs"]] == [job["id"]]
    assert get(bridge, "/api/replays?tenant=demo")["replays"][0]["id"] == replay["id"]
    eventually(lambda: UUID(job["id"]) in bridge.queues["xero"].queued_ids())


def test_many_are_counted_first_and_made_at_a_rate_and_stopped_half_way(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.add_jobs(30, status="FAILED", error_reason="hubspot_down")
    chosen = {"tenant": "demo", "workflow": WORKFLOW, "status": "FAILED", "reason": "hubspot_down"}
    assert post(bridge, "/api/replays/matching", chosen)[1] == {"matched": 30, "left_out": 0, "to_make": 30}
    _, replay = post(bridge, "/api/replays", {"filter": chosen, "rate_per_minute": 10})
    assert (replay["made"], replay["rate_per_minute"]) == (30, 10)
    assert 170 <= replay["remaining_seconds"] <= 174
    assert post(bridge, f"{replay['links']['self']}/stop") == (200, {"id": replay["id"], "cancelled": 30})
    shown = get(bridge, replay["links"]["self"])
    assert (shown["status"], shown["counts"], shown["stopped_by"], shown["remaining_seconds"]) == ("STOPPED", {"CANCELLED": 30}, "local", 0)
    actions = [row["action"] for row in ledger.owner.execute("select action from zixly.audit_log order by at").fetchall()]
    assert actions == ["replay.make", "replay.stop"]


def test_the_same_id_makes_nothing_twice(bridge: RunningBridge, ledger: TestLedger) -> None:
    (origin,) = ledger.add_jobs(status="FAILED")
    asked = {"id": str(new_id()), "job_id": str(origin)}
    first, again = post(bridge, "/api/replays", asked), post(bridge, "/api/replays", asked)
    assert first[1]["jobs"] == again[1]["jobs"]
    assert [job["id"] for job in again[1]["jobs"]] == [str(uuid5(UUID(asked["id"]), str(origin)))]


def test_a_preview_tells_in_numbers_and_differences_what_would_be_written(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.add_jobs(4, status="FAILED")
    _, replay = post(bridge, "/api/replays", {"filter": {"tenant": "demo", "status": "FAILED"}, "dry_run": True})
    writes, nothing, fails, _ = [job["id"] for job in replay["jobs"]]
    write = {"system": "hubspot", "operation": "contact.update", "target": "9", "changes": {"status": {"before": None, "after": "PAID"}}}
    end = "update zixly.workflow_jobs set status = %s, result = %s where id = %s"
    ledger.owner.execute(end, ("COMPLETED", Jsonb({"would_write": [write]}), writes))
    ledger.owner.execute(end, ("COMPLETED", Jsonb({"would_write": []}), nothing))
    ledger.owner.execute(end, ("FAILED", None, fails))
    preview = get(bridge, replay["links"]["self"])["preview"]
    assert {name: preview[name] for name in ("would_write", "nothing", "fail", "open", "writes")} == {
        "would_write": 1,
        "nothing": 1,
        "fail": 1,
        "open": 1,
        "writes": 1,
    }
    assert [one["would_write"] for one in preview["first"]] == [[write]]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({}, 422, "give either job_id or filter"),
        ({"filter": {"tenant": "demo"}}, 422, "say which jobs"),
        ({"filter": {"tenant": "demo", "status": "RUNNING"}}, 422, "status"),
        ({"filter": {"tenant": "nobody", "status": "FAILED"}}, 400, "There is no tenant"),
        ({"filter": {"tenant": "demo", "status": "FAILED"}, "payload": {}}, 422, "an edited payload is about one job"),
        ({"job_id": str(new_id())}, 404, "There is no job"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_words(bridge: RunningBridge, asked: dict[str, Any], status: int, words: str) -> None:
    answered, problem = post(bridge, "/api/replays", asked)
    assert (answered, words in problem["detail"]) == (status, True), problem


def test_an_edited_payload_is_checked_as_a_received_one_and_refused_where_it_means_nothing(
    bridge: RunningBridge, ledger: TestLedger
) -> None:
    ledger.owner.execute(
        "insert into zixly.workflows (name, system, title, triggers, max_batch) values ('trading-sweep', 'callbacks', 'Sweeps', '{}', 9)"
    )
    (invoice,) = ledger.add_jobs(status="FAILED")
    (sweep,) = ledger.add_jobs(status="FAILED", workflow_type="trading-sweep", system="callbacks")
    status, problem = post(bridge, "/api/replays", {"job_id": str(invoice), "payload": {"id": 1}})
    assert (status, problem["reason"]) == (400, "payload_not_editable")
    assert "reads its record anew" in problem["detail"]
    request = {"ticker": "ACME", "fast_range": [5, 10], "slow_range": [20, 30], "step": 5, "strategy_type": "SMA"}
    status, problem = post(bridge, "/api/replays", {"job_id": str(sweep), "payload": {**request, "step": 0}})
    assert (status, problem["reason"]) == (400, "invalid_request")
    assert "step" in problem["detail"]
    status, replay = post(bridge, "/api/replays", {"job_id": str(sweep), "payload": {**request, "note": "a\u0000b"}})
    assert (status, replay["mode"]) == (202, "EDITED")
    assert ledger.job(UUID(replay["jobs"][0]["id"]))["trigger_data"]["payload"]["ticker"] == "ACME"


def test_a_value_is_searched_for_and_what_was_found_is_replayed(bridge: RunningBridge, ledger: TestLedger) -> None:
    event, other = add_event(ledger, {"email": "ann@example.test"}), add_event(ledger, {"email": "bob@example.test"})
    (job,) = ledger.add_jobs(event_id=event, status="COMPLETED")
    ledger.add_jobs(event_id=other, status="COMPLETED")
    index_everything(ledger)
    status, search = post(bridge, "/api/searches", {"tenant": "demo", "path": "$.email", "value": "ann@example.test"})
    assert (status, search["found"], search["is_complete"], search["path"]) == (201, 1, True, "$.email")
    assert [(one["id"], one["jobs"][0]["id"]) for one in search["events"]] == [(str(event), str(job))]
    assert get(bridge, f"/api/searches/{search['id']}") == search
    _, replay = post(bridge, "/api/replays", {"filter": {"tenant": "demo", "search_id": search["id"]}, "mode": "START"})
    assert [one["origin_job_id"] for one in replay["jobs"]] == [str(job)]
    assert replay["chosen"] == {"search": search["id"]}
    assert "ann" not in str(ledger.owner.execute("select * from zixly.audit_log").fetchall())


def test_a_search_within_a_window_that_cannot_be_read_says_how_it_is_written(bridge: RunningBridge) -> None:
    status, problem = post(bridge, "/api/searches", {"tenant": "demo", "path": "email", "value": "x"})
    assert (status, problem["reason"]) == (400, "path_invalid")
    assert "$.names[*].name" in problem["detail"]
    window = {"since": (datetime.now(UTC) - timedelta(days=1)).isoformat()}
    assert post(bridge, "/api/searches", {"tenant": "demo", "path": "$.email", "value": "x", **window})[1]["found"] == 0
