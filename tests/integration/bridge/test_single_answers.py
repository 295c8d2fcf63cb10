"""Paths for one answer: a job waits, a service that signs nothing calls back, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest

from tests.integration.bridge.running import RunningBridge, eventually
from tests.integration.bridge.senders import CALLBACK_SECRET, add_connection, add_path
from tests.support.deliveries import callback_headers
from tests.support.ledger import TestLedger
from zixly_core.stores.subscriptions import MadePath
from zixly_core.subscriptions import SubscriptionKind

JSON = {"content-type": "application/json"}


@pytest.fixture
def waiting(ledger: TestLedger) -> UUID:
    """A job that waits for an outside service, and is to be looked at in an hour."""
    (job_id,) = ledger.add_jobs(1, status="RUNNING", system="callbacks")
    ledger.owner.execute("update zixly.workflow_jobs set waiting_until = now() + interval '1 hour' where id = %s", (job_id,))
    return job_id


@pytest.fixture
def path(ledger: TestLedger, waiting: UUID) -> MadePath:
    connection = add_connection(ledger, "callbacks", "own-system")
    return add_path(ledger, connection, "callbacks", SubscriptionKind.ONCE, job_id=waiting, lasts=timedelta(hours=1))


def answered(bridge: RunningBridge, path: MadePath, body: bytes = b'{"status": "finished"}') -> httpx2.Response:
    return bridge.http.post(path.url(""), content=body, headers=JSON)


def outcomes(ledger: TestLedger) -> list[str]:
    return [row["outcome"] for row in ledger.owner.execute("select outcome from zixly.events order by received_at").fetchall()]


def test_the_answer_wakes_the_job_that_waits(bridge: RunningBridge, ledger: TestLedger, waiting: UUID, path: MadePath) -> None:
    answer = answered(bridge, path)
    assert (answer.status_code, answer.json()["job_ids"]) == (202, [str(waiting)])
    job = ledger.job(waiting)
    event = ledger.owner.execute("select id, kind, outcome, payload, tenant_id from zixly.events").fetchone()
    assert event is not None
    assert job["wake_event_id"] == event["id"]
    assert (event["kind"], event["outcome"], event["tenant_id"]) == ("callback.answered", "jobs", ledger.tenant.id)
    assert bytes(event["payload"]) == b'{"status":"finished"}'
    due = ledger.owner.execute("select waiting_until <= now() as is_due from zixly.workflow_jobs where id = %s", (waiting,)).fetchone()
    assert due == {"is_due": True}
    eventually(lambda: waiting in bridge.queues["callbacks"].queued_ids())


def test_no_job_is_counted_as_made_and_the_ledger_balances(bridge: RunningBridge, ledger: TestLedger, path: MadePath) -> None:
    answered(bridge, path)
    assert ledger.owner.execute("select 1 from zixly.job_counters where name = 'queued'").fetchall() == []
    counted = ledger.owner.execute(
        "select sum(event_count)::int as received, (select count(*)::int from zixly.events) as told from zixly.deliveries"
    )
    assert counted.fetchone() == {"received": 1, "told": 1}


def test_a_second_answer_is_a_duplicate_and_changes_nothing(
    bridge: RunningBridge, ledger: TestLedger, waiting: UUID, path: MadePath
) -> None:
    answered(bridge, path)
    woken_by = ledger.job(waiting)["wake_event_id"]
    again = answered(bridge, path, b'{"status": "other"}')
    assert (again.status_code, again.json()["verdict"]) == (202, "duplicate")
    assert ledger.job(waiting)["wake_event_id"] == woken_by
    row = ledger.owner.execute("select status, used_at is not null as is_used from zixly.subscriptions").fetchone()
    assert row == {"status": "GONE", "is_used": True}


def test_of_many_answers_at_once_one_counts(bridge: RunningBridge, ledger: TestLedger, path: MadePath) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda n: answered(bridge, path, b'{"n": %d}' % n), range(20)))
    assert sorted(one.json()["verdict"] for one in answers) == ["accepted"] + ["duplicate"] * 19


def test_an_answer_that_comes_before_the_job_waits_is_not_lost(
    bridge: RunningBridge, ledger: TestLedger, path: MadePath, waiting: UUID
) -> None:
    """The service can be quicker than the commit that says that the job waits."""
    ledger.owner.execute("update zixly.workflow_jobs set waiting_until = null")
    answered(bridge, path)
    job = ledger.job(waiting)
    assert (job["waiting_until"], job["wake_event_id"] is not None) == (None, True)


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED"])
def test_an_answer_for_a_job_that_has_ended_is_kept_and_wanted_by_nobody(
    bridge: RunningBridge, ledger: TestLedger, path: MadePath, status: str
) -> None:
    ledger.owner.execute("update zixly.workflow_jobs set status = %s, waiting_until = null", (status,))
    assert answered(bridge, path).status_code == 202
    assert outcomes(ledger) == ["filtered"]


def test_an_answer_that_comes_too_late_is_refused(bridge: RunningBridge, ledger: TestLedger, path: MadePath, waiting: UUID) -> None:
    ledger.owner.execute("update zixly.subscriptions set expires_at = now() - interval '1 second'")
    assert answered(bridge, path).status_code == 401
    assert ledger.owner.execute("select reason from zixly.deliveries").fetchall() == [{"reason": "path_closed"}]
    assert ledger.job(waiting)["wake_event_id"] is None


@pytest.mark.parametrize(("body", "payload"), [(b"", b"{}"), (b"[1, 2]", b'{"data":[1,2]}'), (b'"done"', b'{"data":"done"}')])
def test_an_answer_may_be_any_json_or_nothing(
    bridge: RunningBridge, ledger: TestLedger, path: MadePath, body: bytes, payload: bytes
) -> None:
    assert answered(bridge, path, body).status_code == 202
    row = ledger.owner.execute("select payload from zixly.events").fetchone()
    assert row is not None
    assert bytes(row["payload"]) == payload


def test_an_answer_that_cannot_be_read_does_not_use_up_the_path(
    bridge: RunningBridge, ledger: TestLedger, path: MadePath, waiting: UUID
) -> None:
    assert answered(bridge, path, b"<html>").status_code == 400
    assert answered(bridge, path).status_code == 202
    assert ledger.job(waiting)["wake_event_id"] is not None


def test_a_sender_with_a_path_and_a_secret_of_its_own_is_verified_by_it(bridge: RunningBridge, ledger: TestLedger) -> None:
    connection = add_connection(ledger, "callbacks", "partner")
    signed = add_path(ledger, connection, "callbacks", SubscriptionKind.SIGNED)
    body = b'{"type": "report.finished"}'
    headers = callback_headers(body, secret=CALLBACK_SECRET, message_id="msg_1", at=datetime.now(UTC))
    assert bridge.http.post(signed.url(""), content=body, headers=headers).status_code == 202
    assert answered(bridge, signed).status_code == 401
    assert outcomes(ledger) == ["jobs"]
