"""Signals around a run in a warm process, which outlives the run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_raised() -> Iterator[None]:
    """Within, SIGINT and SIGTERM raise `KeyboardInterrupt`; afterwards they do what they did before.

    A Celery child ignores SIGINT, and Dagster leaves SIGTERM as it found SIGINT (dagster/_utils/interrupts.py): without this a run
    could not be interrupted between its steps, nor the child be stopped after its first run.
    """
    before = {number: signal.signal(number, signal.default_int_handler) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Within, an interrupt is noted; afterwards it is delivered. For what must not be done by half. Only the main thread can be
    interrupted, so in any other this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)

    before = {number: signal.signal(number, note) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if noted:
            signal.raise_signal(noted[0])
