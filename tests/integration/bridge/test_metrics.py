from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.bridge.running import XERO_KEY, RunningBridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, POLICY, WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from tests.support.scraping import Samples, samples_in
from zixly_core.job import Completed, Failed, JobEnd
from zixly_core.metrics import METRICS
from zixly_core.stores.database import Database
from zixly_core.stores.ledger_balance import Balanced, balance_next, trim_balance
from zixly_core.stores.pipeline_counts import pipeline_counts
from zixly_core.stores.readings import read
from zixly_core.stores.settle import settle
from zixly_core.stores.sweep_counts import MOST_TICKERS, count_sweeps


def scraped(bridge: RunningBridge) -> Samples:
    return samples_in(bridge.http.get("/metrics").text)


@pytest.fixture
def metrics_database(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("metrics"), name="metrics")
    yield opened
    opened.close()


def states(database: Database) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in read(database, pipeline_counts).open_jobs:
        found[one.state] = found.get(one.state, 0) + one.jobs
    return found


def test_counters_tell_what_was_made_and_how_it_ended(bridge: RunningBridge, ledger: TestLedger) -> None:
    bodies = [xero_body(xero_event(ORGANISATION)) for _ in range(3)]
    for body in bodies:
        bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
    for batch in ledger.hand_over():
        run = ledger.run_of(batch, f"run-{batch.id}")
        ends = [JobEnd(job, Completed()) for job in ledger.claim(run)]
        settle(ledger.runs, run, ends, policy=POLICY, jitter=random.Random(1))
    samples = scraped(bridge)
    assert samples["pipeline_jobs_queued_total", (WORKFLOW,)] == 3
    assert samples["pipeline_jobs_processed_total", (WORKFLOW, "completed")] == 3
    assert samples["pipeline_jobs_processed_total", (WORKFLOW, "failed")] == 0, "before the first one fails"
    assert samples["pipeline_job_attempts_total", (WORKFLOW, "completed")] == 3
    assert samples["pipeline_job_duration_seconds_count", (WORKFLOW, "completed")] == 3
    assert samples["pipeline_job_duration_seconds_bucket", (WORKFLOW, "+Inf", "completed")] == 3
    assert samples["pipeline_jobs", ("completed",)] == 3
    assert samples["pipeline_jobs", ("queued",)] == 0
    assert samples["pipeline_unaccounted", ()] == 0
    assert samples["http_request_duration_seconds_count", ("POST", "/webhook/xero", "200")] == 3
    assert samples["webhook_deliveries_total", ("xero", "accepted")] == 3


def test_durations_of_several_writers_are_summed_bucket_by_bucket(bridge: RunningBridge, ledger: TestLedger) -> None:
    for shard, buckets, seconds in ((1, [1, 0, 2, 0, 0, 0, 0, 0, 0], 13.5), (2, [0, 1, 0, 0, 0, 0, 0, 0, 4], 4_003.0)):
        ledger.owner.execute(
            "insert into zixly.job_counters (name, job_type, status, shard, value, buckets) values "
            "('duration', %s, 'completed', %s, %s, %s)",
            (WORKFLOW, shard, seconds, buckets),
        )
    samples = scraped(bridge)
    bounds = {"1.0": 1, "5.0": 2, "10.0": 4, "600.0": 4, "+Inf": 8}
    for bound, expected in bounds.items():
        assert samples["pipeline_job_duration_seconds_bucket", (WORKFLOW, bound, "completed")] == expected
    assert samples["pipeline_job_duration_seconds_sum", (WORKFLOW, "completed")] == pytest.approx(4_016.5)


def test_every_open_job_is_counted_under_the_reason_why_it_is_open(ledger: TestLedger, metrics_database: Database) -> None:
    paused, parked = ledger.add_tenant("paused"), ledger.add_tenant("parked")
    ledger.owner.execute("update zixly.tenants set paused_at = now() where id = %s", (paused.id,))
    ledger.owner.execute("update zixly.connections set parked_until = now() + interval '1 hour' where id = %s", (parked.xero,))
    ledger.claimed(2)
    ledger.add_jobs(1)
    ledger.hand_over()
    ledger.add_jobs(1, tenant=paused)
    ledger.add_jobs(1, tenant=parked)
    (later,) = ledger.add_jobs(1)
    ledger.owner.execute("update zixly.workflow_jobs set due_at = now() + interval '1 hour' where id = %s", (later,))
    ledger.add_jobs(4)
    assert states(metrics_database) == {"running": 2, "handed_over": 1, "paused": 1, "parked": 1, "scheduled": 1, "due": 4}


