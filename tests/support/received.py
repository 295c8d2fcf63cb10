"""Events as the bridge would have written them, put into the ledger directly, with payloads of one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from tests.support.ledger import Tenant, TestLedger
from zixly_core.ids import new_id
from zixly_core.stores.payload_index import IndexStep, index_next

ENOUGH = timedelta(minutes=5)  # older than what the index leaves alone

EVENT_SQL = """
insert into zixly.events (id, delivery_id, tenant_id, connection_id, system, kind, external_id, record_key, record_id, dedupe_key, outcome,
                          occurred_at, received_at, payload)
values (%(id)s, gen_random_uuid(), %(tenant)s, %(connection)s, 'xero', 'INVOICE.UPDATE', 'account', %(record)s, %(record)s, %(id)s, 'jobs',
        %(at)s, %(at)s, %(payload)s)"""


def add_event(
    ledger: TestLedger,
    payload: Any,
    *,
    tenant: Tenant | None = None,
    ago: timedelta = ENOUGH,
    id: UUID | None = None,  # noqa: A002
) -> UUID:
    """An event that came a while ago; `payload` as JSON, or as the bytes that are kept."""
    owner = tenant or ledger.tenant
    at = datetime.now(UTC) - ago
    event_id = id or id_made_at(at)
    kept = payload if isinstance(payload, bytes) or payload is None else orjson.dumps(payload)
    values = {"id": event_id, "tenant": owner.id, "connection": owner.xero, "record": str(event_id), "at": at, "payload": kept}
    ledger.owner.execute(EVENT_SQL, values)
    return event_id


def id_made_at(at: datetime) -> UUID:
    """An id that a process made then."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | new_id().int & ((1 << 80) - 1))


def index_everything(ledger: TestLedger) -> list[IndexStep]:
    """Index as the sensor does, until nothing is left that is old enough; what each step did."""
    done: list[IndexStep] = []
    while not done or done[-1].has_more:
        step = index_next(ledger.dispatch)
        assert step is not None
        done.append(step)
    return done
