"""What the platform promises, shown on the real processes by breaking them: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx2
import psutil
import pytest
import redis

from tests.support.dagster_ui import stop_schedules
from tests.support.invoices import new_invoices
from tests.support.invoices import pay as paid_by_id
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder
from zixly_cli.deliveries import post, sample_maker
from zixly_cli.seed import DEMO
from zixly_cli.stack.orphans import orphans_of

# Invoices that the sandbox always has (zixly_sandbox/README.md); their customers are HubSpot contacts.
PAID_INVOICE = "8694c9c5-7097-4449-a708-b8c1982921a4"
OPEN_INVOICE = "3e6c2f57-3d0c-4b1d-8f61-7c2b6b8f7a21"
PART_PAID_INVOICE = "0f5a1f4e-5f2c-4d8c-9a53-0d1f6c7a9b10"
ENDED = ("COMPLETED", "FAILED", "CANCELLED")
WITHIN_TWO_MINUTES = 120.0
# One that the bridge took and had not answered when its sender lost patience comes once more.
VERDICTS_SQL = "select verdict from zixly.deliveries where body_sha256 = %s"
# What a hand-over leaves whose answer the daemon never got: it was killed, or the code server was, before a run was made.
NO_RUN_SQL = """
with job as (select * from zixly.workflow_jobs where id = %s), made as (
  insert into zixly.batches (id, tenant_id, connection_id, workflow, system, lane, priority, job_count)
  select gen_random_uuid(), tenant_id, connection_id, workflow_type, system, 'bulk', priority, 1 from job returning id
)
update zixly.workflow_jobs j
set lane = 'bulk', batch_id = made.id, handed_over_at = now() from job, made where j.id = job.id returning j.id, j.batch_id"""


@pytest.fixture(scope="module")
def stack() -> Iterator[StackUnderTest]:
    with stack_in_a_temporary_folder() as made:
        made.up()
        stop_schedules(made)
        yield made


def delivery_of(stack: StackUnderTest, record: str) -> Any:
    key = stack.plan.secrets.xero_webhook_key
    return sample_maker("xero")([record], account=DEMO.organisation, key=key, now=datetime.now(UTC))


def sandbox(stack: StackUnderTest, method: str, path: str, **arguments: Any) -> Any:
    url = f"{stack.plan.urls.sandbox}/_sandbox{path}"
    answer = httpx2.request(method, url, timeout=60, trust_env=False, **arguments)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def pay(stack: StackUnderTest, invoice: str | None = None) -> str:
    """Pay an invoice in the sandbox, which sends the webhook; its id. By default a new one, about which there was no job before."""
    ids = [invoice] if invoice else new_invoices(stack, DEMO.organisation, 1)
    (paid,) = paid_by_id(stack, DEMO.organisation, ids)
    return paid


def job_of(stack: StackUnderTest, record: str) -> dict[str, Any] | None:
    rows = stack.rows("select * from zixly.workflow_jobs where record_id = %s order by created_at desc limit 1", record)
    return rows[0] if rows else None


def ended_job(stack: StackUnderTest, record: str, *, seconds: float = WITHIN_TWO_MINUTES) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        job = job_of(stack, record)
        return job if job is not None and job["status"] in ENDED else None

    found: dict[str, Any] = stack.wait_until(ended, seconds=seconds, words=f"the job about {record} has ended")
    return found


def running_job(stack: StackUnderTest, record: str) -> dict[str, Any]:
    def running() -> dict[str, Any] | None:
        job = job_of(stack, record)
        return job if job is not None and job["status"] == "RUNNING" else None

    found: dict[str, Any] = stack.wait_until(running, seconds=30, words=f"the job about {record} runs")
    return found


def dagster_run(stack: StackUnderTest, run_id: str) -> dict[str, Any]:
    """The run as Dagster's UI shows it."""
    events = "eventConnection { events { ... on MessageEvent { message } } }"
    query = f"query($id: ID!) {{ runOrError(runId: $id) {{ ... on Run {{ status {events} }} }} }}"
    answer = httpx2.post(
        f"{stack.plan.urls.webserver}/graphql", json={"query": query, "variables": {"id": run_id}}, timeout=30, trust_env=False
    )
    run: dict[str, Any] = answer.raise_for_status().json()["data"]["runOrError"]
    return run


def writes_to_contacts(stack: StackUnderTest, contact: str, *, number: str) -> list[Any]:
    """What reached HubSpot for a contact about an invoice, by HubSpot's own records."""
    answer = sandbox(stack, "GET", "/writes", params={"system": "hubspot", "object_id": contact, "limit": 1000})
    return [one for one in answer["writes"] if one["properties"].get("xero_last_invoice_number") == number]


def invoice_number(stack: StackUnderTest, invoice: str) -> str:
    found = sandbox(stack, "GET", f"/xero/{DEMO.organisation}/invoices/{invoice}")
    number: str = found.get("InvoiceNumber") or found["number"]
    return number


