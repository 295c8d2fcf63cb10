"""A tenant's data for the tenant: put together by a worker as parts in the object store, handed out as one zip that is made on the way.

Neither side ever holds more than one part (a few MB) in memory. Parts: `{tenant}/exports/{export}/{table}-{number}.jsonl.gz`.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator, Mapping
from io import RawIOBase
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson

from zixly_core.archive_members import CONTENT_TYPE
from zixly_core.kept_payloads import payloads_at
from zixly_core.object_store import ObjectStore
from zixly_core.personal_data import TABLES
from zixly_core.stores.archives import where_payloads_are
from zixly_core.stores.database import Database
from zixly_core.stores.exporting import exported_rows

PART_BYTES = 4_000_000
# Below a tenant's key: what is no document of a job or a batch.
OURS = ("exports", "archive")


def put_export(runs: Database, store: ObjectStore, *, tenant_id: UUID, export_id: UUID) -> dict[str, int]:
    """Write all parts of an export, as the role of the runs; how many rows of each table. Repeated after a kill it writes them anew."""
    folder = folder_of_export(tenant_id, export_id)
    for key in list(store.list(folder)):
        store.delete(key)
    return {name: put_table(runs, store, name, tenant_id=tenant_id, folder=folder) for name, held in TABLES.items() if held.is_exported}


def put_table(runs: Database, store: ObjectStore, table: str, *, tenant_id: UUID, folder: str) -> int:
    count = number = size = 0
    lines: list[bytes] = []
    with runs.transaction(tenant_id=tenant_id) as connection:
        for rows in exported_rows(connection, table, tenant_id=tenant_id):
            told = with_payloads(runs, store, rows, tenant_id=tenant_id) if table == "events" else rows
            written = [line_of(row) for row in told]
            lines, size, count = [*lines, *written], size + sum(map(len, written)), count + len(written)
            if size > PART_BYTES:
                number += 1
                put_part(store, f"{folder}/{table}-{number:05}.jsonl.gz", lines)
                lines, size = [], 0
    if lines:
        put_part(store, f"{folder}/{table}-{number + 1:05}.jsonl.gz", lines)
    return count


def with_payloads(runs: Database, store: ObjectStore, rows: list[dict[str, Any]], *, tenant_id: UUID) -> list[dict[str, Any]]:
    """Events with what they said, archived or not."""
    with runs.transaction(tenant_id=tenant_id) as connection:
        places = where_payloads_are(connection, [row["id"] for row in rows])
    found = payloads_at(places, lambda: store)
    return [row | {"payload": orjson.Fragment(found[row["id"]]) if row["id"] in found else None} for row in rows]


def line_of(row: Mapping[str, Any]) -> bytes:
    return orjson.dumps(row, default=plain, option=orjson.OPT_APPEND_NEWLINE)


def plain(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def put_part(store: ObjectStore, key: str, lines: list[bytes]) -> None:
    store.put(key, gzip.compress(b"".join(lines), mtime=0), content_type=CONTENT_TYPE)


def folder_of_export(tenant_id: UUID, export_id: UUID) -> str:
    return f"{tenant_id}/exports/{export_id}"


def zipped(store: ObjectStore, *, tenant_id: UUID, export_id: UUID) -> Iterator[bytes]:
    """The export as the bytes of a zip: one file of JSON lines for each table, and the documents of jobs and batches. Before the
    last bytes leave, the parts are deleted."""
    folder = folder_of_export(tenant_id, export_id)
    parts = list(store.list(folder))
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, keys in groupby(parts, key=lambda key: key.rsplit("/", 1)[1].rsplit("-", 1)[0]):
            with archive.open(f"{table}.jsonl", "w", force_zip64=True) as file:
                for key in keys:
                    file.write(gzip.decompress(store.get(key)))
                    yield sink.taken()
        for key in store.list(str(tenant_id)):
            name = key.removeprefix(f"{tenant_id}/")
            if not name.startswith(OURS):
                archive.writestr(f"documents/{name}", store.get(key))
                yield sink.taken()
    for key in parts:
        store.delete(key)
    yield sink.taken()


class Sink(RawIOBase):
    """Where a zip is written to, and taken from as it grows."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._written)
        self._written.clear()
        return data
