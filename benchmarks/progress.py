"""Progress in words, to the error stream, so that the report alone is what a pipe gets."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Say = Callable[[str], None]
# Between two lines of one count.
QUIET_SECONDS = 5.0


def teller() -> Say:
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {text}\n")
        sys.stderr.flush()

    return say


def counted(say: Say, text: str, *, clock: Callable[[], float] = time.monotonic) -> Callable[[int], None]:
    """Say a number in `text` (at `{}`) when it has changed, at most every few seconds."""
    told, told_at = -1, clock() - QUIET_SECONDS

    def progress(number: int) -> None:
        nonlocal told, told_at
        if number != told and clock() - told_at >= QUIET_SECONDS:
            say(text.format(number))
            told, told_at = number, clock()

    return progress
