"""Old deliveries with their events and jobs, to be archived, deleted, exported and erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.ledger import Tenant, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.archiving import Limits
from zixly_core.ids import new_id
from zixly_core.kept_payloads import payloads_at
from zixly_core.object_store import ObjectStore
from zixly_core.objects import open_object_store
from zixly_core.stores.archives import Table, where_payloads_are
from zixly_core.stores.database import Database

LONG_AGO = timedelta(days=100)
LIMITS = Limits(older_than=timedelta(days=90), pause=timedelta())


@dataclass(frozen=True)
class Came:
    """A delivery that came, and its events."""

    delivery: UUID
    events: tuple[UUID, ...]


@dataclass
class Kept:
    """A ledger, seen by the role that keeps it, with an object store beside it."""

    ledger: TestLedger
    retention: Database
    store: ObjectStore

    def add(self, *tenants: Tenant | None, words: str = "said", age: timedelta = LONG_AGO, **columns: Any) -> Came:
        """A delivery with one event for each of the tenants (None: nobody's); `words` stand in its payloads."""
        delivery, at = new_id(), self.at(age)
        body = (f'{{"body": "{words}"}}' * len(tenants)).encode()
        self.ledger.owner.execute(
            "insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256, event_count) "
            "values (%s, 'xero', '/webhook/xero', %s, %s, 200, %s, %s, '', %s)",
            (delivery, at, columns.pop("verdict", "accepted"), Jsonb({"x-from": words}), body, len(tenants)),
        )
        events = tuple(self.add_event(delivery, tenant, at=at, words=words, **columns) for tenant in tenants)
        return Came(delivery, events)

    def add_event(self, delivery: UUID, tenant: Tenant | None, *, at: datetime, words: str, **columns: Any) -> UUID:
        event = new_id()
        values = {
            "id": event,
            "delivery_id": delivery,
            "tenant_id": tenant.id if tenant else None,
            "connection_id": tenant.xero if tenant else None,
            "system": "xero",
            "kind": "INVOICE.UPDATE",
            "external_id": "organisation",
            "record_key": f"xero:organisation:INVOICE:{event}",
            "record_id": str(event),
            "dedupe_key": str(event),
            "outcome": "jobs" if tenant else "unroutable",
            "occurred_at": at,
            "received_at": at,
            "payload": f'{{"about": "{words}"}}'.encode(),
            **columns,
        }
        names, places = ", ".join(values), ", ".join(["%s"] * len(values))
        self.ledger.owner.execute(f"insert into zixly.events ({names}) values ({places})", list(values.values()))
        return event

    def add_job(
        self, event: UUID, tenant: Tenant | None = None, *, status: str = "COMPLETED", age: timedelta = LONG_AGO, **columns: Any
    ) -> UUID:
        at = self.at(age)
        ended = {"completed_at": at} if status in ("COMPLETED", "FAILED", "CANCELLED") else {}
        values = {"event_id": event, "status": status, "created_at": at, **ended, **columns}
        (job,) = self.ledger.add_jobs(1, tenant=tenant, **values)
        return job

    def at(self, age: timedelta) -> datetime:
        return self.began - age

    @cached_property
    def began(self) -> datetime:
        """The database's time at first. What is of one age is of one day, and so of one archive and one count, also around midnight."""
        row = self.ledger.owner.execute("select now() as at").fetchone()
        assert row is not None
        at: datetime = row["at"]
        return at

    def read(self, *ids: UUID, table: Table = "events") -> dict[UUID, bytes]:
        """What the rows said, wherever it is kept now."""
        with self.ledger.owner.transaction():
            places = where_payloads_are(self.ledger.owner, ids, table=table)
        return payloads_at(places, lambda: self.store)

    def count(self, query: str, *values: object) -> int:
        row = self.ledger.owner.execute(f"select count(*) as n from {query}", values).fetchone()
        assert row is not None
        number: int = row["n"]
        return number


@pytest.fixture
def retention(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("retention"), name="retention")
    yield opened
    opened.close()


@pytest.fixture
def folder_store(tmp_path: Path) -> ObjectStore:
    return open_object_store(f"file://{tmp_path}/objects")


@pytest.fixture
def kept(ledger: TestLedger, retention: Database, folder_store: ObjectStore) -> Kept:
    return Kept(ledger, retention, folder_store)


class Interposed:
    """An object store that does something just after each call of one kind, `put` or `get`."""

    def __init__(self, store: ObjectStore, then: Callable[[str], None], *, after: str = "put") -> None:
        self._store = store
        self._then = then
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        self._store.put(key, data, content_type=content_type)
        if self._after == "put":
            self._then(key)

    def get(self, key: str) -> bytes:
        data = self._store.get(key)
        if self._after == "get":
            self._then(key)
        return data