def workers(stack: StackUnderTest) -> list[psutil.Process]:
    """The run workers, parents and children."""
    return [one for one in orphans_of(stack.settings.home) if "zixly_dagster.instance.worker" in command_of(one)]


def command_of(process: psutil.Process) -> str:
    """The command line; empty for a process that has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_one_delivery_sent_a_hundred_times_at_once_makes_one_job(stack: StackUnderTest) -> None:
    delivery = delivery_of(stack, PAID_INVOICE)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: post(delivery, bridge_url=stack.plan.urls.bridge).status_code, range(100)))
    assert set(answers) == {200}
    assert len(stack.rows("select id from zixly.workflow_jobs where record_id = %s", PAID_INVOICE)) == 1
    verdicts = stack.rows("select verdict, count(*) from zixly.deliveries where system = 'xero' group by verdict order by verdict")
    assert verdicts == [{"verdict": "accepted", "count": 1}, {"verdict": "duplicate", "count": 99}]
    assert ended_job(stack, PAID_INVOICE)["status"] == "COMPLETED"


def test_a_worker_killed_in_mid_run_costs_an_attempt_and_writes_nothing_twice(stack: StackUnderTest) -> None:
    sandbox(
        stack, "POST", "/faults", json={"system": "hubspot", "pattern": "POST */batch/update", "kind": "slow", "seconds": 8, "count": 1}
    )
    invoice = pay(stack)
    first = running_job(stack, invoice)
    stack.wait_until(
        lambda: stack.rows("select from zixly.effects where job_id = %s", first["id"]), seconds=30, words="the write is under way"
    )
    for worker in workers(stack):
        worker.send_signal(signal.SIGKILL)
    job = ended_job(stack, invoice)
    assert job["status"] == "COMPLETED"
    attempts = stack.rows("select outcome, run_id from zixly.job_attempts where job_id = %s order by fence", job["id"])
    assert [one["outcome"] for one in attempts] == ["vanished", "completed"]
    # The run is ended in Dagster just after its jobs were taken back.
    stack.wait_until(lambda: dagster_run(stack, first["run_id"])["status"] == "FAILURE", seconds=20, words="the lost run is red")
    lost = dagster_run(stack, first["run_id"])
    assert any("vanished" in event.get("message", "") for event in lost["eventConnection"]["events"])
    contact = job["result"]["contact_id"]
    assert len(writes_to_contacts(stack, contact, number=invoice_number(stack, invoice))) == 1


def test_re_executing_a_red_run_from_failure_brings_its_failed_job_to_an_end(stack: StackUnderTest) -> None:
    sandbox(stack, "POST", "/faults", json={"system": "hubspot", "pattern": "POST */batch/update", "kind": "500"})
    invoice = pay(stack, OPEN_INVOICE)
    failed = ended_job(stack, invoice)
    assert (failed["status"], failed["attempts"], failed["dead_letter"]) == ("FAILED", 3, True)
    stack.wait_until(lambda: dagster_run(stack, failed["run_id"])["status"] == "FAILURE", seconds=20, words="the run is red")
    sandbox(stack, "DELETE", "/faults")
    mutation = """mutation($run: String!) {
      launchRunReexecution(reexecutionParams: {parentRunId: $run, strategy: FROM_FAILURE}) {
        __typename
        ... on PythonError { message }
      }
    }"""
    answer = httpx2.post(
        f"{stack.plan.urls.webserver}/graphql",
        json={"query": mutation, "variables": {"run": failed["run_id"]}},
        timeout=30,
        trust_env=False,
    )
    assert answer.json()["data"]["launchRunReexecution"]["__typename"] == "LaunchRunSuccess"

    def completed() -> bool:
        job = job_of(stack, invoice)
        return job is not None and job["status"] == "COMPLETED"

    stack.wait_until(completed, seconds=60, words="the job is completed")
    contact = stack.rows("select result from zixly.workflow_jobs where id = %s", failed["id"])[0]["result"]["contact_id"]
    assert len(writes_to_contacts(stack, contact, number=invoice_number(stack, invoice))) == 1


def test_deliveries_taken_while_valkey_is_away_are_done_when_it_comes_back_empty(stack: StackUnderTest) -> None:
    assert stack.zixly("stop", "valkey").returncode == 0
    seeded = sandbox(stack, "POST", "/webhooks/xero/send", json={"organisation": DEMO.organisation, "count": 50, "status": None})
    records = seeded["record_ids"]
    answers = [post(delivery_of(stack, record), bridge_url=stack.plan.urls.bridge).status_code for record in records]
    assert answers == [200] * len(records)
    assert len(records) == 50
    assert stack.zixly("start", "valkey", "--empty").returncode == 0
    stack.wait_until_all_jobs_ended()
    statuses = stack.rows("select distinct status from zixly.workflow_jobs where record_id = any(%s)", records)
    assert statuses == [{"status": "COMPLETED"}]
    assert len(stack.rows("select distinct record_id from zixly.workflow_jobs where record_id = any(%s)", records)) == 50


def test_a_message_that_somebody_deletes_from_the_queue_is_made_up_for_from_the_rows(stack: StackUnderTest) -> None:
    """Within 60 s the job is handed over all the same, within 120 s it has ended."""
    for name in ("daemon", "code"):
        assert stack.zixly("stop", name).returncode == 0
    invoice = pay(stack)
    with redis.Redis.from_url(stack.plan.urls.queue) as queue:
        stack.wait_until(lambda: queue.xlen("zixly:xero"), seconds=30, words="the message is in the queue")
        assert queue.delete("zixly:xero") == 1
    for name in ("code", "daemon"):
        assert stack.zixly("start", name).returncode == 0
    stack.wait_until(lambda: (job_of(stack, invoice) or {})["batch_id"], seconds=60, words="the job is handed over")
    assert ended_job(stack, invoice, seconds=60)["status"] == "COMPLETED"


def test_a_bulk_batch_for_which_no_run_was_made_is_handed_over_again(stack: StackUnderTest) -> None:
    """It had waited for six hours: a bulk run may wait that long in Dagster's queue, and nobody looked whether there is one."""
    for name in ("daemon", "code"):
        assert stack.zixly("stop", name).returncode == 0
    invoice = pay(stack)
    waiting = stack.wait_until(lambda: job_of(stack, invoice), seconds=30, words="the job is in the ledger")
    (handed_over,) = stack.rows(NO_RUN_SQL, waiting["id"])
    for name in ("code", "daemon"):
        assert stack.zixly("start", name).returncode == 0

    def ended() -> dict[str, Any] | None:
        rows = stack.rows("select * from zixly.workflow_jobs where id = %s and status = any(%s)", waiting["id"], list(ENDED))
        return rows[0] if rows else None

    job = stack.wait_until(ended, seconds=WITHIN_TWO_MINUTES, words=f"job {waiting['id']} has ended")
    assert (job["status"], job["lane"], job["attempts"]) == ("COMPLETED", "bulk", 1)
    assert job["batch_id"] != handed_over["batch_id"]


