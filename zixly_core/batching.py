"""How due jobs become batches: one job each in quiet times, many in a burst, tenants in turn, a record never in two hands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, sqrt
from uuid import UUID

from zixly_core.ids import new_id
from zixly_core.trace_context import TraceContext, span_of

# Priorities: 0 high, 1 normal, 2 low.
HIGH = 0
LOWEST = 2


@dataclass(frozen=True)
class Room:
    """How many more batches, and jobs in them, may be open."""

    batches: int
    jobs: int

    @property
    def is_some(self) -> bool:
        return self.batches > 0 and self.jobs > 0

    def plus(self, more: Room) -> Room:
        return Room(self.batches + more.batches, self.jobs + more.jobs)

    def less(self, batch: Batch) -> Room:
        return Room(self.batches - 1, self.jobs - len(batch.job_ids))


NO_ROOM = Room(0, 0)


@dataclass(frozen=True)
class Backlogs:
    """Tenants with a long backlog while others have work too, and how many more batches they may have open together: one slot is left to
    the others, however much waits. Jobs of high priority are not held up by it."""

    tenants: frozenset[UUID]
    batches: int

    def hold_up(self, batch: Batch, *, priority: int) -> bool:
        return self.batches <= 0 and self.are_of(batch.tenant_id, priority=priority)

    def are_of(self, tenant_id: UUID, *, priority: int) -> bool:
        return priority != HIGH and tenant_id in self.tenants

    def less(self, batch: Batch, *, priority: int) -> Backlogs:
        return Backlogs(self.tenants, self.batches - 1) if self.are_of(batch.tenant_id, priority=priority) else self


NO_BACKLOGS = Backlogs(frozenset(), 0)


@dataclass(frozen=True)
class Slots:
    """What could work on batches side by side: `count` of them, `taken` by open batches. `cut_off` are tenants of whom more is due than was
    looked at, `in_line` those with a batch that waits while every slot is taken and one more batch waits than they are."""

    count: int
    taken: int = 0
    cut_off: frozenset[UUID] = frozenset()
    in_line: frozenset[UUID] = frozenset()

    def to_fill(self, jobs: Sequence[DueJob]) -> int:
        """Over how many a group's jobs are spread. Small batches in a queue would end no sooner and cost a run each."""
        return 1 if jobs[0].tenant_id in self.cut_off else max(self.count - self.taken, 1)

    def hold_up(self, jobs: Sequence[DueJob], *, priority: int) -> bool:
        """Whether these wait for others to fill a batch with: theirs would stand in a queue, behind another of the same tenant."""
        return priority != HIGH and jobs[0].tenant_id in self.in_line and len(jobs) < company_of(jobs)


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
    lost_attempts: int = 0
    """How many workers were gone before they were done with it, whichever job it was that took them along."""
    trace_id: UUID | None = None
    """The trace that it goes on with; None for one that began its own."""

    @property
    def trace(self) -> TraceContext:
        return TraceContext(self.trace_id or self.id, span_of(self.id))

    @property
    def is_suspect(self) -> bool:
        """Whether it must be alone, and no other such job in hand."""
        return self.lost_attempts > 1

    @property
    def company(self) -> int:
        """How many jobs may share its batch. After a worker was lost its jobs are told apart in two steps: a few together, then each
        alone. One step would make 1,280 calls of the eight that a machine going down had in hand."""
        if self.is_suspect:
            return 1
        return ceil(sqrt(self.max_batch)) if self.lost_attempts else self.max_batch


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
    traces: tuple[TraceContext, ...] = ()
    """Where in which trace each job was made."""

    @property
    def trace_id(self) -> UUID:
        """The trace of its jobs, where that is one. Jobs of several traces are worked on in one of the batch's own, which names theirs:
        that is how OpenTelemetry wants messages that are processed together."""
        ids = {one.trace_id for one in self.traces}
        return ids.pop() if len(ids) == 1 else self.id


GroupKey = tuple[int, str, UUID, UUID, str, int]


