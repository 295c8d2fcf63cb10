"""Operators at the Dagster UI, in a browser: the form of a replay and the dialog of a backfill, filled in and launched with clicks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Page, page
from tests.support.chromium import require_chromium
from tests.support.stack import StackUnderTest
from zixly_sandbox.constants import DEMO, PAID_INVOICE

WORKFLOW = "xero-invoice-to-hubspot"
BACKFILL = "backfill_xero_invoice_to_hubspot"


@pytest.fixture
def browser(running_stack: StackUnderTest, request: pytest.FixtureRequest) -> Iterator[Page]:
    with page(require_chromium()) as made:
        yield made
        if folder := os.environ.get("ZIXLY_TEST_PICTURES"):
            made.picture(Path(folder) / f"{request.node.name}.png")


def at(stack: StackUnderTest, path: str) -> str:
    return f"{stack.plan.urls.webserver}/locations/zixly/jobs/{path}"


def completed_job(stack: StackUnderTest) -> str:
    assert stack.zixly("send", "xero", "--record", PAID_INVOICE).returncode == 0
    query = (
        "select id from zixly.workflow_jobs where record_id = %s and workflow_type = %s and status = 'COMPLETED' order by created_at desc"
    )
    return str(stack.wait_until(lambda: stack.rows(query, PAID_INVOICE, WORKFLOW), seconds=60, words="a job is completed")[0]["id"])


def test_the_form_of_a_replay_is_filled_in_and_launched_with_a_click(running_stack: StackUnderTest, browser: Page) -> None:
    job = completed_job(running_stack)
    browser.open(at(running_stack, "replay/playground"))
    browser.wait_for("rate_per_minute")
    for question in ("job_id", "workflow", "status", "reason", "since", "until", "issue_id", "search_id", "begin_at", "dry_run"):
        assert question in browser.text, "every question is in the form"
    browser.wait_for('Missing required config entry "tenant"')
    browser.click("dry_run", within=".CodeMirror-line span", exact=False)
    browser.replace(f"{{ops: {{make_new_jobs: {{config: {{tenant: {DEMO.slug}, job_id: {job}, begin_at: START, dry_run: false}}}}}}}}")
    browser.wait_for("No errors")
    browser.click("Launch Run")
    browser.wait_until(lambda: "/runs/" in browser.address, words="the run's page is shown")
    browser.wait_for("RUN_SUCCESS", seconds=40)
    browser.wait_for("Made 1 job from 1 job that match")
    query = "select status from zixly.workflow_jobs where origin = 'replay' and origin_job_id = %s"
    running_stack.wait_until(
        lambda: [row["status"] for row in running_stack.rows(query, job)] == ["COMPLETED"], seconds=60, words="the replay is completed"
    )
    assert browser.errors == []


# Days in the past in which nothing happened: what is launched is seen without touching what other tests look at.
FIRST, LAST = "2021-03-01", "2021-03-03"


def test_the_dialog_of_a_backfill_takes_a_range_of_one_clients_days_and_launches_it(running_stack: StackUnderTest, browser: Page) -> None:
    browser.open(at(running_stack, f"{BACKFILL}/partitions"))
    browser.click("Launch backfill…")
    browser.wait_for("Select partitions to submit", seconds=40)
    browser.click('ex: "', within="input", exact=False)
    browser.replace(f'["{DEMO.slug}|{FIRST}"..."{DEMO.slug}|{LAST}"]')
    browser.enter()
    browser.click("Submit 3 runs")
    query = "select status from zixly.backfills where launched_by <> '' and first_day = %s and last_day = %s and tenant_id = %s"
    (tenant,) = running_stack.rows("select id from zixly.tenants where slug = %s", DEMO.slug)
    (row,) = running_stack.wait_until(
        lambda: running_stack.rows(f"{query} and status = 'DONE'", FIRST, LAST, tenant["id"]), seconds=60, words="the backfill is done"
    )
    assert row["status"] == "DONE"
    others = "select 1 from zixly.backfills where first_day = %s and tenant_id <> %s"
    assert running_stack.rows(others, FIRST, tenant["id"]) == [], "nobody else's days were read"
    assert browser.errors == []


def test_a_runs_page_leads_to_its_job_and_the_list_of_runs_says_whose_it_is(running_stack: StackUnderTest, browser: Page) -> None:
    """The list is short: the tags that programs go by are not spread out over it."""
    job = completed_job(running_stack)
    (row,) = running_stack.rows("select last_run_id from zixly.workflow_jobs where id = %s", job)
    browser.open(f"{running_stack.plan.urls.webserver}/runs/{row['last_run_id']}")
    browser.wait_for("RUN_SUCCESS", seconds=40)
    link = f"[...document.querySelectorAll('a')].some((one) => one.href.endsWith('/console/jobs/{job}'))"
    browser.wait_until(lambda: browser.evaluate(link), words="the run's page links to its job in the console")
    browser.open(f"{running_stack.plan.urls.webserver}/runs")
    browser.wait_for(f"zixly/tenant: {DEMO.slug}", seconds=40)
    assert "zixly_batch" not in browser.text
    assert browser.errors == []
