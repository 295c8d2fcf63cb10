"""A vendor that is away: its jobs wait without costing anything, a probe at a time asks, and on recovery they come back one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from dagster import DagsterRunStatus, SkipReason, build_sensor_context, execute_job, reconstructable

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.job_functions import probe_account
from tests.integration.workflows.sandbox_server import READ_CALL, UPDATE_CALL
from tests.support.definitions import dagster_without_warnings
from zixly_core import circuit
from zixly_core.batching import Batch
from zixly_core.circuit import PAUSES_SECONDS
from zixly_core.gentle_start import jobs_let_go
from zixly_core.job import JobStatus
from zixly_core.stores.account_rests import due_probes, end_rests
from zixly_core.stores.database import Database
from zixly_core.stores.handover import HandoverLimits, hand_over
from zixly_core.stores.handover_counts import HandoverCounts, handover_counts
from zixly_core.stores.pipeline_counts import pipeline_counts
from zixly_core.stores.readings import read
from zixly_dagster.instance.interrupts import interrupts_raised
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.sensors.account_probes import account_probes_sensor, request_for
from zixly_dagster.workflow import LANE_TAG, PRIORITY_TAG
from zixly_sandbox.constants import OPEN_INVOICE, PAID_INVOICE
from zixly_sandbox.faults import FaultKind

pytestmark = pytest.mark.integration
HUBSPOT_CALLS = "* /hubspot/crm/*"
XERO_CALLS = "* /xero/api.xro/*"
LIMITS = HandoverLimits(max_open_batches=32, max_open_jobs=640, slots=1, max_batch=100)
WELL, AWAY = "answered", "failed"


def hours_go_by(stage: Stage, seconds: float) -> None:
    """Move everything that was written about the account's rest back in time."""
    by = timedelta(seconds=seconds)
    stage.ledger.owner.execute(
        "update zixly.account_rests set down_since = down_since - %(by)s, probe_at = probe_at - %(by)s, answered_at = answered_at - %(by)s,"
        " well_at = well_at - %(by)s",
        {"by": by},
    )
    stage.ledger.owner.execute("update zixly.connections set parked_until = parked_until - %s where parked_until is not null", (by,))
    for name in ("rests_until", "on_trial_since"):
        stage.ledger.owner.execute(
            "update zixly.api_budgets set state = jsonb_set(state, %s, to_jsonb((state #>> %s)::float8 - %s))"
            " where state <> '{}' and (state #>> %s)::float8 > 0",
            (["circuit", name], ["circuit", name], seconds, ["circuit", name]),
        )


def due_batches(stage: Stage) -> list[Batch]:
    return hand_over(stage.ledger.dispatch, system="xero", limits=LIMITS)


def run_all_due(stage: Stage) -> list[UUID]:
    """Hand over and run what is due, once; the jobs in the order in which they were handed over."""
    return run_all(stage, due_batches(stage))


def run_all(stage: Stage, batches: list[Batch]) -> list[UUID]:
    for batch in batches:
        stage.run(batch)
    return [job_id for batch in batches for job_id in batch.job_ids]


def probe(stage: Stage) -> str:
    """Do what the sensor asks for, which must be one probe; what it came to."""
    (due,) = due_probes(stage.ledger.dispatch, limit=5)
    request = request_for(due, now=datetime.now(UTC))
    with dagster_without_warnings(), interrupts_raised():
        done = execute_job(
            reconstructable(probe_account),
            instance=stage.instance,
            run_config=dict(request.run_config),
            tags=dict(request.tags),
            raise_on_error=False,
        )
    run = stage.instance.get_run_by_id(done.run_id)
    assert run is not None
    assert run.status is DagsterRunStatus.SUCCESS
    return str(stage.shown(run, "ask_account")["outcome"])


def calls_to(stage: Stage, system: str) -> int:
    return sum(count for endpoint, count in stage.sandbox.calls().items() if endpoint.startswith(f"{system} "))


