"""Replays in Postgres: which jobs are meant, the new jobs made in one statement, and stopping half-way.

Whoever asks is seen by row-level security: another tenant's jobs are not there. Writes that a new job repeats are guarded as those
of every other job (stores/effects.py), so a replay writes nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from zixly_core.job import DRY_RUN_ENDING, JobStatus
from zixly_core.replays import EDITED_ENDING, ENDED, JobChoice, NotReplayable, ReplayMode, WantedReplay
from zixly_core.stores.audit import note
from zixly_core.stores.cancel import CANCEL_SQL, count_cancelled
from zixly_core.stores.claims import text_of
from zixly_core.stores.database import Rows
from zixly_core.stores.new_jobs import MadeJobs, note_made
from zixly_core.stores.rows import columns_of, rows_from

# One at a time for a tenant: what one replay has just taken up, the next leaves out.
LOCK_SQL = "select pg_advisory_xact_lock(hashtext('zixly.replay'), hashtext(%s))"

IS_DRY_RUN = "coalesce({job}.trigger_data ->> 'dry_run', '') = 'true'"
# A job is left out while a replay of it is under way; one that did not complete, also when a replay of it has ended: then that
# one stands for it.
IS_TAKEN_UP = f"""exists (
  select from zixly.workflow_jobs r
  where r.origin_job_id = j.id and r.origin = 'replay' and not {IS_DRY_RUN.format(job="r")}
    and (r.status in ('QUEUED', 'RUNNING') or (j.status <> 'COMPLETED' and r.status in ('COMPLETED', 'FAILED'))))"""
MATCHING = f"""
from zixly.workflow_jobs j join zixly.workflows w on w.name = j.workflow_type and w.enabled
where j.tenant_id = %(tenant)s and j.status = any(%(statuses)s) and not {IS_DRY_RUN.format(job="j")}
  and {{chosen}}"""
# One condition for each question that is answered.
CONDITIONS = {
    "job_ids": "j.id = any(%(job_ids)s)",
    "workflow": "j.workflow_type = %(workflow)s",
    "reason": "j.error_reason = %(reason)s",
    "since": "j.created_at >= %(since)s",
    "until": "j.created_at < %(until)s",
    "issue_id": "j.issue_id = %(issue_id)s",
    "search_id": "j.event_id in (select unnest(s.event_ids) from zixly.payload_searches s where s.id = %(search_id)s)",
}
COUNT_SQL = "select count(*) as matched, count(*) filter (where {taken_up}) as left_out {matching}"
CHOSEN_SQL = "select j.id {matching} and not {taken_up} order by j.occurred_at, j.id limit %(limit)s"

NEW_REPLAY_SQL = """
insert into zixly.replays (id, tenant_id, actor, mode, is_dry_run, chosen, rate_per_minute, matched, left_out, made)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
KNOWN_REPLAY_SQL = "select matched, left_out, made, is_dry_run from zixly.replays where id = %s and tenant_id = %s"
NEW_JOBS_SQL = f"""
insert into zixly.workflow_jobs (id, tenant_id, connection_id, event_id, workflow_type, system, priority, lane, origin, origin_job_id,
                                 made_by, record_key, record_id, occurred_at, trigger_data, checkpoint, due_at)
select t.id, o.tenant_id, o.connection_id, o.event_id, o.workflow_type, o.system, o.priority, %s, 'replay', o.id, %s,
       case when %s = '' then o.record_key else regexp_replace(o.record_key, '{EDITED_ENDING}[0-9a-f]{{16}}$', '') || %s end
       || case when %s then '{DRY_RUN_ENDING}' || t.id else '' end,
       o.record_id, o.occurred_at, (o.trigger_data - 'dry_run') || %s::jsonb,
       case when %s then o.checkpoint else '{{}}' end, now() + t.due_in
from {rows_from("id uuid, origin_id uuid, due_in interval")}
join zixly.workflow_jobs o on o.id = t.origin_id
order by t.due_in, o.occurred_at, o.id
on conflict (id) do nothing
returning id, workflow_type, system, origin_job_id,
          (select coalesce(o.trace_id, o.id) from zixly.workflow_jobs o where o.id = workflow_jobs.origin_job_id) as origin_trace"""

