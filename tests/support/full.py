"""Repetitions and large numbers that only widen a proof: `make test FULL=1` (or `ZIXLY_FULL=1`) runs them all, every other run fewer.

A release is made after a full run: the figures that documents state are those of full runs.
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
