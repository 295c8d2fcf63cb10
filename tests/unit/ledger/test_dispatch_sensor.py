"""The dispatch sensor's one tick, with a stand-in for what it hands over."""

from __future__ import annotations

from dagster import RunRequest, SkipReason

from zixly_core.batching import Batch
from zixly_core.dispatcher import Tick
from zixly_core.errors import StoreUnavailable
from zixly_core.ids import new_id
from zixly_dagster.sensors.dispatch import requests, run_request
from zixly_dagster.workflow import JOB_COUNT_TAG, LANE_TAG


class Ticking:
    def __init__(self, tick: Tick | Exception) -> None:
        self._tick = tick

    def tick(self) -> Tick:
        if isinstance(self._tick, Exception):
            raise self._tick
        return self._tick


def make_batch() -> Batch:
    return Batch(
        id=new_id(),
        tenant_id=new_id(),
        connection_id=new_id(),
        workflow="xero-invoice-to-hubspot",
        system="xero",
        lane="live",
        priority=1,
        job_ids=(new_id(), new_id()),
    )


def test_each_batch_becomes_one_run_that_is_told_its_batch_and_nothing_else() -> None:
    batch = make_batch()
    request = run_request(batch)
    assert request.run_key == str(batch.id)
    assert request.job_name == "xero_invoice_to_hubspot"
    assert request.run_config == {"resources": {"batch": {"config": {"batch_id": str(batch.id)}}}}
    assert request.tags[LANE_TAG] == "live"
    assert request.tags[JOB_COUNT_TAG] == "2"
    assert not any(str(job_id) in str(request.tags) for job_id in batch.job_ids), "tags never list jobs"


def test_a_tick_with_batches_yields_their_runs() -> None:
    batches = [make_batch(), make_batch()]
    given = list(requests(Ticking(Tick(batches, messages=1)), system="xero"))
    assert [one.run_key for one in given if isinstance(one, RunRequest)] == [str(batch.id) for batch in batches]


def test_a_tick_without_work_says_why_in_words() -> None:
    for tick, words in [
        (Tick([], messages=0), "No xero job is due"),
        (Tick([], messages=0, queue_away=True), "The queue is away"),
        (Tick([], messages=0, workers_away=True), "broker of the run workers is away"),
        (StoreUnavailable("down"), "Postgres is away"),
    ]:
        (skip,) = list(requests(Ticking(tick), system="xero"))
        assert isinstance(skip, SkipReason)
        assert words in (skip.skip_message or "")
