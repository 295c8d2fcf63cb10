from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count

import psycopg
import pytest

from tests.support.deliveries import prepared_xero, xero_event
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.postgres import TestDatabase
from webhook_bridge.database import AsyncDatabase
from webhook_bridge.routing_snapshot import read_table
from zixly_core.errors import StoreUnavailable
from zixly_core.group_commit import GroupCommit
from zixly_core.prepared import Committed, Prepared, Verdict
from zixly_core.stores.intake import commit_deliveries, in_one_transaction


def unstorable(one: Prepared) -> Prepared:
    """A delivery that passed every check of ours and that Postgres refuses all the same."""
    return replace(one, path="zero\x00character")


async def test_one_delivery_that_cannot_be_stored_fails_alone(ledger: TestLedger, database: TestDatabase) -> None:
    opened = AsyncDatabase(database.url("intake"), name="test", max_size=2)
    await opened.open()
    sizes: list[int] = []

    async def commit(deliveries: Sequence[Prepared]) -> list[Committed]:
        sizes.append(len(deliveries))
        async with opened.connection() as connection:
            return await commit_deliveries(connection, deliveries, shard=0)

    async with opened.connection() as connection:
        routing = await read_table(connection)
    commits: GroupCommit[Prepared, Committed] = GroupCommit(commit)
    good = [prepared_xero(routing, xero_event(ORGANISATION)) for _ in range(4)]
    bad = unstorable(prepared_xero(routing, xero_event(ORGANISATION)))
    waiting = [asyncio.create_task(commits.submit(one)) for one in (*good[:2], bad, *good[2:])]
    await asyncio.sleep(0)
    commits.start()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    await commits.stop()
    await opened.close()
    assert sizes == [5, 1, 1, 1, 1, 1]
    assert isinstance(outcomes[2], psycopg.DataError)
    assert [one.verdict for one in outcomes if isinstance(one, Committed)] == [Verdict.ACCEPTED] * 4
    stored = ledger.owner.execute("select count(*)::int as n from zixly.workflow_jobs").fetchone()
    assert stored == {"n": 4}


@pytest.mark.parametrize("rounds", [8])
async def test_committers_that_share_keys_in_any_order_never_dead_lock(ledger: TestLedger, database: TestDatabase, rounds: int) -> None:
    opened = AsyncDatabase(database.url("intake"), name="test", max_size=4)
    await opened.open()
    shards = count()
    async with opened.connection() as connection:
        routing = await read_table(connection)
    events = [xero_event(ORGANISATION) for _ in range(20)]

    async def commit(order: Sequence[dict[str, object]]) -> list[Committed]:
        async with opened.connection() as connection:
            return await commit_deliveries(connection, [prepared_xero(routing, *order)], shard=next(shards) % 16)

    for _ in range(rounds):
        await asyncio.gather(commit(events), commit(events[::-1]), commit(events[10:] + events[:10]))
    await opened.close()
    jobs = ledger.owner.execute("select count(*)::int as n from zixly.workflow_jobs").fetchone()
    assert jobs == {"n": 20}


async def test_a_transaction_that_had_failed_unnoticed_is_not_taken_for_committed(ledger: TestLedger, database: TestDatabase) -> None:
    opened = AsyncDatabase(database.url("intake"), name="test", max_size=1)
    await opened.open()
    with pytest.raises(StoreUnavailable, match="ROLLBACK"):
        await fail_unnoticed(opened)
    async with opened.connection() as connection, in_one_transaction(connection):
        pass
    await opened.close()


async def fail_unnoticed(opened: AsyncDatabase) -> None:
    async with opened.connection() as connection, in_one_transaction(connection):
        with suppress(psycopg.errors.UndefinedTable):
            async with connection.pipeline():
                await connection.execute("select 1 from zixly.no_such_table")
