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
_beating: set[tuple[int, str]] = set()
_lock = threading.Lock()


def keep_alive(database: Database, run: RunIdentity, *, settings: Settings) -> None:
    """Start the heartbeat of this run, unless it beats already."""
    key = (os.getpid(), run.run_id)
    with _lock:
        if key in _beating:
            return
        _beating.add(key)
    beat = threading.Thread(target=_beat, args=(database, run, settings, key), name=f"heartbeat-{run.run_id[:8]}", daemon=True)
    beat.start()


def _beat(database: Database, run: RunIdentity, settings: Settings, key: tuple[int, str]) -> None:
    """Renew until nothing is held any more. While Postgres is away it goes on trying: the lease may still be good afterwards."""
    pause = threading.Event()
    timeout = timedelta(seconds=settings.attempt_timeout_seconds)
    try:
        while not pause.wait(settings.heartbeat_seconds):
            try:
                if renew(database, run, lease=settings.lease, timeout=timeout) == 0:
                    return
            except StoreUnavailable as error:
                log.warning("heartbeat_missed", run_id=run.run_id, reason=error.reason)
    finally:
        with _lock:
            _beating.discard(key)
