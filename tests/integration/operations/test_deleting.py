"""What is older than it has to be kept goes, with its documents and archives; what is open or counted stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tests.support.kept import LIMITS, Came, Kept
from zixly_core.archiving import Limits, archive_payloads
from zixly_core.deleting import Deletion
from zixly_core.ids import new_id
from zixly_core.stores.deletion import Keep, due_counts

KEEP = Keep(years=7, dedupe_days=90, rejected_days=30, rows=2)
NO_LIMITS = Limits(older_than=timedelta(), pause=timedelta())
EIGHT_YEARS, SIX_YEARS = timedelta(days=8 * 366), timedelta(days=6 * 365)


def deleted(kept: Kept) -> dict[str, int]:
    return {name: count for name, count in Deletion(kept.retention, kept.store, KEEP, NO_LIMITS).run().counts.items() if count}


def done_long_ago(kept: Kept, age: timedelta, **job: Any) -> Came:
    """A delivery whose job ended, with an attempt, a related record, an effect and a document."""
    came = kept.add(kept.ledger.tenant, age=age)
    job_id = kept.add_job(came.events[0], age=age, **job)
    owner, tenant_id = kept.ledger.owner, kept.ledger.tenant.id
    owner.execute(
        "insert into zixly.job_attempts (job_id, attempt, fence, tenant_id, outcome) values (%s, 1, 1, %s, 'completed')",
        (job_id, tenant_id),
    )
    owner.execute(
        "insert into zixly.workflow_related_records (job_id, system, record_type, record_id, action, tenant_id)"
        " values (%s, 'xero', 'invoice', '1', 'READ', %s)",
        (job_id, tenant_id),
    )
    owner.execute(
        "insert into zixly.effects (tenant_id, effect_key, job_id, fence, system, operation, target, state, source_version, content_sha256)"
        " values (%s, %s, %s, 1, 'xero', 'x', 'y', 'DONE', now(), '')",
        (tenant_id, str(job_id), job_id),
    )
    kept.store.put(f"{tenant_id}/{job_id}/document.pdf", b"%PDF-", content_type="application/pdf")
    return came


def counts(kept: Kept) -> dict[str, int]:
    tables = "workflow_jobs job_attempts workflow_related_records effects events deliveries payload_archives".split()
    return {table: kept.count(f"zixly.{table}") for table in tables} | {"objects": len(list(kept.store.list("")))}


def test_after_seven_years_everything_of_a_job_goes_and_younger_ones_stay_whole(kept: Kept) -> None:
    old = [done_long_ago(kept, EIGHT_YEARS) for _ in range(3)]
    young = done_long_ago(kept, SIX_YEARS)
    archive_payloads(kept.retention, kept.store, LIMITS)
    assert counts(kept)["objects"] == 4 + 4, "a document for each job; archives of events and bodies for each of two days"
    before = kept.read(*young.events)

    assert deleted(kept) == {"jobs": 3, "objects": 3, "events": 3, "deliveries": 3, "archives": 2}

    assert counts(kept) == {
        **dict.fromkeys(("workflow_jobs", "job_attempts", "workflow_related_records", "effects", "events", "deliveries"), 1),
        "payload_archives": 2,
        "objects": 3,
    }
    assert kept.read(*young.events) == before
    assert kept.read(*old[0].events) == {}
    assert deleted(kept) == {}, "a second run finds nothing"


def test_what_the_ledger_counted_stays_as_counts_of_the_day(kept: Kept) -> None:
    for _ in range(3):
        done_long_ago(kept, EIGHT_YEARS)
    done_long_ago(kept, EIGHT_YEARS, status="FAILED")
    deleted(kept)
    rows = kept.ledger.owner.execute("select kind, outcome, count, tenant_id from zixly.deleted_counts order by kind, outcome").fetchall()
    tenant_id = kept.ledger.tenant.id
    assert [tuple(row.values()) for row in rows] == [
        ("event", "jobs", 4, tenant_id),
        ("job", "completed", 3, tenant_id),
        ("job", "failed", 1, tenant_id),
    ]


def test_what_is_still_open_stays_with_what_it_came_from(kept: Kept) -> None:
    came = kept.add(kept.ledger.tenant, age=EIGHT_YEARS)
    kept.add_job(came.events[0], status="QUEUED", age=EIGHT_YEARS, parked_reason="vendor_down")
    assert deleted(kept) == {}
    assert kept.read(*came.events)


def test_dedupe_keys_and_sealed_requests_go_after_their_own_days(kept: Kept) -> None:
    owner = kept.ledger.owner
    for days in (89, 91):
        owner.execute(
            "insert into zixly.dedupe_keys (system, key, event_id, created_at) values ('xero', %s, gen_random_uuid(), now() - %s)",
            (str(days), timedelta(days=days)),
        )
    for days in (29, 31):
        came = kept.add(age=timedelta(days=days), verdict="rejected")
        owner.execute("update zixly.deliveries set sealed = 'x', body = '', headers = %s where id = %s", (Jsonb({}), came.delivery))
    assert due_counts(kept.retention, KEEP)["dedupe_keys"] == due_counts(kept.retention, KEEP)["rejected"] == 1
    assert deleted(kept) == {"dedupe_keys": 1, "rejected": 1}
    assert (kept.count("zixly.dedupe_keys"), kept.count("zixly.deliveries where sealed is not null")) == (1, 1)


def test_the_audit_log_stays(kept: Kept) -> None:
    kept.ledger.owner.execute(
        "insert into zixly.audit_log (id, at, actor, action, subject) values (gen_random_uuid(), now() - interval '9 years', 'a', 'b', 'c')"
    )
    deleted(kept)
    assert kept.count("zixly.audit_log") == 1


def test_a_run_ends_when_its_time_is_over_and_the_next_goes_on(kept: Kept) -> None:
    done_long_ago(kept, EIGHT_YEARS)
    first = Deletion(kept.retention, kept.store, KEEP, Limits(older_than=timedelta(), time=timedelta(), pause=timedelta())).run()
    assert (first.is_complete, kept.count("zixly.workflow_jobs")) == (False, 1)
    assert deleted(kept)["jobs"] == 1


def test_sessions_sign_ins_and_machine_tokens_go_after_times_of_their_own(kept: Kept) -> None:
    """Sessions a day after they ended by time, sign-ins after an hour, machine tokens 90 days after they were revoked or ran out."""
    owner = kept.ledger.owner
    user = new_id()
    owner.execute("insert into zixly.users (id, email, name) values (%s, 'somebody@example.com', 'Somebody')", (user,))
    for hours in (-1, 23, 25):
        owner.execute(
            "insert into zixly.sessions (id, token_sha256, user_id, expires_at) values (%s, %s, %s, now() - %s)",
            (new_id(), str(hours).encode(), user, timedelta(hours=hours)),
        )
    for minutes in (59, 61):
        owner.execute(
            "insert into zixly.sign_ins (state_sha256, browser_sha256, place, created_at) values (%s, '', '/', now() - %s)",
            (str(minutes).encode(), timedelta(minutes=minutes)),
        )
    add_token(kept, "in force", made=100, lasts=200)
    add_token(kept, "ran out lately", made=100, lasts=20)
    add_token(kept, "ran out long ago", made=200, lasts=100)
    add_token(kept, "revoked lately", made=100, lasts=200, revoked=89)
    add_token(kept, "revoked long ago", made=100, lasts=200, revoked=91)
    assert {table: due_counts(kept.retention, KEEP)[table] for table in ("sessions", "sign_ins", "machine_tokens")} == {
        "sessions": 1,
        "sign_ins": 1,
        "machine_tokens": 2,
    }

    assert deleted(kept) == {"sessions": 1, "sign_ins": 1, "machine_tokens": 2}

    names = owner.execute("select name from zixly.machine_tokens order by name").fetchall()
    assert [row["name"] for row in names] == ["in force", "ran out lately", "revoked lately"]
    sessions = owner.execute("select token_sha256 from zixly.sessions order by expires_at").fetchall()
    assert [bytes(row["token_sha256"]) for row in sessions] == [b"23", b"-1"]
    assert [bytes(row["state_sha256"]) for row in owner.execute("select state_sha256 from zixly.sign_ins").fetchall()] == [b"59"]


def add_token(kept: Kept, name: str, *, made: int, lasts: int, revoked: int | None = None) -> None:
    """A machine token that was made, and perhaps revoked, so many days ago, for so many days."""
    kept.ledger.owner.execute(
        "insert into zixly.machine_tokens (id, tenant_id, name, role, scopes, secret_sha256, made_by, created_at, expires_at, revoked_at)"
        " values (%(id)s, %(tenant)s, %(name)s, 'VIEWER', '{jobs}', '', 'a test', now() - %(made)s, now() - %(made)s + %(lasts)s,"
        " now() - %(revoked)s::interval)",
        {
            "id": new_id(),
            "tenant": kept.ledger.tenant.id,
            "name": name,
            "made": timedelta(days=made),
            "lasts": timedelta(days=lasts),
            "revoked": None if revoked is None else timedelta(days=revoked),
        },
    )
