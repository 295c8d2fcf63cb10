"""Repetitions that only widen a proof: `make test FULL=1` (or `ZIXLY_FULL=1`) runs them all, every other run the first ones.

What an issue states as a figure is never cut here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

IS_FULL = os.environ.get("ZIXLY_FULL") == "1"
Value = TypeVar("Value")


def first_of(values: Sequence[Value], count: int = 1) -> Sequence[Value]:
    """All of them in a full run, else the first `count`."""
    return values if IS_FULL else values[:count]
