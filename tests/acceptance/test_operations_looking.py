"""Looking around on the running stack: jobs, trace, ledger, doctor."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import httpx2

from tests.support.stack import StackUnderTest
from zixly_cli.seed import DEMO


def documents(stack: StackUnderTest, *command: str) -> Any:
    done = stack.zixly(*command, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def paid_job(stack: StackUnderTest, invoice: str) -> dict[str, Any] | None:
    """The job that told of the invoice, once it has ended."""
    record = f"xero:{DEMO.organisation}:INVOICE:{invoice}"
    ended = documents(stack, "jobs", "ls", "--record", record, "--status", "completed")
    return next((found for job in ended if "superseded_by" not in (found := documents(stack, "jobs", "show", job["id"]))["result"]), None)


def test_every_address_that_zixly_up_prints_is_there(running_stack: StackUnderTest) -> None:
    printed = sorted(set(re.findall(r"http://[^\s│]+", running_stack.text())))
    assert len(printed) >= 5
    answers = {url: httpx2.get(url, follow_redirects=True, timeout=20, trust_env=False).status_code for url in printed}
    assert {url: status for url, status in answers.items() if status >= 400 and url not in bare(running_stack)} == {}


def bare(stack: StackUnderTest) -> set[str]:
    """The sandbox has no page of its own at its root."""
    return {stack.plan.urls.sandbox}


def test_a_delivery_is_traced_from_receipt_to_effect(running_stack: StackUnderTest) -> None:
    wanted = {"organisation": DEMO.organisation, "customers": 1, "invoices": 1, "paid_percent": 0, "only_sales": True}
    url = f"{running_stack.plan.urls.sandbox}/_sandbox"
    newest: dict[str, Any] | None = None
    while newest is None or newest["result"].get("skipped"):  # some customers have no e-mail address, or are unknown to HubSpot
        (invoice,) = httpx2.post(f"{url}/seed", json=wanted, timeout=30, trust_env=False).raise_for_status().json()["invoice_ids"]
        body = {"invoice_ids": [invoice]}
        httpx2.post(f"{url}/xero/{DEMO.organisation}/pay", json=body, timeout=30, trust_env=False).raise_for_status()
        newest = running_stack.wait_until(functools.partial(paid_job, running_stack, invoice), seconds=60, words="a job is COMPLETED")
    trace = documents(running_stack, "trace", newest["id"])
    assert trace["jobs"][0]["effects"][0]["state"] == "DONE"
    assert trace["jobs"][0]["attempt_log"][-1]["outcome"] == "completed"
    text = running_stack.zixly("trace", trace["deliveries"][0]["id"]).stdout
    for wanted in (trace["deliveries"][0]["id"], trace["events"][0]["id"], newest["id"], "effect", "hubspot.contact.update", "/runs/"):
        assert wanted in text
    assert newest["id"] in running_stack.zixly("jobs", "ls").stdout
    refused = running_stack.zixly("jobs", "retry", newest["id"])
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "is COMPLETED and cannot be retried" in refused.stderr


def test_the_ledger_balances_in_a_table_and_as_json(running_stack: StackUnderTest) -> None:
    running_stack.zixly("send", "xero")
    running_stack.wait_until(
        lambda: running_stack.zixly("ledger", "--tenant", "demo").returncode == 0, seconds=30, words="the ledger balances"
    )
    assert "It balances" in running_stack.zixly("ledger", "--by-hour").stdout
    found = documents(running_stack, "ledger")
    assert sum(row["difference"] for row in found["received"]) == 0


def test_the_doctor_finds_a_well_stack_well_and_a_stopped_worker_with_its_remedy(running_stack: StackUnderTest) -> None:
    findings = documents(running_stack, "doctor")
    assert {"processes", "migrations", "queue", "sealing key", "clock (Postgres)", "Xero API", "accounts"} <= {
        one["what"] for one in findings
    }
    assert running_stack.zixly("stop", "worker-1").returncode == 0
    try:
        ill = running_stack.zixly("doctor")
        assert ill.returncode == 1
        assert "worker-1 is STOPPED" in ill.stdout
        assert "zixly restart NAME" in ill.stdout
    finally:
        assert running_stack.zixly("start", "worker-1").returncode == 0