ORIGIN_SQL = f"""
select j.status, j.workflow_type as workflow, j.tenant_id, {IS_DRY_RUN.format(job="j")} as is_dry_run, w.enabled is true as is_known,
  (select r.id from zixly.workflow_jobs r where r.origin_job_id = j.id and r.origin = 'replay' and r.status in ('QUEUED', 'RUNNING')
     and r.made_by is distinct from %s and not {IS_DRY_RUN.format(job="r")} limit 1) as replayed_by
from zixly.workflow_jobs j left join zixly.workflows w on w.name = j.workflow_type where j.id = %s"""

STOP_SQL = """
update zixly.replays set stopped_at = coalesce(stopped_at, now()), stopped_by = coalesce(stopped_by, %s)
where id = %s returning tenant_id"""


@dataclass(frozen=True)
class Matching:
    """How many jobs a choice fits, and how many of them a replay has done already or is about to do."""

    matched: int
    left_out: int

    @property
    def to_make(self) -> int:
        return self.matched - self.left_out


@dataclass(frozen=True)
class Origin:
    """A job that is to be replayed."""

    tenant_id: UUID
    workflow: str


@dataclass(frozen=True)
class MadeReplay:
    """What was written. `is_new` False: the replay was there already, and nothing was made now."""

    id: UUID
    matching: Matching
    made: int
    jobs: MadeJobs
    is_new: bool = True

    @property
    def to_wake(self) -> Mapping[str, Sequence[UUID]]:
        """One job for each system, to be announced after the commit: a message only wakes, and the rest becomes due by and by."""
        return {system: ids[:1] for system, ids in self.jobs.by_system.items()}


def origin_of(connection: Rows, job_id: UUID, *, replay_id: UUID) -> Origin | None:
    """The job that somebody wants replayed; None when the scope shows no such job. Raises `NotReplayable`, saying why not. That this very
    replay is under way is no reason: asking twice makes nothing twice."""
    row = connection.execute(ORIGIN_SQL, (replay_id, job_id)).fetchone()
    if row is None:
        return None
    if row["status"] not in ENDED:
        how = f"Job {job_id} is {row['status']}: it is under way. Wait for its end, or cancel it first."
        raise NotReplayable(how, reason="job_is_open")
    if row["is_dry_run"]:
        raise NotReplayable(f"Job {job_id} is a dry run: it wrote nothing. Replay the job that it was about.", reason="job_is_dry_run")
    if not row["is_known"]:
        raise NotReplayable(f"There is no workflow {row['workflow']} any more, so nothing can do job {job_id}.", reason="workflow_unknown")
    if row["replayed_by"] is not None:
        raise NotReplayable(f"Job {job_id} is being replayed already, by job {row['replayed_by']}.", reason="replay_under_way")
    return Origin(row["tenant_id"], row["workflow"])


def matching_jobs(connection: Rows, *, tenant_id: UUID, choice: JobChoice) -> Matching:
    """How many jobs a replay of this choice would be about."""
    query = COUNT_SQL.format(taken_up=taken_up_sql(choice), matching=matching_sql(choice))
    return Matching(**next(iter(connection.execute(query, values_of(tenant_id, choice)))))


