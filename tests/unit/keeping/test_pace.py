"""How gently old payloads are archived."""

from __future__ import annotations

from datetime import timedelta

import pytest

from zixly_core.archiving import Limits, Pace

pytestmark = pytest.mark.unit


def rest_after(took_seconds: float, **limits: timedelta) -> list[float]:
    rests: list[float] = []
    Pace(Limits(older_than=timedelta(days=90), **limits), sleep=rests.append).rest(took_seconds=took_seconds)
    return rests


def test_the_slower_an_object_was_the_longer_live_work_is_left_alone() -> None:
    assert rest_after(0.01) == [0.25]
    assert rest_after(0.5) == [2.0]
    assert rest_after(60) == [20.0]


def test_where_no_pause_is_wanted_there_is_none() -> None:
    assert rest_after(0.5, pause=timedelta()) == []
