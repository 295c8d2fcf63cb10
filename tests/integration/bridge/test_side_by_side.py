"""Two bridges over one database, each with shared commits of its own: what a vendor sends to both is one event."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx2
import pytest

from tests.integration.bridge.running import XERO_KEY, RunningBridge, settings_for, start_bridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.postgres import TestDatabase

DELIVERIES, EACH = 10, 4


@pytest.fixture
def other_bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


def test_deliveries_that_reach_both_bridges_at_once_make_each_job_once(
    bridge: RunningBridge, other_bridge: RunningBridge, ledger: TestLedger
) -> None:
    bodies = [xero_body(xero_event(ORGANISATION)) for _ in range(DELIVERIES)]

    async def to_both() -> list[int]:
        async with httpx2.AsyncClient(timeout=15) as http:
            posts = [
                http.post(f"{one.http.base_url}/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
                for _ in range(EACH)
                for body in bodies
                for one in (bridge, other_bridge)
            ]
            return [answer.status_code for answer in await asyncio.gather(*posts)]

    assert set(asyncio.run(to_both())) == {200}
    verdicts = ledger.owner.execute("select verdict, count(*) as n from zixly.deliveries group by verdict order by verdict").fetchall()
    assert [(row["verdict"], row["n"]) for row in verdicts] == [("accepted", DELIVERIES), ("duplicate", (2 * EACH - 1) * DELIVERIES)]
    made = ledger.owner.execute("select count(*) as n, count(distinct event_id) as events from zixly.workflow_jobs").fetchone()
    assert made == {"n": DELIVERIES, "events": DELIVERIES}
