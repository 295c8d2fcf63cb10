"""The demo tenants: two client companies with accounts at the sandbox, and four people. Safe to repeat.

Ids are derived from names, so that they are the same on every machine and in every example of the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid5

import orjson
import psycopg

from zixly_core.connection_settings import validated
from zixly_core.ids import new_id
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.key_file import read_key_file
from zixly_core.signatures import hmac_hex
from zixly_core.subscriptions import token_digest
from zixly_core.systems.callbacks.receive import account_of
from zixly_core.token_store import TokenSet, packed

# Any fixed UUID: the name space of our demo ids.
NAMESPACE = UUID("5a0a3f0e-6c0b-4a53-8d9e-0b8b6f1f6c11")

# Which fields of the paid invoice go into which property of the HubSpot contact.
MAPPING: Mapping[str, str] = {
    "xero_last_invoice_status": "standing",
    "xero_last_invoice_number": "number",
    "xero_last_paid_at": "fully_paid_on",
    "xero_last_invoice_total": "total",
}


@dataclass(frozen=True)
class DemoTenant:
    """A client company, its accounts at the vendors, and the refresh tokens that the sandbox first accepts."""

    slug: str
    name: str
    organisation: str
    portal: str
    shop: str
    workspace: str
    project: str
    """Of the workspace: whose tasks are listened to."""
    ending: str = ""

    @property
    def accounts(self) -> dict[str, str]:
        """System -> the account there."""
        return {"xero": self.organisation, "hubspot": self.portal, "shopify": self.shop, "asana": self.workspace}

    def refresh_token(self, system: str) -> str:
        return f"sandbox-{system}-refresh{self.ending}"


@dataclass(frozen=True)
class Sender:
    """A sender of our own: the token in its path, and what it signs with."""

    token: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def asana_token(self) -> str:
        """What stands in the path to which `zixly send asana` plays Asana."""
        return hmac_hex(self.secret.encode(), b"asana path")

    @property
    def asana_secret(self) -> str:
        """What it signs with there."""
        return hmac_hex(self.secret.encode(), b"asana secret")


DEMO = DemoTenant(
    slug="demo",
    name="Demo Company (AU)",
    organisation="c2cc9b6e-9458-4c7d-93cc-f02b81b0594f",
    portal="62515",
    shop="zixly-demo.myshopify.com",
    workspace="1200000000000001",
    project="1203333333333301",
)
SECOND = DemoTenant(
    slug="second",
    name="Sunny Coast Surf Hire (NZ)",
    organisation="aef86862-2015-4b6b-88bc-d89032cecc50",
    portal="62516",
    shop="sunny-coast-surf.myshopify.com",
    workspace="1200000000000002",
    project="1203333333333302",
    ending="-second",
)
TENANTS = (DEMO, SECOND)
# Those whom one can be at the sandbox's provider (zixly_sandbox/openid/people.py): three of the agency, and one of the first client.
STAFF: Mapping[str, str] = {"admin@zixly.example": "ADMIN", "editor@zixly.example": "EDITOR", "viewer@zixly.example": "VIEWER"}
CLIENTS_VIEWER = "viewer@demo.example"


def demo_id(*names: str) -> UUID:
    """The id of a demo row, such as `demo_id("tenant", "demo")`."""
    return uuid5(NAMESPACE, "/".join(names))


def seed_demo(owner_url: str, *, key_file: Path, sender: Sender) -> None:
    """Write the demo tenants, and the first one's own sender, as the owner of the tables.

    Tokens are put back to the first ones each time: the sandbox keeps its tokens in memory and has forgotten the later ones.
    """
    box = SecretBox(read_key_file(key_file))
    with psycopg.connect(owner_url) as connection:
        for tenant in TENANTS:
            seed_tenant(connection, tenant, box=box)
            seed_webhooks(connection, tenant)
        seed_sender(connection, sender, box=box)
        seed_asana_path(connection, sender, box=box)
        seed_people(connection)


def seed_tenant(connection: psycopg.Connection, tenant: DemoTenant, *, box: SecretBox) -> None:
    tenant_id = demo_id("tenant", tenant.slug)
    connection.execute(
        "insert into zixly.tenants (id, slug, name) values (%s, %s, %s) on conflict (slug) do nothing",
        (tenant_id, tenant.slug, tenant.name),
    )
    hubspot = demo_id("connection", tenant.slug, "hubspot")
    settings = {"hubspot_connection": str(hubspot), "mapping": dict(MAPPING), "document": False, "notify": False}
    for system, external_id in tenant.accounts.items():
        connection_id = demo_id("connection", tenant.slug, system)
        choices = validated(system, settings if system == "xero" else {})
        connection.execute(
            "insert into zixly.connections (id, tenant_id, system, external_id, name, settings) values (%s, %s, %s, %s, %s, %s)"
            " on conflict (id) do update set status = 'ACTIVE'",
            (connection_id, tenant_id, system, external_id, tenant.name, orjson.dumps(choices).decode()),
        )
        tokens = packed(TokenSet(access_token=None, refresh_token=tenant.refresh_token(system), expires_at=None))
        connection.execute(
            "insert into zixly.grants (id, tenant_id, system, ciphertext) values (%s, %s, %s, %s)"
            " on conflict (id) do update set ciphertext = excluded.ciphertext, secret_version = null, expires_at = null,"
            " version = grants.version + 1, refreshed_at = now()",
            (connection_id, tenant_id, system, box.seal(tokens, context=str(connection_id))),
        )
        connection.execute("update zixly.connections set grant_id = id where id = %s", (connection_id,))


def seed_webhooks(connection: psycopg.Connection, tenant: DemoTenant) -> None:
    """Wish for the webhook of the tenant's project at Asana. The sandbox has forgotten those of before."""
    connection_id = demo_id("connection", tenant.slug, "asana")
    connection.execute(
        "update zixly.subscriptions set status = 'GONE' where connection_id = %s and kind = 'handshake'",
        (connection_id,),
    )
    connection.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, resource, status)"
        " values (%s, %s, %s, 'asana', 'handshake', %s, 'WANTED')",
        (new_id(), demo_id("tenant", tenant.slug), connection_id, tenant.project),
    )


