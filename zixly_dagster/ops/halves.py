"""Batch calls that a vendor refuses as a whole for one element that does not fit."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from zixly_core.errors import Permanent

T = TypeVar("T")
R = TypeVar("R")

# The reason of a call that was answered with 400 (http_errors.py), and how many such answers lead to halves: one bad element among
# 100 is found with 8, two with 15.
REFUSED = "refused"
MAX_REFUSALS = 16


def in_halves(items: Sequence[T], call: Callable[[Sequence[T]], Sequence[R]], *, refused: Callable[[T, Permanent], R]) -> list[R]:
    """One result for each item. A refused call has written nothing; it is sent again in halves until the item at fault stands
    alone. After `MAX_REFUSALS` refusals whole groups count as refused. Raises what else `call` raises."""
    results: list[R] = []
    waiting, refusals = [list(items)] if items else [], 0
    while waiting:
        group = waiting.pop()
        try:
            results += call(group)
        except Permanent as error:
            if error.reason != REFUSED:
                raise
            refusals += 1
            if len(group) == 1 or refusals >= MAX_REFUSALS:
                results += [refused(item, error) for item in group]
            else:
                half = len(group) // 2
                waiting += [group[half:], group[:half]]
    return results
