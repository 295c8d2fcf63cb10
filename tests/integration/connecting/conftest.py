from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import SecretStr

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.integration.connecting.browser import Browser
from tests.integration.workflows.sandbox_server import SandboxServer
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.settings import Settings
from zixly_sandbox.constants import APP

PUBLIC_URL = "http://bridge.test"


class Office:
    """Two clients without any connection, and a look into the tables."""

    def __init__(self, owner: psycopg.Connection[dict[str, Any]]) -> None:
        self.owner = owner
        self.tenants: dict[str, UUID] = {}

    def add_tenant(self, slug: str, name: str) -> None:
        self.tenants[slug] = new_id()
        self.owner.execute("insert into zixly.tenants (id, slug, name) values (%s, %s, %s)", (self.tenants[slug], slug, name))

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        return self.owner.execute(query, values).fetchall()

    def connections(self) -> list[dict[str, Any]]:
        return self.rows(
            "select c.*, t.slug, g.version from zixly.connections c join zixly.tenants t on t.id = c.tenant_id"
            " left join zixly.grants g on g.id = c.grant_id order by c.created_at, c.external_id"
        )

    def accounts(self) -> list[tuple[str, str, str]]:
        """Client, account and status of every connection."""
        return [(row["slug"], row["external_id"], row["status"]) for row in self.connections()]

    def consent(self) -> dict[str, Any]:
        """The consent that was begun last."""
        return self.rows("select * from zixly.oauth_states order by created_at desc, id desc limit 1")[0]


@pytest.fixture
def office(database: TestDatabase) -> Iterator[Office]:
    with psycopg.connect(database.url(), row_factory=dict_row, autocommit=True) as owner:
        made = Office(owner)
        made.add_tenant("demo", "Demo <Company> & Sons")
        made.add_tenant("second", "Sunny Coast Surf Hire")
        yield made


@pytest.fixture(scope="module")
def sandbox_server() -> Iterator[SandboxServer]:
    server = SandboxServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sandbox(sandbox_server: SandboxServer) -> SandboxServer:
    sandbox_server.start_over()
    return sandbox_server


def vendor_settings(sandbox_url: str) -> dict[str, object]:
    """Where the vendors are and what our app is there."""
    apps: dict[str, object] = {f"{name}_client_id": APP.client_id for name in ("xero", "hubspot", "shopify", "asana")}
    apps |= {f"{name}_client_secret": SecretStr(APP.client_secret) for name in ("xero", "hubspot", "shopify", "asana")}
    return apps | {
        "bridge_public_url": PUBLIC_URL,
        "xero_identity_url": f"{sandbox_url}/xero/identity",
        "xero_login_url": f"{sandbox_url}/xero/login",
        "xero_connections_url": f"{sandbox_url}/xero/connections",
        "hubspot_api_url": f"{sandbox_url}/hubspot",
        "hubspot_authorize_url": f"{sandbox_url}/hubspot/oauth/authorize",
        "shopify_api_url": f"{sandbox_url}/shopify/{{shop}}",
        "asana_api_url": f"{sandbox_url}/asana/api/1.0",
        "asana_oauth_url": f"{sandbox_url}/asana",
    }


@pytest.fixture
def settings(database: TestDatabase, sandbox: SandboxServer) -> Settings:
    return settings_for(database, **vendor_settings(sandbox.url))


@pytest.fixture
def bridge(office: Office, settings: Settings) -> Iterator[RunningBridge]:
    running = start_bridge(settings)
    yield running
    running.stop()


@pytest.fixture
def browser(bridge: RunningBridge) -> Iterator[Browser]:
    opened = Browser.at(str(bridge.http.base_url))
    yield opened
    opened.close()
