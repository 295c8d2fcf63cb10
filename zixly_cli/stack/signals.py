"""When to stop: told by a signal, or because the `make` that called us is gone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_on_signals(*, parent: int | None = None) -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM, the end of the terminal, or the death of the `make` that called us sets. `parent` is that `make`;
    by default the process that called us, if it is one."""
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in STOPPING}
    if is_called_by_make():
        watched = os.getppid() if parent is None else parent
        threading.Thread(target=watch_parent, args=(watched, stop), name="watch-make", daemon=True).start()
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def is_called_by_make() -> bool:
    return "MAKELEVEL" in os.environ


def watch_parent(parent: int, stop: threading.Event) -> None:
    """A killed `make` cannot tell us. Left alone, we would stop the next `make up`."""
    while not stop.wait(0.5):
        if os.getppid() != parent:
            stop.set()