def test_cancelling_a_run_in_the_dagster_ui_cancels_its_job(stack: StackUnderTest) -> None:
    stack.wait_until_all_jobs_ended()
    slow = {"system": "xero", "pattern": "GET */Invoices*", "kind": "slow", "seconds": 10}
    fault = sandbox(stack, "POST", "/faults", json=slow)["id"]  # every such call: not only jobs read invoices
    invoice = pay(stack)
    job = running_job(stack, invoice)
    mutation = "mutation($id: String!) { terminateRun(runId: $id) { __typename ... on TerminateRunFailure { message } } }"
    answer = httpx2.post(
        f"{stack.plan.urls.webserver}/graphql", json={"query": mutation, "variables": {"id": job["run_id"]}}, timeout=30, trust_env=False
    )
    assert answer.json()["data"]["terminateRun"]["__typename"] == "TerminateRunSuccess"
    assert ended_job(stack, invoice, seconds=60)["status"] == "CANCELLED"
    stack.wait_until(lambda: dagster_run(stack, job["run_id"])["status"] == "CANCELED", seconds=30, words="the run is cancelled")
    sandbox(stack, "DELETE", f"/faults/{fault}")


def test_a_bridge_that_is_killed_is_back_and_what_it_acknowledged_is_there(stack: StackUnderTest) -> None:
    (bridge,) = [one for one in orphans_of(stack.settings.home) if command_of(one).endswith(" webhook_bridge")]
    delivery = delivery_of(stack, PAID_INVOICE)
    assert post(delivery, bridge_url=stack.plan.urls.bridge).status_code == 200
    os.kill(bridge.pid, signal.SIGKILL)

    def taken_again() -> bool:
        try:
            return post(delivery, bridge_url=stack.plan.urls.bridge).status_code == 200
        except Exception:
            return False

    stack.wait_until(taken_again, seconds=30, words="the bridge is back")
    verdicts = [one["verdict"] for one in stack.rows(VERDICTS_SQL, sha256(delivery.body).digest())]
    assert (verdicts.count("accepted"), set(verdicts)) == (1, {"accepted", "duplicate"})


def test_the_page_for_metrics_tells_what_happened(stack: StackUnderTest) -> None:
    stack.wait_until_all_jobs_ended()
    text = httpx2.get(f"{stack.plan.urls.bridge}/metrics", timeout=30, trust_env=False).text
    done = stack.rows("select count(*) from zixly.workflow_jobs where status = 'COMPLETED'")[0]["count"]
    lines = [one for one in text.splitlines() if one.startswith("pipeline_jobs_processed_total") and 'status="completed"' in one]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in lines) == done > 0
    assert "\npipeline_unaccounted 0.0" in text
