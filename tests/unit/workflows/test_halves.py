"""A batch that is refused as a whole is sent in halves until the element at fault stands alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.errors import Permanent, Transient
from zixly_dagster.ops.halves import MAX_REFUSALS, in_halves

pytestmark = pytest.mark.unit


class Vendor:
    """Refuses every call that holds one of the bad elements."""

    def __init__(self, bad: set[int]) -> None:
        self.bad = bad
        self.refusals = 0
        self.taken: list[int] = []

    def call(self, items: Sequence[int]) -> list[str]:
        if self.bad & set(items):
            self.refusals += 1
            raise Permanent("refused", reason="refused")
        self.taken += items
        return [f"took {item}" for item in items]


def refused(item: int, _: Permanent) -> str:
    return f"refused {item}"


@pytest.mark.parametrize("bad", range(100))
def test_one_bad_element_among_a_hundred_is_found_within_eight_refusals(bad: int) -> None:
    vendor = Vendor({bad})
    results = in_halves(range(100), vendor.call, refused=refused)
    assert sorted(vendor.taken) == [item for item in range(100) if item != bad]
    assert f"refused {bad}" in results
    assert vendor.refusals <= 8


@given(st.sets(st.integers(0, 99)), st.integers(0, 100))
def test_each_element_has_one_result_and_refusals_are_bounded(bad: set[int], size: int) -> None:
    vendor = Vendor(bad)
    results = in_halves(range(size), vendor.call, refused=refused)
    assert sorted(int(result.split()[1]) for result in results) == list(range(size))
    assert set(vendor.taken).isdisjoint(bad)
    assert vendor.refusals <= MAX_REFUSALS + 7, "each group that waits then is tried once more, and 100 halve seven times"


def test_other_failures_are_not_halved() -> None:
    def call(items: Sequence[int]) -> list[str]:
        raise Transient("away", reason="vendor_unavailable")

    with pytest.raises(Transient):
        in_halves([1, 2], call, refused=refused)
