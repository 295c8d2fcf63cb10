"""Ids, made in Python so that a row's id is known before it is written (RFC 9562, version 7: ordered by time)."""

from __future__ import annotations

import os
import time
from uuid import UUID

NANOSECONDS = 1_000_000  # of a millisecond


def new_id() -> UUID:
    """A version 7 UUID: 48 bits of Unix milliseconds, 12 bits of the millisecond's fraction (section 6.2, method 3), then random bits.
    Indexes grow at their end, and what one process makes one after the other is in that order."""
    milliseconds, rest = divmod(time.time_ns(), NANOSECONDS)
    fraction = (rest << 12) // NANOSECONDS
    random = int.from_bytes(os.urandom(8)) >> 2
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random
    return UUID(int=value)
