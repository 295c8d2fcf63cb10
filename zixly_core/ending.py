"""Whether this process has been told to end. What it is at is brought to its end; nothing new is begun, for nobody would take it up."""

from __future__ import annotations

import threading

_told = threading.Event()


def begin_ending() -> None:
    """For the handler of a signal."""
    _told.set()


def is_ending() -> bool:
    return _told.is_set()
