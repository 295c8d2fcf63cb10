"""Delete what is older than it has to be kept: rows, their documents, and archives that no row relies on any more.

Objects go before the rows that lead to them, so a run that is killed leaves nothing that nobody would find again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from zixly_core.archiving import Limits, Pace, remove_erased, remove_left_behind
from zixly_core.object_store import ObjectStore
from zixly_core.stores.database import Database
from zixly_core.stores.deletion import (
    BY_AGE,
    Keep,
    OldRow,
    delete_batches,
    delete_by_age,
    delete_deliveries,
    delete_jobs,
    leave_archives,
    note_export_gone,
    old_batches,
    old_exports,
    old_jobs,
    unseal_rejected,
)


@dataclass
class Deleted:
    """How many rows and objects went, by what they were."""

    counts: Counter[str] = field(default_factory=Counter)
    is_complete: bool = True


class Deletion:
    """One run. Its steps stop when its time is over."""

    def __init__(self, database: Database, store: ObjectStore, keep: Keep, limits: Limits) -> None:
        self._database = database
        self._store = store
        self._keep = keep
        self._pace = Pace(limits)
        self.done = Deleted()

    def run(self) -> Deleted:
        """Delete until nothing is too old or the time is over. Raises `StoreUnavailable` and what the object store raises; what was
        deleted until then stays deleted."""
        database, keep = self._database, self._keep
        self._rows_with_objects("jobs", lambda: old_jobs(database, keep), lambda rows: delete_jobs(database, rows))
        self._repeat(lambda: self._counted(*zip(("events", "deliveries"), delete_deliveries(database, keep), strict=True)))
        self._rows_with_objects("batches", lambda: old_batches(database, keep), lambda rows: delete_batches(database, rows))
        for table in BY_AGE:
            self._repeat(lambda table=table: self._counted((table, delete_by_age(database, table, keep))))  # type: ignore[misc]
        self._repeat(lambda: self._counted(("rejected", unseal_rejected(database, keep))))
        leave_archives(database, keep)
        self._counted(("archives", remove_left_behind(database, self._store)), ("members", remove_erased(database, self._store)))
        self._exports()
        return self.done

    def _repeat(self, step: Callable[[], int]) -> None:
        """A step again and again, with pauses, until it finds nothing."""
        began = time.monotonic()
        while not self._is_over() and step():
            self._pace.rest(took_seconds=time.monotonic() - began)
            began = time.monotonic()

    def _rows_with_objects(self, name: str, find: Callable[[], list[OldRow]], delete: Callable[[Sequence[OldRow]], int]) -> None:
        """Documents of a job lie under its tenant and its id, reports of a batch under its tenant, `batches` and its id."""

        def step() -> int:
            rows = find()
            for row in rows:
                middle = f"{name}/" if name == "batches" else ""
                self._counted(("objects", delete_below(self._store, f"{row.tenant_id}/{middle}{row.id}")))
            return self._counted((name, delete(rows))) if rows else 0

        self._repeat(step)

    def _exports(self) -> None:
        for export in old_exports(self._database):
            self._counted(("objects", delete_below(self._store, f"{export.tenant_id}/exports/{export.id}")), ("exports", 1))
            note_export_gone(self._database, export.id)

    def _counted(self, *counts: tuple[str, int]) -> int:
        self.done.counts.update(dict(counts))
        return sum(count for _, count in counts)

    def _is_over(self) -> bool:
        if self._pace.is_over():
            self.done.is_complete = False
        return not self.done.is_complete


def delete_below(store: ObjectStore, prefix: str) -> int:
    """Delete every object below a key; how many."""
    keys = list(store.list(prefix))
    for key in keys:
        store.delete(key)
    return len(keys)
