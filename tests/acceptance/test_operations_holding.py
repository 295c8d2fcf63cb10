"""Pauses, priorities and accounts that rest, on the running stack: by the command, the sensor's switch, and a vendor that goes away."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

from tests.support.busy import longest
from tests.support.dagster_ui import stop_schedules
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder
from zixly_cli.seed import DEMO
from zixly_core.gentle_start import jobs_let_go

BACKLOG = 5_000
OVERTAKEN_WITHIN_SECONDS = 10.0
REST_SQL = """
select coalesce(r.answered_at, c.parked_until, r.down_since) as answered_at, r.well_at
from zixly.account_rests r join zixly.connections c on c.id = r.connection_id
where c.system = 'hubspot' and c.external_id = %s and r.well_at is not null"""


def sandbox(stack: StackUnderTest, method: str, path: str, **body: Any) -> Any:
    url = f"{stack.plan.urls.sandbox}/_sandbox{path}"
    answer = httpx2.request(method, url, json=body or None, timeout=120, trust_env=False).raise_for_status()
    return answer.json() if answer.content else None


def paid(stack: StackUnderTest, count: int) -> list[str]:
    """New invoices of new customers, paid; the sandbox sends a webhook for each."""
    wanted = {"organisation": DEMO.organisation, "customers": min(count, 500), "invoices": count, "paid_percent": 0, "only_sales": True}
    made: list[str] = sandbox(stack, "POST", "/seed", **wanted)["invoice_ids"]
    ids: list[str] = sandbox(stack, "POST", f"/xero/{DEMO.organisation}/pay", invoice_ids=made)["paid"]
    assert len(ids) == count
    return ids


def jobs_about(stack: StackUnderTest, records: list[str]) -> list[dict[str, Any]]:
    return stack.rows("select * from zixly.workflow_jobs where record_id = any(%s) order by due_at, id", records)


def counted(stack: StackUnderTest, records: list[str], condition: str) -> int:
    rows = stack.rows(f"select count(*) as n from zixly.workflow_jobs where record_id = any(%s) and {condition}", records)
    number: int = rows[0]["n"]
    return number


def wait_for(stack: StackUnderTest, records: list[str], status: str, *, seconds: float) -> list[dict[str, Any]]:
    words = f"{len(records)} jobs are {status}"
    stack.wait_until(lambda: counted(stack, records, f"status = '{status}'") == len(records), seconds=seconds, words=words)
    return jobs_about(stack, records)


def done(stack: StackUnderTest, *command: str) -> str:
    ran = stack.zixly(*command)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return ran.stdout


def graphql(stack: StackUnderTest, query: str, **variables: Any) -> Any:
    url = f"{stack.plan.urls.webserver}/graphql"
    answer = httpx2.post(url, json={"query": query, "variables": variables}, timeout=30, trust_env=False).raise_for_status()
    return answer.json()["data"]


def probe_runs(stack: StackUnderTest) -> list[dict[str, Any]]:
    """The probes as the Dagster UI lists them."""
    query = '{ runsOrError(filter: {pipelineName: "probe_account"}) { ... on Runs { results { runId status } } } }'
    found: list[dict[str, Any]] = graphql(stack, query)["runsOrError"]["results"]
    return found


@pytest.fixture(scope="module")
def own_stack() -> Iterator[StackUnderTest]:
    """A stack of its own: what is held back here, and the backlog that stays, would be in other tests' way."""
    with stack_in_a_temporary_folder() as made:
        made.up()
        stop_schedules(made)
        yield made


@pytest.fixture
def stack(own_stack: StackUnderTest) -> Iterator[StackUnderTest]:
    yield own_stack
    sandbox(own_stack, "DELETE", "/faults")
    own_stack.zixly("resume", "tenant", "demo")


def xero_connection(stack: StackUnderTest) -> str:
    (row,) = stack.rows("select id from zixly.connections where external_id = %s", DEMO.organisation)
    return str(row["id"])


