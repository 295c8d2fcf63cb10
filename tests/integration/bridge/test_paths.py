"""Senders' paths as rows: who may make, see and change them."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from tests.integration.bridge.senders import BOX, CALLBACK_SECRET, add_connection, add_path
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.stores.database import Database
from zixly_core.stores.subscriptions import (
    WantedPath,
    confirm_subscription,
    end_subscription,
    new_subscription,
    note_vendors_subscription,
    subscriptions_of,
)
from zixly_core.subscriptions import SubscriptionKind, token_digest


@pytest.fixture
def connection(ledger: TestLedger) -> UUID:
    return add_connection(ledger, "asana", "1200000000000001")


@pytest.mark.parametrize(
    ("role", "query"),
    [
        ("intake", "select details from zixly.subscriptions"),
        ("intake", "delete from zixly.subscriptions"),
        ("intake", "update zixly.subscriptions set job_id = null"),
        ("intake", "insert into zixly.subscriptions (id) values (gen_random_uuid())"),
        ("intake", "select sealed from zixly.deliveries"),
        ("runs", "select ciphertext from zixly.signing_secrets"),
        ("api", "update zixly.subscriptions set token_sha256 = 'x'"),
        ("runs", "update zixly.subscriptions set tenant_id = null"),
        ("runs", "select sealed from zixly.deliveries"),
        ("api", "update zixly.deliveries set accepted_as = null"),
        ("metrics", "select token_sha256 from zixly.subscriptions"),
        ("dispatch", "select token_sha256 from zixly.subscriptions"),
        ("dispatch", "select ciphertext from zixly.signing_secrets"),
    ],
)
def test_a_role_cannot_read_or_change_what_it_has_no_business_with(database: TestDatabase, role: str, query: str) -> None:
    with psycopg.connect(database.url(role)) as opened, pytest.raises(errors.InsufficientPrivilege):
        opened.execute(query)


def test_a_path_cannot_be_made_for_another_tenant(ledger: TestLedger, connection: UUID) -> None:
    other = ledger.add_tenant("other")
    with ledger.runs.transaction(tenant_id=other.id) as opened, pytest.raises(errors.InsufficientPrivilege):
        opened.execute(
            "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind)"
            " values (gen_random_uuid(), %s, %s, 'asana', 'once')",
            (ledger.tenant.id, connection),
        )


def test_another_tenant_sees_and_ends_no_path(ledger: TestLedger, connection: UUID) -> None:
    path = add_path(ledger, connection, "asana", SubscriptionKind.HANDSHAKE)
    other = ledger.add_tenant("other")
    assert subscriptions_of(ledger.runs, tenant_id=other.id, connection_id=connection) == []
    end_subscription(ledger.runs, tenant_id=other.id, subscription_id=path.id)
    (known,) = subscriptions_of(ledger.runs, tenant_id=ledger.tenant.id, connection_id=connection)
    assert (known.id, known.status) == (path.id, "PENDING")


def test_a_secret_can_be_put_under_no_other_connections_path(ledger: TestLedger, connection: UUID) -> None:
    path = add_path(ledger, connection, "asana", SubscriptionKind.HANDSHAKE)
    query = "insert into zixly.signing_secrets (id, connection_id, subscription_id, ciphertext) values (gen_random_uuid(), %s, %s, 'x')"
    for connection_id, subscription_id in ((ledger.tenant.xero, path.id), (connection, None)):
        with pytest.raises(errors.InsufficientPrivilege), ledger.runs.transaction(tenant_id=ledger.tenant.id) as opened:
            opened.execute(query, (connection_id, subscription_id))


@pytest.mark.parametrize("role", ["runs", "api"])
def test_runs_and_the_api_make_paths_whose_token_is_stored_nowhere(
    ledger: TestLedger, database: TestDatabase, connection: UUID, role: str
) -> None:
    opened = Database(database.url(role), name=role)
    path = new_subscription(
        opened,
        WantedPath(ledger.tenant.id, connection, "callbacks", SubscriptionKind.SIGNED),
        secret=CALLBACK_SECRET,
        box=BOX,
    )
    opened.close()
    row = ledger.owner.execute("select * from zixly.subscriptions where id = %s", (path.id,)).fetchone()
    assert row is not None
    assert (row["token_sha256"], row["status"]) == (token_digest(path.token), "ACTIVE")
    assert path.token not in str(row)
    assert path.token not in repr(path)
    assert path.url("https://hooks.example.test/") == f"https://hooks.example.test/webhook/callbacks/{path.token}"


def test_a_subscription_at_a_vendor_is_known_until_it_ends(ledger: TestLedger, connection: UUID) -> None:
    wanted = WantedPath(ledger.tenant.id, connection, "shopify", SubscriptionKind.SIGNED, topic="orders/paid")
    subscription_id = note_vendors_subscription(ledger.runs, wanted, external_id="gid://shopify/WebhookSubscription/1")
    (known,) = subscriptions_of(ledger.runs, tenant_id=ledger.tenant.id, connection_id=connection)
    assert (known.topic, known.external_id, known.status) == ("orders/paid", "gid://shopify/WebhookSubscription/1", "ACTIVE")
    end_subscription(ledger.runs, tenant_id=ledger.tenant.id, subscription_id=subscription_id)
    confirm_subscription(ledger.runs, tenant_id=ledger.tenant.id, subscription_id=subscription_id, external_id="late")
    assert subscriptions_of(ledger.runs, tenant_id=ledger.tenant.id, connection_id=connection) == []
