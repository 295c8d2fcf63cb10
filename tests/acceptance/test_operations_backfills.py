"""Backfills on the running stack, asked for in both ways: by command, and in the backfill dialog of the Dagster UI."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.support.stack import StackUnderTest
from zixly_sandbox.constants import DEMO, SECOND, Client

# Three backfills of a fortnight, and the start of the stack where this comes first.
pytestmark = pytest.mark.timeout(240)

WORKFLOW = "xero-invoice-to-hubspot"
JOB = "backfill_xero_invoice_to_hubspot"
# Days in the past, in which no other test changes anything.
NOW = datetime.now(UTC)
FIRST, LAST = (f"{NOW - timedelta(days=days):%Y-%m-%d}" for days in (25, 12))

REPOSITORY = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
LAUNCH = """mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
JOBS = """
select j.id, j.status, j.record_id, r.record_id as contact from zixly.workflow_jobs j
left join zixly.workflow_related_records r on r.job_id = j.id and r.system = 'hubspot' and r.record_type = 'contact' and r.action = 'UPDATE'
where j.made_by = %s"""


def sandbox(stack: StackUnderTest, path: str) -> Any:
    return (
        httpx2.get(f"http://127.0.0.1:{stack.settings.sandbox_port}/_sandbox{path}", timeout=10, trust_env=False).raise_for_status().json()
    )


def seed_paid_invoices(stack: StackUnderTest, client: Client) -> None:
    """Paid invoices of the last three months that no webhook tells of; some fifteen fall into the days that are backfilled."""
    wanted = {"organisation": client.organisation, "customers": 90, "invoices": 90, "paid_percent": 100, "only_sales": True}
    url = f"http://127.0.0.1:{stack.settings.sandbox_port}/_sandbox/seed"
    httpx2.post(url, json=wanted, timeout=30, trust_env=False).raise_for_status()


def graphql(stack: StackUnderTest, query: str, **variables: Any) -> Any:
    """Ask the Dagster UI's API, as its pages do."""
    url = f"http://127.0.0.1:{stack.settings.webserver_port}/graphql"
    answer = httpx2.post(url, json={"query": query, "variables": variables}, timeout=30, trust_env=False).raise_for_status().json()
    assert "errors" not in answer, answer
    return answer["data"]


def backfilled(stack: StackUnderTest, *options: str) -> dict[str, Any]:
    done = stack.zixly("backfill", WORKFLOW, "--tenant", DEMO.slug, "--from", FIRST, "--to", LAST, "--follow", "--json", *options)
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def check_contacts(stack: StackUnderTest, backfill_id: str, client: Client) -> int:
    """Every contact that jobs of the backfill updated tells of an invoice of those jobs; how many contacts."""
    told: dict[str, set[str]] = {}
    for row in stack.rows(JOBS, backfill_id):
        assert row["status"] == "COMPLETED"
        if row["contact"] is not None:
            invoice = sandbox(stack, f"/xero/{client.organisation}/invoices/{row['record_id']}")
            told.setdefault(row["contact"], set()).add(invoice["InvoiceNumber"])
    for contact, numbers in told.items():
        properties = sandbox(stack, f"/hubspot/{client.portal}/contacts/{contact}")["properties"]
        assert properties["xero_last_invoice_number"] in numbers
    return len(told)


def writes(stack: StackUnderTest, client: Client) -> int:
    return len(sandbox(stack, f"/writes?system=hubspot&account={client.portal}&object_type=contacts")["writes"])


def test_the_command_tells_does_and_repeats_without_a_change(running_stack: StackUnderTest) -> None:
    running_stack.wait_until_all_jobs_ended()  # what an earlier test left would write too
    seed_paid_invoices(running_stack, DEMO)
    before = writes(running_stack, DEMO)
    dry = backfilled(running_stack, "--dry-run")
    to_do = dry["records_found"] - dry["records_known"]
    assert (dry["status"], dry["days_done"]) == ("DONE", 14)
    assert to_do > 0
    assert any((example["result"] or {}).get("would_write") for example in dry["examples"])
    assert writes(running_stack, DEMO) == before
    done = backfilled(running_stack)
    assert (done["jobs_made"], done["jobs_completed"], done["jobs_failed"]) == (to_do, to_do, 0)
    assert check_contacts(running_stack, done["id"], DEMO) > 0
    after = writes(running_stack, DEMO)
    again = backfilled(running_stack)
    assert (again["records_found"], again["records_known"], again["jobs_made"]) == (done["records_found"], done["records_found"], 0)
    assert writes(running_stack, DEMO) == after
    listed = running_stack.zixly("backfill", "ls", "--tenant", DEMO.slug).stdout
    assert all(one["id"] in listed for one in (dry, done, again))
    shown = running_stack.zixly("backfill", "show", done["id"]).stdout
    assert f"{WORKFLOW} for demo, {FIRST} to {LAST} (Australia/Brisbane): done" in shown
    ended = running_stack.zixly("backfill", "stop", done["id"])
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "is DONE and cannot be stopped" in ended.stderr


def test_the_dagster_uis_dialog_launches_the_same(running_stack: StackUnderTest) -> None:
    running_stack.wait_until_all_jobs_ended()
    seed_paid_invoices(running_stack, SECOND)
    (repository,) = graphql(running_stack, REPOSITORY)["repositoriesOrError"]["nodes"]
    days = [(datetime.fromisoformat(FIRST) + timedelta(days=number)).date().isoformat() for number in range(5)]
    params = {
        "selector": {
            "partitionSetName": f"{JOB}_partition_set",
            "repositorySelector": {"repositoryName": repository["name"], "repositoryLocationName": repository["location"]["name"]},
        },
        "partitionNames": [f"{SECOND.slug}|{day}" for day in days],
    }
    launched = graphql(running_stack, LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    query = "select id, status from zixly.backfills where launched_by = %s and status = 'DONE' and last_day - first_day = 4"
    (row,) = running_stack.wait_until(
        lambda: running_stack.rows(query, launched["backfillId"]), seconds=120, words="the dialog's backfill is done"
    )
    found = json.loads(running_stack.zixly("backfill", "show", str(row["id"]), "--follow", "--json").stdout)
    assert (found["tenant"], found["days_done"], found["actor"]) == (SECOND.slug, 5, "dagster")
    assert found["jobs_completed"] == found["jobs_made"] == found["records_found"] - found["records_known"] > 0
    check_contacts(running_stack, found["id"], SECOND)


def test_bad_input_is_one_sentence(running_stack: StackUnderTest) -> None:
    for words, options in {
        "comes after the last day": ("--from", LAST, "--to", FIRST),
        "is in the future": ("--from", FIRST, "--to", "2999-01-01"),
        "is not a day like": ("--from", "soon", "--to", LAST),
    }.items():
        refused = running_stack.zixly("backfill", WORKFLOW, "--tenant", DEMO.slug, *options)
        assert (refused.returncode != 0, refused.stderr.count("\n")) == (True, 1)
        assert words in refused.stderr
    unknown = running_stack.zixly("backfill", "no-such", "--tenant", DEMO.slug, "--from", FIRST, "--to", LAST)
    assert "There is no workflow 'no-such'" in unknown.stderr
