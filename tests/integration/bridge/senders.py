"""Senders of callbacks: a path and a secret of their own."""

from __future__ import annotations

from tests.integration.bridge.running import SECRETS_KEY
from tests.support.ledger import TestLedger
from zixly_core.ids import new_id
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.systems.callbacks.receive import account_of

CALLBACK_SECRET = "whsec_dGVzdC1vbmx5LWNhbGxiYWNrLXNlY3JldC0zMmJ5dGU="


def add_sender(ledger: TestLedger, token: str) -> str:
    """Authorise a sender for the first tenant, its secret sealed; the path that it calls."""
    path = f"/webhook/callbacks/{token}"
    connection_id = new_id()
    ledger.owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'callbacks', %s, %s)",
        (connection_id, ledger.tenant.id, account_of(path), token),
    )
    sealed = SecretBox.from_settings(Settings(secrets_key=SECRETS_KEY)).seal(CALLBACK_SECRET.encode(), context=str(connection_id))
    ledger.owner.execute(
        "insert into zixly.signing_secrets (id, connection_id, ciphertext) values (%s, %s, %s)",
        (new_id(), connection_id, sealed),
    )
    return path
