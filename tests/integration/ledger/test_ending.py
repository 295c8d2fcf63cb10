"""A dispatcher whose process has been told to end hands nothing over: its answer may come too late for anybody to launch a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.support.ledger import TestLedger
from zixly_core.dispatcher import Dispatcher
from zixly_core.queue import Message
from zixly_core.queues.memory import MemoryQueue
from zixly_core.stores.handover import HandoverLimits


class ToldMeanwhile(MemoryQueue):
    """Whoever waits for a message is told to end while it waits, and is then given one all the same."""

    told = False
    meanwhile: Callable[[], object]

    def take(self, *, limit: int, wait: timedelta) -> list[Message]:
        self.told = True
        self.meanwhile()
        return super().take(limit=limit, wait=wait)


def test_what_becomes_due_while_a_process_ends_stays_due_for_the_next(ledger: TestLedger) -> None:
    """It had been handed over to nobody and waited for the time in which a run must come for it (45 s)."""
    queue = ToldMeanwhile(name="xero", visibility=timedelta(seconds=30), max_takes=5)
    limits = HandoverLimits(max_open_batches=8, slots=2, max_batch=80)
    ending = Dispatcher(system="xero", queue=queue, database=ledger.dispatch, limits=limits, is_ending=lambda: queue.told)
    queue.meanwhile = lambda: ledger.owner.execute("update zixly.workflow_jobs set due_at = now()")
    queue.send(ledger.add_jobs(1, due_at=datetime.now(UTC) + timedelta(hours=1)))
    tick = ending.tick(at_most_seconds=5)
    assert queue.told
    assert tick.batches == []
    next_one = Dispatcher(system="xero", queue=queue, database=ledger.dispatch, limits=limits)
    assert [len(batch.job_ids) for batch in next_one.tick(at_most_seconds=5).batches] == [1]