def test_a_job_whose_lease_lapsed_is_unaccounted_until_the_sweep_took_it_back(ledger: TestLedger, metrics_database: Database) -> None:
    ledger.claimed(1)
    ledger.lapse_leases()
    assert states(metrics_database) == {"unaccounted": 1}
    ledger.sweep(handover_timeout=timedelta(minutes=1))
    assert states(metrics_database) == {"due": 1}


@pytest.mark.parametrize(
    "damage",
    [
        "update zixly.workflow_jobs set batch_id = gen_random_uuid() where status = 'QUEUED'",
        "update zixly.workflow_jobs set status = 'RUNNING' where status = 'QUEUED'",
        "update zixly.workflow_jobs set workflow_type = 'nobody-does-this' where status = 'QUEUED'",
    ],
)
def test_a_job_that_nobody_would_ever_pick_up_is_unaccounted(ledger: TestLedger, metrics_database: Database, damage: str) -> None:
    ledger.add_jobs(1)
    ledger.owner.execute(damage)
    assert states(metrics_database) == {"unaccounted": 1}


def test_failed_jobs_that_wait_for_a_person_are_dead_letters(bridge: RunningBridge, ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(2)
    ends = [JobEnd(job, Failed("record_gone", "Gone.", permanent=True)) for job in jobs]
    settle(ledger.runs, run, ends, policy=POLICY, jitter=random.Random(1))
    assert scraped(bridge)["pipeline_dead_letters", (WORKFLOW,)] == 2


def test_batches_are_counted_by_their_size_when_they_are_handed_over(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.add_jobs(7)
    sizes = [len(batch.job_ids) for batch in ledger.hand_over()]
    samples = scraped(bridge)
    assert samples["pipeline_batch_jobs_count", (WORKFLOW, "live")] == len(sizes)
    assert samples["pipeline_batch_jobs_sum", (WORKFLOW, "live")] == sum(sizes) == 7
    assert samples["pipeline_batch_jobs_bucket", (WORKFLOW, "live", "80.0")] == len(sizes)


def test_sweeps_are_told_by_ticker_and_those_that_come_too_late_as_one(bridge: RunningBridge, ledger: TestLedger) -> None:
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as rows:
        count_sweeps(rows, [("bhp.ax", "COMPLETED"), ("BHP.AX", "COMPLETED"), ("BHP.AX", "FAILED")], shard=1)
        count_sweeps(rows, [(f"T{number:03}", "COMPLETED") for number in range(MOST_TICKERS + 3)], shard=1)
        count_sweeps(rows, [("BHP.AX", "COMPLETED"), ("LATE", "COMPLETED")], shard=2)
        count_sweeps(rows, [], shard=2)
    told = {labels: value for (name, labels), value in scraped(bridge).items() if name == "trading_sweeps_total"}
    assert told["completed", "BHP.AX"] == 3
    assert told["failed", "BHP.AX"] == 1
    assert told["completed", "other"] == 5
    assert len({ticker for _, ticker in told}) == MOST_TICKERS + 1


def balanced(ledger: TestLedger) -> list[Balanced]:
    """Everything that is to be compared."""
    trim_balance(ledger.dispatch)
    return list(iter(lambda: balance_next(ledger.dispatch), None))


def slices_of(compared: list[Balanced]) -> set[datetime]:
    return {one.slice for one in compared}


def test_an_event_that_was_lost_is_unaccounted_for_until_it_is_back(bridge: RunningBridge, ledger: TestLedger) -> None:
    body = xero_body(xero_event(ORGANISATION), xero_event(ORGANISATION))
    bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
    assert ("ledger_balance_age_seconds", ()) not in scraped(bridge)
    new = balanced(ledger)
    assert all(one.is_new for one in new)
    assert len(new) in {1, 2}, "the minutes in which it came, and these"
    assert slices_of(balanced(ledger)).isdisjoint(slices_of(new)), "at most minutes that have begun since"
    samples = scraped(bridge)
    assert samples["ledger_difference", ("events",)] == samples["ledger_difference", ("jobs",)] == samples["pipeline_unaccounted", ()] == 0
    assert 0 <= samples["ledger_balance_age_seconds", ()] < 60

    gone = ledger.owner.execute("select id from zixly.events order by id limit 1").fetchone()
    assert gone is not None
    ledger.owner.execute("update zixly.events set delivery_id = gen_random_uuid() where id = %(id)s", gone)
    ledger.owner.execute("delete from zixly.workflow_jobs where event_id <> %(id)s", gone)
    ledger.owner.execute("update zixly.ledger_balance set balanced_at = now() - interval '10 minutes'")
    again = balanced(ledger)
    assert all(one.is_new for one in again), "minutes that were not over when they were compared"
    assert (sum(one.events for one in again), sum(one.jobs for one in again)) == (1, 1)
    samples = scraped(bridge)
    assert (samples["ledger_difference", ("events",)], samples["ledger_difference", ("jobs",)]) == (1, 1)
    assert samples["pipeline_unaccounted", ()] == 2

    ledger.owner.execute("update zixly.deliveries set event_count = 0")
    ledger.owner.execute("update zixly.events set outcome = 'filtered', delivery_id = gen_random_uuid()")
    ledger.owner.execute("update zixly.ledger_balance set balanced_at = now() - interval '2 minutes'")
    assert balanced(ledger), "what differs is compared again"
    assert scraped(bridge)["pipeline_unaccounted", ()] == 0


def test_an_event_of_hours_ago_that_loses_its_job_is_found_in_the_next_round(bridge: RunningBridge, ledger: TestLedger) -> None:
    for hours in (7 * 24 + 1, 100, 3, 0):
        body = xero_body(xero_event(ORGANISATION))
        bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
        at = {"back": timedelta(hours=hours)}
        ledger.owner.execute(
            "update zixly.deliveries set received_at = received_at - %(back)s where received_at > now() - interval '1 minute'", at
        )
    compared = balanced(ledger)
    assert len(compared) in {3, 4}, "one is older than what is compared"
    ledger.owner.execute(
        "delete from zixly.workflow_jobs where event_id in (select e.id from zixly.events e join zixly.deliveries d on d.id = e.delivery_id"
        " where d.received_at between now() - interval '4 hours' and now() - interval '1 hour')"
    )
    assert slices_of(balanced(ledger)).isdisjoint(slices_of(compared)), "a minute has not passed"
    ledger.owner.execute(
        "update zixly.ledger_balance set balanced_at = balanced_at - interval '51 seconds' where slice < now() - interval '1 hour'"
    )
    assert sum(one.jobs for one in balanced(ledger)) == 1


def test_labels_come_from_closed_sets_whatever_is_asked_for(bridge: RunningBridge) -> None:
    for number in range(5):
        bridge.http.get(f"/some/path/{number}")
        bridge.http.get(f"/webhook/jobs/01a204a7-e85f-70ac-a30d-b407d7379ec{number}")
        bridge.http.post(f"/webhook/callbacks/token-{number}", content=b"{}")
        bridge.http.request(f"METHOD{number}", "/health")
    routes = {labels for name, labels in scraped(bridge) if name == "http_request_duration_seconds_count"}
    assert {route for _, route, _ in routes} <= {
        "none",
        "/webhook/jobs/{job_id}",
        "/webhook/callbacks/{token}",
        "/health",
        "/metrics",
    }
    assert {method for method, _, _ in routes} <= {"GET", "POST", "other"}


def test_everything_that_is_scraped_is_declared(bridge: RunningBridge) -> None:
    body = xero_body(xero_event(ORGANISATION))
    bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
    families = {family.name for family in text_string_to_metric_families(bridge.http.get("/metrics").text)}
    declared = {metric.name.removesuffix("_total") for metric in METRICS}
    # prometheus_client tells when each series began, beside counters and histograms.
    assert {name for name in families if not name.endswith("_created")} <= declared


def test_sources_are_told_with_the_time_that_reading_them_took_and_tokens_by_the_first_that_ends(
    bridge: RunningBridge, ledger: TestLedger
) -> None:
    for minutes, connection in ((10, ledger.tenant.hubspot), (25, ledger.tenant.xero)):
        ledger.owner.execute(
            "with made as (insert into zixly.grants (id, tenant_id, system, ciphertext, expires_at) "
            "values (gen_random_uuid(), %(tenant)s, 'xero', '', now() + make_interval(mins => %(minutes)s)) returning id) "
            "update zixly.connections c set grant_id = made.id from made where c.id = %(connection)s",
            {"tenant": ledger.tenant.id, "connection": connection, "minutes": minutes},
        )
    samples = scraped(bridge)
    assert 500 < samples["connection_access_token_left_seconds", ("xero",)] <= 600
    read = {labels for name, labels in samples if name == "pipeline_scrape_ok"}
    assert ("postgres",) in read
    assert read == {labels for name, labels in samples if name == "pipeline_scrape_seconds"}
    assert samples["pipeline_scrape_seconds", ("postgres",)] > 0
