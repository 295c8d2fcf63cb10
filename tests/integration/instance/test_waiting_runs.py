"""A batch whose run waits for a free worker is not handed over again; one whose message was lost is."""

from __future__ import annotations

import redis

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


def test_nothing_is_asked_about_nothing(stack: Stack) -> None:
    assert WaitingRuns().batches(stack.instance, []) == set()
