"""Drifts in Postgres: found and found again, repaired by jobs of their workflow, accepted by people, gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from zixly_core.drifts import Drift, DriftKind, SourceRecord
from zixly_core.ids import new_id
from zixly_core.stores.claims import text_of
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.new_jobs import JobToMake, MadeJobs, make_jobs
from zixly_core.stores.reconciliations import Taken
from zixly_core.stores.rows import columns_of, rows_from

COLUMNS = (
    "id uuid, tenant_id uuid, connection_id uuid, workflow text, record_key text, record_id text, kind text, target text, fields text, "
    "status text, seen_by uuid, job_id uuid"
)
# Found again, it is the same drift. What a person accepted stays accepted as long as the values are the same.
FOUND_SQL = f"""
insert into zixly.drifts as d (id, tenant_id, connection_id, workflow, record_key, record_id, kind, target, fields, status, found_by,
                               seen_by, job_id)
select id, tenant_id, connection_id, workflow, record_key, record_id, kind, target, fields::jsonb, status, seen_by, seen_by, job_id
from {rows_from(COLUMNS)}
on conflict (tenant_id, workflow, record_key, kind) where status in ('OPEN', 'REPAIRING', 'ACCEPTED')
do update set seen_by = excluded.seen_by, seen_at = now(), target = excluded.target,
  fields = case when d.seen_by = excluded.seen_by then d.fields || excluded.fields else excluded.fields end,
  job_id = coalesce(excluded.job_id, d.job_id),
  status = case when d.status = 'ACCEPTED' and (d.fields, d.target) is not distinct from (excluded.fields, excluded.target)
                then d.status else excluded.status end"""

# A repair has ended: well, or not, and then the drift is open again and its job has told why.
SETTLE_SQL = """
update zixly.drifts d
set status = case when j.status = 'COMPLETED' then 'REPAIRED' else 'OPEN' end,
    ended_at = case when j.status = 'COMPLETED' then now() end
from zixly.workflow_jobs j
where d.status = 'REPAIRING' and j.id = d.job_id and j.status in ('COMPLETED', 'FAILED', 'CANCELLED')"""

GONE_SQL = """
update zixly.drifts set status = 'GONE', ended_at = now()
where connection_id = %s and workflow = %s and seen_by <> %s and status in ('OPEN', 'ACCEPTED')"""

COUNTS_SQL = """
select kind, count(*)::int as drifts from zixly.drifts where seen_by = %s and status <> 'ACCEPTED' group by kind"""

TO_REPAIR_SQL = """
select d.id, d.tenant_id, d.connection_id, d.workflow, d.record_key, d.record_id, d.job_id, d.seen_by, w.system
from zixly.drifts d join zixly.workflows w on w.name = d.workflow
where d.status = 'OPEN' and (%(ids)s::uuid[] is null or d.id = any(%(ids)s))
  and (%(found_by)s::uuid is null or %(found_by)s in (d.found_by, d.seen_by)) and (%(kind)s::text is null or d.kind = %(kind)s)
