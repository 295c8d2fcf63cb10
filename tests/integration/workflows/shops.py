"""The demo client's shop on the stage: what it sent, and jobs about its records."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from tests.integration.workflows.conftest import Stage
from zixly_core.ids import new_id
from zixly_sandbox.constants import DEMO

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Shop:
    """The shop as the ledger knows it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.domain = DEMO.shop
        self.id = stage.connections["shopify"]
        self.tenant_id = stage.ledger.tenant.id

    def key(self, kind: str, record_id: str) -> str:
        return f"shopify:{self.domain}:{kind}:{record_id}"

    def receive(self, kind: str, payload: dict[str, Any], *, record: tuple[str, str]) -> UUID:
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
                self.tenant_id,
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

    def job(self, job_id: UUID) -> dict[str, Any]:
        return self.stage.ledger.job(job_id)
