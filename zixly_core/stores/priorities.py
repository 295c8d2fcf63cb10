"""Priorities as people choose them: for a workflow, a tenant, a tenant's workflow, or one job. The narrower choice goes first, and the
code's own priority where nobody chose. Jobs that wait take a change at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.errors import Rejected
from zixly_core.stores.audit import note
from zixly_core.stores.cancel import status_of
from zixly_core.stores.database import Rows

PriorityName = Literal["high", "normal", "low"]
PRIORITIES: Mapping[str, int] = {"high": 0, "normal": 1, "low": 2}
# Jobs that were made many at once, with a priority for all of them, keep that.
FOLLOWS_CHOICE = "('event', 'manual', 'follow-up')"

WORKFLOW_SQL = "update zixly.workflows set chosen_priority = %(priority)s where name = %(workflow)s returning null::uuid as tenant_id"
TENANT_SQL = "update zixly.tenants set priority = %(priority)s where slug = %(tenant)s returning id as tenant_id"
TENANT_WORKFLOW_SQL = """
insert into zixly.tenant_workflows (tenant_id, workflow, enabled, priority)
select t.id, w.name, true, %(priority)s from zixly.tenants t, zixly.workflows w where t.slug = %(tenant)s and w.name = %(workflow)s
on conflict (tenant_id, workflow) do update set priority = excluded.priority returning tenant_id"""

# A job that was handed over and not taken leaves its batch when it becomes more urgent: it would stand behind the others there.
WAITING_SQL = f"""
with changed as (
  select j.id, coalesce(zixly.chosen_priority(j.tenant_id, j.workflow_type), w.priority) as priority
  from zixly.workflow_jobs j join zixly.workflows w on w.name = j.workflow_type
  where j.status = 'QUEUED' and j.prioritised_at is null and j.origin in {FOLLOWS_CHOICE}
    and (%(workflow)s::text is null or j.workflow_type = %(workflow)s) and (%(tenant_id)s::uuid is null or j.tenant_id = %(tenant_id)s)
)
update zixly.workflow_jobs j set priority = c.priority, batch_id = null, handed_over_at = null
from changed c where j.id = c.id and j.status = 'QUEUED' and (c.priority < j.priority or (c.priority > j.priority and j.batch_id is null))
returning j.id, j.system"""
JOB_SQL = """
update zixly.workflow_jobs set priority = %(priority)s, prioritised_at = now(),
  batch_id = case when status = 'QUEUED' and %(priority)s < priority then null else batch_id end,
  handed_over_at = case when status = 'QUEUED' and %(priority)s < priority then null else handed_over_at end
where id = %(id)s and status in ('QUEUED', 'RUNNING') returning id, system, tenant_id"""
CHOSEN_SQL = """
select 'workflow' as kind, name as workflow, null as tenant, chosen_priority as priority
from zixly.workflows where chosen_priority is not null
union all
select 'tenant', null, slug, priority from zixly.tenants where priority is not null
union all
select 'workflow', x.workflow, t.slug, x.priority from zixly.tenant_workflows x join zixly.tenants t on t.id = x.tenant_id
where x.priority is not null
order by 1, 2 nulls first, 3 nulls first"""


class NothingToPrioritise(Rejected):
    """There is no such workflow, tenant or job, or it is not the caller's."""

    default_reason = "not_found"


@dataclass(frozen=True)
class ChosenPriority:
    """A choice that holds: for a workflow (of one tenant, or of all), or for a tenant."""

    kind: str
    workflow: str | None
    tenant: str | None
    priority: int


@dataclass(frozen=True)
class Reordered:
    """How many waiting jobs took a change, and one of each system, to wake its dispatcher."""

    jobs: int
    wake: Mapping[str, Sequence[UUID]]


def choose(rows: Rows, *, workflow: str | None, tenant: str | None, priority: int | None, actor: str) -> Reordered:
    """Choose the priority of a workflow's jobs, a tenant's, or a tenant's of a workflow; None takes a choice back. Raises
    `NothingToPrioritise`."""
    query = TENANT_SQL if workflow is None else WORKFLOW_SQL if tenant is None else TENANT_WORKFLOW_SQL
    row = rows.execute(query, {"workflow": workflow, "tenant": tenant, "priority": priority}).fetchone()
    if row is None:
        named = " and ".join(text for text in (workflow and f"workflow {workflow}", tenant and f"tenant {tenant}") if text)
        raise NothingToPrioritise(f"There is no {named}, or it is not yours to see.")
    subject = " ".join(name for name in (workflow, tenant) if name)
    note(
        rows, actor=actor, action=f"priority.{priority if priority is not None else 'default'}", subject=subject, tenant_id=row["tenant_id"]
    )
    return reordered(list(rows.execute(WAITING_SQL, {"workflow": workflow, "tenant_id": row["tenant_id"]})))


def choose_for_job(rows: Rows, job_id: UUID, *, priority: int, actor: str) -> Reordered | str:
    """Choose one job's priority, whatever is chosen for others; or the status that it ended in, which nothing changes any more. Raises
    `NothingToPrioritise`."""
    changed = list(rows.execute(JOB_SQL, {"id": job_id, "priority": priority}))
    if changed:
        note(rows, actor=actor, action=f"priority.{priority}", subject=job_id, tenant_id=changed[0]["tenant_id"])
        return reordered(changed)
    status = status_of(rows, job_id)
    if status is None:
        raise NothingToPrioritise(f"There is no job {job_id}, or it is not yours to see.")
    return status


def chosen(rows: Rows) -> list[ChosenPriority]:
    """All choices that hold, as the scope of the transaction allows."""
    with rows.cursor(row_factory=class_row(ChosenPriority)) as cursor:
        return cursor.execute(CHOSEN_SQL).fetchall()


def reordered(rows: Sequence[Mapping[str, Any]]) -> Reordered:
    return Reordered(len(rows), {row["system"]: [row["id"]] for row in rows})
