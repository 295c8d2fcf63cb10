"""The ledger as lines, one for each hour, tenant and system, with both equations: for the page, and to be handed out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from webhook_bridge.models import Model
from zixly_core.stores.ledger_view import EventsOfHour, JobsOfHour, LedgerView

Key = tuple[datetime, str, str]


class LedgerLine(Model):
    """What came, what was made and how it stands. Events received are told by deliveries, which can be about several tenants: those
    figures stand in the lines of all tenants together, for staff."""

    hour: datetime
    scope: Literal["tenant", "all"] = Field(description="`all`: the deliveries of a system, of all tenants together.")
    tenant: str | None = Field(description="Null for all, and for events of accounts that nobody authorised.")
    system: str
    received: int | None = Field(default=None, description="Events that deliveries said they hold.")
    events: int
    with_jobs: int = 0
    filtered: int = 0
    duplicate: int = 0
    unroutable: int = 0
    made: int = 0
    by_event: int = 0
    by_replay: int = 0
    by_backfill: int = 0
    by_reconciliation: int = 0
    by_others: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    difference: int = Field(description="0; anything else is an event that was lost, or a job that ended in no known way.")


@dataclass(frozen=True)
class Sums:
    """The ledger in a few figures."""

    events: int
    jobs: int
    open: int
    failed: int
    difference: int


def ledger_lines(view: LedgerView) -> list[LedgerLine]:
    """Newest hour first; within one what concerns all tenants, then tenant by tenant."""
    return sorted([*lines_of_all(view), *lines_of_tenants(view)], key=lambda line: (-line.hour.timestamp(), *place(line)))


def place(line: LedgerLine) -> tuple[bool, str, str]:
    return (line.scope == "tenant", line.tenant or "", line.system)


def lines_of_all(view: LedgerView) -> Iterator[LedgerLine]:
    for one in view.received or ():
        yield LedgerLine(
            hour=one.hour,
            scope="all",
            tenant=None,
            system=one.system,
            received=one.received,
            events=one.events,
            difference=one.difference,
        )


def lines_of_tenants(view: LedgerView) -> Iterator[LedgerLine]:
    events = {key_of(one): one for one in view.events}
    jobs = {key_of(one): one for one in view.jobs}
    for key in events.keys() | jobs.keys():
        yield line_of(key, events.get(key), jobs.get(key))


def line_of(key: Key, events: EventsOfHour | None, jobs: JobsOfHour | None) -> LedgerLine:
    hour, tenant, system = key
    came = {name: getattr(events, name) for name in ("with_jobs", "filtered", "duplicate", "unroutable")} if events else {}
    made = {name: getattr(jobs, name) for name in MADE} if jobs else {}
    ended = jobs.completed + jobs.failed + jobs.cancelled + jobs.open if jobs else 0
    difference = jobs.made - ended if jobs else 0
    total = sum(came.values())
    return LedgerLine(hour=hour, scope="tenant", tenant=tenant or None, system=system, events=total, difference=difference, **came, **made)


MADE = "made by_event by_replay by_backfill by_reconciliation by_others completed failed cancelled open".split()


def key_of(one: EventsOfHour | JobsOfHour) -> Key:
    return (one.hour, one.tenant or "", one.system)


def sums_of(lines: list[LedgerLine]) -> Sums:
    own = [line for line in lines if line.scope == "tenant"]
    return Sums(
        events=sum(line.events for line in own),
        jobs=sum(line.made for line in own),
        open=sum(line.open for line in own),
        failed=sum(line.failed for line in own),
        difference=sum(abs(line.difference) for line in lines),
    )
