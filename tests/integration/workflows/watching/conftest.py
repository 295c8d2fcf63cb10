"""Checks of webhooks against the sandbox, as if time had gone on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.workflows.conftest import DEMO_ACCOUNTS, Stage
from tests.support.busy import longest
from tests.support.vendor_accounts import handshake_target
from zixly_core.ids import new_id
from zixly_core.secrets.vaults import open_vault
from zixly_core.settings import read_settings
from zixly_core.stores.tokens import PostgresTokenStore
from zixly_core.stores.watching import Check, WatchedConnection, watched_connections
from zixly_core.vendor_clients import VendorClients
from zixly_core.watching import Watch, check_connection
from zixly_sandbox.constants import DEMO

PATIENCE = timedelta(minutes=9)
INVOICES, ORDERS, TASKS, DEALS = "xero-invoice-to-hubspot", "shopify-order-to-xero", "asana-task-to-hubspot", "hubspot-deal-to-xero"


class Watchdog:
    """Checks the stage's connections as if time had gone on."""

    def __init__(self, stage: Stage, clients: VendorClients, *, public_url: str) -> None:
        self.stage = stage
        self.watch = Watch(
            stage.ledger.runs, clients, stage.ledger.tenant.id, public_url=public_url, patience=PATIENCE, endpoint_answers=lambda: False
        )

    def check(self, system: str, *, after: timedelta = timedelta(minutes=10)) -> Check:
        return check_connection(self.watch, self.watched(system), now=datetime.now(UTC) + after)

    def watched(self, system: str) -> WatchedConnection:
        found = {one.id: one for one in watched_connections(self.stage.ledger.runs, self.stage.ledger.tenant.id)}
        return found[self.stage.connections[system]]

    def holes(self) -> list[dict[str, Any]]:
        return self.stage.rows("select * from zixly.holes order by found_at, id")

    def issues(self) -> list[tuple[str, str]]:
        rows = self.stage.rows("select reason, status from zixly.issues where operation = 'webhook' order by first_seen_at")
        return [(row["reason"], row["status"]) for row in rows]

    def recovered(self, workflow: str) -> list[str]:
        """The records for which jobs were made by holes."""
        rows = self.stage.rows("select record_id from zixly.workflow_jobs where made_by is not null and workflow_type = %s", workflow)
        return sorted(row["record_id"] for row in rows)

    def event(self, system: str) -> None:
        """Any event of the account comes."""
        now = datetime.now(UTC)
        columns = {
            "id": new_id(),
            "delivery_id": new_id(),
            "tenant_id": self.stage.ledger.tenant.id,
            "connection_id": self.stage.connections[system],
            "system": system,
            "kind": "any",
            "external_id": DEMO_ACCOUNTS[system],
            "record_key": "k",
            "record_id": "r",
            "dedupe_key": str(new_id()),
            "outcome": "filtered",
            "occurred_at": now,
            "received_at": now,
        }
        places = ", ".join(["%s"] * len(columns))
        self.stage.ledger.owner.execute(f"insert into zixly.events ({', '.join(columns)}) values ({places})", list(columns.values()))


@pytest.fixture
def target() -> Iterator[str]:
    with handshake_target() as url:
        yield url.partition("/webhook/")[0]


@pytest.fixture
def watchdog(stage: Stage, target: str) -> Iterator[Watchdog]:
    settings = read_settings()
    clients = VendorClients(settings, PostgresTokenStore(stage.ledger.runs, open_vault(settings)))
    yield Watchdog(stage, clients, public_url=target)
    clients.close()


def new_orders(stage: Stage, count: int) -> list[str]:
    made = stage.sandbox.admin("POST", f"/shopify/{DEMO.shop}/orders", {"count": count})
    return sorted(str(one) for one in made["order_ids"])


def run_all(stage: Stage, system: str) -> None:
    """Do everything that is due; bulk work waits where a shop's points are left to live work."""
    deadline = time.monotonic() + longest(60)
    open_ones = "select 1 from zixly.workflow_jobs where system = %s and status = 'QUEUED' and batch_id is null"
    while stage.rows(open_ones, system):
        assert time.monotonic() < deadline, "the jobs did not end"
        time.sleep(0.5)
        stage.ledger.owner.execute("update zixly.workflow_jobs set due_at = now() - interval '1 second' where status = 'QUEUED'")
        stage.run(stage.hand_over(system))
