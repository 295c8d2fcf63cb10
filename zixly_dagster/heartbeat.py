"""The heartbeat of a run: a thread that renews the lease while the run holds jobs, and ends by itself when it holds none."""

from __future__ import annotations

import os
import threading
from datetime import timedelta

import structlog

from zixly_core.errors import StoreUnavailable
from zixly_core.settings import Settings
from zixly_core.stores.claims import RunIdentity, renew
from zixly_core.stores.database import Database

log = structlog.get_logger()
_beating: dict[tuple[int, str], threading.Event] = {}
_lock = threading.Lock()


def keep_alive(database: Database, run: RunIdentity, *, settings: Settings) -> None:
    """Start the heartbeat of this run, unless it beats already."""
    key = (os.getpid(), run.run_id)
    with _lock:
        if key in _beating:
            return
        ended = _beating[key] = threading.Event()
    beat = threading.Thread(target=_beat, args=(database, run, settings, ended), name=f"heartbeat-{run.run_id[:8]}", daemon=True)
    beat.start()


def let_go(run_id: str) -> None:
    """Stop the heartbeat of this run. A warm worker does several runs a second: each would leave a thread behind for a beat, and one that
    broke would keep its jobs for as long as the worker lives."""
    with _lock:
        ended = _beating.pop((os.getpid(), run_id), None)
    if ended is not None:
        ended.set()


def _beat(database: Database, run: RunIdentity, settings: Settings, ended: threading.Event) -> None:
    """Renew until nothing is held any more. While Postgres is away it goes on trying: the lease may still be good afterwards."""
    timeout = timedelta(seconds=settings.attempt_timeout_seconds)
    try:
        while not ended.wait(settings.heartbeat_seconds):
            try:
                if renew(database, run, lease=settings.lease, timeout=timeout) == 0:
                    return
            except StoreUnavailable as error:
                log.warning("heartbeat_missed", run_id=run.run_id, reason=error.reason)
    finally:
        forget(run, ended)


def forget(run: RunIdentity, ended: threading.Event) -> None:
    """Only this beat's own entry: whoever claims again after `let_go` has one of its own."""
    key = (os.getpid(), run.run_id)
    with _lock:
        if _beating.get(key) is ended:
            del _beating[key]
