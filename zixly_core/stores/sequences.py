"""Look through the numbers of a system's deliveries, across tenants, and note a hole for each account that it may concern. As role
`dispatch`, which sees numbers and times and no payload."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from zixly_core.sequences import Mark, MissingNumbers, Span, looked_through
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.rows import columns_of, rows_from

# Systems that number the events of our app over all accounts.
NUMBERED = ("xero",)
# Deliveries in one look; what is behind them waits for the next one.
AT_ONCE = 20_000
# Receipts are compared with the last look's: a commit may become visible a little later than its time says.
OVERLAP = timedelta(minutes=1)
# How far back the first look goes.
FIRST_LOOK = timedelta(days=1)

LOCK_SQL = "select pg_advisory_xact_lock(hashtext('zixly.sequences:' || %s))"
NOW_SQL = "select now() as now"
MARK_SQL = "select complete_to, reached_at, began_at, looked_to from zixly.sequence_marks where system = %s"
# What the last look did not account for came not long before it. Below the mark may be a numbering that began anew.
SPANS_SQL = """
select d.first_sequence, d.last_sequence, d.received_at, coalesce(e.began_at, d.received_at) as began_at,
       coalesce(e.ended_at, d.received_at) as ended_at
from zixly.deliveries d
cross join lateral (
  select min(occurred_at) as began_at, max(occurred_at) as ended_at from zixly.events where delivery_id = d.id
) e
where d.system = %(system)s and d.last_sequence is not null and d.received_at > %(since)s
  and (d.last_sequence > %(complete_to)s or d.received_at > %(looked_to)s)
order by d.received_at limit %(limit)s"""
KEEP_SQL = """
insert into zixly.sequence_marks (system, complete_to, reached_at, began_at, looked_to) values (%s, %s, %s, %s, %s)
on conflict (system) do update set complete_to = excluded.complete_to, reached_at = excluded.reached_at, began_at = excluded.began_at,
  looked_to = excluded.looked_to, updated_at = now()"""
ACCOUNTS_SQL = "select id, tenant_id from zixly.connections where system = %s and status = 'ACTIVE'"
COLUMNS = (
    "id uuid, tenant_id uuid, connection_id uuid, system text, since timestamptz, until timestamptz, first_sequence bigint, "
    "last_sequence bigint"
)
HOLES_SQL = f"""
insert into zixly.holes (id, tenant_id, connection_id, system, kind, since, until, first_sequence, last_sequence)
select id, tenant_id, connection_id, system, 'sequence', since, until, first_sequence, last_sequence from {rows_from(COLUMNS)}
on conflict (id) do nothing"""


def note_missing_numbers(database: Database, *, patience: timedelta) -> int:
    """Look through all systems that number their events; how many holes were noted. A number counts as missing when one behind it came
    longer than `patience` ago. Raises `StoreUnavailable`."""
    return sum(noted(database, system, patience=patience) for system in NUMBERED)


def noted(database: Database, system: str, *, patience: timedelta) -> int:
    with database.transaction() as connection:
        connection.execute(LOCK_SQL, (system,))
        (now,) = [row["now"] for row in connection.execute(NOW_SQL)]
        known = connection.execute(MARK_SQL, (system,)).fetchone()
        mark = Mark(known["complete_to"], known["reached_at"], known["began_at"]) if known else None
        looked_to = known["looked_to"] if known else now - FIRST_LOOK
        spans = spans_of(connection, system, complete_to=mark.complete_to if mark else 0, looked_to=looked_to - OVERLAP, patience=patience)
        if len(spans) == AT_ONCE:
            now = spans[-1].received_at
        look = looked_through(mark, spans, settled_before=now - patience)
        if look is None:
            return 0
        connection.execute(KEEP_SQL, (system, look.mark.complete_to, look.mark.reached_at, look.mark.began_at, now))
        return sum(note_hole(connection, system, one) for one in look.missing)


def spans_of(connection: Rows, system: str, *, complete_to: int, looked_to: datetime, patience: timedelta) -> list[Span]:
    """The oldest of those that were not accounted for, so that what is behind them waits for the next look."""
    values: dict[str, Any] = {
        "system": system,
        "complete_to": complete_to,
        "looked_to": looked_to,
        "since": looked_to - patience,
        "limit": AT_ONCE,
    }
    return [
        Span(row["first_sequence"], row["last_sequence"], row["received_at"], row["began_at"], row["ended_at"])
        for row in connection.execute(SPANS_SQL, values)
    ]


def note_hole(connection: Rows, system: str, missing: MissingNumbers) -> int:
    """The numbers span all accounts of our app, so nobody knows whose event it was."""
    rows = [
        (
            hole_id(row["id"], missing),
            row["tenant_id"],
            row["id"],
            system,
            missing.since,
            missing.until,
            missing.first,
            missing.last,
        )
        for row in connection.execute(ACCOUNTS_SQL, (system,))
    ]
    return connection.execute(HOLES_SQL, columns_of(rows)).rowcount if rows else 0


def hole_id(connection_id: UUID, missing: MissingNumbers) -> UUID:
    return uuid5(connection_id, f"sequence:{missing.first}-{missing.last}:{missing.since.isoformat()}")
