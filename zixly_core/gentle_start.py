"""How many jobs may go to an account that has just begun to answer again: one, and then twice as many every two seconds.

Whatever piled up while it was away would otherwise come at once, and take the account down again or spend its limits in a moment.
"""

from __future__ import annotations

# While only a probe was answered a single job tries, and another one after so long: the first may not have needed the account at all.
NEXT_TRY_SECONDS = 5.0
FIRST_JOBS = 4
DOUBLES_IN_SECONDS = 2.0
# By then more may have gone than are handed over at once anyway.
OVER_AFTER_SECONDS = 20.0
# What answered a probe and was not called since has nothing to be careful with.
TRIAL_OVER_AFTER_SECONDS = 600.0


def jobs_let_go(*, answered_for: float, well_for: float | None) -> int | None:
    """How many jobs may have gone by now, all together; None when there is nothing to be careful with any more.

    `answered_for` and `well_for` are the seconds since a probe was answered and since the first job's own call was.
    """
    if well_for is None:
        return None if answered_for >= TRIAL_OVER_AFTER_SECONDS else 1 + int(answered_for / NEXT_TRY_SECONDS)
    if well_for >= OVER_AFTER_SECONDS:
        return None
    return int(FIRST_JOBS * 2 ** (max(well_for, 0.0) / DOUBLES_IN_SECONDS))
