"""Sections of the runbook that no other test follows, on the running stack: slow vendors, a full disk of objects, what a vendor does not
allow, rows that somebody deleted."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from tests.support import invoices
from tests.support.stack import StackUnderTest
from zixly_cli.seed import DEMO

DISK = "1m"


def documents(stack: StackUnderTest, *command: str) -> Any:
    done = stack.zixly(*command, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def said(stack: StackUnderTest, *command: str) -> str:
    done = stack.zixly(*command)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def paid(stack: StackUnderTest, count: int) -> list[str]:
    """Each gets a job that writes."""
    return invoices.paid(stack, DEMO.organisation, count)


def jobs_about(stack: StackUnderTest, records: list[str], workflow: str) -> list[dict[str, Any]]:
    query = "select * from zixly.workflow_jobs where record_id = any(%s) and workflow_type = %s order by id"
    return stack.rows(query, records, workflow)


def ended(stack: StackUnderTest, records: list[str], workflow: str, *, status: str = "COMPLETED", seconds: float = 60) -> Any:
    """Their jobs, once all of them have ended so."""

    def all_ended() -> list[dict[str, Any]]:
        jobs = jobs_about(stack, records, workflow)
        return jobs if len(jobs) >= len(records) and {job["status"] for job in jobs} == {status} else []

    return stack.wait_until(all_ended, seconds=seconds, words=f"{len(records)} jobs of {workflow} are {status}")


def issue_of(stack: StackUnderTest, reason: str, *, status: str = "OPEN") -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        return next((one for one in documents(stack, "issues", "ls", "--status", status) if one["reason"] == reason), None)

    issue: dict[str, Any] = stack.wait_until(found, seconds=60, words=f"an issue {reason} is {status}")
    return issue


@pytest.fixture
def stack(running_stack: StackUnderTest) -> Iterator[StackUnderTest]:
    """No job of an earlier test is left, which would meet what is broken here."""
    running_stack.wait_until_all_jobs_ended()
    yield running_stack
    running_stack.zixly("sandbox", "faults", "clear")


@pytest.fixture
def books(stack: StackUnderTest) -> Iterator[dict[str, Any]]:
    """The demo tenant's organisation, whose settings are put back."""
    (connection,) = documents(stack, "connections", "list", "--tenant", "demo", "--system", "xero")
    yield connection
    assert stack.zixly("connections", "set", connection["id"], "--json", json.dumps(connection["settings"])).returncode == 0


def test_a_slow_vendor_is_named_by_its_call_and_slow_jobs_by_their_step(stack: StackUnderTest) -> None:
    said(stack, "sandbox", "faults", "add", "xero", "slow", "--pattern", "GET */Invoices*", "--seconds", "1.2")
    records = paid(stack, 1)
    (job, *_) = ended(stack, records, "xero-invoice-to-hubspot")
    (row,) = (one for one in documents(stack, "jobs", "ls", "--limit", "50") if one["id"] == str(job["id"]))
    assert row["started_at"] < row["completed_at"]
    line = next(line for line in said(stack, "jobs", "ls", "--limit", "50").splitlines() if row["id"] in line)
    assert " s " in line
    trace = said(stack, "trace", row["id"])
    assert next(line for line in trace.splitlines() if "fetch: " in line).endswith(" s)"), trace
    endpoint = 'trading_api_latency_seconds_bucket{endpoint="xero GET /Invoices",le="1.0"}'

    def told() -> bool:
        metrics = httpx2.get(f"{stack.plan.urls.bridge}/metrics", timeout=30, trust_env=False).text
        whole = endpoint.replace('le="1.0"', 'le="+Inf"')
        figures = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in metrics.splitlines() if not line.startswith("#")}
        return figures.get(whole, 0) > figures.get(endpoint, 0)

    stack.wait_until(told, seconds=30, words="the metric names the slow call")


def test_what_an_account_does_not_allow_is_an_issue_that_leads_to_its_section(stack: StackUnderTest) -> None:
    said(stack, "sandbox", "faults", "add", "hubspot", "403", "--pattern", "* */crm/*")
    records = paid(stack, 2)
    ended(stack, records, "xero-invoice-to-hubspot", status="FAILED")
    issue = issue_of(stack, "forbidden")
    assert (issue["system"], issue["tenant"]) == ("hubspot", "demo")
    text = said(stack, "issues", "show", issue["id"])
    assert "what to do: docs/operations.md#an-account-does-not-allow-it" in text
    said(stack, "sandbox", "faults", "clear")
    assert "has 2 jobs" in said(stack, "issues", "replay", issue["id"])
    assert issue_of(stack, "forbidden", status="RESOLVED")["id"] == issue["id"]


@pytest.fixture
def full_disk(stack: StackUnderTest) -> Iterator[Path]:
    """A small disk in place of the folder of objects, with no room on it. What lies there already is back afterwards."""
    folder = stack.plan.home.objects
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be made here: {mounted.stderr.strip()}")
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        file.writelines(os.urandom(65_536) for _ in range(100))
    yield filler
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_of_objects_fails_jobs_in_clear_words_and_their_replay_keeps_the_documents(
    stack: StackUnderTest, books: dict[str, Any], full_disk: Path
) -> None:
    said(stack, "connections", "set", books["id"], "document=true")
    records = paid(stack, 2)
    ended(stack, records, "xero-invoice-to-hubspot")
    failed = ended(stack, records, "xero-invoice-document", status="FAILED")
    assert all("no room on the disk" in job["error_message"] for job in failed)
    issue = issue_of(stack, "disk_full")
    assert issue["runbook"] == "docs/operations.md#a-disk-is-full"
    doctor = stack.zixly("doctor")
    assert (doctor.returncode, "The disk fills: 0.0 MB are free" in doctor.stdout) == (1, True), doctor.stdout
    full_disk.unlink()
    assert "has 2 jobs" in said(stack, "issues", "replay", issue["id"])
    assert issue_of(stack, "disk_full", status="RESOLVED")["id"] == issue["id"]
    assert len(list(full_disk.parent.rglob("document.pdf"))) == 2


def test_an_event_that_somebody_deleted_is_missed_by_the_ledger_with_its_hour(stack: StackUnderTest) -> None:
    said(stack, "sandbox", "order", "new")  # some of what the shop tells of is of no interest
    newest = "select * from zixly.events where outcome = 'filtered' and system = 'shopify' order by received_at desc limit 1"
    (event,) = stack.wait_until(lambda: stack.rows(newest), seconds=30, words="an event was filtered")
    stack.wait_until(lambda: stack.zixly("ledger").returncode == 0, seconds=30, words="the ledger balances")
    with psycopg.connect(stack.plan.urls.owner, autocommit=True) as owner:
        owner.execute("create temp table gone as select * from zixly.events where id = %s", (event["id"],))
        owner.execute("delete from zixly.events where id = %s", (event["id"],))
        try:
            shown = stack.zixly("ledger")
        finally:
            owner.execute("insert into zixly.events select * from gone")
    assert shown.returncode == 1
    hour = f"{event['received_at'].astimezone(UTC):%Y-%m-%d %H}:00"
    assert re.search(rf"differ by 1 \(shopify {hour}: (\d+) received, (\d+) found\)", shown.stdout.replace("\n", " ")), shown.stdout
    assert stack.zixly("ledger").returncode == 0
