"""Restore a backup into a platform that is empty: everything is checked before anything is changed, and nothing is overwritten.

What was done at the vendors after the backup is forgotten by the rows and stands at the vendors. The note of the restore (table
`restores`) makes every write be looked for before it is sent, from then on.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic.script import ScriptDirectory
from psycopg import sql

from zixly_cli.backups.manifest import DAGSTER_DUMP, OBJECTS, PLATFORM_DUMP, Manifest, check_files, read_manifest
from zixly_cli.backups.place import Place, Say
from zixly_cli.backups.taking import rows_in
from zixly_cli.stack.databases import ROLES
from zixly_core import migrations
from zixly_core.errors import Permanent, SettingsError
from zixly_core.ids import new_id
from zixly_core.migrate import migrate
from zixly_core.object_store import checked_key

TABLES_SQL = "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
ROLES_SQL = "select rolname from pg_roles where rolname = any(%s)"
NOTE_SQL = "insert into zixly.restores (id, taken_at) values ({}, {})"
AUDIT_SQL = "insert into zixly.audit_log (id, actor, action, subject) values ({}, {}, 'backup.restored', {})"
NOTED = {"restores": 1, "audit_log": 1}
CONTENT_TYPE = "application/octet-stream"
SAID_EVERY = 1_000


def checked_backup(folder: Path, *, key_ids: set[str], postgres: int, say: Say) -> Manifest:
    """The manifest of a backup that can be restored here, as far as that shows without a database. Raises `SettingsError`, `Permanent`."""
    manifest = read_manifest(folder)
    missing = sorted(set(manifest.keys) - key_ids)
    if missing:
        sealed = sum(manifest.keys[key] for key in missing)
        text = f"The key {', '.join(missing)}, which seals {sealed} secrets of the backup, is not at hand; nothing was changed. A backup"
        raise SettingsError(f"{text} holds no keys: put the key that was in force then into the key file or ZIXLY_SECRETS_KEY")
    if manifest.postgres > postgres:
        text = f"The backup was taken from Postgres {manifest.postgres}, and this is {postgres}; the same or a newer one is needed"
        raise SettingsError(text)
    if manifest.revision not in known_revisions():
        text = f"The backup is of migration {manifest.revision} (zixly {manifest.zixly}), which this version does not know"
        raise SettingsError(f"{text}; install that version or a newer one")
    for key in manifest.object_keys:
        checked_key(key)
    check_files(folder, manifest)
    say(f"{len(manifest.files)} files are as they were written, {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC")
    return manifest


def known_revisions() -> set[str]:
    folder = Path(str(migrations.__file__)).parent
    return {script.revision for script in ScriptDirectory(str(folder)).walk_revisions()}


def check_target(place: Place) -> None:
    """Raises `SettingsError` unless databases and documents are empty, and the roles are there."""
    for url in (place.owner_url, place.dagster_url):
        with psycopg.connect(url) as connection:
            name = connection.info.dbname
            row = connection.execute(TABLES_SQL).fetchone()
            if row and row[0]:
                raise SettingsError(f"The database {name} is not empty; a restore overwrites nothing. Make a new one, or name another")
            there = {role for (role,) in connection.execute(ROLES_SQL, (list(ROLES),))}
    if missing := sorted(set(ROLES) - there):
        raise SettingsError(f"The server has no role {', '.join(missing)}; make them first (docs/backup.md), nothing was changed")
    if next(iter(place.objects.list("")), None) is not None:
        raise SettingsError(f"{place.objects} is not empty; a restore overwrites nothing")


def restore_backup(place: Place, folder: Path, manifest: Manifest, *, actor: str, say: Say) -> None:
    """Documents and Dagster's history first, then the rows. Raises `Permanent`, `Transient`; then begin again with what is empty."""
    check_target(place)
    put_objects(place, folder, manifest, say=say)
    place.programs.restore(place.dagster_url, folder / DAGSTER_DUMP, with_grants=False)
    say("Dagster's history is there")
    place.programs.restore(place.owner_url, folder / PLATFORM_DUMP, with_grants=True, then=note_of(manifest, actor=actor))
    migrate(place.owner_url)
    count_again(place, manifest)
    say(f"{sum(manifest.tables.values())} rows of {len(manifest.tables)} tables are there, counted")


def put_objects(place: Place, folder: Path, manifest: Manifest, *, say: Say) -> None:
    for number, key in enumerate(manifest.object_keys, start=1):
        place.objects.put(key, (folder / OBJECTS / key).read_bytes(), content_type=CONTENT_TYPE)
        if number % SAID_EVERY == 0:
            say(f"{number} documents")
    say(f"{len(manifest.object_keys)} documents are there")


def note_of(manifest: Manifest, *, actor: str) -> str:
    """The note by which runs look before they write. It comes with the rows or they do not come: a platform that has them without it
    would do again what was done after the backup. Every backup is of a version that has the table."""
    subject = f"backup of {manifest.taken_at.isoformat(timespec='seconds')}"
    note = sql.SQL(NOTE_SQL).format(new_id(), manifest.taken_at)
    audit = sql.SQL(AUDIT_SQL).format(new_id(), actor, subject)
    return sql.SQL("set row_security = on; {}; {};").format(note, audit).as_string(None)


def count_again(place: Place, manifest: Manifest) -> None:
    """What was counted at the backup is there, and the two rows of the note. Raises `Permanent`."""
    with psycopg.connect(place.owner_url) as connection:
        counted = {table: rows_in(connection, table) - NOTED.get(table, 0) for table in manifest.tables}
    wrong = [f"{table} {counted[table]} instead of {rows}" for table, rows in manifest.tables.items() if counted[table] != rows]
    if wrong:
        raise Permanent(f"After the restore there are other numbers of rows: {', '.join(wrong)}", reason="restore_incomplete")