@pytest.mark.parametrize("kind", ["tenant", "system", "workflow", "connection"])
def test_what_is_paused_is_received_and_done_in_order_when_it_is_resumed(stack: StackUnderTest, kind: str) -> None:
    names = {"tenant": DEMO.slug, "system": "xero", "workflow": "xero-invoice-to-hubspot", "connection": xero_connection(stack)}
    name = names[kind]
    assert name in done(stack, "pause", kind, name, "--reason", "moves its books", "--until", "2h")
    try:
        records = paid(stack, 5)
        wait_for(stack, records, "QUEUED", seconds=20)
        time.sleep(2)
        jobs = jobs_about(stack, records)
        assert ({job["batch_id"] for job in jobs}, {job["attempts"] for job in jobs}) == ({None}, {0})
        (shown,) = json.loads(done(stack, "pause", "--json"))
        assert (shown["kind"], shown["name"], shown["reason"]) == (kind, name, "moves its books")
        metrics = httpx2.get(f"{stack.plan.urls.bridge}/metrics", timeout=30, trust_env=False).text
        assert f'paused{{kind="{kind}"}} 1.0' in metrics
        assert 'pipeline_jobs_open{state="paused",system="xero"} 5.0' in metrics
        assert "pipeline_unaccounted 0.0" in metrics
    finally:
        resumed = stack.zixly("resume", kind, name)
    assert resumed.stdout.strip() == f"{kind} {name} goes on"
    jobs = wait_for(stack, records, "COMPLETED", seconds=40)
    taken = [job["handed_over_at"] for job in jobs]
    assert taken == sorted(taken)
    assert done(stack, "pause").strip() == "nothing is paused"


FIND = "{ workspaceOrError { ... on Workspace { locationEntries { name } } } }"
STATE = """query($s: SensorSelector!) { sensorOrError(sensorSelector: $s) { ... on Sensor { sensorState { id selectorId status } } } }"""
STOP = "mutation($id: String!) { stopSensor(id: $id) { __typename } }"
START = "mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }"


LOOKS = """query($s: SensorSelector!) {
  sensorOrError(sensorSelector: $s) { ... on Sensor { sensorState { ticks(limit: 1) { status } } } }
}"""


def is_looking(stack: StackUnderTest, selector: dict[str, str]) -> bool:
    """Whether the sensor's last tick is still under way."""
    return [one["status"] for one in graphql(stack, LOOKS, s=selector)["sensorOrError"]["sensorState"]["ticks"]] == ["STARTED"]


def test_the_switch_of_a_sensor_pauses_its_system(stack: StackUnderTest) -> None:
    location = graphql(stack, FIND)["workspaceOrError"]["locationEntries"][0]["name"]
    selector = {"repositoryLocationName": location, "repositoryName": "__repository__", "sensorName": "dispatch_xero"}
    state = graphql(stack, STATE, s=selector)["sensorOrError"]["sensorState"]
    graphql(stack, STOP, id=state["id"])
    try:
        stack.wait_until(lambda: "switch" in done(stack, "pause"), seconds=20, words="the switch counts as a pause")
        # One that was under way hands over to its end.
        stack.wait_until(lambda: not is_looking(stack, selector), seconds=20, words="the look that was under way is over")
        records = paid(stack, 2)
        wait_for(stack, records, "QUEUED", seconds=20)
        refused = stack.zixly("resume", "system", "xero")
        assert (refused.returncode, "dispatch_xero" in refused.stderr) == (1, True)
    finally:
        assert graphql(stack, START, s=selector)["startSensor"]["__typename"] == "Sensor"
    wait_for(stack, records, "COMPLETED", seconds=40)
    stack.wait_until(lambda: "nothing is paused" in done(stack, "pause"), seconds=20, words="the system is not paused any more")


