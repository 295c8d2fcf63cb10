"""Verify rejected deliveries again, in bulk, after a secret was mended: what is good now is accepted as if it had just come.

The clock is that of each delivery's arrival, so a signature that was good for five minutes is still judged by its own moment. What
was accepted is marked in the same commit, and dedupe keys hold as always: doing it twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from webhook_bridge.intake_service import IntakeService
from zixly_core.errors import Permanent
from zixly_core.kept_requests import Box, opened_request
from zixly_core.prepared import Prepared, Verdict
from zixly_core.stores.kept_deliveries import KeptDelivery
from zixly_core.system import System
from zixly_core.trace_context import parent_of

log = structlog.get_logger()
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Reverified:
    """What came of some rejected deliveries. In a dry run `accepted` are those that would be."""

    examined: int = 0
    accepted: int = 0
    duplicates: int = 0
    jobs: int = 0
    refused: int = 0
    unreadable: int = 0
    """Sealed with a key that is gone."""
    by_system: Mapping[str, int] = field(default_factory=dict)
    """Good ones, by system."""


@dataclass(frozen=True)
class Good:
    """A rejected delivery that verifies now."""

    kept: KeptDelivery
    delivery: Prepared
    system: System


class Reverifier:
    """Works on a page of kept deliveries at a time."""

    def __init__(self, intake: IntakeService, *, systems: Mapping[str, System], box: Box | None) -> None:
        self._intake = intake
        self._systems = systems
        self._box = box

    async def verify_again(self, page: Sequence[KeptDelivery], *, dry_run: bool) -> Reverified:
        """Raises `StoreUnavailable`; then some may be accepted already, and the rest can be tried again."""
        await self._intake.read_routing_again()
        judged = [await self._judged(one) for one in page]
        good = [one for one in judged if isinstance(one, Good)]
        done = [] if dry_run else await asyncio.gather(*(self._accepted(one) for one in good))
        duplicates = sum(verdict is Verdict.DUPLICATE for verdict, _ in done)
        return Reverified(
            examined=len(page),
            accepted=len(good) - duplicates,
            duplicates=duplicates,
            jobs=sum(jobs for _, jobs in done),
            refused=judged.count(None),
            unreadable=judged.count(UNREADABLE),
            by_system=dict(Counter(one.system.name for one in good)),
        )

    async def _judged(self, kept: KeptDelivery) -> Good | str | None:
        """The delivery if it is good now, None if it is not, `UNREADABLE` if it cannot be opened."""
        await asyncio.sleep(0)  # deliveries that come now go first
        system = self._systems.get(kept.system)
        if system is None:
            return None
        try:
            request = opened_request(kept.sealed, delivery_id=kept.id, box=self._box)
        except Permanent as error:
            log.warning("kept_delivery_unreadable", delivery_id=str(kept.id), reason=error.reason)
            return UNREADABLE
        traced = parent_of(request.headers.get("traceparent", ""))
        request = replace(request, trace_id=traced.trace_id if traced else kept.id)
        delivery = self._intake.judged_again(request, system=system)
        return None if delivery is None else Good(kept, delivery, system)

    async def _accepted(self, one: Good) -> tuple[Verdict, int]:
        """What it became, and how many jobs it has."""
        done = await self._intake.accept_again(one.delivery, system=one.system, rejected_id=one.kept.id)
        log.info("delivery_verified_again", delivery_id=str(one.kept.id), accepted_as=str(done.delivery_id), verdict=done.verdict.value)
        return done.verdict, 0 if done.verdict is Verdict.DUPLICATE else len(done.job_ids)
