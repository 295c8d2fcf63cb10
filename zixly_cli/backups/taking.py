"""Take a backup while everything runs: one snapshot of the platform's rows, Dagster's history, and the documents that the rows name.

Rows first, documents after: a document is written before the row that names it, so none is missing. The keys that open what is sealed
are not in it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from zixly_cli.backups.manifest import DAGSTER_DUMP, OBJECTS, PLATFORM_DUMP, KeptFile, Manifest, file_of, write_manifest
from zixly_cli.backups.place import Place, Say
from zixly_cli.stack.private_files import write_private
from zixly_core.errors import ObjectNotFound, SettingsError
from zixly_core.sealed_columns import SEALED
from zixly_core.stores.sealed import COUNT_SQL, filled

TABLES_SQL = "select tablename from pg_tables where schemaname = 'zixly' order by 1"
SAID_EVERY = 1_000


@dataclass(frozen=True)
class Seen:
    """What one snapshot of the platform's database shows."""

    taken_at: datetime
    revision: str
    postgres: int
    tables: dict[str, int]
    keys: dict[str, int]


def take_backup(place: Place, folder: Path, *, say: Say) -> Manifest:
    """A backup in `folder`, which must be new or empty. Raises `SettingsError`, `Permanent`, `Transient`; what was written until then
    has no manifest."""
    make_empty(folder)
    with psycopg.connect(place.owner_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot = value_of(connection, "select pg_export_snapshot()")
        seen = seen_by(connection)
        place.programs.dump(place.owner_url, folder / PLATFORM_DUMP, snapshot=str(snapshot))
    say(f"{sum(seen.tables.values())} rows of {len(seen.tables)} tables are in {PLATFORM_DUMP}")
    place.programs.dump(place.dagster_url, folder / DAGSTER_DUMP)
    say(f"Dagster's history is in {DAGSTER_DUMP}")
    files = {name: file_of(private(folder / name)) for name in (PLATFORM_DUMP, DAGSTER_DUMP)}
    objects = copied_objects(place, folder, say=say)
    manifest = Manifest(
        taken_at=seen.taken_at,
        zixly=version("zixly"),
        revision=seen.revision,
        postgres=seen.postgres,
        tables=seen.tables,
        keys=seen.keys,
        files={**files, **objects},
    )
    write_manifest(folder, manifest)
    return manifest


def make_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is there already; a backup overwrites nothing, name a new folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def seen_by(connection: psycopg.Connection) -> Seen:
    tables = [str(name) for (name,) in connection.execute(TABLES_SQL).fetchall()]
    return Seen(
        taken_at=value_of(connection, "select now()"),
        revision=value_of(connection, "select version_num from alembic_version"),
        postgres=connection.info.server_version // 10_000,
        tables={name: rows_in(connection, name) for name in tables},
        keys=sealed_by_key(connection),
    )


def rows_in(connection: psycopg.Connection, table: str) -> int:
    query = sql.SQL("select count(*) from zixly.{}").format(sql.Identifier(table))
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def sealed_by_key(connection: psycopg.Connection) -> dict[str, int]:
    found: dict[str, int] = {}
    for sealed in SEALED:
        for key, number in connection.execute(filled(COUNT_SQL, sealed)):
            found[bytes(key).hex()] = found.get(bytes(key).hex(), 0) + number
    return found


def copied_objects(place: Place, folder: Path, *, say: Say) -> dict[str, KeptFile]:
    """Every document, one after the other; one that retention deletes meanwhile is not needed any more."""
    kept: dict[str, KeptFile] = {}
    for key in place.objects.list(""):
        try:
            data = place.objects.get(key)
        except ObjectNotFound:
            continue
        path = folder / OBJECTS / key
        make_private(path.parent, within=folder)
        write_private(path, data)
        kept[f"{OBJECTS}/{key}"] = KeptFile(size=len(data), sha256=hashlib.sha256(data).hexdigest())
        if len(kept) % SAID_EVERY == 0:
            say(f"{len(kept)} documents")
    say(f"{len(kept)} documents are in {OBJECTS}/")
    return kept


def make_private(folder: Path, *, within: Path) -> None:
    """The folder and those on the way to it, for their owner only (`parents=True` would leave those on the way open)."""
    if folder != within and not folder.is_dir():
        make_private(folder.parent, within=within)
        folder.mkdir(mode=0o700)


def private(path: Path) -> Path:
    path.chmod(0o600)
    return path


def value_of(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