def test_a_vendor_that_goes_away_costs_no_runs_is_probed_and_gets_its_jobs_one_by_one(stack: StackUnderTest) -> None:
    sandbox(stack, "POST", "/faults", system="hubspot", pattern="* /hubspot/crm/*", kind="503")
    before = len(probe_runs(stack))
    records = paid(stack, 60)

    def parked() -> bool:
        """A few have a customer that nobody could look for in HubSpot, and end."""
        jobs = jobs_about(stack, records)
        waiting = [job for job in jobs if job["status"] == "QUEUED" and job["parked_reason"] == "vendor_down"]
        return len(jobs) == 60 and len(waiting) >= 40 and all(job in waiting or job["status"] == "COMPLETED" for job in jobs)

    stack.wait_until(parked, seconds=40, words="all jobs are parked")
    stack.wait_until(lambda: len(probe_runs(stack)) > before, seconds=30, words="a probe is seen in Dagster")
    waiting = [job["record_id"] for job in jobs_about(stack, records) if job["status"] == "QUEUED"]
    runs = stack.rows("select count(*) as n from zixly.batches")
    time.sleep(2)
    assert stack.rows("select count(*) as n from zixly.batches") == runs, "parked jobs cost no run"
    sandbox(stack, "DELETE", "/faults")
    rest: dict[str, datetime] = {}

    def done_one_by_one() -> bool:
        for row in stack.rows(REST_SQL, DEMO.portal):
            rest.update(row)  # it is forgotten soon after its end
        return counted(stack, waiting, "status = 'COMPLETED'") == len(waiting)

    stack.wait_until(done_one_by_one, seconds=90, words=f"{len(waiting)} jobs are COMPLETED")
    jobs = jobs_about(stack, waiting)
    assert all(job["attempts"] <= 2 for job in jobs)
    assert rest, "the account began to answer while the jobs went"
    went = sorted(job["handed_over_at"] for job in jobs)
    too_soon = [f"{number} at {at}" for number, at in enumerate(went, start=1) if number > allowed_at(at, **rest)]
    assert too_soon == [], f"no stampede since {rest}: {went}"


def allowed_at(at: datetime, *, answered_at: datetime, well_at: datetime) -> float:
    """How many may have gone by then: those that tried after a probe was answered, and from the first one's own answer on more and more.
    A transaction that began a moment before that was noted may have read of it."""
    tried = jobs_let_go(answered_for=max((min(at, well_at) - answered_at).total_seconds(), 0.0), well_for=None)
    well_for = (at - well_at).total_seconds()
    more = jobs_let_go(answered_for=0.0, well_for=max(well_for, 0.0)) if well_for > -1 else 0
    return math.inf if tried is None or more is None else tried + more


@pytest.mark.timeout(300)
def test_one_of_high_priority_overtakes_a_backlog_of_5000_within_10_seconds(stack: StackUnderTest) -> None:
    done(stack, "pause", "tenant", "demo")
    records = paid(stack, BACKLOG)
    wait_for(stack, records, "QUEUED", seconds=90)
    sandbox(stack, "POST", "/faults", system="hubspot", pattern="* /hubspot/crm/*", kind="slow", seconds=0.3)
    done(stack, "resume", "tenant", "demo")
    try:
        stack.wait_until(lambda: counted(stack, records, "batch_id is not null") > 0, seconds=20, words="the backlog is handed over")
        time.sleep(2)
        waiting = [job for job in jobs_about(stack, records) if job["status"] == "QUEUED"]
        last = waiting[-1]
        done(stack, "priority", "set", "job", str(last["id"]), "high")
        (job,) = wait_for(stack, [last["record_id"]], "COMPLETED", seconds=60)
        left = counted(stack, records, "status <> 'COMPLETED'")
        took = (job["completed_at"] - job["prioritised_at"]).total_seconds()
        print(f"overtook {left} jobs in {took:.1f} s")
        assert left > BACKLOG / 2
        assert took < longest(OVERTAKEN_WITHIN_SECONDS)
    finally:
        sandbox(stack, "DELETE", "/faults")
        sandbox(stack, "PATCH", "/rules", xero={"minute_calls": 10_000})
        wait_for(stack, records, "COMPLETED", seconds=150)
        sandbox(stack, "PATCH", "/rules", xero={"minute_calls": 60})
