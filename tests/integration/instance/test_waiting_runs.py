"""A batch whose run waits in Dagster's queue or for a free worker is not handed over again; one whose run was never launched, or whose
message was lost, is."""

from __future__ import annotations

from uuid import UUID

import redis
from dagster import DagsterEvent, DagsterEventType, DagsterRun

from tests.integration.instance.conftest import Stack
from zixly_core.ids import new_id
from zixly_dagster.instance.waiting_runs import WaitingRuns
from zixly_dagster.workflow import BATCH_TAG, LANE_TAG


def test_a_batch_is_spared_while_its_run_waits_and_for_one_look_after_it_was_taken(stack: Stack) -> None:
    batch, other = new_id(), new_id()
    stack.launch(stack.run_of("five_steps", tags={LANE_TAG: "live", BATCH_TAG: str(batch)}))
    looks = WaitingRuns()
    assert looks.batches(stack.instance, [batch, other]) == {batch}
    assert looks.batches(stack.instance, [batch]) == {batch}
    with redis.Redis.from_url(stack.valkey.url) as client:
        client.flushdb()
    assert looks.batches(stack.instance, [batch]) == {batch}
    assert looks.batches(stack.instance, [batch]) == set()


def test_a_batch_is_spared_while_its_run_is_in_dagsters_queue_and_for_one_look_after_it_left_it(stack: Stack) -> None:
    batch = new_id()
    run = queued(stack, batch)
    looks = WaitingRuns()
    assert looks.batches(stack.instance, [batch]) == {batch}
    assert looks.batches(stack.instance, [batch]) == {batch}
    stack.instance.report_dagster_event(event_of(run, DagsterEventType.RUN_STARTING), run.run_id)  # and the message is not sent yet
    assert looks.batches(stack.instance, [batch]) == {batch}
    assert looks.batches(stack.instance, [batch]) == set()


def test_a_batch_is_not_spared_whose_run_was_made_and_never_launched_or_not_even_made(stack: Stack) -> None:
    made, asked_for = new_id(), new_id()
    stack.run_of("five_steps", tags={LANE_TAG: "bulk", BATCH_TAG: str(made)})
    assert WaitingRuns().batches(stack.instance, [made, asked_for]) == set()


def queued(stack: Stack, batch: UUID) -> DagsterRun:
    """As the coordinator leaves it for the daemon."""
    run = stack.run_of("five_steps", tags={LANE_TAG: "bulk", BATCH_TAG: str(batch)})
    stack.instance.report_dagster_event(event_of(run, DagsterEventType.RUN_ENQUEUED), run.run_id)
    return run


def event_of(run: DagsterRun, kind: DagsterEventType) -> DagsterEvent:
    return DagsterEvent(event_type_value=kind.value, job_name=run.job_name)


def test_nothing_is_asked_about_nothing(stack: Stack) -> None:
    assert WaitingRuns().batches(stack.instance, []) == set()