def open_states(stage: Stage) -> dict[str, int]:
    metrics = Database(stage.database.url("metrics"), name="metrics")
    try:
        return {one.state: one.jobs for one in read(metrics, pipeline_counts).open_jobs}
    finally:
        metrics.close()


def held_back(stage: Stage) -> HandoverCounts:
    metrics = Database(stage.database.url("metrics"), name="metrics")
    try:
        return read(metrics, handover_counts)
    finally:
        metrics.close()


def let_go_by_now(stage: Stage) -> int:
    """How many jobs may have gone to HubSpot since it answered a probe; once it answered one of them, how many since then."""
    since = ("extract(epoch from now() - answered_at)::float8 as answered_for", "extract(epoch from now() - well_at)::float8 as well_for")
    (row,) = stage.rows(f"select {', '.join(since)} from zixly.account_rests")
    let_go = jobs_let_go(answered_for=row["answered_for"], well_for=row["well_for"])
    return 500 if let_go is None else let_go


def jobs_in(batches: list[Batch]) -> int:
    return sum(len(batch.job_ids) for batch in batches)


def issues(stage: Stage) -> list[tuple[str, str]]:
    return [(row["reason"], row["status"]) for row in stage.rows("select reason, status from zixly.issues where operation = 'answer'")]


def rest_of(stage: Stage, system: str) -> dict[str, Any]:
    (row,) = stage.rows("select * from zixly.account_rests where connection_id = %s", stage.connections[system])
    return row


def paid_invoice(stage: Stage, number: int) -> str:
    customer, _ = stage.sandbox.add_customer(f"c{number}@outage.example.test", name=f"C {number}")
    return stage.sandbox.add_paid_invoice(customer).id


def add_paid_invoices(stage: Stage, count: int) -> None:
    began = datetime.now(UTC) - timedelta(hours=1)
    for number in range(count):
        stage.ledger.add_jobs(1, record=paid_invoice(stage, number), due_at=began + timedelta(seconds=number))


def fail_until_parked(stage: Stage) -> None:
    """Three attempts one after the other, without waiting for the backoff."""
    for _ in range(3):
        stage.settle_doubts()
        stage.ledger.owner.execute("update zixly.workflow_jobs set due_at = created_at - interval '1 minute' where status = 'QUEUED'")
        run_all_due(stage)


