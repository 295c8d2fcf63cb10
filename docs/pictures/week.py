"""What happened at the agency before the pictures are taken: several clients, all four vendors, a burst, an issue that a replay ended and
one that waits, a paused client. Everything is done as people and vendors do it: by the `zixly` command and in the sandbox."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from tests.support.stack import StackUnderTest
from zixly_cli.demo_events import HAPPENINGS
from zixly_cli.seed import DEMO, SECOND

WORKFLOW = "xero-invoice-to-hubspot"
NEW_CLIENTS = (("kestrel-cycles", "Kestrel Cycles", "Australia/Perth"), ("harbour-dental", "Harbour Dental Group", "Australia/Sydney"))
ORDERS, BURST, BROKEN, HELD = 4, 60, 12, 3
OPEN = "select 1 from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')"
JOBS = "select count(*) as n from zixly.workflow_jobs where record_id = any(%s)"
ANY_DONE = "select id from zixly.workflow_jobs where workflow_type = %s and status = 'COMPLETED' order by created_at limit 1"
WAIT_SECONDS = 180


def happen(stack: StackUnderTest) -> None:
    for step in (office, ordinary_day, burst, broken_vendor, gone_records, work_by_hand, rejected_deliveries, paused_client):
        sys.stdout.write(f"... {step.__name__.replace('_', ' ')}\n")
        sys.stdout.flush()
        step(stack)


def said(stack: StackUnderTest, *command: str) -> str:
    done = stack.zixly(*command)
    assert done.returncode == 0, f"zixly {' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def told(stack: StackUnderTest, *command: str) -> Any:
    return json.loads(said(stack, *command, "--json"))


def sandbox(stack: StackUnderTest, path: str, **body: Any) -> Any:
    answer = httpx2.post(f"{stack.plan.urls.sandbox}/_sandbox{path}", json=body, timeout=60, trust_env=False)
    return answer.raise_for_status().json()


def settled(stack: StackUnderTest, records: list[str] | None = None) -> None:
    """Until the records have their jobs, and no job is open any more."""
    if records:
        stack.wait_until(lambda: stack.rows(JOBS, records)[0]["n"] >= len(records), seconds=WAIT_SECONDS, words="every record has a job")
    stack.wait_until(lambda: not stack.rows(OPEN), seconds=WAIT_SECONDS, words="every job has ended")


def office(stack: StackUnderTest) -> None:
    """New clients, a channel, a program's token."""
    for slug, name, zone in NEW_CLIENTS:
        said(stack, "tenants", "add", slug, "--name", name, "--time-zone", zone)
    said(stack, "notify", "add", "email", "night shift", "--to", "ops@zixly.example", "--digest", "06:30")
    said(stack, "token", "make", "order desk", "--tenant", DEMO.slug, "--role", "EDITOR", "--scope", "jobs:write")


def ordinary_day(stack: StackUnderTest) -> None:
    """Invoices are paid, a deal is won, orders come, a task is completed, a sweep is asked for."""
    for happening in HAPPENINGS:
        happening(stack, lambda text: None)
    for tenant in (DEMO, SECOND):
        made = sandbox(stack, f"/shopify/{tenant.shop}/orders", count=ORDERS)
        settled(stack, [str(one) for one in made["order_ids"]])


def burst(stack: StackUnderTest) -> None:
    """Many invoices at once, which share runs."""
    made = sandbox(stack, "/seed", organisation=DEMO.organisation, customers=30, invoices=BURST, paid_percent=100, only_sales=True)
    sandbox(stack, "/webhooks/xero/send", organisation=DEMO.organisation, record_ids=made["invoice_ids"])
    settled(stack, made["invoice_ids"])


def broken_vendor(stack: StackUnderTest) -> None:
    """HubSpot refuses for a while: an issue, which ends when its jobs are replayed."""
    said(stack, "sandbox", "faults", "add", "hubspot", "403", "--pattern", "* */crm/*")
    settled(stack, sandbox(stack, f"/xero/{SECOND.organisation}/pay", count=BROKEN)["paid"])
    said(stack, "sandbox", "faults", "clear")
    issue = stack.wait_until(lambda: told(stack, "issues", "ls", "--tenant", SECOND.slug), seconds=WAIT_SECONDS, words="an issue is opened")
    said(stack, "issues", "ack", issue[0]["id"])
    said(stack, "issues", "replay", issue[0]["id"])
    settled(stack)


def gone_records(stack: StackUnderTest) -> None:
    """Invoices that are not there: their jobs fail for good, and the issue waits for somebody."""
    gone = [str(uuid4()) for _ in range(2)]
    for one in gone:
        said(stack, "send", "xero", "--record", one)
    settled(stack, gone)
    stack.wait_until(lambda: told(stack, "issues", "ls", "--tenant", DEMO.slug), seconds=WAIT_SECONDS, words="an issue is opened")


def work_by_hand(stack: StackUnderTest) -> None:
    """A replay, a search, a backfill, a reconciliation."""
    (job,) = stack.rows(ANY_DONE, WORKFLOW)
    said(stack, "replay", str(job["id"]), "--from-start")
    said(stack, "replay", "search", "--tenant", DEMO.slug, "--where", "$.eventCategory=INVOICE")
    today = datetime.now(UTC).date()
    days = ("--from", str(today - timedelta(days=4)), "--to", str(today - timedelta(days=1)))
    said(stack, "backfill", WORKFLOW, "--tenant", DEMO.slug, *days, "--follow")
    said(stack, "reconcile", "run", WORKFLOW, "--tenant", SECOND.slug, "--settle", "0", "--wait", "60")
    settled(stack)


def rejected_deliveries(stack: StackUnderTest) -> None:
    """Somebody knocks without a key; and a vendor sends again what it sent."""
    url = f"{stack.plan.urls.bridge}/webhook/xero"
    httpx2.post(url, content=b'{"events":[]}', headers={"x-xero-signature": "bm90IGl0"}, timeout=15, trust_env=False)
    paid = sandbox(stack, f"/xero/{DEMO.organisation}/pay", count=1)["paid"]
    sandbox(stack, "/webhooks/xero/send", organisation=DEMO.organisation, record_ids=paid, duplicates=1)
    settled(stack, paid)


def paused_client(stack: StackUnderTest) -> None:
    """Its jobs wait meanwhile."""
    said(stack, "pause", "tenant", SECOND.slug, "--reason", "moves its books", "--until", "6h")
    held = sandbox(stack, f"/xero/{SECOND.organisation}/pay", count=HELD)["paid"]
    words = "jobs of the paused client are made"
    stack.wait_until(lambda: stack.rows(JOBS, held)[0]["n"] >= HELD, seconds=WAIT_SECONDS, words=words)
