"""What is sealed in rows, by the key that sealed it; and sealed anew, a few rows at a time, as role `reseal`.

The id of the key stands in bytes 2 to 9 of a sealed value (secret_box.py), so Postgres tells which rows are left without a key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from zixly_core.ids import new_id
from zixly_core.sealed_columns import SEALED, SealedColumn
from zixly_core.stores.database import Database, Rows

KEY_OF = "substring({column} from 2 for 8)"
COUNT_SQL = f"select {KEY_OF} as key, count(*) as n from zixly.{{table}} where {{column}} is not null group by 1"
# Rows that somebody works on just now are left for the next round: a token that is being exchanged is sealed anew anyway.
NEXT_SQL = f"""
select id from zixly.{{table}}
where {{column}} is not null and id > %(after)s and {KEY_OF} <> %(newest)s
order by id limit %(limit)s for no key update skip locked"""
# One value at a time: a rejected request may be as large as the bridge accepts.
READ_SQL = "select {context} as context, {column} as sealed from zixly.{table} where id = %s"
WRITE_SQL = "update zixly.{table} set {column} = %s where id = %s"
AUDIT_SQL = "insert into zixly.audit_log (id, actor, action, subject, details) values (%s, %s, %s, %s, %s)"

Counts = dict[SealedColumn, dict[bytes, int]]
Resealed = Callable[[bytes, str], bytes | None]


@dataclass(frozen=True)
class Batch:
    """What one transaction did. `last` is where the next one goes on; None when there was nothing."""

    done: int
    unreadable: tuple[UUID, ...]
    last: UUID | None


def counts_by_key(database: Database) -> Counts:
    """For each column how many values each key has sealed. Raises `StoreUnavailable`."""
    counts: Counts = {}
    for sealed in SEALED:
        with database.transaction() as rows:
            found = rows.execute(filled(COUNT_SQL, sealed)).fetchall()
        counts[sealed] = {bytes(row["key"]): row["n"] for row in found}
    return counts


def reseal_batch(database: Database, sealed: SealedColumn, *, newest: bytes, after: UUID, limit: int, resealed: Resealed) -> Batch:
    """Seal the next values anew that another key than `newest` has sealed, in one transaction. `resealed` gives the new value, or None
    for one that cannot be opened, which stays as it is. Raises `StoreUnavailable`."""
    with database.transaction() as rows:
        found = rows.execute(filled(NEXT_SQL, sealed), {"after": after, "newest": newest, "limit": limit}).fetchall()
        ids: list[UUID] = [row["id"] for row in found]
        unreadable = tuple(row_id for row_id in ids if not reseal_row(rows, sealed, row_id, resealed=resealed))
    return Batch(len(ids) - len(unreadable), unreadable, ids[-1] if ids else None)


def reseal_row(rows: Rows, sealed: SealedColumn, row_id: UUID, *, resealed: Resealed) -> bool:
    row = rows.execute(filled(READ_SQL, sealed), (row_id,)).fetchone()
    new = resealed(bytes(row["sealed"]), row["context"]) if row else None
    if new is None:
        return False
    rows.execute(filled(WRITE_SQL, sealed), (new, row_id))
    return True


def note_rotation(database: Database, *, actor: str, key: str, counts: dict[str, int]) -> None:
    """What the audit log says of a change of key."""
    with database.transaction() as rows:
        rows.execute(AUDIT_SQL, (new_id(), actor, "secrets.resealed", f"key {key}", Jsonb(counts)))


def filled(sql: str, sealed: SealedColumn) -> str:
    return sql.format(table=sealed.table, column=sealed.column, context=sealed.context)
