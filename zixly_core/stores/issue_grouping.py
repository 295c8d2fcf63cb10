"""Dead letters become issues, one for each cause, and issues end when nothing is left of them.

It looks at each end of a job once (`issue_fence` is the fence of the end that was looked at last), in sets, away from the workers: a
burst of failures costs them nothing. An end bears on issues when it is a dead letter, or when it makes one good: the dead letter itself
was retried, or a replay did its work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from zixly_core.causes import Cause, DeadLetter, Failures, failures_by_cause
from zixly_core.ids import new_id
from zixly_core.job import DRY_RUN_ENDING
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.issues import note_transitions
from zixly_core.stores.rows import columns_of, rows_from

AT_ONCE = 2_000

LOCK_SQL = "select pg_try_advisory_xact_lock(hashtext('zixly.issues')) as mine"

# Dry runs fail before the eyes of whoever asked for them.
ENDED_SQL = f"""
select id, fence, tenant_id, connection_id, system, workflow_type as workflow, status, dead_letter, issue_id,
       origin = 'replay' as is_replay, position('{DRY_RUN_ENDING}' in record_key) > 0 as is_dry_run,
       error_reason, error_system, error_operation, completed_at
from zixly.workflow_jobs
where issue_fence is distinct from fence
  and (dead_letter or (status in ('COMPLETED', 'CANCELLED') and (issue_id is not null or origin = 'replay')))
order by completed_at limit %s for update skip locked"""

UPSERT_COLUMNS = (
    "id uuid, tenant_id uuid, system text, operation text, reason text, connection_id uuid, title text, count int, "
    "first_seen_at timestamptz, last_seen_at timestamptz"
)
UPSERT_SQL = f"""
insert into zixly.issues (id, tenant_id, system, operation, reason, connection_id, title, count, first_seen_at, last_seen_at)
select * from {rows_from(UPSERT_COLUMNS)}
on conflict (tenant_id, system, operation, reason, connection_id) where status <> 'RESOLVED'
do update set count = issues.count + excluded.count, first_seen_at = least(issues.first_seen_at, excluded.first_seen_at),
  last_seen_at = greatest(issues.last_seen_at, excluded.last_seen_at)
returning id, tenant_id, system, operation, reason, connection_id, xmax = 0 as is_new"""

LOOKED_AT_SQL = f"""
update zixly.workflow_jobs j set issue_fence = j.fence, issue_id = t.issue_id,
  taken_over_by = case when j.dead_letter then null else j.taken_over_by end
from {rows_from("id uuid, fence int, issue_id uuid")} where j.id = t.id and j.fence = t.fence"""

# A job, what it is a replay of, and their replays are one family: they are about one thing to do. Its dead letters are over when one of
# it COMPLETED; of failed ones the latest stands for all, so that replaying an issue twice does not double it.
TAKE_OVER_SQL = f"""
with recursive ended as (
  select j.id, j.origin, j.origin_job_id, j.status, j.completed_at
  from zixly.workflow_jobs j join {rows_from("id uuid")} on j.id = t.id
), up as (
  select id as ended_id, id, origin, origin_job_id from ended
  union
  select up.ended_id, p.id, p.origin, p.origin_job_id
  from up join zixly.workflow_jobs p on p.id = up.origin_job_id where up.origin = 'replay'
), family as (
  select ended_id, id from up
  union
  select f.ended_id, r.id from family f join zixly.workflow_jobs r on r.origin_job_id = f.id and r.origin = 'replay'
)
update zixly.workflow_jobs j set dead_letter = false, taken_over_by = e.id
from family f join ended e on e.id = f.ended_id
where j.id = f.id and j.id <> e.id and j.dead_letter
  and (e.status = 'COMPLETED' or (j.completed_at, j.id) < (e.completed_at, e.id))
