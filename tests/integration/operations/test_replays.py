"""Replays in the ledger: which jobs are meant, what the new ones begin with, and stopping half-way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.ledger import TestLedger
from zixly_core.ids import new_id
from zixly_core.replays import JobChoice, NotReplayable, ReplayMode, WantedReplay
from zixly_core.stores.replays import MadeReplay, Matching, make_replay, matching_jobs, origin_of, stop_replay

pytestmark = pytest.mark.integration


def replayed(ledger: TestLedger, *, tenant: UUID | None = None, id: UUID | None = None, **choice: Any) -> MadeReplay:  # noqa: A002
    """A replay as role `runs` makes it; what is no question of the choice is said of the replay."""
    about = {name: choice.pop(name) for name in ("mode", "is_dry_run", "rate_per_minute", "limit", "payload") if name in choice}
    tenant_id = tenant or ledger.tenant.id
    wanted = WantedReplay(id or new_id(), tenant_id, JobChoice(**choice), **about)
    with ledger.runs.transaction(tenant_id=tenant_id) as connection:
        return make_replay(connection, wanted, actor="somebody")


def jobs_of(ledger: TestLedger, replay_id: UUID) -> list[dict[str, Any]]:
    query = "select * from zixly.workflow_jobs where made_by = %s order by due_at, occurred_at"
    return ledger.owner.execute(query, (replay_id,)).fetchall()


def test_a_failed_job_goes_on_from_its_checkpoint_and_both_lead_to_each_other(ledger: TestLedger) -> None:
    event = new_id()
    kept = {"checkpoint": Jsonb({"invoice": {"id": "i"}}), "trigger_data": Jsonb({"record_id": "r", "kind": "INVOICE.UPDATE"})}
    (origin,) = ledger.add_jobs(status="FAILED", error_reason="hubspot_down", event_id=event, **kept)
    made = replayed(ledger, job_ids=[origin])
    (job,) = jobs_of(ledger, made.id)
    assert (job["origin"], job["origin_job_id"], job["event_id"], job["status"]) == ("replay", origin, event, "QUEUED")
    assert job["checkpoint"] == {"invoice": {"id": "i"}}
    assert job["trigger_data"] == {"record_id": "r", "kind": "INVOICE.UPDATE"}
    assert job["lane"] == "live"
    assert job["record_key"] == ledger.job(origin)["record_key"]


def test_from_the_start_it_knows_nothing_of_what_was_done(ledger: TestLedger) -> None:
    (origin,) = ledger.add_jobs(status="COMPLETED", checkpoint=Jsonb({"invoice": {}}))
    (job,) = jobs_of(ledger, replayed(ledger, job_ids=[origin], mode=ReplayMode.START).id)
    assert job["checkpoint"] == {}


def test_the_filter_answers_every_question(ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    ledger.owner.execute("insert into zixly.workflows (name, system, title, triggers, max_batch) values ('w', 'xero', 'W', '{}', 9)")
    old, new = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    (wanted,) = ledger.add_jobs(status="FAILED", error_reason="timeout", created_at=new)
    for columns in (
        {"status": "COMPLETED", "error_reason": None, "created_at": new},
        {"status": "FAILED", "error_reason": "other", "created_at": new},
        {"status": "FAILED", "error_reason": "timeout", "created_at": old},
        {"status": "FAILED", "error_reason": "timeout", "created_at": new, "workflow_type": "w"},
        {"status": "FAILED", "error_reason": "timeout", "created_at": new, "tenant": other},
        {"status": "FAILED", "error_reason": "timeout", "created_at": new, "trigger_data": Jsonb({"dry_run": True})},
        {"status": "RUNNING", "error_reason": "timeout", "created_at": new},
    ):
        ledger.add_jobs(**columns)  # type: ignore[arg-type]
    choice = {"workflow": "xero-invoice-to-hubspot", "status": "FAILED", "reason": "timeout", "since": new, "until": datetime.now(UTC)}
    made = replayed(ledger, **choice)
    assert made.matching == Matching(matched=1, left_out=0)
    assert [job["origin_job_id"] for job in jobs_of(ledger, made.id)] == [wanted]
    assert [job["lane"] for job in jobs_of(ledger, made.id)] == ["bulk"]


def test_asking_twice_with_one_id_makes_nothing_twice(ledger: TestLedger) -> None:
    ledger.add_jobs(3, status="FAILED")
    asked = new_id()
    first, again = replayed(ledger, id=asked, status="FAILED"), replayed(ledger, id=asked, status="FAILED")
    assert (first.made, first.is_new) == (3, True)
    assert (again.made, again.is_new, again.jobs.count) == (3, False, 0)
    assert len(jobs_of(ledger, asked)) == 3


def test_what_a_replay_took_up_is_left_out_by_the_next(ledger: TestLedger) -> None:
    failed = ledger.add_jobs(3, status="FAILED")
    replayed(ledger, status="FAILED")
    again = replayed(ledger, status="FAILED")
    assert (again.matching, again.made) == (Matching(matched=3, left_out=3), 0)
    ledger.owner.execute("update zixly.workflow_jobs set status = 'FAILED' where origin = 'replay' and origin_job_id = %s", (failed[0],))
    ledger.owner.execute("update zixly.workflow_jobs set status = 'CANCELLED' where origin = 'replay' and origin_job_id = %s", (failed[1],))
    third = replayed(ledger, status="FAILED")
    origins = [ledger.job(job["origin_job_id"]) for job in jobs_of(ledger, third.id)]
    assert sorted((one["origin"], one["origin_job_id"]) for one in origins if one["origin"] == "replay") == [("replay", failed[0])]
    assert [one["id"] for one in origins if one["origin"] == "event"] == [failed[1]]


def test_a_job_that_is_under_way_a_dry_run_or_being_replayed_is_refused_in_words(ledger: TestLedger) -> None:
    (running,) = ledger.add_jobs(status="RUNNING")
    (dry,) = ledger.add_jobs(status="COMPLETED", trigger_data=Jsonb({"dry_run": True}))
    (failed,) = ledger.add_jobs(status="FAILED")
    replayed(ledger, job_ids=[failed])
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
        for job_id, words in ((running, "is RUNNING"), (dry, "is a dry run"), (failed, "is being replayed already")):
            with pytest.raises(NotReplayable, match=words):
                origin_of(connection, job_id, replay_id=new_id())
        assert origin_of(connection, new_id(), replay_id=new_id()) is None


def test_a_named_job_is_replayed_again_after_its_replay_ended(ledger: TestLedger) -> None:
    (origin,) = ledger.add_jobs(status="FAILED")
    replayed(ledger, job_ids=[origin])
    ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED' where origin = 'replay'")
    assert replayed(ledger, job_ids=[origin]).made == 1


def test_the_rate_is_kept_by_due_times(ledger: TestLedger) -> None:
    ledger.add_jobs(4, status="FAILED")
    made = replayed(ledger, status="FAILED", rate_per_minute=2)
    due = [job["due_at"] for job in jobs_of(ledger, made.id)]
    assert [(at - due[0]).total_seconds() for at in due] == [0, 30, 60, 90]
    assert sum(len(batch.job_ids) for batch in ledger.hand_over()) == 1


def test_a_preview_makes_dry_runs_that_stand_in_nobodys_way(ledger: TestLedger) -> None:
    (origin,) = ledger.add_jobs(status="FAILED")
    made = replayed(ledger, job_ids=[origin], is_dry_run=True)
    (job,) = jobs_of(ledger, made.id)
    assert job["trigger_data"]["dry_run"] is True
    assert job["record_key"] == f"{ledger.job(origin)['record_key']}:dry-run:{job['id']}"
    assert replayed(ledger, job_ids=[origin]).made == 1


def test_an_edited_request_is_one_of_its_own_and_the_same_edit_is_the_same_request(ledger: TestLedger) -> None:
    (origin,) = ledger.add_jobs(status="FAILED", trigger_data=Jsonb({"kind": "sweep.requested", "payload": {"ticker": "A"}}))
    key = ledger.job(origin)["record_key"]
    keys = []
    for ticker in ("B", "B", "C"):
        made = replayed(ledger, job_ids=[origin], mode=ReplayMode.EDITED, payload={"ticker": ticker})
        (job,) = jobs_of(ledger, made.id)
        assert job["trigger_data"] == {"kind": "sweep.requested", "payload": {"ticker": ticker}}
        assert job["checkpoint"] == {}
        keys.append(job["record_key"])
    assert keys[0] == keys[1] != keys[2]
    assert all(one.startswith(f"{key}:edited:") for one in keys)


def test_stopping_half_way_cancels_what_nobody_works_on_and_lets_the_rest_end(ledger: TestLedger) -> None:
    ledger.add_jobs(6, status="FAILED")
    made = replayed(ledger, status="FAILED")
    (running, done, *waiting) = [job["id"] for job in jobs_of(ledger, made.id)]
    ledger.owner.execute("update zixly.workflow_jobs set status = 'RUNNING', run_id = 'r' where id = %s", (running,))
    ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED' where id = %s", (done,))
    with ledger.owner.transaction():
        assert stop_replay(ledger.owner, replay_id=made.id, actor="somebody") == 4
        assert stop_replay(ledger.owner, replay_id=made.id, actor="somebody else") == 0
    assert {job["id"]: job["status"] for job in jobs_of(ledger, made.id)} == {
        running: "RUNNING",
        done: "COMPLETED",
        **dict.fromkeys(waiting, "CANCELLED"),
    }
    assert not ledger.job(running)["cancel_requested_at"]
    replay = ledger.owner.execute("select stopped_by from zixly.replays where id = %s", (made.id,)).fetchone()
    assert replay is not None
    assert replay["stopped_by"] == "somebody"
    counted = ledger.owner.execute("select sum(value) as n from zixly.job_counters where status = 'cancelled'").fetchone()
    assert counted is not None
    assert counted["n"] == 4


def test_every_replay_is_in_the_audit_log_with_ids_and_words_of_ours_only(ledger: TestLedger) -> None:
    (origin,) = ledger.add_jobs(status="FAILED")
    made = replayed(ledger, job_ids=[origin], mode=ReplayMode.EDITED, payload={"email": "ann@example.test"})
    row = ledger.owner.execute("select * from zixly.audit_log").fetchone()
    assert row is not None
    assert (row["action"], row["subject"], row["actor"]) == ("replay.make", str(made.id), "somebody")
    assert row["details"] == {"mode": "EDITED", "jobs": 1, "job": str(origin)}


def test_another_tenants_jobs_cannot_be_replayed(ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    (theirs,) = ledger.add_jobs(status="FAILED", tenant=other)
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
        assert origin_of(connection, theirs, replay_id=new_id()) is None
        assert matching_jobs(connection, tenant_id=other.id, choice=JobChoice()) == Matching(0, 0)
    assert replayed(ledger, job_ids=[theirs]).made == 0
    wanted = WantedReplay(new_id(), other.id, JobChoice())
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection,
    ):
        make_replay(connection, wanted, actor="somebody")


def test_one_replay_makes_ten_thousand_jobs_and_the_next_the_rest(ledger: TestLedger) -> None:
    ledger.owner.execute(
        """insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at, status)
        select gen_random_uuid(), %s, %s, 'xero-invoice-to-hubspot', 'xero', 'xero:INVOICE:' || n, n, now(), 'FAILED'
        from generate_series(1, 12000) n""",
        (ledger.tenant.id, ledger.tenant.xero),
    )
    made = replayed(ledger, status="FAILED")
    assert (made.made, made.matching.to_make) == (10_000, 12_000)
    assert replayed(ledger, status="FAILED").made == 2_000
