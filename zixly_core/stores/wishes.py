"""Webhooks that people wish for at a vendor that makes each by a call: the wish, and how far a worker has come with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from zixly_core.errors import Permanent, Rejected
from zixly_core.ids import new_id
from zixly_core.stores.audit import note
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.subscriptions import ENDED_SQL, KnownSubscription
from zixly_core.subscriptions import new_token, token_digest
from zixly_core.token_store import Connection

# A worker that began and was not heard of again: longer than a vendor keeps a call open.
BEGUN_COUNTS_FOR = timedelta(minutes=2)

CONNECTION_SQL = "select tenant_id, system from zixly.connections where id = %s"
WISH_SQL = """
insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, resource, topic, status)
values (%s, %s, %s, %s, 'handshake', %s, %s, 'WANTED')
on conflict (connection_id, resource) where kind = 'handshake' and status <> 'GONE' do nothing returning id"""
KNOWN_SQL = """
select id, status from zixly.subscriptions where connection_id = %s and resource = %s and kind = 'handshake' and status <> 'GONE'"""
# Whoever wishes again takes the wish at once; the sensor's turn comes when nothing was heard of that.
AGAIN_SQL = """
insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, resource, topic, status, due_at)
values (%s, %s, %s, %s, 'handshake', %s, %s, 'WANTED', now() + %s)"""
DUE_SQL = """
select s.id, s.tenant_id, s.tried_at from zixly.subscriptions s
join zixly.connections c on c.id = s.connection_id and c.status = 'ACTIVE' and c.paused_at is null
where s.kind = 'handshake' and s.due_at <= now()
  and (s.status = 'WANTED' or (s.status = 'PENDING' and s.tried_at < now() - %s::interval))
order by s.due_at limit %s"""
TAKE_SQL = """
update zixly.subscriptions set tried_at = now()
where id = %s and kind = 'handshake' and (status = 'WANTED' or (status = 'PENDING' and tried_at < now() - %s::interval))
returning id, connection_id, system, resource, topic, status, token_sha256"""
PATH_SQL = "update zixly.subscriptions set token_sha256 = %s, status = 'PENDING' where id = %s and status in ('WANTED', 'PENDING')"
LATER_SQL = """
update zixly.subscriptions set status = 'WANTED', token_sha256 = null, due_at = now() + %s, details = details || %s
where id = %s and status = 'PENDING'"""
REFUSED_SQL = "update zixly.subscriptions set status = 'GONE', details = details || %s where id = %s"


class NoSuchConnection(Rejected):
    """The connection does not exist, is not the caller's, or its system needs no wish."""


@dataclass(frozen=True)
class Wish:
    """A webhook to be made. `token_sha256` is that of the path of an earlier try that was not heard of again."""

    id: UUID
    connection_id: UUID
    system: str
    resource: str
    topic: str | None
    status: str
    token_sha256: str | None


def wish(connection: Rows, *, connection_id: UUID, resource: str, topic: str | None, actor: str) -> tuple[UUID, str]:
    """Wish for the webhook of a resource, as role `api`; its id and status. A second wish for the same one is the first.

    Raises `NoSuchConnection`.
    """
    row = connection.execute(CONNECTION_SQL, (connection_id,)).fetchone()
    if row is None or row["system"] != "asana":
        text = f"There is no Asana connection {connection_id}, or it is not yours to see; other vendors' webhooks need no wish."
        raise NoSuchConnection(text, reason="connection_missing")
    values = (new_id(), row["tenant_id"], connection_id, row["system"], resource, topic)
    made = connection.execute(WISH_SQL, values).fetchone()
    if made is not None:
        note(connection, actor=actor, action="subscription.wish", subject=made["id"], tenant_id=row["tenant_id"])
        return made["id"], "WANTED"
    known = connection.execute(KNOWN_SQL, (connection_id, resource)).fetchone()
    return (known["id"], known["status"]) if known else (values[0], "GONE")


def wish_again(database: Database, connection: Connection, lost: KnownSubscription) -> UUID:
    """Wish for a webhook in the place of one that the vendor has no more, as role `runs`; the path of the lost one takes nothing more."""
    wish_id = new_id()
    with database.transaction(tenant_id=connection.tenant_id) as rows:
        rows.execute(ENDED_SQL, (lost.id,))
        values = (wish_id, connection.tenant_id, connection.id, connection.system, lost.resource, lost.topic, BEGUN_COUNTS_FOR)
        rows.execute(AGAIN_SQL, values)
    return wish_id


def due_wishes(database: Database, *, limit: int = 50) -> list[Mapping[str, Any]]:
    """Wishes whose time has come, across tenants, as role `dispatch`: `id`, `tenant_id`, `tried_at`."""
    with database.transaction() as connection:
        return list(connection.execute(DUE_SQL, (BEGUN_COUNTS_FOR, limit)))


def take_wish(database: Database, *, tenant_id: UUID, wish_id: UUID) -> Wish | None:
    """Begin with a wish; None when somebody else has, or it is fulfilled."""
    with database.transaction(tenant_id=tenant_id) as connection:
        row = connection.execute(TAKE_SQL, (wish_id, BEGUN_COUNTS_FOR)).fetchone()
    return Wish(**row) if row else None


def new_path(database: Database, *, tenant_id: UUID, wish_id: UUID) -> str:
    """Give the wish a path of its own, which takes a handshake from now on; its token."""
    token = new_token()
    with database.transaction(tenant_id=tenant_id) as connection:
        if connection.execute(PATH_SQL, (token_digest(token), wish_id)).rowcount != 1:
            raise Permanent(f"Subscription {wish_id} is not wanted any more.", reason="not_wanted")
    return token


def try_later(database: Database, *, tenant_id: UUID, wish_id: UUID, wait: timedelta, reason: str) -> None:
    """The vendor could not be asked now; the path takes nothing more."""
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(LATER_SQL, (wait, Jsonb({"reason": reason}), wish_id))


def refused(database: Database, *, tenant_id: UUID, wish_id: UUID, reason: str) -> None:
    """The vendor does not make it: a person has to look."""
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(REFUSED_SQL, (Jsonb({"reason": reason}), wish_id))
