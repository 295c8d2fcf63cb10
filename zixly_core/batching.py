"""How due jobs become batches: one job each in quiet times, many in a burst, tenants in turn, a record never in two hands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from zixly_core.ids import new_id


@dataclass(frozen=True)
class DueJob:
    """A job that may be handed over now."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    workflow: str
    max_batch: int
    lane: str
    priority: int
    record_key: str
    due_at: datetime


@dataclass(frozen=True)
class Batch:
    """Jobs of one workflow, tenant and connection that one run works on."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    workflow: str
    system: str
    lane: str
    priority: int
    job_ids: tuple[UUID, ...]


GroupKey = tuple[int, str, UUID, UUID, str]


def batches_of(due: Sequence[DueJob], *, system: str, capacity: int, slots: int, max_jobs: int) -> list[Batch]:
    """At most `capacity` batches of together about `max_jobs` jobs, out of the due ones, which come in order of priority and age
    for each tenant.

    Higher priority goes first; within one priority tenants take turns, so that a tenant with thousands of jobs leaves the
    others their share. A group's jobs are spread over the `slots` that could work on them side by side.
    """
    groups = grouped(one_workflow_per_record(due))
    batches: list[Batch] = []
    for priority in sorted({key[0] for key in groups}):
        turns = [split_evenly(jobs, system=system, slots=slots) for key, jobs in sorted(groups.items(), key=age) if key[0] == priority]
        while any(turns):
            for turn in turns:
                if len(batches) >= capacity or max_jobs <= 0:
                    return batches
                if turn:
                    batches.append(turn.pop(0))
                    max_jobs -= len(batches[-1].job_ids)
    return batches


def age(group: tuple[GroupKey, list[DueJob]]) -> datetime:
    """When the group's first job became due: whoever waits longest has the first turn."""
    return group[1][0].due_at


def one_workflow_per_record(due: Sequence[DueJob]) -> list[DueJob]:
    """Two workflows on one record take turns: the job that comes first decides which goes now."""
    workflow_of: dict[tuple[UUID, str], str] = {}
    return [job for job in due if workflow_of.setdefault((job.tenant_id, job.record_key), job.workflow) == job.workflow]


def grouped(due: Sequence[DueJob]) -> dict[GroupKey, list[DueJob]]:
    """The jobs that may share a batch. A record's jobs share the group of the record's first job, whatever their own priority,
    so that they stay in one hand."""
    home: dict[tuple[UUID, str], GroupKey] = {}
    groups: dict[GroupKey, list[DueJob]] = {}
    for job in due:
        key = (job.priority, job.lane, job.tenant_id, job.connection_id, job.workflow)
        groups.setdefault(home.setdefault((job.tenant_id, job.record_key), key), []).append(job)
    return groups


def split_evenly(jobs: Sequence[DueJob], *, system: str, slots: int) -> list[Batch]:
    """The group's jobs in batches of nearly equal size; the jobs of one record stay together, the rest of them waits."""
    size = min(max(ceil(len(jobs) / max(slots, 1)), 1), jobs[0].max_batch)
    by_record: dict[str, list[DueJob]] = {}
    for job in jobs:
        by_record.setdefault(job.record_key, []).append(job)
    filling: list[list[DueJob]] = []
    for record in by_record.values():
        together = record[: jobs[0].max_batch]
        if filling and len(filling[-1]) + len(together) <= size:
            filling[-1] += together
        else:
            filling.append(list(together))
    return [batch_from(members, system=system) for members in filling]


def batch_from(members: Sequence[DueJob], *, system: str) -> Batch:
    first = members[0]
    return Batch(
        id=new_id(),
        tenant_id=first.tenant_id,
        connection_id=first.connection_id,
        workflow=first.workflow,
        system=system,
        lane=first.lane,
        priority=min(job.priority for job in members),
        job_ids=tuple(job.id for job in members),
    )
