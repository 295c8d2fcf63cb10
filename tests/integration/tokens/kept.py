"""Connections with sealed tokens in a real Postgres, and keepers over them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from tests.support.outgoing import HERE
from zixly_core.http_client import new_client
from zixly_core.ids import new_id
from zixly_core.oauth import OAuthApp, TokenExchange
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.keys import keys_in
from zixly_core.secrets.sealed_tokens import SealedTokens
from zixly_core.stores.database import Database
from zixly_core.stores.tokens import PostgresTokenStore
from zixly_core.token_store import Connection, TokenSet, TokenVault
from zixly_core.tokens import PATIENCE, TokenKeeper

# For tests only; processes of one test share it.
BOX = SecretBox(keys_in(urlsafe_b64encode(bytes(range(32))).decode(), source="tests"))


def store_over(database_url: str, *, vault: TokenVault | None = None) -> PostgresTokenStore:
    return PostgresTokenStore(Database(database_url, name="tokens"), vault or SealedTokens(BOX))


def keeper_over(database_url: str, token_url: str, *, patience: timedelta = PATIENCE) -> TokenKeeper:
    app = OAuthApp("xero", token_url, "app", "app-secret", "client_secret_basic")
    http = new_client(HERE)
    return TokenKeeper(store_over(database_url), lambda _: TokenExchange(http, app), patience=patience)


def ended() -> TokenSet:
    return TokenSet("access-0", "refresh-0", datetime.now(UTC) - timedelta(minutes=1))


def authorise(owner_url: str, tokens: TokenSet | None = None, *, vault: TokenVault | None = None) -> Connection:
    """A tenant with one connection, written as the owner of the tables."""
    connection = Connection(id=new_id(), tenant_id=new_id(), system="xero", external_id=str(new_id()))
    with psycopg.connect(owner_url) as owner:
        owner.execute("insert into zixly.tenants (id, slug, name) values (%s, %s, 'T')", (connection.tenant_id, str(connection.id)))
        where = (vault or SealedTokens(BOX)).keep(connection.id, tokens or ended())
        owner.execute(
            "insert into zixly.grants (id, tenant_id, system, ciphertext, secret_version) values (%s, %s, 'xero', %s, %s)",
            (connection.id, connection.tenant_id, where.ciphertext, where.secret_version),
        )
    add_account(owner_url, connection, grant_id=connection.id)
    return connection


def add_account(owner_url: str, connection: Connection, *, grant_id: UUID) -> Connection:
    """One more connection on a grant of the tenant."""
    with psycopg.connect(owner_url) as owner:
        owner.execute(
            "insert into zixly.connections (id, tenant_id, system, external_id, name, grant_id) values (%s, %s, 'xero', %s, 'C', %s)",
            (connection.id, connection.tenant_id, connection.external_id, grant_id),
        )
    return connection


def status_of(owner_url: str, connection_id: UUID) -> str:
    with psycopg.connect(owner_url) as owner:
        row = owner.execute("select status from zixly.connections where id = %s", (connection_id,)).fetchone()
    assert row is not None
    return str(row[0])
