"""Of the batches that nobody has claimed, those whose run has begun: told from Dagster's own rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, job, op

from zixly_core.ids import new_id
from zixly_core.stores.sweep import Begun
from zixly_dagster.sensors.sweep import CLAIMS_WITHIN, begun_among
from zixly_dagster.workflow import BATCH_TAG


@op
def nothing() -> None: ...


@job
def does_nothing() -> None:
    nothing()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def run_of(instance: DagsterInstance, batch: UUID, *events: DagsterEventType) -> DagsterRun:
    run = instance.create_run_for_job(does_nothing, tags={BATCH_TAG: str(batch)})
    for event in events:
        instance.report_dagster_event(DagsterEvent(event_type_value=event.value, job_name=run.job_name), run.run_id)
    return run


def test_only_a_run_that_began_long_ago_and_never_ended_counts_as_dead(instance: DagsterInstance) -> None:
    waiting, begun, failed = new_id(), new_id(), new_id()
    run_of(instance, waiting, DagsterEventType.RUN_STARTING)
    run = run_of(instance, begun, DagsterEventType.RUN_START)
    run_of(instance, failed, DagsterEventType.RUN_START, DagsterEventType.RUN_FAILURE)
    run_of(instance, new_id(), DagsterEventType.RUN_START)
    asked = [waiting, begun, failed]
    now = datetime.now(UTC)
    assert begun_among(instance, asked, now=now) == Begun(lately={begun})
    assert begun_among(instance, asked, now=now + CLAIMS_WITHIN) == Begun(died={begun: run.run_id}, lately=set())


def test_nobody_is_asked_about_nothing(instance: DagsterInstance) -> None:
    assert begun_among(instance, [], now=datetime.now(UTC)) == Begun()