order by d.id for update of d"""
REPAIRING_SQL = f"""
update zixly.drifts d set status = 'REPAIRING', job_id = t.job_id from {rows_from("id uuid, job_id uuid")} where d.id = t.id"""
ACCEPT_SQL = "update zixly.drifts set status = 'ACCEPTED' where id = %s and status = 'OPEN' returning tenant_id"


def keep_found(
    connection: Rows, taken: Taken, drifts: Sequence[Drift], *, status: str = "OPEN", jobs: Mapping[str, UUID] | None = None
) -> None:
    """Keep drifts, each once; `jobs` are those that repair them already, by record key."""
    rows = [
        (
            new_id(),
            taken.tenant_id,
            taken.connection_id,
            taken.workflow,
            one.key,
            one.id,
            one.kind.value,
            one.target,
            text_of(one.fields_as_json()),
            status,
            taken.id,
            (jobs or {}).get(one.key),
        )
        for _, one in sorted({(one.key, one.kind): one for one in drifts}.items())
    ]
    if rows:
        connection.execute(FOUND_SQL, columns_of(rows))


def make_missing_jobs(connection: Rows, taken: Taken, records: Sequence[SourceRecord], *, system: str) -> MadeJobs:
    """The jobs that the events which never came would have made, and their drifts, under repair. A dry run leaves the drifts open."""
    drifts = [Drift(DriftKind.MISSING_EVENT, one.key, one.id, one.version) for one in records]
    if taken.is_dry:
        keep_found(connection, taken, drifts)
        return MadeJobs({})
    jobs = [missing_job(taken, one, system=system) for one in records]
    made = make_jobs(connection, jobs)
    keep_found(connection, taken, drifts, status="REPAIRING", jobs={job.record_key: job.id for job in jobs})
    return made


def missing_job(taken: Taken, record: SourceRecord, *, system: str) -> JobToMake:
    """One job for one version of a record, whichever reconciliation finds it."""
    return JobToMake(
        id=uuid5(taken.tenant_id, f"missing/{taken.workflow}/{record.key}@{record.version.isoformat()}"),
        tenant_id=taken.tenant_id,
        connection_id=taken.connection_id,
        workflow=taken.workflow,
        system=system,
        record_key=record.key,
        record_id=record.id,
        occurred_at=record.version,
        origin="reconciliation",
        made_by=taken.id,
    )


def settle_repairs(connection: Rows) -> int:
    """Note which repairs have ended, as far as the transaction sees; how many."""
    return connection.execute(SETTLE_SQL).rowcount


def settle_all_repairs(dispatch: Database) -> int:
    """`settle_repairs` across tenants, as role `dispatch`."""
    with dispatch.transaction() as connection:
        return settle_repairs(connection)


def note_gone(connection: Rows, taken: Taken) -> int:
    """Close what a whole reconciliation did not find again; how many."""
    return connection.execute(GONE_SQL, (taken.connection_id, taken.workflow, taken.id)).rowcount


def counts_by_kind(connection: Rows, reconciliation_id: UUID) -> dict[str, int]:
    """How many drifts of each kind a reconciliation found."""
    return {row["kind"]: row["drifts"] for row in connection.execute(COUNTS_SQL, (reconciliation_id,))}


def repair(
    connection: Rows,
    *,
    now: datetime,
    ids: Sequence[UUID] | None = None,
    found_by: UUID | None = None,
    kind: DriftKind | None = None,
) -> MadeJobs:
    """A job for each open drift among these ids, or among what a reconciliation found, each once: a drift under repair is left alone.
    As role `api` or `runs`, within what the transaction may see."""
    values = {"ids": None if ids is None else list(ids), "found_by": found_by, "kind": kind.value if kind else None}
    rows = list(connection.execute(TO_REPAIR_SQL, values))
    jobs = {row["id"]: repair_job(row, now=now) for row in rows}
    if jobs:
        connection.execute(REPAIRING_SQL, columns_of([(drift, job.id) for drift, job in jobs.items()]))
    return make_jobs(connection, list(jobs.values()))


def repair_job(row: Mapping[str, Any], *, now: datetime) -> JobToMake:
    """The drift in its trigger has the job write what was written before, under a key of its own."""
    return JobToMake(
        id=uuid5(row["id"], f"repair after {row['job_id']}"),
        tenant_id=row["tenant_id"],
        connection_id=row["connection_id"],
        workflow=row["workflow"],
        system=row["system"],
        record_key=row["record_key"],
        record_id=row["record_id"],
        occurred_at=now,
        origin="reconciliation",
        made_by=row["seen_by"],
        trigger={"drift": str(row["id"])},
        origin_job_id=row["job_id"],
    )


def tenant_of_found(connection: Rows, one: UUID) -> UUID | None:
    """Whose a drift or a reconciliation is; None when the scope shows none with this id."""
    query = "select tenant_id from zixly.drifts where id = %(id)s union all select tenant_id from zixly.reconciliations where id = %(id)s"
    row = connection.execute(query, {"id": one}).fetchone()
    return row["tenant_id"] if row else None


def accept(connection: Rows, drift_id: UUID) -> UUID | None:
    """Leave an open drift as it is, until its values change; whose it was, None where it is not open."""
    row = connection.execute(ACCEPT_SQL, (drift_id,)).fetchone()
    return row["tenant_id"] if row else None
