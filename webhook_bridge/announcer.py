"""Put job ids on the queues after their commit, off the event loop. A queue that fails is logged and counted, nothing more:
the rows are there, and the sweep announces again what is due."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog

from zixly_core.errors import QueueUnavailable
from zixly_core.metrics import ProcessMetrics
from zixly_core.queue import Queue
from zixly_core.trace_context import TraceContext, new_span
from zixly_core.tracing import Kind, Span, here, is_recorded, now_ns, record

log = structlog.get_logger()
MAX_WAITING = 50_000  # ids; more than that means that the queue is away, and the sweep is quicker than a backlog


class Announcer:
    """Collects ids for each system's queue and sends what has come up together, one sender for each queue."""

    def __init__(self, queues: Mapping[str, Queue], *, metrics: ProcessMetrics) -> None:
        self._queues = queues
        self._metrics = metrics
        self._waiting: dict[str, list[UUID]] = {system: [] for system in queues}
        self._woken = {system: asyncio.Event() for system in queues}
        self._causes: dict[str, list[TraceContext]] = {system: [] for system in queues}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._send_all(system), name=f"announce-{system}") for system in self._queues]

    async def stop(self) -> None:
        """Send what waits, once, then end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for system in self._queues:
            await self._send(system)

    def announce(self, to_wake: Mapping[str, Sequence[UUID]]) -> None:
        """Queue these ids soon. A job of a system without a queue is found by the sweep."""
        cause = here()
        for system, job_ids in to_wake.items():
            waiting = self._waiting.get(system)
            if waiting is None or len(waiting) + len(job_ids) > MAX_WAITING:
                self._metrics.wake_ups_failed.labels(system).inc()
                continue
            waiting.extend(job_ids)
            if cause is not None and is_recorded(cause.trace_id):
                self._causes[system].append(cause)
            self._woken[system].set()

    async def _send_all(self, system: str) -> None:
        while True:
            await self._woken[system].wait()
            self._woken[system].clear()
            await self._send(system)

    async def _send(self, system: str) -> None:
        job_ids, self._waiting[system] = self._waiting[system], []
        causes, self._causes[system] = self._causes[system], []
        if not job_ids:
            return
        began = now_ns()
        failed: str | None = "error"
        try:
            await asyncio.to_thread(self._queues[system].send, job_ids)
            failed = None
        except QueueUnavailable as error:
            failed = error.reason
            self._metrics.wake_ups_failed.labels(system).inc()
            log.warning("wake_up_not_queued", system=system, jobs=len(job_ids), reason=error.reason)
        except Exception:
            self._metrics.wake_ups_failed.labels(system).inc()
            log.exception("wake_up_not_queued", system=system, jobs=len(job_ids))
        tell_sent(system, causes, jobs=len(job_ids), began_ns=began, error=failed)


def tell_sent(system: str, causes: Sequence[TraceContext], *, jobs: int, began_ns: int, error: str | None) -> None:
    """A span in the trace of each request whose jobs were in the message."""
    facts = {
        "messaging.system": "zixly",
        "messaging.operation.type": "send",
        "messaging.destination.name": system,
        "messaging.batch.message_count": jobs,
    }
    for cause in causes:
        context = TraceContext(cause.trace_id, new_span())
        record(Span(f"send {system}", context, began_ns, now_ns(), Kind.PRODUCER, cause, facts, error=error))
