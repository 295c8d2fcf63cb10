"""An account that has just begun to answer gets one job, then a few, then as many as it likes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.gentle_start import OVER_AFTER_SECONDS, TRIAL_OVER_AFTER_SECONDS, jobs_let_go

pytestmark = pytest.mark.unit


def test_while_only_a_probe_was_answered_one_job_tries_and_another_each_five_seconds() -> None:
    assert [jobs_let_go(answered_for=at, well_for=None) for at in (0, 4.9, 5, 11)] == [1, 1, 2, 3]
    assert jobs_let_go(answered_for=TRIAL_OVER_AFTER_SECONDS, well_for=None) is None


def test_once_a_job_was_answered_twice_as_many_go_every_two_seconds() -> None:
    assert [jobs_let_go(answered_for=60, well_for=at) for at in (0, 2, 4, 10, 18)] == [4, 8, 16, 128, 2048]
    assert jobs_let_go(answered_for=60, well_for=OVER_AFTER_SECONDS) is None


@given(st.floats(0, 1_000), st.floats(0, 1_000))
def test_it_never_becomes_narrower(one: float, other: float) -> None:
    early, late = sorted((one, other))
    first, second = jobs_let_go(answered_for=2_000, well_for=early), jobs_let_go(answered_for=2_000, well_for=late)
    assert second is None or (first is not None and 1 <= first <= second)
