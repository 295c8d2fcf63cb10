"""Reconciliation on the running stack: a payment that no webhook told of and a contact edited by hand are found, repaired, and gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from tests.support.invoices import new_invoices, pay
from tests.support.stack import StackUnderTest, patience
from zixly_sandbox.constants import SECOND

# Half a dozen comparisons, and the start of the stack where this comes first.
pytestmark = pytest.mark.timeout(240)

WORKFLOW = "xero-invoice-to-hubspot"
KINDS = ("missing_event", "field_drift", "missing_target")
STATUS = "xero_last_invoice_status"
TOLD = """
select s.record_key from zixly.record_states s join zixly.tenants t on t.id = s.tenant_id
where t.slug = %s and s.role = 'target' and s.state ->> 'operation' = 'hubspot.contact.update' order by s.updated_at desc"""
OPEN_JOBS = "select id from zixly.workflow_jobs where origin = 'reconciliation' and status in ('QUEUED', 'RUNNING')"


def sandbox(stack: StackUnderTest, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    url = f"http://127.0.0.1:{stack.settings.sandbox_port}/_sandbox{path}"
    return httpx2.request(method, url, json=body, timeout=10, trust_env=False).raise_for_status().json()


@contextmanager
def silent_webhooks(stack: StackUnderTest) -> Iterator[None]:
    """What changes at Xero meanwhile is told to nobody."""
    target = sandbox(stack, "PUT", "/webhooks/xero", {})["target_url"]
    sandbox(stack, "PUT", "/webhooks/xero", {"target_url": "http://127.0.0.1:9/"})
    yield
    sandbox(stack, "PUT", "/webhooks/xero", {"target_url": target})


def compared(stack: StackUnderTest, *, found: dict[str, int]) -> str:
    """`zixly reconcile run` to its end; its id."""
    done = stack.zixly("reconcile", "run", WORKFLOW, "--tenant", SECOND.slug, "--settle", "0", "--wait", patience(), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    (report,) = json.loads(done.stdout)
    assert report["status"] == "DONE", report
    assert {kind: report["counts"][kind] for kind in KINDS if report["counts"][kind]} == found, report
    return str(report["id"])


def worked_off(stack: StackUnderTest) -> None:
    stack.wait_until(lambda: not stack.rows(OPEN_JOBS), seconds=60, words="jobs of reconciliations have ended")


def test_planted_drifts_are_found_by_the_command_repaired_with_one_more_and_gone(running_stack: StackUnderTest) -> None:
    begun = running_stack.zixly("reconcile", "run", WORKFLOW, "--tenant", SECOND.slug, "--settle", "0", "--full", "--wait", patience())
    assert begun.returncode == 0, begun.stderr + begun.stdout
    worked_off(running_stack)
    compared(running_stack, found={})
    invoices = new_invoices(running_stack, SECOND.organisation, 2)
    with silent_webhooks(running_stack):
        pay(running_stack, SECOND.organisation, invoices)
        compared(running_stack, found={"missing_event": 2})
    worked_off(running_stack)
    contact = running_stack.rows(TOLD, SECOND.slug)[0]["record_key"].rpartition(":")[2]
    sandbox(running_stack, "PATCH", f"/hubspot/{SECOND.portal}/contacts/{contact}", {"properties": {STATUS: "edited"}})
    one = compared(running_stack, found={"field_drift": 1})
    shown = running_stack.zixly("reconcile", "show", one)
    assert f"{STATUS}: " in shown.stdout, shown.stdout
    assert f"zixly reconcile repair {one}" in shown.stdout
    assert "1 under repair" in running_stack.zixly("reconcile", "repair", one).stdout
    assert "0 under repair" in running_stack.zixly("reconcile", "repair", one).stdout
    worked_off(running_stack)
    standing = "select status from zixly.drifts where found_by = %s"
    running_stack.wait_until(
        lambda: running_stack.rows(standing, one) == [{"status": "REPAIRED"}], seconds=30, words="the drift is repaired"
    )
    assert sandbox(running_stack, "GET", f"/hubspot/{SECOND.portal}/contacts/{contact}")["properties"][STATUS] != "edited"
    compared(running_stack, found={})
