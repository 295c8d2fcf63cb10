"""Looking around on the running stack: jobs, trace, ledger, doctor."""

from __future__ import annotations

import json
from typing import Any

from tests.support.stack import StackUnderTest


def documents(stack: StackUnderTest, *command: str) -> Any:
    done = stack.zixly(*command, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_a_delivery_is_traced_from_receipt_to_effect(running_stack: StackUnderTest) -> None:
    assert running_stack.zixly("send", "xero").returncode == 0
    newest: dict[str, Any] = running_stack.wait_until(
        lambda: next(iter(documents(running_stack, "jobs", "ls", "--status", "completed", "--tenant", "demo", "--limit", "1")), None),
        seconds=60,
        words="a job is COMPLETED",
    )
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
    assert running_stack.zixly("stop", "worker-2").returncode == 0
    try:
        ill = running_stack.zixly("doctor")
        assert ill.returncode == 1
        assert "worker-2 is STOPPED" in ill.stdout
        assert "zixly restart NAME" in ill.stdout
    finally:
        assert running_stack.zixly("start", "worker-2").returncode == 0