def batches_of(
    due: Sequence[DueJob], *, system: str, room: Room, slots: Slots, kept_for_high: Room = NO_ROOM, backlogs: Backlogs = NO_BACKLOGS
) -> list[Batch]:
    """As many batches as there is `room` for, out of the due ones, which come in order of priority and age for each tenant. Jobs of
    high priority have what is `kept_for_high` beside it.

    Higher priority goes first; within one priority tenants take turns, so that a tenant with thousands of jobs leaves the
    others their share, and those of `backlogs` come after the others. A group's jobs are spread over the `slots` that are free;
    where none is, they wait for one another.
    """
    groups = grouped(one_workflow_per_record(one_suspect(due)))
    batches: list[Batch] = []
    for priority in sorted({key[0] for key in groups}):
        order = sorted(groups.items(), key=lambda one: (backlogs.are_of(one[0][2], priority=one[0][0]), age(one)))
        going = [jobs for key, jobs in order if key[0] == priority and not slots.hold_up(jobs, priority=priority)]
        turns = [split_evenly(jobs, system=system, slots=slots.to_fill(jobs)) for jobs in going]
        while any(turns):
            for turn in turns:
                if not (room.plus(kept_for_high) if priority == HIGH else room).is_some:
                    return batches
                if turn and backlogs.hold_up(turn[0], priority=priority):
                    turn.clear()
                if turn:
                    batches.append(turn.pop(0))
                    room = room.less(batches[-1])
                    backlogs = backlogs.less(batches[-1], priority=priority)
    return batches


def age(group: tuple[GroupKey, list[DueJob]]) -> datetime:
    """When the group's first job became due: whoever waits longest has the first turn."""
    return group[1][0].due_at


def one_suspect(due: Sequence[DueJob]) -> list[DueJob]:
    """Of the jobs that must be alone only the first: what dies beside one that takes the whole machine with it would look guilty too."""
    first = next((job for job in due if job.is_suspect), None)
    return [job for job in due if job is first or not job.is_suspect]


def one_workflow_per_record(due: Sequence[DueJob]) -> list[DueJob]:
    """Two workflows on one record take turns: the job that comes first decides which goes now."""
    workflow_of: dict[tuple[UUID, str], str] = {}
    return [job for job in due if workflow_of.setdefault((job.tenant_id, job.record_key), job.workflow) == job.workflow]


def grouped(due: Sequence[DueJob]) -> dict[GroupKey, list[DueJob]]:
    """The jobs that may share a batch. A record's jobs share the group of the record's first job, whatever their own priority,
    so that they stay in one hand; the one that may have least company decides for all."""
    company: dict[tuple[UUID, str], int] = {}
    for job in due:
        record = (job.tenant_id, job.record_key)
        company[record] = min(company.get(record, job.company), job.company)
    home: dict[tuple[UUID, str], GroupKey] = {}
    groups: dict[GroupKey, list[DueJob]] = {}
    for job in due:
        record = (job.tenant_id, job.record_key)
        key = (job.priority, job.lane, job.tenant_id, job.connection_id, job.workflow, company[record])
        groups.setdefault(home.setdefault(record, key), []).append(job)
    return groups


def split_evenly(jobs: Sequence[DueJob], *, system: str, slots: int) -> list[Batch]:
    """The group's jobs in batches of nearly equal size; the jobs of one record stay together, the rest of them waits."""
    at_most = company_of(jobs)
    size = min(max(ceil(len(jobs) / max(slots, 1)), 1), at_most)
    by_record: dict[str, list[DueJob]] = {}
    for job in jobs:
        by_record.setdefault(job.record_key, []).append(job)
    filling: list[list[DueJob]] = []
    for record in by_record.values():
        together = record[:at_most]
        if filling and len(filling[-1]) + len(together) <= size:
            filling[-1] += together
        else:
            filling.append(list(together))
    return [batch_from(members, system=system) for members in filling]


def company_of(jobs: Sequence[DueJob]) -> int:
    """How many of a group may be together."""
    return min(job.company for job in jobs)


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
        traces=tuple(job.trace for job in members),
    )
