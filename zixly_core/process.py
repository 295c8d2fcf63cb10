"""What a process makes once and keeps while it is warm: databases and the HTTP pool, none of them inherited by a fork."""

from __future__ import annotations

import os
import threading

from zixly_core.object_store import ObjectStore
from zixly_core.objects import open_object_store
from zixly_core.queue import Queue
from zixly_core.queues import open_queue
from zixly_core.stores.database import Database

_lock = threading.Lock()
_databases: dict[tuple[int, str, str], Database] = {}
_queues: dict[tuple[int, str, str], Queue] = {}
_objects: dict[tuple[int, str], ObjectStore] = {}


def shared_database(url: str, *, name: str, max_size: int = 4) -> Database:
    """The process's database for a role: the same one for the same URL, so that warm workers keep their connections."""
    key = (os.getpid(), url, name)
    with _lock:
        if key not in _databases:
            _databases[key] = Database(url, name=name, max_size=max_size)
        return _databases[key]


def shared_queue(url: str, *, name: str) -> Queue:
    """The process's queue of a system."""
    key = (os.getpid(), url, name)
    with _lock:
        if key not in _queues:
            _queues[key] = open_queue(url, name=name)
        return _queues[key]


def shared_objects(url: str) -> ObjectStore:
    """The process's object store, opened when it is first asked for."""
    key = (os.getpid(), url)
    with _lock:
        if key not in _objects:
            _objects[key] = open_object_store(url)
        return _objects[key]