def make_replay(connection: Rows, wanted: WantedReplay, *, actor: str) -> MadeReplay:
    """Make the new jobs and the replay that they belong to, written to the audit log. As role `api` or `runs`; the queues of `to_wake`
    are to be told after the commit. Raises `NotReplayable` for an id that another kind of replay has."""
    connection.execute(LOCK_SQL, (str(wanted.tenant_id),))
    known = connection.execute(KNOWN_REPLAY_SQL, (wanted.id, wanted.tenant_id)).fetchone()
    if known is not None and known["is_dry_run"] != wanted.is_dry_run:
        raise NotReplayable(f"There is a replay {wanted.id} already, and only one of the two is a dry run.", reason="replay_exists")
    if known is not None:
        return MadeReplay(wanted.id, Matching(known["matched"], known["left_out"]), known["made"], MadeJobs({}), is_new=False)
    matching = matching_jobs(connection, tenant_id=wanted.tenant_id, choice=wanted.choice)
    rows = list(connection.execute(*chosen_query(wanted)))
    jobs = make_jobs_of(connection, wanted, [row["id"] for row in rows]) if rows else MadeJobs({})
    values = (wanted.id, wanted.tenant_id, actor, wanted.mode.value, wanted.is_dry_run, Jsonb(wanted.choice.as_json()))
    connection.execute(NEW_REPLAY_SQL, (*values, wanted.rate_per_minute, matching.matched, matching.left_out, jobs.count))
    action = "replay.preview" if wanted.is_dry_run else "replay.make"
    details = {"mode": wanted.mode.value, "jobs": jobs.count, **wanted.choice.as_json()}
    note(connection, actor=actor, action=action, subject=wanted.id, tenant_id=wanted.tenant_id, details=details)
    return MadeReplay(wanted.id, matching, jobs.count, jobs)


def stop_replay(connection: Rows, *, replay_id: UUID, actor: str) -> int | None:
    """Cancel the jobs of a replay that nobody works on yet; running ones come to their end. How many were cancelled; None when the
    scope shows no such replay."""
    replay = connection.execute(STOP_SQL, (actor, replay_id)).fetchone()
    if replay is None:
        return None
    cancelled = list(connection.execute(CANCEL_SQL.format(chosen="made_by = %s and status = 'QUEUED'"), (replay_id,)))
    count_cancelled(connection, cancelled)
    details = {"cancelled": len(cancelled)}
    note(connection, actor=actor, action="replay.stop", subject=replay_id, tenant_id=replay["tenant_id"], details=details)
    return len(cancelled)


def make_jobs_of(connection: Rows, wanted: WantedReplay, origins: Sequence[UUID]) -> MadeJobs:
    rows = [(wanted.job_id_for(origin), origin, wanted.due_in(place)) for place, origin in enumerate(origins)]
    trigger: dict[str, Any] = {"dry_run": True} if wanted.is_dry_run else {}
    if wanted.payload is not None:
        trigger["payload"] = dict(wanted.payload)
    values = (
        "live" if wanted.choice.names_one else "bulk",
        wanted.id,
        wanted.ending,
        wanted.ending,
        wanted.is_dry_run,
        text_of(trigger),
        wanted.mode is ReplayMode.CHECKPOINT,
    )
    return note_made(connection, list(connection.execute(NEW_JOBS_SQL, [*values, *columns_of(rows)])))


def chosen_query(wanted: WantedReplay) -> tuple[str, dict[str, Any]]:
    """The jobs to replay, in the order in which they came about."""
    query = CHOSEN_SQL.format(matching=matching_sql(wanted.choice), taken_up=taken_up_sql(wanted.choice))
    return query, {**values_of(wanted.tenant_id, wanted.choice), "limit": wanted.limit}


def matching_sql(choice: JobChoice) -> str:
    answered = [condition for name, condition in CONDITIONS.items() if getattr(choice, name) is not None]
    return MATCHING.format(chosen=" and ".join(answered or ["true"]))


def taken_up_sql(choice: JobChoice) -> str:
    return "false" if choice.names_one else IS_TAKEN_UP


def values_of(tenant_id: UUID, choice: JobChoice) -> dict[str, Any]:
    statuses = [choice.status] if choice.status is not None else [JobStatus(one).value for one in ENDED]
    answers = {name: getattr(choice, name) for name in CONDITIONS}
    return {**answers, "job_ids": list(choice.job_ids or ()), "tenant": tenant_id, "statuses": statuses}
