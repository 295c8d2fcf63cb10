"""Dead letters become one issue for each cause, and issues end by themselves when nothing is left of them."""

from __future__ import annotations

import random
import time
from typing import Any
from uuid import UUID

import pytest

from tests.support.ledger import POLICY, Tenant, TestLedger
from zixly_core.errors import Permanent
from zixly_core.job import DRY_RUN_ENDING, JobEnd, failure_from
from zixly_core.stores.cancel import cancel_job, retry_job
from zixly_core.stores.issue_grouping import LookedInto, look_into_failures
from zixly_core.stores.settle import settle

REFUSED = {"error_reason": "refused", "error_system": "hubspot", "error_operation": "update contacts"}


def dead_letters(ledger: TestLedger, count: int = 1, **columns: Any) -> list[UUID]:
    ended = {"status": "FAILED", "dead_letter": True, "completed_at": "2026-11-27T10:00:00+00:00", **REFUSED}
    return ledger.add_jobs(count, **{**ended, **columns})


def replay_of(ledger: TestLedger, job_id: UUID, status: str = "QUEUED", **columns: Any) -> UUID:
    ended = {"completed_at": "2026-11-27T11:00:00+00:00"} if status in {"COMPLETED", "FAILED"} else {}
    dead = {"dead_letter": True, **REFUSED} if status == "FAILED" else {}
    return ledger.add_jobs(1, origin="replay", origin_job_id=job_id, status=status, **{**ended, **dead, **columns})[0]


def look(ledger: TestLedger) -> LookedInto:
    return look_into_failures(ledger.dispatch)


def issues(ledger: TestLedger) -> list[tuple[Any, ...]]:
    rows = ledger.owner.execute("select system, operation, reason, status, count from zixly.issues order by id").fetchall()
    return [tuple(row.values()) for row in rows]


def transitions(ledger: TestLedger) -> list[str]:
    rows = ledger.owner.execute("select transition from zixly.issue_transitions order by at, id").fetchall()
    return [row["transition"] for row in rows]


def end(ledger: TestLedger, job_id: UUID, status: str) -> None:
    ledger.owner.execute(
        "update zixly.workflow_jobs set status = %s, dead_letter = %s, error_reason = 'refused', fence = fence + 1, completed_at = now() "
        "where id = %s",
        (status, status == "FAILED", job_id),
    )


def retry(ledger: TestLedger, job_id: UUID) -> None:
    assert retry_job(ledger.owner, job_id=job_id, actor="mia") == "QUEUED"


def test_ten_thousand_failures_of_one_cause_are_one_issue_that_was_opened_once(ledger: TestLedger) -> None:
    ledger.owner.execute(
        """
        insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at, status,
          dead_letter, completed_at, error_reason, error_system, error_operation)
        select gen_random_uuid(), %s, %s, 'xero-invoice-to-hubspot', 'xero', 'xero:INVOICE:' || n, n::text, now(), 'FAILED', true,
          timestamptz '2026-11-27 10:00+00' + n * interval '1 second', 'refused', 'hubspot', 'update contacts'
        from generate_series(1, 10000) as n""",
        (ledger.tenant.id, ledger.tenant.xero),
    )
    began = time.monotonic()
    looks = 0
    while look(ledger).ends:
        looks += 1
    seconds = time.monotonic() - began
    print(f"10,000 dead letters grouped in {seconds:.2f} s, {looks} looks")
    assert issues(ledger) == [("hubspot", "update contacts", "refused", "OPEN", 10_000)]
    assert transitions(ledger) == ["opened"]
    row = ledger.owner.execute("select first_seen_at, last_seen_at, title from zixly.issues").fetchone()
    assert row is not None
    assert (row["last_seen_at"] - row["first_seen_at"]).total_seconds() == 9_999
    assert row["title"] == "Jobs fail when hubspot is asked to update contacts: refused."
    replays = ledger.owner.execute(
        """
        insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at, status,
          completed_at, origin, origin_job_id)
        select gen_random_uuid(), tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at, 'COMPLETED', now(),
          'replay', id from zixly.workflow_jobs"""
    )
    assert replays.rowcount == 10_000
    while look(ledger).ends:
        pass
    assert issues(ledger) == [("hubspot", "update contacts", "refused", "RESOLVED", 10_000)]
    assert transitions(ledger) == ["opened", "resolved"]


