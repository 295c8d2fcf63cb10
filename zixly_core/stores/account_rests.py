"""Accounts that rest: what an opened circuit means for the account's jobs, written in the transaction that opens or closes it.

A connection whose circuit is open is parked as a whole, so that no run is spent on finding out again; a probe asks at the moments
that the circuit's schedule names. Where nobody probes (a sensor was switched off), the parking ends by itself a little later and a
job's own call tries.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from zixly_core.circuit import Circuit, pause_of
from zixly_core.errors import VendorDown
from zixly_core.gentle_start import OVER_AFTER_SECONDS, TRIAL_OVER_AFTER_SECONDS
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.histograms import COUNTER_SHARDS
from zixly_core.stores.issues import raise_issue, resolve_issue
from zixly_core.stores.settle import write_counters
from zixly_core.token_store import Connection

PARKED = VendorDown.default_reason
PROBES = "probes"
OPERATION = "answer"
# How long after a probe's time the account is parked still: a probe is a run, and its answer may take as long as a call may.
GRACE_SECONDS = 120.0
# A blip needs no person; from here on one may want to ask the vendor, or tell the client.
TOLD_AFTER = timedelta(minutes=5)

REST_SQL = """
insert into zixly.account_rests as r (connection_id, tenant_id, system, probe_at, failed_probes)
values (%(id)s, %(tenant_id)s, %(system)s, now() + %(rest)s, %(step)s)
on conflict (connection_id) do update set probe_at = excluded.probe_at, failed_probes = excluded.failed_probes, answered_at = null,
  well_at = null, released = 0, down_since = case when r.well_at is null then r.down_since else now() end,
  told_at = case when r.well_at is null then r.told_at end"""
# An account whose day is spent is parked for longer, and for that reason.
PARK_SQL = """
update zixly.connections set parked_until = greatest(parked_until, now() + %(parked)s),
  parked_reason = case when parked_until > now() + %(parked)s then parked_reason else %(reason)s end
where id = %(id)s"""
UNPARK_SQL = "update zixly.connections set parked_until = null, parked_reason = null where id = %(id)s and parked_reason = %(reason)s"
TRIED_SQL = "update zixly.account_rests set probe_at = now() + %(rest)s where connection_id = %(id)s"
ANSWERED_SQL = "update zixly.account_rests set answered_at = now(), probe_at = null, released = 0 where connection_id = %(id)s"
WELL_SQL = """
with before as (select connection_id, told_at from zixly.account_rests where connection_id = %(id)s)
update zixly.account_rests r set well_at = now(), released = 0, told_at = null from before where r.connection_id = before.connection_id
returning before.told_at is not null as was_told"""

DUE_PROBES_SQL = """
select r.connection_id, r.tenant_id, r.system, r.probe_at from zixly.account_rests r
join zixly.connections c on c.id = r.connection_id and c.status = 'ACTIVE'
where r.probe_at <= now() order by r.probe_at limit %s"""
TELL_SQL = """
update zixly.account_rests r set told_at = now() from zixly.connections c
where r.connection_id = %s and c.id = r.connection_id and r.told_at is null and r.well_at is null and r.down_since < now() - %s::interval
returning c.name, r.down_since"""

# A probe that failed before it reached the account's API, such as for its tokens, comes back at its next time all the same.
POSTPONE_SQL = """
update zixly.account_rests set probe_at = now() + %(rest)s, failed_probes = failed_probes + 1
where connection_id = %(id)s"""
STEP_SQL = "select failed_probes from zixly.account_rests where connection_id = %s and probe_at <= now() for update"
COUNT_SQL = """
insert into zixly.job_counters (name, job_type, status, shard, value) values (%s, %s, %s, %s, 1)
on conflict (name, job_type, status, shard) do update set value = job_counters.value + 1"""

# What has waited for the account for so long, while it was away all that time, waits no more.
GIVE_UP_SQL = """
with over as (
  select j.id from zixly.workflow_jobs j join zixly.workflows w on w.name = j.workflow_type
  where j.tenant_id = %(tenant_id)s and j.status = 'QUEUED' and j.batch_id is null and j.created_at < now() - %(patience)s
    and (j.blocked_by = %(id)s or (j.blocked_by is null and j.connection_id = %(id)s and w.needs_source))
    and exists (select from zixly.account_rests r where r.connection_id = %(id)s and r.well_at is null
                and r.down_since < now() - %(patience)s)
  order by j.due_at limit 1000 for update of j skip locked
)
update zixly.workflow_jobs j
set status = 'FAILED', dead_letter = true, completed_at = now(), fence = j.fence + 1, blocked_by = null, parked_reason = null,
    error_reason = %(reason)s, error_system = %(system)s, error_message = %(message)s
