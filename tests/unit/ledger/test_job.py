"""What follows a failed attempt, and which jobs a newer one makes needless."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.errors import BudgetSpent, Disconnected, LeaseLost, Permanent, RecordGone, StoreUnavailable, Transient, ZixlyError
from zixly_core.ids import new_id
from zixly_core.job import ClaimedJob, Failed, JobStatus, failure_from, next_step, superseded

BASE = timedelta(seconds=2)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def failed(**changes: object) -> Failed:
    return Failed(**{"reason": "http_500", "message": "Xero answered 500", "permanent": False, **changes})  # type: ignore[arg-type]


def make_job(*, record: str = "a", occurred_at: datetime = NOON, job_id: UUID | None = None) -> ClaimedJob:
    return ClaimedJob(
        id=job_id or new_id(),
        tenant_id=new_id(),
        connection_id=new_id(),
        record_key=record,
        record_id=record,
        occurred_at=occurred_at,
        attempts=1,
        fence=1,
        started_at=NOON,
    )


@given(attempt=st.integers(1, 2), seed=st.integers())
def test_the_wait_doubles_and_is_spread_by_half(attempt: int, seed: int) -> None:
    step = next_step(failed(), attempts=attempt, max_attempts=3, base=BASE, jitter=random.Random(seed))
    full = BASE * 2 ** (attempt - 1)
    assert step.status is JobStatus.QUEUED
    assert full / 2 <= step.delay <= full


def test_the_last_attempt_ends_the_job() -> None:
    assert next_step(failed(), attempts=3, max_attempts=3, base=BASE, jitter=random.Random(1)).status is JobStatus.FAILED


def test_a_permanent_failure_ends_the_job_at_once() -> None:
    assert next_step(failed(permanent=True), attempts=1, max_attempts=3, base=BASE, jitter=random.Random(1)).status is JobStatus.FAILED


def test_nobody_comes_back_before_the_other_side_allows_it() -> None:
    step = next_step(failed(retry_after=timedelta(minutes=5)), attempts=1, max_attempts=3, base=BASE, jitter=random.Random(1))
    assert step.delay == timedelta(minutes=5)


def test_a_parked_job_uses_up_no_attempt_even_on_its_last() -> None:
    step = next_step(failed(parks=True, retry_after=timedelta(hours=1)), attempts=3, max_attempts=3, base=BASE, jitter=random.Random(1))
    assert (step.status, step.uses_attempt, step.delay) == (JobStatus.QUEUED, False, timedelta(hours=1))


@pytest.mark.parametrize(
    ("error", "permanent", "parks"),
    [
        (Transient("x"), False, False),
        (StoreUnavailable("x"), False, False),
        (BudgetSpent("x", retry_after=timedelta(hours=3)), False, True),
        (Permanent("x"), True, False),
        (RecordGone("x"), True, False),
        (Disconnected("x"), True, False),
        (ZixlyError("x"), False, False),
    ],
)
def test_errors_are_told_apart_in_one_place(error: ZixlyError, permanent: bool, parks: bool) -> None:
    failure = failure_from(error)
    assert (failure.permanent, failure.parks, failure.reason) == (permanent, parks, error.reason)


def test_a_lost_lease_is_no_failure_of_the_job() -> None:
    with pytest.raises(LeaseLost):
        failure_from(LeaseLost("x"))


def test_the_newest_job_about_a_record_does_the_work_for_all() -> None:
    old, new, other = make_job(), make_job(occurred_at=NOON + timedelta(seconds=1)), make_job(record="b")
    assert superseded([new, old, other]) == {old.id: new}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=12))
def test_exactly_one_job_for_each_record_is_left(jobs: list[tuple[str, int]]) -> None:
    made = [make_job(record=record, occurred_at=NOON + timedelta(seconds=second)) for record, second in jobs]
    needless = superseded(made)
    left = [job.record_key for job in made if job.id not in needless]
    assert sorted(left) == sorted({record for record, _ in jobs})
    assert all(leader.id not in needless for leader in needless.values())


def test_a_disconnected_connection_parks_the_job_on_itself_and_uses_up_no_attempt() -> None:
    connection_id = new_id()
    failure = failure_from(Disconnected("x", connection_id=connection_id))
    assert (failure.permanent, failure.parks, failure.connection_id) == (False, True, connection_id)
    step = next_step(failure, attempts=3, max_attempts=3, base=BASE, jitter=random.Random(1))
    assert (step.status, step.uses_attempt, step.delay) == (JobStatus.QUEUED, False, timedelta())


def test_a_spent_budget_parks_the_job_on_the_account_that_was_called() -> None:
    connection_id = new_id()
    failure = failure_from(BudgetSpent("x", retry_after=timedelta(hours=1)), connection_id=connection_id)
    assert (failure.parks, failure.connection_id, failure.retry_after) == (True, connection_id, timedelta(hours=1))
