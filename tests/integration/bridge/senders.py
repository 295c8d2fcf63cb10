"""Senders of callbacks: a path and a secret of their own."""

from __future__ import annotations

from uuid import UUID

from tests.integration.bridge.running import SECRETS_KEY
from tests.support.ledger import Tenant, TestLedger
from zixly_core.ids import new_id
from zixly_core.kept_requests import opened_request
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.stores.subscriptions import MadePath, WantedPath, new_subscription
from zixly_core.subscriptions import SubscriptionKind
from zixly_core.system import IncomingRequest
from zixly_core.systems.callbacks.receive import account_of

BOX = SecretBox.from_settings(Settings(secrets_key=SECRETS_KEY))

CALLBACK_SECRET = "whsec_dGVzdC1vbmx5LWNhbGxiYWNrLXNlY3JldC0zMmJ5dGU="


def add_sender(ledger: TestLedger, token: str) -> str:
    """Authorise a sender for the first tenant, its secret sealed; the path that it calls."""
    path = f"/webhook/callbacks/{token}"
    connection_id = new_id()
    ledger.owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'callbacks', %s, %s)",
        (connection_id, ledger.tenant.id, account_of(path), token),
    )
    sealed = BOX.seal(CALLBACK_SECRET.encode(), context=str(connection_id))
    ledger.owner.execute(
        "insert into zixly.signing_secrets (id, connection_id, ciphertext) values (%s, %s, %s)",
        (new_id(), connection_id, sealed),
    )
    return path


def add_connection(ledger: TestLedger, system: str, external_id: str, *, tenant: Tenant | None = None) -> UUID:
    """An account of the first tenant, or of another."""
    connection_id = new_id()
    ledger.owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, %s, %s, %s)",
        (connection_id, (tenant or ledger.tenant).id, system, external_id, external_id),
    )
    return connection_id


def add_path(ledger: TestLedger, connection_id: UUID, system: str, kind: SubscriptionKind, **wanted: object) -> MadePath:
    """A path of its own for one of the first tenant's connections, made as a run makes it."""
    path = WantedPath(ledger.tenant.id, connection_id, system, kind, **wanted)  # type: ignore[arg-type]
    secret = CALLBACK_SECRET if kind is SubscriptionKind.SIGNED else None
    return new_subscription(ledger.runs, path, secret=secret, box=BOX)


def add_workflow(ledger: TestLedger, name: str, system: str, *triggers: str) -> None:
    ledger.owner.execute(
        "insert into zixly.workflows (name, system, title, triggers, max_batch) values (%s, %s, %s, %s, 80)",
        (name, system, name, list(triggers)),
    )


def kept_request(ledger: TestLedger, delivery_id: UUID) -> IncomingRequest:
    """A rejected request as it is kept, opened."""
    row = ledger.owner.execute("select sealed from zixly.deliveries where id = %s", (delivery_id,)).fetchone()
    assert row is not None
    return opened_request(bytes(row["sealed"]), delivery_id=delivery_id, box=BOX)