from over where j.id = over.id returning j.id, j.workflow_type, j.status, null::float8 as seconds"""

# The gentle start is over, or a probe was answered and nobody called since.
OVER_SQL = """
delete from zixly.account_rests r where well_at < now() - %(start)s or (well_at is null and answered_at < now() - %(trial)s)
returning connection_id, tenant_id, system, told_at is not null as was_told"""


def note_circuit(rows: Rows, connection: Connection, before: Circuit, after: Circuit, *, trial_seconds: float, now: float) -> None:
    """Write down what a change of the circuit means for the account. As the role of the runs, which holds the account's budget.

    `trial_seconds` is how long a call that tries may take, and `now` the moment of the change.
    """
    values: dict[str, Any] = {"id": connection.id, "tenant_id": connection.tenant_id, "system": connection.system, "reason": PARKED}
    if after.is_open and (not before.is_open or after.rests_until != before.rests_until):
        rests(rows, values, seconds=after.rests_until - now, step=after.step)
    elif after.is_open and after.trial != before.trial:
        parked(rows, values, TRIED_SQL, seconds=trial_seconds)
    elif before.is_open and not after.is_open:
        rows.execute(ANSWERED_SQL, values)
        rows.execute(UNPARK_SQL, values)
    elif before.on_trial_since and not after.on_trial_since:
        well(rows, connection, values)


def rests(rows: Rows, values: dict[str, Any], *, seconds: float, step: int) -> None:
    parked(rows, {**values, "step": step}, REST_SQL, seconds=seconds)


def parked(rows: Rows, values: dict[str, Any], query: str, *, seconds: float) -> None:
    times = {"rest": timedelta(seconds=seconds), "parked": timedelta(seconds=seconds + GRACE_SECONDS)}
    rows.execute(query, {**values, **times})
    rows.execute(PARK_SQL, {**values, **times})


def well(rows: Rows, connection: Connection, values: dict[str, Any]) -> None:
    """A job's own call was answered: the account is well, and the issue about it is over."""
    row = rows.execute(WELL_SQL, values).fetchone()
    if row is not None and row["was_told"]:
        told_well(rows, tenant_id=connection.tenant_id, system=connection.system, connection_id=connection.id)


def told_well(rows: Rows, *, tenant_id: UUID, system: str, connection_id: UUID) -> None:
    resolve_issue(rows, tenant_id=tenant_id, system=system, operation=OPERATION, reason=PARKED, connection_id=connection_id)


def end_rests(database: Database) -> int:
    """Forget the rests of accounts that may be used like any others again, as role `dispatch`; how many."""
    times = {"start": timedelta(seconds=OVER_AFTER_SECONDS), "trial": timedelta(seconds=TRIAL_OVER_AFTER_SECONDS)}
    with database.transaction() as rows:
        over = list(rows.execute(OVER_SQL, times))
        for one in over:
            if one["was_told"]:
                told_well(rows, tenant_id=one["tenant_id"], system=one["system"], connection_id=one["connection_id"])
    return len(over)


def due_probes(database: Database, *, limit: int) -> list[Mapping[str, Any]]:
    """Accounts that are to be asked now, those that wait for longest first, across tenants, as role `dispatch`: `connection_id`,
    `tenant_id`, `system`, `probe_at`."""
    with database.transaction() as rows:
        return list(rows.execute(DUE_PROBES_SQL, (limit,)))


def note_probe(database: Database, *, connection: Connection, outcome: str, failed: bool) -> None:
    """Count a probe, and give one that failed before it could be sent its next time."""
    with database.transaction(tenant_id=connection.tenant_id) as rows:
        rows.execute(COUNT_SQL, (PROBES, connection.system, outcome, os.getpid() % COUNTER_SHARDS))
        row = rows.execute(STEP_SQL, (connection.id,)).fetchone() if failed else None
        if row is not None:
            parked(rows, {"id": connection.id, "reason": PARKED}, POSTPONE_SQL, seconds=pause_of(row["failed_probes"] + 1))


def give_up_waiting(database: Database, *, connection: Connection, patience: timedelta) -> int:
    """End as dead letters the jobs that have waited for the account for longer than `patience`; how many."""
    with database.transaction(tenant_id=connection.tenant_id) as rows:
        values = {
            "id": connection.id,
            "tenant_id": connection.tenant_id,
            "patience": patience,
            "reason": PARKED,
            "system": connection.system,
            "message": f"{connection.system} did not answer for {patience.total_seconds() / 3600:.0f} hours; replay the job once it does.",
        }
        ended = list(rows.execute(GIVE_UP_SQL, values))
        write_counters(rows, ended, outcomes=[])
    return len(ended)


def tell_of_rest(database: Database, *, connection: Connection) -> bool:
    """Raise an issue for an account that has been away for longer than a blip, once for each outage; whether it was raised now."""
    with database.transaction(tenant_id=connection.tenant_id) as rows:
        row = rows.execute(TELL_SQL, (connection.id, TOLD_AFTER)).fetchone()
        if row is None:
            return False
        raise_issue(
            rows,
            tenant_id=connection.tenant_id,
            system=connection.system,
            operation=OPERATION,
            reason=PARKED,
            connection_id=connection.id,
            title=f"{connection.system} has not answered for {row['name']} since {row['down_since']:%Y-%m-%d %H:%M} UTC; "
            "its jobs wait and go on by themselves once it does.",
            link=f"/api/connections?system={connection.system}",
        )
    return True
