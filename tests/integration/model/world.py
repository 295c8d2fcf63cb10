"""Everything that is real in the model: Postgres by its roles, a queue on Valkey, intake, dispatcher; and time, moved by ageing rows."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import DictRow, dict_row

from tests.integration.model.mortal import Death, MortalDatabase
from tests.integration.model.vendor import Crash
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import HOUR, LEASE, Tenant, TestLedger
from tests.support.postgres import TestDatabase
from webhook_bridge.routing_snapshot import read_table
from zixly_core.batching import Batch
from zixly_core.dispatcher import Dispatcher
from zixly_core.intake import prepared
from zixly_core.prepared import Committed, Prepared
from zixly_core.queue import Queue
from zixly_core.queues import open_queue
from zixly_core.routing import RoutingTable
from zixly_core.stores.database import Database
from zixly_core.stores.handover import HandoverLimits
from zixly_core.stores.intake import commit_deliveries
from zixly_core.stores.settle import RetryPolicy
from zixly_core.stores.sweep import SweepLimits, Swept, sweep
from zixly_core.system import IncomingRequest
from zixly_core.systems import SYSTEMS

KEY = "only-for-tests"
LIMITS = HandoverLimits(max_open_batches=6, slots=2, max_batch=3)
# Longer than a story takes: what is due is a matter of the time that the machine lets pass.
POLICY = RetryPolicy(max_attempts=3, base=timedelta(seconds=30))
SWEEP = SweepLimits(max_attempts=3, attempt_timeout=HOUR, handover=LEASE)
# Long enough for one look at the rows and one at the queue.
LOOK_SECONDS = 0.002

EMPTY_SQL = ";".join(
    f"delete from zixly.{table}"
    for table in (
        "workflow_related_records job_attempts effects record_states workflow_jobs batches events deliveries dedupe_keys replays pauses "
        "job_counters ledger_balance"
    ).split()
)
RESUME_ALL_SQL = """
delete from zixly.pauses; update zixly.tenants set paused_at = null; update zixly.connections set paused_at = null, parked_until = null;
update zixly.workflows set paused_at = null"""
AGED = {
    "workflow_jobs": "created_at due_at lease_until started_at first_op_at waiting_until completed_at handed_over_at",
    "batches": "created_at claimed_at ended_at",
    "effects": "intended_at tried_at done_at",
    "deliveries": "received_at",
    "events": "received_at",
    "connections": "parked_until",
}


def ageing(table: str, columns: str) -> str:
    moves = ", ".join(f"{name} = {name} - interval '{{seconds}} seconds'" for name in columns.split())
    return f"update zixly.{table} set {moves}"


AGEING = ";".join(ageing(table, columns) for table, columns in AGED.items())


@dataclass
class World:
    """Opened once for a test, emptied for each story."""

    ledger: TestLedger
    database: TestDatabase
    queue_url: str
    tenants: tuple[Tenant, Tenant] = field(init=False)
    organisations: dict[UUID, str] = field(init=False)
    queue: Queue = field(init=False)

    def __post_init__(self) -> None:
        self.owner = self.ledger.owner
        self.dispatch = MortalDatabase(self.database.url("dispatch"), name="dispatch")
        self.runs = MortalDatabase(self.database.url("runs"), name="runs")
        self.api = Database(self.database.url("api"), name="api")
        self.metrics = Database(self.database.url("metrics"), name="metrics")
        self.tenants = (self.ledger.tenants[0], self.ledger.add_tenant("other"))
        rows = self.owner.execute("select tenant_id, external_id from zixly.connections where system = 'xero'").fetchall()
        self.organisations = {row["tenant_id"]: row["external_id"] for row in rows}
        self._loop = asyncio.new_event_loop()
        self._intake = self._loop.run_until_complete(self._open_intake())
        self._routing: RoutingTable = self._loop.run_until_complete(read_table(self._intake))
        self._queues = itertools.count()
        self.queue = self._next_queue()

    def empty(self) -> None:
        """A new story begins: no row, no message, no time passed."""
        self.owner.execute(f"{EMPTY_SQL};{RESUME_ALL_SQL}")
        self.dispatch.dies(None)
        self.runs.dies(None)
        self.flush_queue()

    def close(self) -> None:
        self.queue.close()
        for database in (self.dispatch, self.runs, self.api, self.metrics):
            database.close()
        self._loop.run_until_complete(self._intake.close())
        self._loop.close()

    def pass_time(self, seconds: int) -> None:
        """The promises know one clock, Postgres'; that it moved on is that everything became older."""
        self.owner.execute(AGEING.format(seconds=seconds))

    def flush_queue(self) -> None:
        """Every message is forgotten, those that are taken too."""
        self.queue.close()
        self.queue = self._next_queue()

    def request(self, tenant: Tenant, record_id: str, at: datetime) -> IncomingRequest:
        """A signed delivery about a change of a record."""
        event = xero_event(self.organisations[tenant.id], resourceId=record_id, eventDateUtc=at.strftime("%Y-%m-%dT%H:%M:%S.000"))
        body = xero_body(event)
        return IncomingRequest("POST", "http://bridge/webhook/xero", xero_headers(body, key=KEY), body, datetime.now(UTC))

    def receive(self, request: IncomingRequest, *, dies_before_commit: bool = False) -> Committed | None:
        """What the bridge does before it answers; None when it died before its commit, so that nobody was answered."""
        return self._loop.run_until_complete(self._receive(request, dies=dies_before_commit))

    def announce(self, wanted: Sequence[UUID]) -> None:
        if wanted:
            self.queue.send(wanted)

    def hand_over(self, death: Death | None = None) -> list[Batch]:
        """One tick of the dispatch sensor; no batch is launched by one that died."""
        self.dispatch.dies(death)
        dispatcher = Dispatcher(system="xero", queue=self.queue, database=self.dispatch, limits=LIMITS)
        try:
            return dispatcher.tick(at_most_seconds=LOOK_SECONDS).batches
        except Crash:
            return []
        finally:
            self.dispatch.dies(None)

    def sweep(self, death: Death | None = None) -> Swept | None:
        """One pass of the sweep sensor; None when it died."""
        self.dispatch.dies(death)
        try:
            swept = sweep(self.dispatch, limits=SWEEP)
        except Crash:
            return None
        finally:
            self.dispatch.dies(None)
        for ids in swept.to_announce.values():
            self.announce(ids)
        return swept

    def _next_queue(self) -> Queue:
        name = f"model-{uuid4().hex[:8]}-{next(self._queues)}"
        # What is taken comes back at once, so that everything is handed out twice whenever it can be.
        return open_queue(self.queue_url, name=name, visibility=timedelta(milliseconds=1), max_takes=1_000_000)

    async def _open_intake(self) -> psycopg.AsyncConnection[DictRow]:
        url = self.database.url("intake")
        return await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dict_row, prepare_threshold=None)

    async def _receive(self, request: IncomingRequest, *, dies: bool) -> Committed | None:
        delivery = prepared(request, system=SYSTEMS["xero"], secrets=[KEY], routing=self._routing)
        if dies:
            await self._dies_before_commit(delivery)
            return None
        (done,) = await commit_deliveries(self._intake, [delivery], shard=0)
        return done

    async def _dies_before_commit(self, delivery: Prepared) -> None:
        """All of its statements are sent but the last."""
        execute = self._intake.execute

        async def until_commit(query: str, *values: Any, **how: Any) -> Any:
            if query == "commit":
                raise Crash
            return await execute(query, *values, **how)

        with patch.object(self._intake, "execute", until_commit), suppress(Crash):
            await commit_deliveries(self._intake, [delivery], shard=0)
        await self._intake.rollback()


def steady() -> random.Random:
    return random.Random(7)
