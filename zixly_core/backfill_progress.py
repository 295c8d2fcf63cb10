"""How far a backfill has come, and how long it will take: from the days that were read and from what ended lately."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Jobs that ended, and how many there will be; the latter is estimated until all days are read, and None before the first is.
    `seconds_left` is None while nothing tells how fast it goes."""

    jobs_ended: int
    jobs_expected: int | None
    is_estimate: bool
    seconds_left: float | None


def progress_of(*, days: int, days_read: int, jobs_made: int, jobs_open: int, ended_lately: int, lately_seconds: float | None) -> Progress:
    """`ended_lately` jobs ended within the last `lately_seconds`; limits of the accounts show in that, since they hold jobs up."""
    is_estimate, ended = days_read < days, jobs_made - jobs_open
    expected = expected_jobs(days=days, days_read=days_read, jobs_made=jobs_made)
    left = None if expected is None else max(0, expected - ended)
    rate = ended_lately / lately_seconds if lately_seconds else 0.0
    if left == 0 and not is_estimate:
        return Progress(ended, expected, is_estimate=False, seconds_left=0.0)
    seconds_left = left / rate if left is not None and rate else None
    return Progress(ended, expected, is_estimate=is_estimate, seconds_left=seconds_left)


def expected_jobs(*, days: int, days_read: int, jobs_made: int) -> int | None:
    """As if the days to come were like those that were read."""
    if not days_read:
        return None
    return max(jobs_made, round(jobs_made * days / days_read))
