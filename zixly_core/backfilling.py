"""Backfills: for the past what the webhook would have done. What may be asked for, and the reading of one day.

A day is read a page at a time. Each page's jobs and how far the reading came are one transaction, and a job's id follows from the
backfill and the version of the record: a run that was killed goes on, and nothing is made twice. Records of which nothing newer is to
be told make no job, so repeating a backfill makes none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from zixly_core.changed_records import OLDEST_FIRST, READERS
from zixly_core.changes import ChangedRecord, ChangeReader, Window
from zixly_core.errors import BudgetSpent, StoreUnavailable, Transient, VendorDown, ZixlyError
from zixly_core.ids import new_id
from zixly_core.job import DRY_RUN_ENDING
from zixly_core.local_days import day_window, days_between
from zixly_core.stores.backfill_days import Advance, TakenDay, advance, begin_anew, end_day, held, known_records, made_before
from zixly_core.stores.backfills import NewBackfill, add_backfill, zone_name_of
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.manual_jobs import Asked, NothingToDo, account_of, tenant_of, workflow_of
from zixly_core.stores.new_jobs import JobToMake, MadeJobs, make_jobs
from zixly_core.vendor_clients import VendorClients

MOST_DAYS = 366
# Of each day of a dry run so many records are told with the differences that they would make.
EXAMPLES_A_DAY = 5
# Priority of jobs: behind what people and events ask for, whatever the workflow's own is.
LOW = 2
MOST_TRIES = 8
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)

Announce = Callable[[Mapping[str, Sequence[UUID]]], None]


@dataclass(frozen=True)
class WantedBackfill:
    """What somebody asks for: the days `first` to `last`, both included, as the tenant has them. `connection_id` only where the tenant
    has several accounts at the workflow's system."""

    workflow: str
    tenant: str
    first: date
    last: date
    is_dry_run: bool = False
    connection_id: UUID | None = None


@dataclass(frozen=True)
class DayRead:
    """What a run came to with its day."""

    state: str
    found: int = 0
    known: int = 0
    made: int = 0
    error: str | None = None


def make_backfill(connection: Rows, wanted: WantedBackfill, *, actor: str, now: datetime) -> UUID:
    """Write the backfill, which our sensor has read then, as role `api`; its id. Raises `NothingToDo`, and nothing is written then."""
    workflow = workflow_of(connection, wanted.workflow)
    if wanted.workflow not in READERS:
        text = f"{wanted.workflow} cannot be backfilled: what changed cannot be read. That works for {', '.join(sorted(READERS))}."
        raise NothingToDo(text, reason="workflow_not_backfilled")
    tenant_id = tenant_of(connection, wanted.tenant)
    zone = zone_name_of(connection, tenant_id)
    refuse_days(wanted.first, wanted.last, today=now.astimezone(ZoneInfo(zone)).date())
    asked = Asked(tenant=wanted.tenant, workflow=wanted.workflow, is_dry_run=wanted.is_dry_run, connection_id=wanted.connection_id)
    account = account_of(connection, tenant_id=tenant_id, system=workflow["system"], asked=asked)
    new = NewBackfill(
        id=new_id(),
        tenant_id=tenant_id,
        connection_id=account["id"],
        workflow=wanted.workflow,
        system=workflow["system"],
        first_day=wanted.first,
        last_day=wanted.last,
        time_zone=zone,
        is_dry_run=wanted.is_dry_run,
        actor=actor,
    )
    add_backfill(connection, new, list(days_between(wanted.first, wanted.last)))
    return new.id


def refuse_days(first: date, last: date, *, today: date) -> None:
    """Raises `NothingToDo` for days that nothing can be read of."""
    if first > last:
        raise NothingToDo(f"The first day {first} comes after the last day {last}.", reason="days_reversed")
    if last > today:
        raise NothingToDo(f"The day {last} is in the future; for this tenant it is {today}.", reason="days_in_future")
    if (last - first).days >= MOST_DAYS:
        raise NothingToDo(f"From {first} to {last} are more than {MOST_DAYS} days; ask for fewer at once.", reason="days_too_many")


