"""Ids, made in Python so that a row's id is known before it is written (RFC 9562, version 7: ordered by time)."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """A version 7 UUID: 48 bits of Unix milliseconds, then random bits, so that indexes grow at their end."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
