"""What vendors never told of, on the running stack: Xero's webhook is off, a number is missing, HubSpot is subscribed to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.invoices import paid
from tests.support.stack import StackUnderTest
from tests.support.watched import Watched
from zixly_cli.sandbox_api import SandboxApi
from zixly_sandbox.constants import ADA_IN_HUBSPOT, DEMO, SECOND

INVOICES, DEALS = "xero-invoice-to-hubspot", "hubspot-deal-to-xero"


@pytest.fixture
def sandbox(running_stack: StackUnderTest) -> Iterator[SandboxApi]:
    with SandboxApi(running_stack.plan.urls.sandbox) as made:
        yield made


@pytest.fixture
def second(running_stack: StackUnderTest, sandbox: SandboxApi) -> Iterator[Watched]:
    """The client of whom other tests change least; Xero's webhook is on again afterwards."""
    yield Watched(running_stack, sandbox, tenant=SECOND.slug)
    sandbox.post("/webhooks/xero/enable")


def writes(sandbox: SandboxApi) -> list[dict[str, Any]]:
    """What was written to the client's contacts."""
    found: list[dict[str, Any]] = sandbox.get("/writes", system="hubspot", account=SECOND.portal, object_type="contacts", limit=10_000)[
        "writes"
    ]
    return found


def test_xeros_switched_off_webhook_is_an_issue_for_a_person_and_its_invoices_are_done_once(second: Watched) -> None:
    sandbox = second.sandbox
    assert second.run("xero") in {"well", "mended"}
    silent_since = second.now()
    assert sandbox.post("/webhooks/xero/disable")["state"] == "disabled"
    invoices = paid(second.stack, SECOND.organisation, 4)
    second.run_until_seen("xero", "silent", since=silent_since)
    issue = second.issues("xero")[-1]
    assert (issue["reason"], issue["status"]) == ("webhook_silent", "OPEN")
    assert "developer.xero.com/app/manage, go to Webhooks, and save the delivery URL again" in issue["title"]
    hole = second.newest_hole("xero")
    assert (hole["kind"], hole["status"], hole["objects"], hole["jobs"]) == ("silence", "OPEN", 4, 4)
    assert {str(second.wait_for(one, INVOICES)["made_by"]) for one in invoices} == {hole["id"]}

    written = writes(sandbox)
    enabled_since = second.now()
    assert sandbox.post("/webhooks/xero/enable")["state"] == "enabled"  # the person did it: what piled up comes now
    for one in invoices:
        jobs = second.stack.wait_until(
            lambda one=one: len(found := second.jobs_of(one, INVOICES)) == 2 and found, seconds=40, words=f"the late event of {one} came"
        )
        assert sorted(str(job["origin"]) for job in jobs) == ["backfill", "event"]
        second.wait_for(one, INVOICES)
    assert writes(sandbox) == written, "the late events found nothing to do"
    second.run_until_seen("xero", "mended", since=enabled_since)
    assert second.issues("xero")[-1]["status"] == "RESOLVED"
    assert second.newest_hole("xero")["status"] == "RECOVERED"
    second.run_until("xero", "well")


def test_a_missing_number_of_xeros_is_seen_without_being_asked_and_its_invoice_is_done_once(second: Watched) -> None:
    sandbox, stack = second.sandbox, second.stack
    (before,) = paid(stack, SECOND.organisation, 1)
    second.wait_for(before, INVOICES)
    newest = number_of(second, before)
    sandbox.post("/webhooks/xero/lose-next?count=2")
    lost = paid(stack, SECOND.organisation, 2)
    (behind,) = paid(stack, SECOND.organisation, 1)
    second.wait_for(behind, INVOICES)
    assert number_of(second, behind) == newest + 3
    query = "select * from zixly.holes where kind = 'sequence' and first_sequence = %s and last_sequence = %s and connection_id = %s"
    values = (newest + 1, newest + 2, second.connection("xero"))
    (hole,) = stack.wait_until(
        lambda: [one for one in stack.rows(query, *values) if one["status"] == "RECOVERED"], seconds=90, words="the hole is recovered"
    )
    assert hole["jobs"] == 2
    assert {second.wait_for(one, INVOICES)["made_by"] for one in lost} == {hole["id"]}
    assert [len(second.jobs_of(one, INVOICES)) for one in (before, *lost, behind)] == [1, 1, 1, 1]
    assert [one for one in second.issues("xero") if one["status"] != "RESOLVED"] == []


def number_of(watched: Watched, invoice: str) -> int:
    """The number of the event that told of an invoice."""
    query = "select d.last_sequence from zixly.deliveries d join zixly.events e on e.delivery_id = d.id where e.record_id = %s"
    (row,) = watched.stack.rows(query, invoice)
    return int(row["last_sequence"])


@pytest.fixture
def demo(running_stack: StackUnderTest, sandbox: SandboxApi) -> Iterator[Watched]:
    """HubSpot's subscriptions are put back afterwards."""
    kept = sandbox.get("/webhooks/hubspot")["subscriptions"]
    yield Watched(running_stack, sandbox)
    put_subscriptions(sandbox, kept)


def put_subscriptions(sandbox: SandboxApi, subscriptions: list[dict[str, Any]]) -> None:
    wanted = [{name: one[name] for name in ("object_type", "kind", "property_name")} for one in subscriptions]
    sandbox.answered("PUT", "/webhooks/hubspot", json={"subscriptions": wanted})


def won_deal(sandbox: SandboxApi, name: str) -> str:
    """A person makes a deal of Ada's and wins it."""
    base = f"/hubspot/{DEMO.portal}/deals"
    made = sandbox.post(base, {"properties": {"dealname": name, "amount": "100"}, "associations": {"contacts": [ADA_IN_HUBSPOT]}})
    sandbox.post(f"{base}/{made['id']}/stage", {})
    return str(made["id"])


def test_a_won_deal_of_which_hubspot_told_nobody_is_an_issue_for_a_person_and_is_invoiced_once(demo: Watched) -> None:
    sandbox = demo.sandbox
    kept = sandbox.get("/webhooks/hubspot")["subscriptions"]
    assert demo.run("hubspot") in {"well", "mended"}
    silent_since = demo.now()
    put_subscriptions(sandbox, [])
    deal = won_deal(sandbox, "Won in silence")
    demo.run_until_seen("hubspot", "silent", since=silent_since)
    issue = demo.issues("hubspot")[-1]
    assert (issue["reason"], issue["status"]) == ("webhook_silent", "OPEN")
    assert "HubSpot's developer account: its webhook subscriptions for deals have to be active" in issue["title"]
    hole = demo.newest_hole("hubspot")
    assert (hole["kind"], hole["status"], hole["jobs"]) == ("silence", "OPEN", 1)
    assert str(demo.wait_for(deal, DEALS)["made_by"]) == hole["id"]

    told_since = demo.now()
    put_subscriptions(sandbox, kept)
    heard = won_deal(sandbox, "Won and told")
    demo.wait_for(heard, DEALS)
    assert {job["origin"] for job in demo.jobs_of(heard, DEALS)} == {"event"}
    demo.run_until_seen("hubspot", "mended", since=told_since)
    assert demo.issues("hubspot")[-1]["status"] == "RESOLVED"
    assert len(demo.jobs_of(deal, DEALS)) == 1
    assert sandbox.get("/objects", doubled="true")["objects"] == []
