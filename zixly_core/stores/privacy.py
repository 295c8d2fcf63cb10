"""What the ledger holds about a person or a shop, told or erased. Ids, outcomes and counts always stay: the ledger balances.

What was received (payloads, raw bodies) and the texts of failed attempts are erased by the SQL function `zixly.erase_received`,
which looks at the current tenant itself; runs may write the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from zixly_core.job import JobStatus, LogEntry
from zixly_core.stores.audit import note
from zixly_core.stores.cancel import CANCEL_SQL, note_cancelled
from zixly_core.stores.claims import RunIdentity, text_of
from zixly_core.stores.database import Database, Rows

ERASED = "erased because of a privacy request"
ACTOR = "workflow shopify-privacy"
# What may stay of a job's trigger and of its result: ids and words of ours. Plans of dry runs and what people sent go.
KEPT_OF_TRIGGER = ("delivery_id", "kind", "record_id", "dry_run", "origin_job_id")
KEPT_OF_RESULT = (
    "skipped",
    "superseded_by",
    "dry_run",
    "erased",
    "contact_id",
    "invoice_id",
    "invoice",
    "payments",
    "credit_notes",
    "voided",
)

# Jobs about the subject's own records; jobs about records that those made elsewhere; jobs in which the address stands.
JOBS_SQL = """
with keyed as (
  select id, event_id from zixly.workflow_jobs
  where record_key = any(%(keys)s) or record_key like any(%(beginnings)s) or (%(is_whole)s and connection_id = %(connection)s)
), made as (
  select distinct r.system, r.record_id from zixly.workflow_related_records r join keyed on keyed.id = r.job_id where r.action = 'CREATE'
)
select j.id, j.status, j.workflow_type, j.run_id, keyed.event_id, keyed.id is not null as is_about
from zixly.workflow_jobs j left join keyed on keyed.id = j.id
where keyed.id is not null or (j.system, j.record_id) in (select system, record_id from made)
   or concat_ws(' ', j.checkpoint, j.trigger_data, j.execution_log, j.result, j.error_message) ~* %(address)s
order by j.created_at, j.id"""

EVENTS_SQL = """
select id from zixly.events e
where e.record_key = any(%(keys)s) or e.record_key like any(%(beginnings)s) or (%(is_whole)s and e.connection_id = %(connection)s)
   or e.id = any(%(events)s) or convert_from(e.payload, 'UTF8') ~* %(address)s
order by e.received_at, e.id"""

ERASE_RECEIVED_SQL = "select * from zixly.erase_received(%s, %s, %s, %s)"

ERASE_JOBS_SQL = """
update zixly.workflow_jobs
set checkpoint = '{}', execution_log = %(log)s::jsonb, error_message = case when error_message is not null then %(words)s end,
    trigger_data = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(trigger_data) where key = any(%(of_trigger)s)),
    result = case when result is not null then
      (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(result) where key = any(%(of_result)s)) end
where id = any(%(jobs)s) and status <> 'RUNNING'"""

# Keys of records that were made once for an address hold it, or its digest. What they guarded is done; new keys are unlike all.
ERASE_EFFECT_KEYS_SQL = """
with chosen as (
  select tenant_id, effect_key, target, gen_random_uuid() as word from zixly.effects
  where (job_id = any(%(jobs)s) and effect_key like '%%email:%%') or effect_key ~* %(address)s or target ~* %(address)s
)
update zixly.effects e
set effect_key = e.operation || '/erased:' || c.word, target = e.operation || '/erased:' || c.word, content_sha256 = ''
from chosen c where e.tenant_id = c.tenant_id and e.effect_key = c.effect_key
returning c.target"""
ERASE_STATE_KEYS_SQL = """
update zixly.record_states set record_key = 'erased:' || gen_random_uuid()
where role = 'target' and (record_key = any(%(targets)s) or record_key ~* %(address)s)"""

# Differences that a comparison found hold values of the record's fields.
ERASE_DRIFTS_SQL = """
delete from zixly.drifts
where record_key = any(%(keys)s) or record_key like any(%(beginnings)s) or (%(is_whole)s and connection_id = %(connection)s)
   or concat_ws(' ', fields, target) ~* %(address)s"""

DISCONNECT_SQL = "update zixly.connections set status = 'DISCONNECTED', parked_reason = 'shop_erased' where id = %s"

TOLD_SQL: Mapping[str, str] = {
    "events": "select id, kind, record_key, occurred_at, received_at, payload from zixly.events where id = any(%(events)s)"
    " order by received_at, id",
    "jobs": "select id, workflow_type as workflow, record_key, status, created_at, completed_at, result, checkpoint, execution_log as log"
    " from zixly.workflow_jobs where id = any(%(jobs)s) order by created_at, id",
    "related_records": "select job_id, system, record_type, record_id, action, url, at from zixly.workflow_related_records"
    " where job_id = any(%(jobs)s) order by at, system, record_type, record_id",
    "effects": "select job_id, system, operation, target, state, done_at from zixly.effects where job_id = any(%(jobs)s)"
    " order by intended_at, effect_key",
}
# No text fits this regular expression: a letter before the beginning.
NO_ADDRESS = "x^"


@dataclass(frozen=True)
class Subject:
    """Whose data is meant: records of a connection by their keys, or `is_whole` of it; and an address, as a pattern."""

    connection_id: UUID
    record_keys: Sequence[str] = ()
    is_whole: bool = False
    address_pattern: str | None = field(default=None, repr=False)

    def parameters(self) -> dict[str, Any]:
        return {
            "connection": self.connection_id,
            "keys": list(self.record_keys),
            "beginnings": [f"{key}:%" for key in self.record_keys],
            "is_whole": self.is_whole,
            "address": self.address_pattern or NO_ADDRESS,
        }


@dataclass(frozen=True)
class Held:
    """What there is about a subject. `busy` are jobs that other runs have in their hands."""

    jobs: tuple[UUID, ...]
    events: tuple[UUID, ...]
    to_cancel: tuple[UUID, ...]
    busy: tuple[UUID, ...]


@dataclass(frozen=True)
class Erased:
    """How much was erased."""

    events: int
    deliveries: int
    jobs: int
    cancelled: int


def held_about(database: Database, run: RunIdentity, subject: Subject, *, workflow: str, archived: Sequence[UUID] = ()) -> Held:
    """What the tenant's ledger holds about the subject. The run's own jobs, which are requests of `workflow`, are left out. `archived`
    are events whose payload was found in an archive."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        return held_in(connection, run, subject, workflow=workflow, archived=archived)


