"""Ids are ordered by time, also within the millisecond in which a whole batch of rows is made."""

from __future__ import annotations

import time
from uuid import RFC_4122

import pytest

from zixly_core.ids import new_id

pytestmark = pytest.mark.unit
NOON = 1_763_812_800_000_000_000


def test_what_is_made_one_after_the_other_within_a_millisecond_is_in_that_order(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(NOON, NOON + 1_000_000, 500))
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    made = [new_id() for _ in range(2_000)]
    assert made == sorted(made)
    assert len(set(made)) == 2_000


def test_an_id_is_a_uuid_of_version_7_that_tells_its_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: NOON + 999_999)
    one, other = new_id(), new_id()
    assert (one.version, one.variant, one.int >> 80) == (7, RFC_4122, NOON // 1_000_000)
    assert one.int >> 64 == other.int >> 64
    assert one != other