def test_an_outage_with_500_jobs_costs_three_calls_and_a_probe_at_a_time_and_all_complete_afterwards_in_order(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine takes longer for a batch than the first pause is long, and a second batch in it must not be one after it.
    pauses = tuple(60 + seconds for seconds in PAUSES_SECONDS)
    monkeypatch.setattr(circuit, "PAUSES_SECONDS", pauses)
    add_paid_invoices(stage, 500)
    stage.sandbox.fault(HUBSPOT_CALLS, FaultKind.UNAVAILABLE, count=None)
    assert len(run_all_due(stage)) == 500
    stage.ledger.owner.execute("update zixly.workflow_jobs set due_at = now() where status = 'QUEUED' and due_at > now()")
    runs = len(run_all_due(stage))
    assert calls_to(stage, "hubspot") == 3, "three quick attempts, and then nobody asked"
    assert runs <= 200, "only what was to be tried again found out that the account rests"
    parked = stage.connection(stage.connections["hubspot"])
    assert (parked["parked_reason"], parked["parked_until"] > datetime.now(UTC)) == ("vendor_down", True)
    assert open_states(stage) == {"parked": 500}
    assert run_all_due(stage) == []

    for number, pause in enumerate(pauses[:6]):
        hours_go_by(stage, pause)
        assert (probe(stage), run_all_due(stage)) == (AWAY, [])
        assert calls_to(stage, "hubspot") == 4 + number, "one call each"
        assert rest_of(stage, "hubspot")["failed_probes"] == 1 + number
    assert issues(stage) == [("vendor_down", "OPEN")]
    told = held_back(stage)
    assert (told.resting, told.probes) == ({"hubspot": 1}, {("hubspot", "failed"): 6.0})

    stage.sandbox.sandbox.faults.clear()
    expected = [row["id"] for row in stage.rows("select id from zixly.workflow_jobs order by priority, due_at, id")]
    hours_go_by(stage, pauses[6])
    assert probe(stage) == WELL
    first = due_batches(stage)
    assert 1 <= jobs_in(first) <= let_go_by_now(stage), "a single job tries, and another one only after five seconds"
    came = [run_all(stage, first)]
    while sum(map(len, came)) < 500:
        batches = due_batches(stage)
        gone = sum(map(len, came[1:])) + jobs_in(batches)
        assert gone <= let_go_by_now(stage), f"no stampede: {[len(group) for group in came]}"
        came.append(run_all(stage, batches))
        hours_go_by(stage, 1)
        assert len(came) < 60
    assert [job_id for group in came for job_id in group] == expected, "in their old order"
    assert set(stage.statuses()) == {JobStatus.COMPLETED}
    attempts = stage.rows("select max(attempts) as most, count(*) filter (where attempts > 1) as tried_twice from zixly.workflow_jobs")
    assert attempts == [{"most": 2, "tried_twice": 200}], "two calls failed before the third opened the circuit, each of 100 jobs"
    assert issues(stage) == [("vendor_down", "RESOLVED")]
    hours_go_by(stage, 30)
    assert end_rests(stage.ledger.dispatch) == 1


def test_while_their_own_account_rests_new_jobs_cost_no_run(stage: Stage) -> None:
    stage.sandbox.fault(XERO_CALLS, FaultKind.UNAVAILABLE, count=None)
    for number in range(3):
        stage.ledger.add_jobs(1, record=PAID_INVOICE if number == 0 else f"00000000-0000-4000-8000-00000000000{number}")
        run_all_due(stage)
    assert rest_of(stage, "xero")["failed_probes"] == 0
    stage.ledger.add_jobs(20)
    assert run_all_due(stage) == []
    assert open_states(stage)["parked"] >= 20


def test_one_request_that_a_vendor_can_never_answer_ends_its_own_job_and_parks_nothing(stage: Stage) -> None:
    """What is read in between is answered, so the failures are not in a row."""
    stage.sandbox.fault(UPDATE_CALL, FaultKind.SERVER_ERROR, count=None)
    (poison,) = stage.ledger.add_jobs(1, record=PAID_INVOICE)
    fail_until_parked(stage)
    ended = stage.ledger.job(poison)
    assert (ended["status"], ended["attempts"], ended["dead_letter"]) == ("FAILED", 3, True)
    assert stage.connection(stage.connections["hubspot"])["parked_until"] is None


def test_an_account_that_fails_again_right_after_answering_rests_for_longer_and_only_the_job_that_tried_uses_an_attempt(
    stage: Stage,
) -> None:
    stage.sandbox.fault(READ_CALL, FaultKind.UNAVAILABLE, count=3)
    first, second = (stage.ledger.add_jobs(1, record=paid_invoice(stage, number))[0] for number in range(2))
    fail_until_parked(stage)
    assert [stage.ledger.job(one)["attempts"] for one in (first, second)] == [2, 2]
    hours_go_by(stage, PAUSES_SECONDS[0])
    assert probe(stage) == WELL
    stage.sandbox.fault(READ_CALL, FaultKind.UNAVAILABLE, count=1)
    assert run_all_due(stage) == [first]
    assert [(row["attempts"], row["blocked_by"]) for row in map(stage.ledger.job, (first, second))] == [
        (3, None),
        (2, stage.connections["hubspot"]),
    ]
    assert rest_of(stage, "hubspot")["failed_probes"] == 1
    assert run_all_due(stage) == []
    hours_go_by(stage, PAUSES_SECONDS[1])
    assert probe(stage) == WELL
    assert run_all_due(stage) == [second]
    assert stage.ledger.job(second)["status"] == "COMPLETED"


def test_what_has_waited_for_a_day_for_a_vendor_that_was_away_all_that_time_ends_as_a_dead_letter(stage: Stage) -> None:
    stage.sandbox.fault(HUBSPOT_CALLS, FaultKind.UNAVAILABLE, count=None)
    (old,) = stage.ledger.add_jobs(1, record=PAID_INVOICE)
    fail_until_parked(stage)
    (young,) = stage.ledger.add_jobs(1, record=paid_invoice(stage, 1))
    run_all_due(stage)
    stage.ledger.owner.execute("update zixly.workflow_jobs set created_at = now() - interval '25 hours' where id = %s", (old,))
    hours_go_by(stage, PAUSES_SECONDS[0])
    assert probe(stage) == AWAY
    assert stage.ledger.job(old)["status"] == "QUEUED", "the account has been away for seconds only"
    hours_go_by(stage, 25 * 3600)
    assert probe(stage) == AWAY
    ended = stage.ledger.job(old)
    assert (ended["status"], ended["error_reason"], ended["dead_letter"]) == ("FAILED", "vendor_down", True)
    assert stage.ledger.job(young)["status"] == "QUEUED"
    assert issues(stage) == [("vendor_down", "OPEN")]


def test_where_nobody_probes_a_single_job_tries_some_minutes_later(stage: Stage) -> None:
    """The sensor may be switched off: that costs time, never a job."""
    stage.sandbox.fault(HUBSPOT_CALLS, FaultKind.UNAVAILABLE, count=3)
    jobs = [stage.ledger.add_jobs(1, record=record)[0] for record in (PAID_INVOICE, OPEN_INVOICE)]
    fail_until_parked(stage)
    hours_go_by(stage, 100)
    assert run_all_due(stage) == []
    hours_go_by(stage, 60)
    assert run_all_due(stage) == [jobs[0]]
    assert stage.ledger.job(jobs[0])["status"] == "COMPLETED"


def test_the_sensor_asks_for_one_probe_when_its_time_has_come(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_DATABASE_URL_DISPATCH", stage.database.url("dispatch"))
    values = (stage.connections["hubspot"], stage.ledger.tenant.id)
    stage.ledger.owner.execute(
        "insert into zixly.account_rests (connection_id, tenant_id, system, probe_at)"
        " values (%s, %s, 'hubspot', now() + interval '1 hour')",
        values,
    )
    sensor = account_probes_sensor()
    with dagster_without_warnings(), build_sensor_context(resources={"dispatchers": DispatchersResource()}) as context:
        (early,) = sensor(context)
        stage.ledger.owner.execute("update zixly.account_rests set probe_at = now()")
        (asked,) = sensor(context)
    assert isinstance(early, SkipReason)
    assert (asked.tags[LANE_TAG], asked.tags[PRIORITY_TAG]) == ("live", "high")
    assert asked.run_config == {"ops": {"ask_account": {"config": {"tenant_id": str(values[1]), "connection_id": str(values[0])}}}}


def test_an_account_that_answered_and_was_not_called_since_is_well_and_its_issue_over(stage: Stage) -> None:
    connection, tenant = stage.connections["hubspot"], stage.ledger.tenant.id
    stage.ledger.owner.execute(
        "insert into zixly.account_rests (connection_id, tenant_id, system, answered_at, told_at)"
        " values (%s, %s, 'hubspot', now() - interval '9 minutes', now())",
        (connection, tenant),
    )
    stage.ledger.owner.execute(
        "insert into zixly.issues (id, tenant_id, system, operation, reason, connection_id, title)"
        " values (gen_random_uuid(), %s, 'hubspot', 'answer', 'vendor_down', %s, 'away')",
        (tenant, connection),
    )
    assert (end_rests(stage.ledger.dispatch), issues(stage)) == (0, [("vendor_down", "OPEN")])
    hours_go_by(stage, 120)
    assert (end_rests(stage.ledger.dispatch), issues(stage)) == (1, [("vendor_down", "RESOLVED")])