def seed_sender(connection: psycopg.Connection, sender: Sender, *, box: SecretBox) -> None:
    """The demo tenant's own system, which asks for work by signed deliveries to a path of its own."""
    connection_id = demo_id("connection", DEMO.slug, "callbacks")
    connection.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'callbacks', %s, %s)"
        " on conflict (id) do update set external_id = excluded.external_id",
        (connection_id, demo_id("tenant", DEMO.slug), account_of(f"/webhook/callbacks/{sender.token}"), f"{DEMO.name}, own system"),
    )
    connection.execute(
        "insert into zixly.signing_secrets (id, connection_id, ciphertext) values (%s, %s, %s)"
        " on conflict (id) do update set ciphertext = excluded.ciphertext",
        (demo_id("signing", DEMO.slug), connection_id, box.seal(sender.secret.encode(), context=str(connection_id))),
    )


def seed_asana_path(connection: psycopg.Connection, sender: Sender, *, box: SecretBox) -> None:
    """A path whose handshake is over, to which samples are sent. No webhook at Asana belongs to it."""
    connection_id, subscription_id = demo_id("connection", DEMO.slug, "asana"), demo_id("subscription", DEMO.slug, "asana")
    connection.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, token_sha256, status)"
        " values (%s, %s, %s, 'asana', 'handshake', %s, 'ACTIVE')"
        " on conflict (id) do update set token_sha256 = excluded.token_sha256, status = 'ACTIVE'",
        (subscription_id, demo_id("tenant", DEMO.slug), connection_id, token_digest(sender.asana_token)),
    )
    connection.execute(
        "insert into zixly.signing_secrets (id, connection_id, subscription_id, ciphertext) values (%s, %s, %s, %s)"
        " on conflict (id) do update set ciphertext = excluded.ciphertext",
        (
            demo_id("signing", DEMO.slug, "asana"),
            connection_id,
            subscription_id,
            box.seal(sender.asana_secret.encode(), context=str(subscription_id)),
        ),
    )


def seed_people(connection: psycopg.Connection) -> None:
    """Three of the agency, one for each role, and a VIEWER of the demo tenant. Where the sandbox listens elsewhere now, its provider is
    another issuer, so whoever signs in is looked for by his invitation again."""
    for email, role in STAFF.items():
        seed_person(connection, email, role=role, tenant_id=None)
    seed_person(connection, CLIENTS_VIEWER, role="VIEWER", tenant_id=demo_id("tenant", DEMO.slug))


def seed_person(connection: psycopg.Connection, email: str, *, role: str, tenant_id: UUID | None) -> None:
    user_id = demo_id("user", email)
    connection.execute(
        "insert into zixly.users (id, email, name) values (%s, %s, %s) on conflict (email) do update set issuer = null, subject = null",
        (user_id, email, email.partition("@")[0].title()),
    )
    connection.execute(
        "insert into zixly.memberships (id, user_id, tenant_id, role) values (%s, %s, %s, %s) on conflict do nothing",
        (demo_id("membership", email, "staff" if tenant_id is None else DEMO.slug), user_id, tenant_id, role),
    )
