"""A job that kills the process it runs in, in real workers: it alone ends as a dead letter, with its story and an issue."""

from __future__ import annotations

import pytest
from dagster import DagsterRun, DagsterRunStatus

from tests.integration.instance.conftest import Stack, Started, until
from tests.integration.instance.sample_definitions import POISON
from tests.support.ledger import TestLedger
from zixly_core.batching import Batch
from zixly_core.stores.handover import HandoverLimits
from zixly_core.stores.issue_grouping import look_into_failures
from zixly_dagster.workflow import BATCH_TAG, LANE_TAG, TENANT_ID_TAG, run_config_of

MANY = 44
ONE_SLOT = HandoverLimits(max_open_batches=20, slots=1, max_batch=80)
KILLED = "exited with 'signal 9 (SIGKILL)'"


def launched(stack: Stack, batch: Batch) -> DagsterRun:
    tags = {LANE_TAG: "live", BATCH_TAG: str(batch.id), TENANT_ID_TAG: str(batch.tenant_id)}
    return stack.launch(stack.run_of("poisonous", tags=tags, run_config=run_config_of(batch.id)))


def work_off(stack: Stack, ledger: TestLedger, worker: Started, *, poison: object) -> list[int]:
    """Until nothing is open: the sizes of the batches in which a process was lost."""
    deadly: list[int] = []
    while batches := ledger.hand_over(limits=ONE_SLOT):
        runs = {batch.id: launched(stack, batch) for batch in batches}
        for batch in batches:
            if poison in batch.job_ids:
                deadly.append(len(batch.job_ids))
                until(lambda: worker.said.count(KILLED) >= len(deadly), seconds=20, what="the process is killed")
            else:
                assert stack.wait_for(runs[batch.id]) is DagsterRunStatus.SUCCESS
        ledger.lapse_leases()
        ledger.sweep()
    return deadly


@pytest.mark.timeout(120)
def test_of_many_jobs_in_a_batch_the_one_that_kills_its_process_ends_as_a_dead_letter_after_three_attempts(
    stack: Stack, ledger: TestLedger
) -> None:
    worker = stack.start_worker()
    others = ledger.add_jobs(MANY)
    (poison,) = ledger.add_jobs(1, record=POISON)
    assert work_off(stack, ledger, worker, poison=poison) == [MANY + 1, 9, 1]
    assert {ledger.job(one)["status"] for one in others} == {"COMPLETED"}
    dead = ledger.job(poison)
    assert (dead["status"], dead["dead_letter"], dead["attempts"]) == ("FAILED", True, 3)
    assert dead["error_message"].endswith("So ended 3 of its 3 attempts, the last one while nothing else was worked on.")
    story = ledger.attempts(poison)
    assert [one["outcome"] for one in story] == ["vanished"] * 3
    assert len({one["run_id"] for one in story}) == 3
    assert all(one["started_at"] < one["ended_at"] for one in story)
    look_into_failures(ledger.dispatch)
    issues = ledger.owner.execute("select operation, reason, status, count from zixly.issues").fetchall()
    assert [tuple(row.values()) for row in issues] == [(dead["workflow_type"], "vanished", "OPEN", 1)]
    assert worker.process.poll() is None, "the worker itself goes on with new children"
