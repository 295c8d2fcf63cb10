from __future__ import annotations

from datetime import timedelta

import pytest

from webhook_bridge import problems
from zixly_core import errors


def test_every_error_of_ours_has_a_status() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ZixlyError)]
    assert all(400 <= problems.status_of(kind("why")) < 600 for kind in kinds)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.StoreUnavailable("x"), 503),
        (errors.QueueUnavailable("x"), 503),
        (errors.InvalidSignature("x"), 401),
        (errors.StaleTimestamp("x"), 401),
        (errors.MalformedPayload("x"), 400),
        (problems.NotFound("x"), 404),
        (problems.WrongState("x"), 409),
        (errors.Permanent("x"), 500),
    ],
)
def test_the_status_tells_whose_fault_it_was_and_whether_to_try_again(error: errors.ZixlyError, status: int) -> None:
    assert problems.status_of(error) == status


def test_the_specific_lines_of_the_table_come_before_their_bases() -> None:
    kinds = [kind for kind, _ in problems.STATUSES]
    for position, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[position + 1 :])


@pytest.mark.parametrize(("asked", "told"), [(timedelta(seconds=0.2), "1"), (timedelta(seconds=7.5), "8"), (None, "5")])
def test_retry_after_is_in_whole_seconds_and_never_zero(asked: timedelta | None, told: str) -> None:
    answer = problems.problem_of(errors.StoreUnavailable("away", retry_after=asked))
    assert answer.headers["retry-after"] == told


def test_every_described_problem_is_one_that_can_happen() -> None:
    assert set(problems.problems(*problems.DESCRIPTIONS)) == set(problems.DESCRIPTIONS)