def test_causes_are_told_apart_by_tenant_system_operation_reason_and_account(ledger: TestLedger) -> None:
    other = ledger.add_tenant("second")
    dead_letters(ledger, 2)
    dead_letters(ledger, tenant=other)
    dead_letters(ledger, error_reason="forbidden")
    dead_letters(ledger, error_operation="write notes")
    dead_letters(ledger, error_system=None, error_operation=None, error_reason="contact_missing")
    dead_letters(ledger, 3, error_system="xero", error_operation="read invoices")
    look(ledger)
    assert sorted(issues(ledger)) == [
        ("hubspot", "update contacts", "forbidden", "OPEN", 1),
        ("hubspot", "update contacts", "refused", "OPEN", 1),
        ("hubspot", "update contacts", "refused", "OPEN", 2),
        ("hubspot", "write notes", "refused", "OPEN", 1),
        ("xero", "read invoices", "refused", "OPEN", 3),
        ("xero", "xero-invoice-to-hubspot", "contact_missing", "OPEN", 1),
    ]
    accounts = ledger.owner.execute("select system, connection_id from zixly.issues where connection_id is not null").fetchall()
    assert [tuple(row.values()) for row in accounts] == [("xero", ledger.tenant.xero)]


def test_a_failed_call_tells_its_system_and_what_it_was_for_without_ids(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    error = Permanent("hubspot answered 400.", reason="refused").when("hubspot", "update 2 contacts (151, 152)")
    settle(ledger.runs, run, [JobEnd(job, failure_from(error))], policy=POLICY, jitter=random.Random(1))
    look(ledger)
    assert issues(ledger) == [("hubspot", "update contacts", "refused", "OPEN", 1)]


@pytest.mark.parametrize("way", ["retry", "replay", "replay of a replay", "retried replay", "cancelled"])
def test_an_issue_ends_by_itself_when_its_last_dead_letter_is_made_good(ledger: TestLedger, way: str) -> None:
    first, last = dead_letters(ledger, 2)
    look(ledger)
    replay_of(ledger, first, "COMPLETED")
    assert look(ledger).resolved == 0
    match way:
        case "retry" | "cancelled":
            retry(ledger, last)
            assert look(ledger).resolved == 0, "it is under way"
            end(ledger, last, "COMPLETED") if way == "retry" else cancel_job(ledger.owner, job_id=last, actor="mia")
        case "replay":
            replay_of(ledger, last, "COMPLETED")
        case "replay of a replay":
            replay_of(ledger, replay_of(ledger, last, "FAILED"), "COMPLETED")
        case _:
            failed = replay_of(ledger, last, "FAILED")
            look(ledger)
            retry(ledger, failed)
            end(ledger, failed, "COMPLETED")
    look(ledger)
    assert [row[3] for row in issues(ledger)] == ["RESOLVED"]
    assert transitions(ledger) == ["opened", "resolved"]
    assert ledger.owner.execute("select from zixly.workflow_jobs where dead_letter").fetchall() == []


def test_a_dry_run_neither_raises_an_issue_nor_ends_one(ledger: TestLedger) -> None:
    dead_letters(ledger, record=f"1{DRY_RUN_ENDING}2")
    look(ledger)
    assert issues(ledger) == []
    (real,) = dead_letters(ledger)
    look(ledger)
    replay_of(ledger, real, "COMPLETED", record=f"1{DRY_RUN_ENDING}3")
    look(ledger)
    assert [row[3] for row in issues(ledger)] == ["OPEN"]


def test_replays_that_fail_again_count_and_do_not_double_what_is_left(ledger: TestLedger) -> None:
    dead = dead_letters(ledger, 5)
    look(ledger)
    for one in dead:
        replay_of(ledger, one, "FAILED")
    look(ledger)
    assert issues(ledger) == [("hubspot", "update contacts", "refused", "OPEN", 10)]
    left = ledger.owner.execute("select origin from zixly.workflow_jobs where dead_letter").fetchall()
    assert [row["origin"] for row in left] == ["replay"] * 5
    assert transitions(ledger) == ["opened"]


def test_of_two_replays_the_one_that_succeeds_counts(ledger: TestLedger) -> None:
    (dead,) = dead_letters(ledger)
    look(ledger)
    replay_of(ledger, dead, "FAILED")
    look(ledger)
    replay_of(ledger, dead, "COMPLETED")
    look(ledger)
    assert [row[3] for row in issues(ledger)] == ["RESOLVED"]


def test_a_retry_that_fails_for_another_reason_moves_to_the_other_issue(ledger: TestLedger) -> None:
    (dead,) = dead_letters(ledger, error_reason="forbidden")
    look(ledger)
    retry(ledger, dead)
    end(ledger, dead, "FAILED")
    look(ledger)
    assert [row[2:] for row in issues(ledger)] == [("forbidden", "RESOLVED", 1), ("refused", "OPEN", 1)]


def test_a_cause_that_comes_again_after_its_issue_ended_makes_a_new_one(ledger: TestLedger) -> None:
    (dead,) = dead_letters(ledger)
    look(ledger)
    replay_of(ledger, dead, "COMPLETED")
    look(ledger)
    dead_letters(ledger)
    look(ledger)
    assert [row[3:] for row in issues(ledger)] == [("RESOLVED", 1), ("OPEN", 1)]
    assert transitions(ledger) == ["opened", "resolved", "opened"]


def test_what_is_ignored_counts_on_and_stays_ignored(ledger: TestLedger) -> None:
    (dead,) = dead_letters(ledger)
    look(ledger)
    ledger.owner.execute("update zixly.issues set status = 'IGNORED'")
    dead_letters(ledger, 3)
    look(ledger)
    assert [row[3:] for row in issues(ledger)] == [("IGNORED", 4)]
    for row in ledger.owner.execute("select id from zixly.workflow_jobs where dead_letter").fetchall():
        replay_of(ledger, row["id"], "COMPLETED")
    look(ledger)
    assert [row[3:] for row in issues(ledger)] == [("IGNORED", 4)]
    assert transitions(ledger) == ["opened"]
    assert ledger.job(dead)["dead_letter"] is False


def test_jobs_of_an_issue_that_a_person_resolved_do_not_open_it_again(ledger: TestLedger) -> None:
    dead_letters(ledger, 3)
    look(ledger)
    ledger.owner.execute("update zixly.issues set status = 'RESOLVED'")
    assert look(ledger) == LookedInto()
    assert len(issues(ledger)) == 1


def test_a_dead_letter_is_counted_once_and_once_more_when_its_retry_fails(ledger: TestLedger) -> None:
    (dead,) = dead_letters(ledger)
    assert look(ledger) == LookedInto(ends=1, failures=1, opened=1)
    assert look(ledger) == LookedInto()
    retry(ledger, dead)
    end(ledger, dead, "FAILED")
    assert look(ledger) == LookedInto(ends=1, failures=1)
    assert [row[3:] for row in issues(ledger)] == [("OPEN", 2)]


def test_ordinary_jobs_are_never_looked_at(ledger: TestLedger) -> None:
    ledger.add_jobs(3, status="COMPLETED")
    ledger.add_jobs(3, status="CANCELLED")
    ledger.add_jobs(3)
    assert look(ledger) == LookedInto()
    plan = ledger.owner.execute(
        "explain select id from zixly.workflow_jobs where issue_fence is distinct from fence and (dead_letter or "
        "(status in ('COMPLETED', 'CANCELLED') and (issue_id is not null or origin = 'replay'))) order by completed_at limit 1"
    ).fetchall()
    assert "jobs_to_look_into" in str(plan)


def test_two_lookers_do_not_count_twice(ledger: TestLedger) -> None:
    dead_letters(ledger, 3)
    with ledger.dispatch.transaction() as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('zixly.issues'))")
        assert look(ledger) == LookedInto()
    assert look(ledger).failures == 3


def test_the_issues_of_one_tenant_are_not_anothers_to_see_or_change(ledger: TestLedger) -> None:
    other: Tenant = ledger.add_tenant("second")
    dead_letters(ledger)
    dead_letters(ledger, tenant=other)
    look(ledger)
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as rows:
        for table in ("issues", "issue_transitions"):
            assert {row["tenant_id"] for row in rows.execute(f"select tenant_id from zixly.{table}")} == {ledger.tenant.id}
        assert rows.execute("update zixly.issues set status = 'RESOLVED' where tenant_id = %s", (other.id,)).rowcount == 0
