"""Progress lines."""

from __future__ import annotations

from benchmarks.progress import QUIET_SECONDS, counted


def test_a_count_is_told_when_it_changed_and_not_too_often() -> None:
    now = 0.0
    told: list[str] = []
    progress = counted(told.append, "{} of 9", clock=lambda: now)
    for now, number in ((0.0, 0), (1.0, 1), (QUIET_SECONDS, 2), (3 * QUIET_SECONDS, 2), (3 * QUIET_SECONDS, 3)):  # noqa: B007
        progress(number)
    assert told == ["0 of 9", "2 of 9", "3 of 9"]
