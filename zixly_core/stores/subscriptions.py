"""Make, confirm and end senders' paths, within their tenant: for whoever connects a vendor, and for jobs that wait for an answer.

A path exists before its vendor is told of it: Asana calls it while our call that makes the webhook is still open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from zixly_core.ids import new_id
from zixly_core.kept_requests import Box
from zixly_core.stores.database import Database, Rows
from zixly_core.subscriptions import SubscriptionKind, SubscriptionStatus, new_token, token_digest

NEW_SQL = """
insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, token_sha256, external_id, resource, topic, status, job_id,
                                 expires_at, details)
values (%(id)s, %(tenant_id)s, %(connection_id)s, %(system)s, %(kind)s, %(token_sha256)s, %(external_id)s, %(resource)s, %(topic)s,
        %(status)s, %(job_id)s, now() + %(lasts)s::interval, %(details)s)"""
SIGNED_SQL = "insert into zixly.signing_secrets (id, connection_id, subscription_id, ciphertext) values (%s, %s, %s, %s)"
CONFIRMED_SQL = "update zixly.subscriptions set external_id = %s, status = 'ACTIVE' where id = %s and status <> 'GONE'"
ENDED_SQL = "update zixly.subscriptions set status = 'GONE' where id = %s and status <> 'GONE'"
OF_CONNECTION_SQL = """
select id, kind, system, external_id, resource, topic, status, created_at, last_seen_at, expires_at, details
from zixly.subscriptions where connection_id = %s and status <> 'GONE' order by created_at, id"""


@dataclass(frozen=True)
class WantedPath:
    """A path to be made for a connection of a tenant."""

    tenant_id: UUID
    connection_id: UUID
    system: str
    """The system whose deliveries come there: `asana`, or `callbacks` for everybody else."""
    kind: SubscriptionKind
    job_id: UUID | None = None
    """The job that what comes there wakes."""
    lasts: timedelta | None = None
    resource: str | None = None
    topic: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MadePath:
    """A path that takes requests from now on. The token is told to the sender, and can never be read again."""

    id: UUID
    token: str = field(repr=False)
    system: str

    def url(self, public_url: str) -> str:
        """What the sender calls; `public_url` is the setting ZIXLY_BRIDGE_PUBLIC_URL."""
        return f"{public_url.rstrip('/')}/webhook/{self.system}/{self.token}"


@dataclass(frozen=True)
class KnownSubscription:
    """A subscription of a connection, for whoever looks after it."""

    id: UUID
    kind: str
    system: str
    external_id: str | None
    resource: str | None
    topic: str | None
    status: str
    created_at: datetime
    last_seen_at: datetime | None
    expires_at: datetime | None
    details: Mapping[str, Any]


def new_subscription(database: Database, wanted: WantedPath, *, secret: str | None = None, box: Box | None = None) -> MadePath:
    """A path of its own for a sender, as role `runs` or `api`. A sender that we give a secret gets it here, sealed by `box`; a
    handshake brings one; a path for one answer needs none. Raises `StoreUnavailable`."""
    token, subscription_id = new_token(), new_id()
    is_pending = wanted.kind is SubscriptionKind.HANDSHAKE
    with database.transaction(tenant_id=wanted.tenant_id) as connection:
        insert(connection, wanted, subscription_id=subscription_id, digest=token_digest(token), is_pending=is_pending)
        if secret is not None and box is not None:
            sealed = box.seal(secret.encode(), context=str(subscription_id))
            connection.execute(SIGNED_SQL, (new_id(), wanted.connection_id, subscription_id, sealed))
    return MadePath(id=subscription_id, token=token, system=wanted.system)


def note_vendors_subscription(database: Database, wanted: WantedPath, *, external_id: str) -> UUID:
    """Remember a subscription at a vendor whose deliveries come to the path of its system, so that its loss is noticed."""
    subscription_id = new_id()
    with database.transaction(tenant_id=wanted.tenant_id) as connection:
        insert(connection, wanted, subscription_id=subscription_id, digest=None, is_pending=False, external_id=external_id)
    return subscription_id


def confirm_subscription(database: Database, *, tenant_id: UUID, subscription_id: UUID, external_id: str) -> None:
    """The vendor has made it, and this is what it calls it."""
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(CONFIRMED_SQL, (external_id, subscription_id))


def end_subscription(database: Database, *, tenant_id: UUID, subscription_id: UUID) -> None:
    """The path takes nothing more: the vendor has deleted its webhook, or refused to make it."""
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(ENDED_SQL, (subscription_id,))


def subscriptions_of(database: Database, *, tenant_id: UUID, connection_id: UUID) -> list[KnownSubscription]:
    """The subscriptions of a connection that have not ended, oldest first."""
    with database.transaction(tenant_id=tenant_id) as connection:
        return [KnownSubscription(**row) for row in connection.execute(OF_CONNECTION_SQL, (connection_id,))]


def insert(
    connection: Rows,
    wanted: WantedPath,
    *,
    subscription_id: UUID,
    digest: str | None,
    is_pending: bool,
    external_id: str | None = None,
) -> None:
    values = {
        "id": subscription_id,
        "tenant_id": wanted.tenant_id,
        "connection_id": wanted.connection_id,
        "system": wanted.system,
        "kind": wanted.kind.value,
        "token_sha256": digest,
        "external_id": external_id,
        "resource": wanted.resource,
        "topic": wanted.topic,
        "status": (SubscriptionStatus.PENDING if is_pending else SubscriptionStatus.ACTIVE).value,
        "job_id": wanted.job_id,
        "lasts": wanted.lasts,
        "details": Jsonb(dict(wanted.details)),
    }
    connection.execute(NEW_SQL, values)