returning j.issue_id"""

# What people ignore stays ignored: or the next failure would be news.
OVER_SQL = """
update zixly.issues i set status = 'RESOLVED', resolved_at = now()
where i.id = any(%s) and i.status in ('OPEN', 'ACKNOWLEDGED')
  and not exists (select from zixly.workflow_jobs j where j.issue_id = i.id and j.dead_letter)
  and not exists (select from zixly.workflow_jobs j where j.issue_id = i.id and not j.dead_letter and j.status in ('QUEUED', 'RUNNING'))
returning id, tenant_id"""


@dataclass(frozen=True)
class LookedInto:
    """What one look came to."""

    ends: int = 0
    failures: int = 0
    opened: int = 0
    resolved: int = 0


def look_into_failures(database: Database, *, at_once: int = AT_ONCE) -> LookedInto:
    """One set of ends, as the role that dispatches; nothing when somebody else is at it. Raises `StoreUnavailable`."""
    with database.transaction() as connection:
        lock = connection.execute(LOCK_SQL).fetchone()
        ends = list(connection.execute(ENDED_SQL, (at_once,))) if lock and lock["mine"] else []
        if not ends:
            return LookedInto()
        dead = [dead_letter_from(row) for row in ends if row["dead_letter"] and not row["is_dry_run"]]
        issues, opened = raise_issues(connection, failures_by_cause(dead))
        connection.execute(LOOKED_AT_SQL, columns_of([(row["id"], row["fence"], issues.get(row["id"], row["issue_id"])) for row in ends]))
        touched = {row["issue_id"] for row in ends} | take_over(connection, ends)
        resolved = resolve_those_over(connection, [one for one in touched if one is not None])
    return LookedInto(ends=len(ends), failures=len(dead), opened=opened, resolved=resolved)


def dead_letter_from(row: Mapping[str, Any]) -> DeadLetter:
    return DeadLetter(
        id=row["id"],
        tenant_id=row["tenant_id"],
        connection_id=row["connection_id"],
        system=row["system"],
        workflow=row["workflow"],
        reason=row["error_reason"],
        failed_system=row["error_system"],
        failed_operation=row["error_operation"],
        ended_at=row["completed_at"],
    )


def raise_issues(connection: Rows, groups: Sequence[Failures]) -> tuple[dict[UUID, UUID], int]:
    """Open or count up the issue of each cause: the issue of each job, and how many were opened."""
    if not groups:
        return {}, 0
    rows = [
        (
            new_id(),
            one.cause.tenant_id,
            one.cause.system,
            one.cause.operation,
            one.cause.reason,
            one.cause.connection_id,
            one.title,
            len(one.jobs),
            one.first_at,
            one.last_at,
        )
        for one in groups
    ]
    raised = list(connection.execute(UPSERT_SQL, columns_of(rows)))
    new = [row for row in raised if row["is_new"]]
    note_transitions(connection, new, "opened")
    ids = {cause_from(row): row["id"] for row in raised}
    return {job.id: ids[one.cause] for one in groups for job in one.jobs}, len(new)


def cause_from(row: Mapping[str, Any]) -> Cause:
    return Cause(row["tenant_id"], row["system"], row["operation"], row["reason"], str(row["connection_id"] or ""))


def take_over(connection: Rows, ends: Sequence[Mapping[str, Any]]) -> set[UUID | None]:
    """End the dead letters in whose place these ends count; the issues that they belonged to."""
    counting = [
        row["id"]
        for row in ends
        if not row["is_dry_run"] and (row["status"] == "COMPLETED" or (row["dead_letter"] and (row["is_replay"] or row["issue_id"])))
    ]
    if not counting:
        return set()
    return {row["issue_id"] for row in connection.execute(TAKE_OVER_SQL, [counting])}


def resolve_those_over(connection: Rows, issue_ids: Sequence[UUID]) -> int:
    over = list(connection.execute(OVER_SQL, (list(issue_ids),))) if issue_ids else []
    note_transitions(connection, over, "resolved")
    return len(over)
