"""The demo client's shop on the stage: its connection, and jobs about its records."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from tests.integration.workflows.conftest import ONE_BATCH, Stage
from zixly_core.batching import Batch
from zixly_core.ids import new_id
from zixly_core.stores.handover import hand_over

SHOP = "zixly-demo.myshopify.com"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Shop:
    """A shop of the stage's tenant."""

    def __init__(self, stage: Stage, *, domain: str = SHOP, tenant_id: UUID | None = None) -> None:
        self.stage = stage
        self.domain = domain
        self.id = new_id()
        self.tenant_id = tenant_id or stage.ledger.tenant.id
        stage.ledger.owner.execute(
            "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'shopify', %s, 'Shop')",
            (self.id, self.tenant_id, domain),
        )

    def configure(self, **settings: Any) -> None:
        self.stage.ledger.owner.execute("update zixly.connections set settings = settings || %s where id = %s", (Jsonb(settings), self.id))

    def key(self, kind: str, record_id: str) -> str:
        return f"shopify:{self.domain}:{kind}:{record_id}"

    def receive(self, kind: str, payload: dict[str, Any], *, record: tuple[str, str], tenant_id: UUID | None = None) -> UUID:
        """An event of the shop with its raw delivery; its id."""
        owner, event_id, delivery_id = self.stage.ledger.owner, new_id(), new_id()
        body = orjson.dumps(payload)
        owner.execute(
            "insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256, event_count)"
            " values (%s, 'shopify', 'shopify', %s, 'accepted', 200, '{}', %s, %s, 1)",
            (delivery_id, NOON, body, hashlib.sha256(body).digest()),
        )
        owner.execute(
            "insert into zixly.events (id, delivery_id, tenant_id, connection_id, system, kind, external_id, record_key, record_id,"
            " dedupe_key, outcome, occurred_at, received_at, payload)"
            " values (%s, %s, %s, %s, 'shopify', %s, %s, %s, %s, %s, 'jobs', %s, %s, %s)",
            (
                event_id,
                delivery_id,
                tenant_id or self.tenant_id,
                self.id,
                kind,
                self.domain,
                self.key(*record),
                record[1],
                str(event_id),
                NOON,
                NOON,
                body,
            ),
        )
        return event_id

    def add_job(self, workflow: str, *, record: tuple[str, str], event_id: UUID | None = None, kind: str = "", **columns: Any) -> UUID:
        """A queued job about a record of the shop."""
        values = {
            "connection_id": self.id,
            "workflow_type": workflow,
            "system": "shopify",
            "record_key": self.key(*record),
            "event_id": event_id,
            "trigger_data": Jsonb({"kind": kind, "record_id": record[1]}),
            **columns,
        }
        (job_id,) = self.stage.ledger.add_jobs(1, record=record[1], **values)
        return job_id

    def hand_over(self) -> Batch:
        (batch,) = hand_over(self.stage.ledger.dispatch, system="shopify", limits=ONE_BATCH)
        return batch

    def job(self, job_id: UUID) -> dict[str, Any]:
        return self.stage.ledger.job(job_id)
