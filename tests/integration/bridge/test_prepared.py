"""What is inserted for each delivery is prepared where that lasts, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.support.deliveries import prepared_xero, xero_event
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.pgbouncer import bouncer
from tests.support.postgres import RunningPostgres, TestDatabase
from webhook_bridge.database import AsyncDatabase, AsyncRows
from webhook_bridge.routing_snapshot import read_table
from zixly_core.prepared import Verdict
from zixly_core.stores.intake import commit_deliveries

PREPARED_SQL = "select split_part(statement, '(', 1) as what from pg_prepared_statements order by prepare_time"
INSERTIONS = ["dedupe_keys", "deliveries", "events", "workflow_jobs", "job_counters"]


async def accepted_by(opened: AsyncDatabase, *, deliveries: int) -> list[str]:
    """Commit so many, one after the other; what the connection has prepared afterwards."""
    async with opened.connection() as connection:
        for shard in range(deliveries):
            await commit_one(connection, shard=shard)
        return [row["what"].split("zixly.")[1].strip() for row in await (await connection.execute(PREPARED_SQL)).fetchall()]


async def commit_one(connection: AsyncRows, *, shard: int) -> None:
    delivery = prepared_xero(await read_table(connection), xero_event(ORGANISATION))
    (done,) = await commit_deliveries(connection, [delivery], shard=shard)
    assert done.verdict is Verdict.ACCEPTED


async def test_each_insertion_is_planned_once_for_a_connection(ledger: TestLedger, database: TestDatabase) -> None:
    opened = AsyncDatabase(database.url("intake"), name="test", max_size=1)
    await opened.open()
    assert await accepted_by(opened, deliveries=3) == INSERTIONS
    await opened.close()


async def test_clients_of_a_pooler_that_take_turns_on_a_connection_prepare_nothing(
    ledger: TestLedger, database: TestDatabase, postgres_server: RunningPostgres, tmp_path: Path
) -> None:
    with bouncer(postgres_server, tmp_path, pool_size=1) as running:
        pooled = replace(database, server=running)
        bridges = [AsyncDatabase(pooled.url("intake"), name=f"bridge {number}", max_size=1) for number in (1, 2)]
        for bridge in bridges:
            await bridge.open()
        for bridge in (*bridges, *bridges):
            assert await accepted_by(bridge, deliveries=2) == []
        for bridge in bridges:
            await bridge.close()