def held_in(connection: Rows, run: RunIdentity, subject: Subject, *, workflow: str, archived: Sequence[UUID]) -> Held:
    values = subject.parameters()
    rows = [row for row in connection.execute(JOBS_SQL, values) if row["run_id"] != run.run_id or row["status"] != JobStatus.RUNNING]
    of_jobs = [row["event_id"] for row in rows if row["event_id"] is not None]
    events = [row["id"] for row in connection.execute(EVENTS_SQL, {**values, "events": [*of_jobs, *archived]})]
    others = [row for row in rows if row["workflow_type"] != workflow]
    open_ones = [row for row in others if row["is_about"] and row["status"] in (JobStatus.QUEUED, JobStatus.RUNNING)]
    return Held(
        jobs=tuple(row["id"] for row in rows),
        events=tuple(events),
        to_cancel=tuple(row["id"] for row in open_ones),
        busy=tuple(row["id"] for row in others if row["status"] == JobStatus.RUNNING),
    )


def told(database: Database, run: RunIdentity, held: Held) -> dict[str, list[dict[str, Any]]]:
    """The rows behind what is held, payloads as the JSON that was received."""
    values = {"jobs": list(held.jobs), "events": list(held.events)}
    with database.transaction(tenant_id=run.tenant_id) as connection:
        return {name: list(connection.execute(query, values)) for name, query in TOLD_SQL.items()}


def stop_jobs(database: Database, run: RunIdentity, held: Held) -> None:
    """Cancel the open jobs about the subject's records, so that nothing is fetched anew; running ones are asked to stop."""
    if not held.to_cancel:
        return
    with database.transaction(tenant_id=run.tenant_id) as connection:
        rows = list(connection.execute(CANCEL_SQL.format(chosen="id = any(%s)"), (list(held.to_cancel),)))
        note_cancelled(connection, rows, actor=ACTOR)


def erase(database: Database, run: RunIdentity, subject: Subject, held: Held, *, named: str, at: datetime | None = None) -> Erased:
    """Erase what is held, in one transaction, and note that in the audit log under the subject's name in ids. `stop_jobs` comes
    before; what is in other hands is left alone."""
    entry = LogEntry("privacy", ERASED, at=at or datetime.now(UTC))
    values: dict[str, Any] = {
        "jobs": list(held.jobs),
        "log": text_of([entry.as_json()]),
        "words": f"This was {ERASED}.",
        "of_trigger": list(KEPT_OF_TRIGGER),
        "of_result": list(KEPT_OF_RESULT),
        "address": subject.address_pattern or NO_ADDRESS,
    }
    with database.transaction(tenant_id=run.tenant_id) as connection:
        parameters = (list(held.events), list(held.jobs), subject.connection_id, list(subject.record_keys))
        received = next(iter(connection.execute(ERASE_RECEIVED_SQL, parameters)))
        jobs = connection.execute(ERASE_JOBS_SQL, values).rowcount
        targets = [row["target"] for row in connection.execute(ERASE_EFFECT_KEYS_SQL, values)]
        connection.execute(ERASE_STATE_KEYS_SQL, {**values, "targets": targets})
        connection.execute(ERASE_DRIFTS_SQL, {**subject.parameters(), **values})
        if subject.is_whole:
            connection.execute(DISCONNECT_SQL, (subject.connection_id,))
        erased = Erased(received["events"], received["deliveries"], jobs, cancelled=len(held.to_cancel))
        details = {"events": erased.events, "deliveries": erased.deliveries, "jobs": erased.jobs}
        note(connection, actor=ACTOR, action="data.erase", subject=named, tenant_id=run.tenant_id, details=details)
    return erased
