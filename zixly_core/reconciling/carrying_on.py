"""A reconciliation carried on: what changed at the source, then every target that we wrote, a page at a time.

Each page's findings are committed together with how far it came, so a run that is killed, or that parks because an API budget is
spent, is gone on with from its last page. Memory holds one page.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog

from zixly_core.changes import Window
from zixly_core.connection_settings import MODELS, settings_in
from zixly_core.drifts import Drift, DriftKind, KnownJobs, Place, SourceRecord, place_of
from zixly_core.errors import BudgetSpent, LeaseLost, Permanent, StoreUnavailable, ZixlyError
from zixly_core.reconciling.comparison import Comparison, Sides
from zixly_core.reconciling.comparisons import COMPARISONS
from zixly_core.stores.compared import WrittenTarget, known_jobs, unsettled_targets, written_targets
from zixly_core.stores.connections import ConfiguredConnection, connection_in, time_zone_in
from zixly_core.stores.database import Database
from zixly_core.stores.drifts import counts_by_kind, keep_found, make_missing_jobs, note_gone, repair, settle_repairs
from zixly_core.stores.reconciliations import Taken, end, park, save_page, trim
from zixly_core.vendor_clients import VendorClients

TARGETS_PER_PAGE = 200
# Then the run ends and another one goes on: a worker is not held for longer.
LONGEST_RUN = timedelta(minutes=10)
# Where the other side did not say how long to wait.
USUAL_WAIT = timedelta(minutes=2)
MOST_TRIES = 200
# So little is waited out in place: another run would cost more than the wait.
SHORT_WAIT = timedelta(seconds=15)

log = structlog.get_logger()


class Phase(StrEnum):
    """What is read, in this order."""

    CHANGED = "changed"
    TARGETS = "targets"
    END = "end"


class Ended(StrEnum):
    """How a run's part of a reconciliation ended."""

    DONE = "done"
    PARKED = "parked"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `counts` are of the whole reconciliation where it is done."""

    ended: Ended
    counts: dict[str, int]
    reason: str | None = None


def carry_on(
    taken: Taken, database: Database, clients: VendorClients, *, now: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep
) -> Outcome:
    """Go on with a reconciliation from where it stands until it is done, has to wait, or has taken long enough. As role `runs`; the
    clients are in the lane of bulk work. Raises `StoreUnavailable` and `LeaseLost`."""
    work = Work(taken, database, now=now)
    try:
        sides = sides_of(taken, database, clients)
        is_done = work.read_patiently(COMPARISONS[taken.workflow].compared(sides), sleep=sleep)
    except (LeaseLost, StoreUnavailable):
        raise
    except ZixlyError as error:
        return work.stopped(error)
    return work.finished(repairs_fields=repairs_fields(sides.source)) if is_done else work.paused()


def sides_of(taken: Taken, database: Database, clients: VendorClients) -> Sides:
    source = connection_in(database, taken.tenant_id, taken.connection_id)
    return Sides(database, clients, source, taken.workflow, time_zone_in(database, taken.tenant_id))


def repairs_fields(source: ConfiguredConnection) -> bool:
    """Whether the connection's settings have differing fields written again without asking."""
    return settings_in(MODELS[source.system], source.settings, connection_id=source.id).reconciliation.repair


