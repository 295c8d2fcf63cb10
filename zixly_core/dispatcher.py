"""The dispatcher of one system: woken by the queue, it hands due jobs over and acknowledges what it was told.

A message is only a wake-up: what is handed over is what the rows say is due. So a lost message costs at most one poll, and a
queue that is away costs nothing but the speed of the wake-up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from zixly_core.batching import Batch
from zixly_core.errors import Permanent, QueueUnavailable
from zixly_core.job_spans import tell_handed_over
from zixly_core.queue import Message, Queue
from zixly_core.stores.database import Database
from zixly_core.stores.handover import HandoverLimits, announced, due_in_seconds, hand_over
from zixly_core.tracing import now_ns

# A poll must end within a sensor's tick, and stopping the code server must not take long.
LONGEST_POLL_SECONDS = 5.0
# How soon to look again while jobs are due but every slot is taken.
BLOCKED_POLL_SECONDS = 0.2
# How soon to look again while the queue, or the broker of the run workers, is away.
AWAY_POLL_SECONDS = 1.0
MESSAGES_AT_ONCE = 100

log = structlog.get_logger()


@dataclass(frozen=True)
class Tick:
    """What one look came to."""

    batches: list[Batch]
    messages: int
    queue_away: bool = False
    workers_away: bool = False


class Dispatcher:
    """Hands the jobs of one system over. Several may run side by side: the rows decide who gets what."""

    def __init__(
        self,
        *,
        system: str,
        queue: Queue,
        database: Database,
        limits: HandoverLimits,
        can_launch: Callable[[], bool] = lambda: True,
        is_ending: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._system = system
        self._queue = queue
        self._database = database
        self._limits = limits
        self._can_launch = can_launch
        self._is_ending = is_ending
        self._clock = clock
        self._sleep = sleep

    def tick(self, *, at_most_seconds: float = LONGEST_POLL_SECONDS) -> Tick:
        """Wait for something to be due, hand it over, acknowledge the messages. Raises `StoreUnavailable`.

        Nothing is handed over while runs cannot be launched, nor once this process has been told to end and its answers may come too
        late: jobs are better off as due than in batches that no run comes for.
        """
        end = self._clock() + at_most_seconds
        messages: list[Message] = []
        queue_away = False
        while True:
            if self._is_ending():
                return Tick([], messages=len(messages), queue_away=queue_away)
            if not self._can_launch():
                self._sleep(AWAY_POLL_SECONDS)
                return Tick([], messages=len(messages), queue_away=queue_away, workers_away=True)
            began = now_ns()
            batches = hand_over(self._database, system=self._system, limits=self._limits)
            tell(batches, began_ns=began)
            self._settle(messages)
            left = end - self._clock()
            if batches or left <= 0:
                return Tick(batches, messages=len(messages), queue_away=queue_away)
            wait = min(left, self._patience())
            messages, queue_away = self._taken(wait)

    def _patience(self) -> float:
        """How long nothing can become due without a message: until the next due time, a moment when slots are what is missing."""
        seconds = due_in_seconds(self._database, system=self._system)
        if seconds is None:
            return LONGEST_POLL_SECONDS
        return max(seconds, BLOCKED_POLL_SECONDS)

    def _taken(self, wait: float) -> tuple[list[Message], bool]:
        """Messages, and whether the queue is away; then the rows alone are looked at, as often as is polite."""
        began = self._clock()
        try:
            return self._queue.take(limit=MESSAGES_AT_ONCE, wait=timedelta(seconds=wait)), False
        except (QueueUnavailable, Permanent) as error:
            log.warning("queue_away", system=self._system, reason=error.reason)
            self._sleep(max(min(wait, AWAY_POLL_SECONDS) - (self._clock() - began), 0))
            return [], True

    def _settle(self, messages: Sequence[Message]) -> None:
        """Acknowledge the messages whose jobs are in the rows. Others come back, and end as dead letters."""
        if not messages:
            return
        known = announced(self._database, [job_id for message in messages for job_id in message.job_ids])
        try:
            self._queue.settle([message for message in messages if known.issuperset(message.job_ids)])
        except (QueueUnavailable, Permanent) as error:
            log.warning("messages_not_settled", system=self._system, messages=len(messages), reason=error.reason)


def tell(batches: Sequence[Batch], *, began_ns: int) -> None:
    """A line and a span for each batch. Jobs that go alone, as they do in quiet times, are named."""
    for batch in batches:
        tell_handed_over(batch, began_ns=began_ns)
        alone = {"job_id": batch.job_ids[0]} if len(batch.job_ids) == 1 else {}
        log.info(
            "batch_handed_over",
            batch_id=batch.id,
            trace_id=batch.trace_id.hex,
            tenant_id=batch.tenant_id,
            system=batch.system,
            workflow=batch.workflow,
            jobs=len(batch.job_ids),
            **alone,
        )