class DayReader:
    """Reads one day of a backfill and makes its jobs."""

    def __init__(self, runs: Database, taken: TakenDay, account: ConfiguredConnection, *, announce: Announce) -> None:
        """`announce` tells the systems' queues of new jobs, after their commit."""
        self._runs = runs
        self._day = taken
        self._account = account
        self._announce = announce
        self._sum = DayRead("RUNNING")

    def read(self, reader: Callable[[], ChangeReader]) -> DayRead:
        """Read the day to its end, or tell why not: WAITING for another try, FAILED, or STOPPED meanwhile."""
        try:
            is_whole = self._read_pages(reader())
        except StoreUnavailable:
            raise
        except ZixlyError as error:
            return self._ended(error)
        if not is_whole:
            return DayRead("STOPPED", self._sum.found, self._sum.known, self._sum.made)
        end_day(self._runs, self._day, "DONE")
        return DayRead("DONE", self._sum.found, self._sum.known, self._sum.made)

    def _read_pages(self, reader: ChangeReader) -> bool:
        """False when somebody stopped the backfill, or another run took the day."""
        goes_on = self._day.workflow in OLDEST_FIRST and self._day.reached is not None
        if not goes_on:
            begin_anew(self._runs, self._day)
        window = day_window(self._day.day, ZoneInfo(self._day.time_zone))
        reached = self._day.reached if goes_on else None
        ids = set(self._day.reached_ids) if goes_on else set[str]()
        for page in reader.changed(Window(reached or window.since, window.until)):
            fresh = [one for one in page if not (one.changed_at == reached and one.record_id in ids)]
            if not fresh:
                continue
            last = fresh[-1].changed_at
            ids = {one.record_id for one in fresh if one.changed_at == last} | (ids if last == reached else set())
            reached = last
            if not self._keep(fresh, reached=reached, ids=sorted(ids)):
                return False
        return True

    def _keep(self, records: Sequence[ChangedRecord], *, reached: datetime, ids: Sequence[str]) -> bool:
        """A page's jobs and the progress, in one transaction; False when the day is not this run's any more."""
        jobs = [self._job_of(one) for one in records]
        with self._runs.transaction(tenant_id=self._day.tenant_id) as connection:
            so_far = held(connection, self._day)
            if so_far is None:
                return False
            known = known_records(connection, self._day, [(self._key_of(one), one.changed_at) for one in records])
            before = made_before(connection, [job.id for job in jobs])
            news = [
                job
                for job, record in zip(jobs, records, strict=True)
                if job.id not in before and (self._key_of(record), record.changed_at) not in known
            ]
            made = self._made(connection, news, so_far=so_far + len(before))
            count = made.count + len(before)
            to_do = len(news) if self._day.is_dry_run else made.count
            passed = len(records) - to_do - len(before)
            advance(connection, self._day, Advance(len(records), passed, count, reached, ids))
        self._sum = DayRead("RUNNING", self._sum.found + len(records), self._sum.known + passed, self._sum.made + count)
        self._announce(made.by_system)
        return True

    def _made(self, connection: Rows, jobs: Sequence[JobToMake], *, so_far: int) -> MadeJobs:
        """A dry run makes jobs of the first few only, which write nothing."""
        if self._day.is_dry_run:
            return make_jobs(connection, jobs[: max(0, EXAMPLES_A_DAY - so_far)])
        return make_jobs(connection, jobs, unless_waiting=True)

    def _job_of(self, record: ChangedRecord) -> JobToMake:
        day, key = self._day, self._key_of(record)
        job_id = uuid5(day.backfill_id, f"{record.record_id}:{record.changed_at.isoformat()}")
        return JobToMake(
            id=job_id,
            tenant_id=day.tenant_id,
            connection_id=day.connection_id,
            workflow=day.workflow,
            system=day.system,
            record_key=f"{key}{DRY_RUN_ENDING}{job_id}" if day.is_dry_run else key,
            record_id=record.record_id,
            occurred_at=record.changed_at,
            origin="backfill",
            made_by=day.backfill_id,
            trigger={"kind": "backfill", "dry_run": day.is_dry_run},
            priority=max(LOW, day.priority),
        )

    def _key_of(self, record: ChangedRecord) -> str:
        return self._day.record_form.format(account=self._account.external_id, id=record.record_id)

    def _ended(self, error: ZixlyError) -> DayRead:
        """Tried again by itself where that may help: as long as the account's limits or the vendor hold it up, else some times."""
        is_held_up = isinstance(error, BudgetSpent | VendorDown)
        again = isinstance(error, Transient) and (is_held_up or self._day.tries < MOST_TRIES)
        state, pause = ("WAITING", pause_after(error, tries=self._day.tries)) if again else ("FAILED", timedelta())
        end_day(self._runs, self._day, state, error=f"{error.reason}: {error}", due_in=pause)
        return DayRead(state, self._sum.found, self._sum.known, self._sum.made, error=str(error))


def pause_after(error: ZixlyError, *, tries: int) -> timedelta:
    """What the vendor asked for, else longer from try to try."""
    asked = error.retry_after if isinstance(error, Transient) else None
    if asked is not None:
        return asked
    pause: timedelta = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** max(0, tries - 1))
    return pause


def reader_of(clients: VendorClients, runs: Database, taken: TakenDay, account: ConfiguredConnection) -> ChangeReader:
    """What reads the day's records, its calls among those of bulk work, which leave a part of each limit to live work."""
    return READERS[taken.workflow](clients.in_lane("bulk"), account, runs)