class Work:
    """One run's part of a reconciliation."""

    def __init__(self, taken: Taken, database: Database, *, now: Callable[[], datetime]) -> None:
        self._taken = taken
        self._database = database
        self._now = now
        self._progress: dict[str, Any] = dict(taken.progress)
        self._ends_at = time.monotonic() + LONGEST_RUN.total_seconds()

    def read_patiently(self, comparison: Comparison, *, sleep: Callable[[float], None]) -> bool:
        """`read`, going on from the last page after each short wait that a vendor asks for."""
        while True:
            try:
                return self.read(comparison)
            except BudgetSpent as error:
                if error.retry_after is None or error.retry_after > SHORT_WAIT or not self._has_time:
                    raise
                sleep(max(error.retry_after.total_seconds(), 0.1))

    def read(self, comparison: Comparison) -> bool:
        """Both readings; whether they came to their end."""
        if self._phase is Phase.CHANGED and not self._read_changed(comparison):
            return False
        return self._phase is not Phase.TARGETS or self._compare_targets(comparison)

    def finished(self, *, repairs_fields: bool) -> Outcome:
        """Close what was not found again, and have repaired what the connection's settings say."""
        taken = self._taken
        with self._database.transaction(tenant_id=taken.tenant_id) as connection:
            note_gone(connection, taken)
            found = counts_by_kind(connection, taken.id)
            repaired = 0
            if repairs_fields and not taken.is_dry:
                repaired = repair(connection, now=self._now(), found_by=taken.id, kind=DriftKind.FIELD_DRIFT).count
            counts = {**{kind.value: found.get(kind.value, 0) for kind in DriftKind}, "repairs": repaired}
            save_page(connection, taken, progress={"phase": Phase.END}, counts=counts)
            end(connection, taken)
            trim(connection)
        return Outcome(Ended.DONE, counts)

    def stopped(self, error: ZixlyError) -> Outcome:
        """What helps by itself is waited for; anything else is told."""
        taken = self._taken
        is_final = isinstance(error, Permanent) or taken.tries >= MOST_TRIES
        with self._database.transaction(tenant_id=taken.tenant_id) as connection:
            if is_final:
                end(connection, taken, error=error)
            else:
                park(connection, taken, wait=getattr(error, "retry_after", None) or USUAL_WAIT, error=error)
        log.warning("reconciliation_stopped", reconciliation_id=str(taken.id), reason=error.reason, is_final=is_final)
        return Outcome(Ended.FAILED if is_final else Ended.PARKED, {}, reason=error.reason)

    def paused(self) -> Outcome:
        """The next run goes on at once."""
        with self._database.transaction(tenant_id=self._taken.tenant_id) as connection:
            park(connection, self._taken, wait=timedelta())
        return Outcome(Ended.PARKED, {}, reason="took_long")

    @property
    def _phase(self) -> Phase:
        return Phase(self._progress.get("phase", Phase.CHANGED))

    @property
    def _has_time(self) -> bool:
        return time.monotonic() < self._ends_at

    def _read_changed(self, comparison: Comparison) -> bool:
        window, since = self._taken.window, self._progress.get("since")
        reached = datetime.fromisoformat(since) if since else window.since
        if not self._progress:
            self._begin()
        for page in comparison.changed(Window(reached, window.until)):
            # Pages that do not come in order begin again from the start: nothing is made twice.
            reached = max([reached, *(record.version for record in page)]) if comparison.is_ordered else reached
            self._keep(page, [], progress={"phase": Phase.CHANGED, "since": reached.isoformat()}, counts={"read": len(page)})
            if not self._has_time:
                return False
        self._keep([], [], progress={"phase": Phase.TARGETS}, counts={})
        return True

    def _begin(self) -> None:
        with self._database.transaction(tenant_id=self._taken.tenant_id) as connection:
            settle_repairs(connection)

    def _compare_targets(self, comparison: Comparison) -> bool:
        number, after = int(self._progress.get("beginning", 0)), str(self._progress.get("after", ""))
        for index, beginning in enumerate(comparison.beginnings):
            if index < number:
                continue
            while page := self._targets(beginning, after=after):
                found = comparison.compare(page)
                after = page[-1].key
                progress = {"phase": Phase.TARGETS, "beginning": index, "after": after}
                self._keep(found.due, self._settled(found.drifts, page), progress=progress, counts={"compared": len(page)})
                if not self._has_time:
                    return False
            after = ""
        return True

    def _targets(self, beginning: str, *, after: str) -> list[WrittenTarget]:
        return written_targets(self._database, self._taken.tenant_id, beginning=beginning, after=after, limit=TARGETS_PER_PAGE)

    def _settled(self, drifts: Sequence[Drift], page: Sequence[WrittenTarget]) -> list[Drift]:
        """Without those that may be of our own making: written meanwhile, being written, changed a moment ago."""
        versions = {target.key: target.version for target in page}
        targets = {one.target_key: versions.get(one.target_key, one.version) for one in drifts if one.target_key is not None}
        moving = unsettled_targets(self._database, self._taken.tenant_id, targets)
        return [one for one in drifts if one.version < self._taken.window.until and one.target_key not in moving]

    def _keep(self, records: Sequence[SourceRecord], drifts: Sequence[Drift], *, progress: dict[str, Any], counts: dict[str, int]) -> None:
        """Judge what a page came to by what our jobs know, and keep it with the progress, all in one transaction."""
        due = [record for record in records if record.is_due]
        known = self._known([*(record.key for record in due), *(drift.key for drift in drifts)])
        places = {record.key: place_of(record, known.get(record.key, KnownJobs()), until=self._taken.window.until) for record in due}
        missing = [record for record in due if places[record.key] is Place.MISSING]
        absent = {record.key for record in missing}
        drifts = [one for one in drifts if not known.get(one.key, KnownJobs()).is_open and one.key not in absent]
        counts = {**counts, **Counter(f"skipped_{place.value}" for place in places.values() if place is not Place.MISSING)}
        with self._database.transaction(tenant_id=self._taken.tenant_id) as connection:
            make_missing_jobs(connection, self._taken, missing, system=COMPARISONS[self._taken.workflow].system)
            keep_found(connection, self._taken, drifts)
            save_page(connection, self._taken, progress=progress, counts=counts)
        self._progress.update(progress)
        # What a log may tell of the progress: no key of a record.
        phase, since = str(progress.get("phase", "")), str(progress.get("since", ""))
        log.info("reconciliation_page", reconciliation_id=str(self._taken.id), phase=phase, since=since, counts=counts)

    def _known(self, keys: Sequence[str]) -> dict[str, KnownJobs]:
        return known_jobs(self._database, self._taken.tenant_id, workflow=self._taken.workflow, keys=sorted(set(keys)))
