"""How due jobs become batches, for whatever is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from zixly_core.batching import Batch, DueJob, Room, Slots, batches_of
from zixly_core.ids import new_id

TENANTS = [new_id() for _ in range(3)]
CONNECTIONS = {tenant: new_id() for tenant in TENANTS}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAX_BATCH = 5


def make_due(
    *, tenant: UUID = TENANTS[0], workflow: str = "w1", priority: int = 1, record: str | None = None, seconds: int = 0, lost: int = 0
) -> DueJob:
    job_id = new_id()
    return DueJob(
        id=job_id,
        tenant_id=tenant,
        connection_id=CONNECTIONS[tenant],
        workflow=workflow,
        max_batch=MAX_BATCH,
        lane="live",
        priority=priority,
        record_key=record or str(job_id),
        due_at=NOON + timedelta(seconds=seconds),
        lost_attempts=lost,
    )


due_jobs = st.lists(
    st.builds(
        make_due,
        tenant=st.sampled_from(TENANTS),
        workflow=st.sampled_from(["w1", "w2"]),
        priority=st.integers(0, 2),
        record=st.sampled_from(["a", "b", "c", "d", None]),
        seconds=st.integers(0, 5),
        lost=st.integers(0, 3),
    ),
    max_size=40,
)


@given(due=due_jobs, capacity=st.integers(0, 12), slots=st.integers(1, 6), max_jobs=st.integers(0, 60))
def test_whatever_is_due_the_rules_hold(due: list[DueJob], capacity: int, slots: int, max_jobs: int) -> None:
    batches = batches_of(due, system="xero", room=Room(capacity, max_jobs), slots=Slots(slots))
    jobs = {job.id: job for job in due}
    handed = [jobs[job_id] for batch in batches for job_id in batch.job_ids]
    assert len(batches) <= capacity
    assert len(handed) == len({job.id for job in handed}), "no job twice"
    assert len(handed) <= (max_jobs + MAX_BATCH - 1 if max_jobs else 0)
    for batch in batches:
        members = [jobs[job_id] for job_id in batch.job_ids]
        assert 1 <= len(members) <= MAX_BATCH
        assert {(one.tenant_id, one.workflow) for one in members} == {(batch.tenant_id, batch.workflow)}
        assert len(members) <= min(one.company for one in members), "nobody has more company than it may"
    assert sum(job.is_suspect for job in handed_jobs(batches, due)) <= 1
    homes: dict[tuple[UUID, str], set[UUID]] = {}
    for batch in batches:
        for job_id in batch.job_ids:
            homes.setdefault((jobs[job_id].tenant_id, jobs[job_id].record_key), set()).add(batch.id)
    assert all(len(batch_ids) == 1 for batch_ids in homes.values()), "a record is never in two hands"


def handed_jobs(batches: list[Batch], due: list[DueJob]) -> list[DueJob]:
    handed = {job_id for batch in batches for job_id in batch.job_ids}
    return [job for job in due if job.id in handed]


def test_jobs_whose_worker_was_lost_are_told_apart_in_two_steps() -> None:
    once = [make_due(lost=1) for _ in range(7)]
    twice = [make_due(lost=2) for _ in range(2)]
    batches = batches_of([*once, *twice, make_due(), make_due()], system="xero", room=Room(9, 100), slots=Slots(1))
    assert sorted(len(batch.job_ids) for batch in batches) == [1, 1, 2, 3, 3]
    assert [batch.job_ids for batch in batches if twice[0].id in batch.job_ids] == [(twice[0].id,)]
    assert all(twice[1].id not in batch.job_ids for batch in batches), "one suspect at a time"


def test_a_higher_priority_goes_first() -> None:
    low, high = make_due(priority=2), make_due(priority=0, seconds=3)
    batches = batches_of([low, high], system="xero", room=Room(1, 100), slots=Slots(1))
    assert batches[0].job_ids == (high.id,)


def test_a_tenant_with_one_job_has_its_turn_beside_one_with_many() -> None:
    many = [make_due(seconds=0) for _ in range(50)]
    single = make_due(tenant=TENANTS[1], seconds=5)
    batches = batches_of([*many, single], system="xero", room=Room(2, 100), slots=Slots(2))
    assert {batch.tenant_id for batch in batches} == {TENANTS[0], TENANTS[1]}


def test_jobs_are_spread_over_the_slots_that_could_work_side_by_side() -> None:
    batches = batches_of([make_due() for _ in range(8)], system="xero", room=Room(9, 100), slots=Slots(4))
    assert [len(batch.job_ids) for batch in batches] == [2, 2, 2, 2]


def test_jobs_are_spread_over_free_slots_alone_and_over_none_where_more_is_due_than_was_looked_at() -> None:
    due = [make_due() for _ in range(8)]
    for slots, sizes in (
        (Slots(4, taken=2), [4, 4]),
        (Slots(4, taken=7), [5, 3]),
        (Slots(4, cut_off=frozenset({TENANTS[0]})), [5, 3]),
        (Slots(4, cut_off=frozenset({TENANTS[1]})), [2, 2, 2, 2]),
    ):
        batches = batches_of(due, system="xero", room=Room(9, 100), slots=slots)
        assert [len(batch.job_ids) for batch in batches] == sizes, slots


def test_behind_a_batch_that_waits_for_a_slot_jobs_wait_until_they_fill_one_or_are_urgent() -> None:
    slots = Slots(1, taken=2, in_line=frozenset({TENANTS[0]}))
    few, others, urgent = [make_due() for _ in range(4)], make_due(tenant=TENANTS[1]), make_due(priority=0)
    batches = batches_of([*few, others, urgent], system="xero", room=Room(9, 100), slots=slots)
    assert [batch.job_ids for batch in batches] == [(urgent.id,), (others.id,)]
    full = batches_of([*few, make_due()], system="xero", room=Room(9, 100), slots=slots)
    assert [len(batch.job_ids) for batch in full] == [MAX_BATCH]
