"""Signed Xero deliveries, one invoice each and none like another, as lines that `wrk.lua` and `loadgen.js` read."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bridge import KEY
from zixly_cli.deliveries import xero_delivery
from zixly_cli.seed import DEMO
from zixly_core.ids import new_id


def one_line() -> str:
    delivery = xero_delivery([str(new_id())], account=DEMO.organisation, key=KEY, now=datetime.now(UTC))
    return f"{delivery.headers['x-xero-signature']}\t{delivery.body.decode()}\n"


def write_bodies(path: Path, *, count: int) -> None:
    with path.open("w") as file:
        file.writelines(one_line() for _ in range(count))


@contextmanager
def endless_bodies(path: Path) -> Iterator[Path]:
    """A pipe that has another one for as long as somebody reads, for loads that no file could hold."""
    os.mkfifo(path)
    writer = threading.Thread(target=keep_writing, args=(path,), daemon=True)
    writer.start()
    try:
        yield path
    finally:
        unblocked(path)
        writer.join(timeout=10)


def keep_writing(path: Path) -> None:
    """Until the reader hangs up."""
    with suppress(BrokenPipeError), path.open("w") as pipe:
        while True:
            pipe.write(one_line())


def unblocked(path: Path) -> None:
    """A writer that still waits for its first reader gets one, which goes at once."""
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
