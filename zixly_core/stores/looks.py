"""Looks: which waiting jobs are to be looked at now, across all tenants, and what is known of them afterwards.

A look is taken before the service is asked: its jobs are due for the next one only after `again`, so that two who look at the
same time never ask twice, and nothing is locked while an outside service takes its time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from zixly_core.stores.database import Database, Rows
from zixly_core.stores.histograms import COUNTER_SHARDS
from zixly_core.stores.rows import columns_of
from zixly_core.stores.settle import ATTEMPTS_SQL, COUNTERS_SQL
from zixly_core.stores.waiting import IS_WAITING, wake

AT_ONCE = 2_000
SERVICE_ENDING = ":"

# Those that a callback woke are handed over by themselves.
TAKE_SQL = f"""
with due as (
  select id from zixly.workflow_jobs where waiting_until <= now() and wake_event_id is null and {IS_WAITING}
  order by waiting_until limit %(at_once)s for update skip locked
)
update zixly.workflow_jobs j set waiting_until = now() + %(again)s from due where j.id = due.id
returning j.id, j.fence, j.system, j.waiting_for"""

# `started_at` counts from the attempt's beginning, less what it spent in the queue. A wait that a callback ended is over.
GIVE_UP_SQL = f"""
with over as (
  select id, cancel_requested_at is not null as cancelled, waiting_for from zixly.workflow_jobs
  where {IS_WAITING} and wake_event_id is null and (started_at < now() - %(timeout)s::interval or cancel_requested_at is not null)
  order by id limit %(at_once)s for update skip locked
), judged as (
  select id, case when cancelled then 'CANCELLED' else 'FAILED' end as end_status, case when not cancelled then 'timeout' end as reason,
         case when not cancelled then 'The job waited for ' || waiting_for || ' until its attempt had taken ' || %(timeout)s::interval
           || ', and was given up. Retry it to go on waiting.' end as message
  from over
)
update zixly.workflow_jobs j
set status = end_status, dead_letter = end_status = 'FAILED', waiting_until = null, fence = j.fence + 1, completed_at = now(),
    error_reason = reason, error_message = message
from judged where j.id = judged.id
returning j.id, j.attempts, j.fence, j.tenant_id, j.last_run_id, j.started_at, j.workflow_type, j.status, reason, message"""


@dataclass(frozen=True)
class Look:
    """A waiting job to ask its service about. `key` is what the service knows it by."""

    job_id: UUID
    fence: int
    system: str
    service: str
    key: str


def take_looks(database: Database, *, again: timedelta) -> list[Look]:
    """The jobs whose time to be looked at has come; for everybody else their next time is in `again`. Raises `StoreUnavailable`."""
    with database.transaction() as connection:
        return [look_from(row) for row in connection.execute(TAKE_SQL, {"again": again, "at_once": AT_ONCE})]


def wake_all(database: Database, looks: Sequence[Look]) -> dict[str, list[UUID]]:
    """Make these jobs due; the ids of those that were still waiting, by system, to be announced."""
    with database.transaction() as connection:
        rows = wake(connection, [{"id": look.job_id, "fence": look.fence} for look in looks])
    woken: dict[str, list[UUID]] = {}
    for row in rows:
        woken.setdefault(row["system"], []).append(row["id"])
    return woken


def give_up(database: Database, *, timeout: timedelta) -> int:
    """End the jobs whose attempt has been running for longer than `timeout`, as FAILED, and those that are to be cancelled."""
    with database.transaction() as connection:
        rows = list(connection.execute(GIVE_UP_SQL, {"timeout": timeout, "at_once": AT_ONCE}))
        write_story(connection, rows)
    return len(rows)


def look_from(row: Mapping[str, Any]) -> Look:
    service, _, key = (row["waiting_for"] or "").partition(SERVICE_ENDING)
    return Look(row["id"], row["fence"], row["system"], service, key)


def write_story(connection: Rows, rows: Sequence[Mapping[str, Any]]) -> None:
    """The attempts that ended by waiting too long, and the counters."""
    if not rows:
        return
    attempts = [attempt_row(row) for row in rows]
    connection.execute(ATTEMPTS_SQL, columns_of(attempts))
    shard = os.getpid() % COUNTER_SHARDS
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        counts["attempts", row["workflow_type"], outcome_of(row)] += 1
        counts["processed", row["workflow_type"], row["status"].lower()] += 1
    connection.execute(COUNTERS_SQL, columns_of([(*key, shard, float(counts[key])) for key in sorted(counts)]))


def attempt_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        row["id"],
        row["attempts"],
        row["fence"],
        row["tenant_id"],
        row["last_run_id"],
        outcome_of(row),
        row["reason"],
        row["message"],
        row["started_at"],
    )


def outcome_of(row: Mapping[str, Any]) -> str:
    return "cancelled" if row["status"] == "CANCELLED" else "timeout"
