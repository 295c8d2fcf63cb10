"""Jobs that people ask for: a workflow for one record, or for one request in a sender's words, done or only told (a dry run).
Written to the audit log, without the request."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from zixly_core.errors import Rejected
from zixly_core.ids import new_id
from zixly_core.job import DRY_RUN_ENDING
from zixly_core.job_spans import tell_made
from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows
from zixly_core.stores.histograms import COUNTER_SHARDS
from zixly_core.stores.rows import columns_of
from zixly_core.stores.settle import COUNTERS_SQL

RECORD_ID = re.compile(r"[A-Za-z0-9._:/-]{1,200}")
# Of jobs about a request that a person made: each stands for itself.
REQUEST_FORM = "{system}:{account}:manual:{id}"
WORKFLOW_SQL = "select name, system, priority, record_form, triggers from zixly.workflows where name = %s and enabled"
TENANT_SQL = "select id from zixly.tenants where slug = %s"
CONNECTION_SQL = """
select id, external_id from zixly.connections
where tenant_id = %(tenant)s and system = %(system)s and (%(connection)s::uuid is null or id = %(connection)s) limit 2"""
INSERT_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, priority, lane, origin, record_key, record_id,
                                 occurred_at, trigger_data)
values (%s, %s, %s, %s, %s, coalesce(zixly.chosen_priority(%s, %s), %s), 'live', 'manual', %s, %s, %s, %s)"""


class NothingToDo(Rejected):
    """What was asked for cannot be made a job; the message says why and what there is instead."""


@dataclass(frozen=True)
class Asked:
    """What somebody asks for: a record's id, or the payload of an event of this `kind` for a workflow that is about no record.
    `connection_id` only where the tenant has several accounts at the system."""

    tenant: str
    workflow: str
    is_dry_run: bool
    record_id: str | None = None
    payload: Mapping[str, Any] | None = field(default=None, repr=False)
    kind: str | None = None
    connection_id: UUID | None = None


@dataclass(frozen=True)
class Made:
    """The new job, and the system whose queue is to be told."""

    id: UUID
    system: str


def make_manual_job(connection: Rows, asked: Asked, *, actor: str, now: datetime | None = None) -> Made:
    """The job. Raises `NothingToDo`; nothing is written then."""
    workflow = workflow_of(connection, asked.workflow)
    trigger = trigger_of(asked, workflow)
    tenant_id = tenant_of(connection, asked.tenant)
    account = account_of(connection, tenant_id=tenant_id, system=workflow["system"], asked=asked)
    job_id = new_id()
    record_id = asked.record_id or str(job_id)
    key = str(workflow["record_form"] or REQUEST_FORM).format(system=workflow["system"], account=account["external_id"], id=record_id)
    values = (
        job_id,
        tenant_id,
        account["id"],
        workflow["name"],
        workflow["system"],
        *(tenant_id, workflow["name"], workflow["priority"]),
        f"{key}{DRY_RUN_ENDING}{job_id}" if asked.is_dry_run else key,
        record_id,
        now or datetime.now(UTC),
        Jsonb({**trigger, "record_id": record_id, "dry_run": asked.is_dry_run}),
    )
    connection.execute(INSERT_SQL, values)
    connection.execute(COUNTERS_SQL, columns_of([("queued", workflow["name"], "", os.getpid() % COUNTER_SHARDS, 1.0)]))
    tell_made(job_id, workflow=workflow["name"])
    action = "job.dry_run" if asked.is_dry_run else "job.make"
    note(connection, actor=actor, action=action, subject=job_id, tenant_id=tenant_id, details={"workflow": asked.workflow})
    return Made(job_id, workflow["system"])


def workflow_of(connection: Rows, name: str) -> Mapping[str, Any]:
    row = connection.execute(WORKFLOW_SQL, (name,)).fetchone()
    if row is None:
        known = [one["name"] for one in connection.execute("select name from zixly.workflows where enabled order by name")]
        raise NothingToDo(f"There is no workflow {name!r}; there are {', '.join(known)}.", reason="workflow_unknown")
    return row


def trigger_of(asked: Asked, workflow: Mapping[str, Any]) -> dict[str, Any]:
    """What the job's steps are told. Raises `NothingToDo` for a record where a payload is wanted, and the other way round."""
    name, kinds = workflow["name"], [str(one).partition(":")[2] for one in workflow["triggers"]]
    if workflow["record_form"] is not None:
        if asked.record_id is None or not RECORD_ID.fullmatch(asked.record_id):
            raise NothingToDo(f"{name} wants a record's id: up to 200 letters, digits and . _ : / -", reason="record_id_invalid")
        return {"kind": "manual"}
    if asked.payload is None:
        raise NothingToDo(f"{name} is about a request and not about a record: give it as `payload`.", reason="payload_missing")
    kind = asked.kind or (kinds[0] if len(kinds) == 1 else None)
    if kind not in kinds:
        raise NothingToDo(f"{name} takes requests of kind {', '.join(kinds)}; name one as `kind`.", reason="kind_unknown")
    return {"kind": kind, "payload": dict(asked.payload)}


def tenant_of(connection: Rows, slug: str) -> UUID:
    row = connection.execute(TENANT_SQL, (slug,)).fetchone()
    if row is None:
        raise NothingToDo(f"There is no tenant {slug!r}, or it is not yours to see.", reason="tenant_unknown")
    tenant_id: UUID = row["id"]
    return tenant_id


def account_of(connection: Rows, *, tenant_id: UUID, system: str, asked: Asked) -> Mapping[str, Any]:
    values = {"tenant": tenant_id, "system": system, "connection": asked.connection_id}
    rows = list(connection.execute(CONNECTION_SQL, values))
    if len(rows) != 1:
        which = f"no such {system} connection" if not rows else f"several {system} connections; name one with its id"
        raise NothingToDo(f"Tenant {asked.tenant!r} has {which}.", reason="connection_undecided")
    return rows[0]
