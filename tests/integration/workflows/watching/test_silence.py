"""Accounts that changed without a webhook: an issue for a person, and what was missed is made good, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.watching.conftest import DEALS, INVOICES, PATIENCE, Watchdog, run_all
from zixly_core.ids import new_id
from zixly_core.stores.sequences import note_missing_numbers
from zixly_core.stores.watching import due_checks
from zixly_sandbox.constants import DEMO

pytestmark = pytest.mark.integration


def test_a_quiet_account_is_well_and_raises_no_alarm(watchdog: Watchdog) -> None:
    for system in ("xero", "hubspot", "shopify", "asana"):
        assert watchdog.check(system).state == "well"
    assert (watchdog.holes(), watchdog.issues()) == ([], [])
    states = watchdog.stage.rows("select watch_state, watched_at is not null as seen from zixly.connections")
    assert {(row["watch_state"], row["seen"]) for row in states} == {("well", True)}


def test_a_xero_webhook_that_is_off_is_an_issue_and_what_changes_is_made_good_until_events_come_again(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    customers = [stage.sandbox.add_customer(f"c{number}@example.test", name=f"C {number}")[0] for number in range(3)]
    first = [stage.sandbox.add_paid_invoice(one).id for one in customers[:2]]
    assert watchdog.check("xero").state == "silent"
    assert watchdog.recovered(INVOICES) == sorted(first)
    assert watchdog.issues() == [("webhook_silent", "OPEN")]
    (title,) = [row["title"] for row in stage.rows("select title from zixly.issues where operation = 'webhook'")]
    assert "developer.xero.com" in title
    assert "intent to receive" in title

    later = stage.sandbox.add_paid_invoice(customers[2], changed_ms_later=600_000).id
    assert watchdog.check("xero", after=timedelta(minutes=20)).state == "silent"
    assert watchdog.recovered(INVOICES) == sorted([*first, later])
    assert watchdog.check("xero", after=timedelta(minutes=30)).state == "silent"
    (hole,) = watchdog.holes()
    assert (hole["kind"], hole["status"], hole["objects"], hole["jobs"]) == ("silence", "OPEN", 3, 3)

    watchdog.event("xero")
    assert watchdog.check("xero", after=timedelta(minutes=40)).state == "mended"
    (hole,) = watchdog.holes()
    assert (hole["status"], hole["jobs"]) == ("RECOVERED", 3)
    assert watchdog.issues() == [("webhook_silent", "RESOLVED")]
    assert watchdog.check("xero", after=timedelta(minutes=50)).state == "well"
    run_all(stage, "xero")
    assert {job["status"] for job in stage.jobs(INVOICES)} == {"COMPLETED"}
    assert len(stage.sandbox.writes()) == 3


def test_a_change_whose_event_may_still_come_is_looked_at_again_within_ten_minutes(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    customer, _ = stage.sandbox.add_customer("late@example.test", name="Late")
    stage.sandbox.add_paid_invoice(customer)
    check = watchdog.check("xero", after=timedelta(minutes=8))
    assert (check.state, watchdog.holes()) == ("well", [])
    assert check.again_at is not None
    assert check.again_at - datetime.now(UTC) < timedelta(minutes=18)
    assert watchdog.check("xero", after=timedelta(minutes=17)).state == "silent"


def test_changes_that_jobs_know_are_no_hole(watchdog: Watchdog) -> None:
    """By the event's own job, by one that waits, and by what the workflow remembers."""
    stage = watchdog.stage
    customer, _ = stage.sandbox.add_customer("known@example.test", name="Known")
    known = [stage.sandbox.add_paid_invoice(customer) for _ in range(3)]
    at = [datetime.fromtimestamp(one.updated_at / 1000, UTC) for one in known]
    key = f"xero:{DEMO.organisation}:INVOICE:"
    stage.ledger.add_jobs(1, record=known[0].id, record_key=key + known[0].id, occurred_at=at[0], status="COMPLETED")
    stage.ledger.add_jobs(1, record=known[1].id, record_key=key + known[1].id, occurred_at=at[1] - timedelta(hours=1))
    stage.ledger.owner.execute(
        "insert into zixly.record_states (tenant_id, workflow, role, record_key, version) values (%s, %s, 'source', %s, %s)",
        (stage.ledger.tenant.id, INVOICES, key + known[2].id, at[2]),
    )
    assert watchdog.check("xero").state == "well"
    assert watchdog.holes() == []


def test_a_change_that_was_missed_while_others_came_is_made_good_without_an_alarm(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    customer, _ = stage.sandbox.add_customer("missed@example.test", name="Missed")
    missed = stage.sandbox.add_paid_invoice(customer).id
    watchdog.event("xero")
    assert watchdog.check("xero").state == "mended"
    assert [(one["kind"], one["status"]) for one in watchdog.holes()] == [("missed", "RECOVERED")]
    assert (watchdog.recovered(INVOICES), watchdog.issues()) == ([missed], [])


def test_missing_numbers_are_a_hole_of_every_account_and_are_made_good(watchdog: Watchdog) -> None:
    """Xero numbers the events of our app over all organisations: nobody knows whose event was lost."""
    stage = watchdog.stage
    other = stage.ledger.add_tenant("other")
    customer, _ = stage.sandbox.add_customer("lost@example.test", name="Lost")
    now = datetime.now(UTC)
    for first, last, ago in ((1, 4, 40), (8, 8, 20), (9, 9, 1)):
        numbered(stage, first, last, at=now - timedelta(minutes=ago))
    invoice = stage.sandbox.add_paid_invoice(customer, changed_ms_later=-30 * 60_000)
    assert note_missing_numbers(stage.ledger.dispatch, patience=PATIENCE) == 2
    assert note_missing_numbers(stage.ledger.dispatch, patience=PATIENCE) == 0
    holes = watchdog.holes()
    assert {(one["tenant_id"], one["kind"], one["first_sequence"], one["last_sequence"]) for one in holes} == {
        (tenant, "sequence", 5, 7) for tenant in (stage.ledger.tenant.id, other.id)
    }
    assert {row["tenant_id"] for row in due_checks(stage.ledger.dispatch)} == {stage.ledger.tenant.id, other.id}
    watchdog.check("xero", after=timedelta())
    assert watchdog.recovered(INVOICES) == [invoice.id]
    assert [one["status"] for one in watchdog.holes() if one["tenant_id"] == stage.ledger.tenant.id] == ["RECOVERED"]
    assert watchdog.issues() == []


def numbered(stage: Stage, first: int, last: int, *, at: datetime) -> None:
    """A delivery of Xero's with these numbers, of events that occurred a second before."""
    stage.ledger.owner.execute(
        "insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256, first_sequence,"
        " last_sequence) values (%s, 'xero', 'xero', %s, 'accepted', 200, '{}', '', '', %s, %s)",
        (new_id(), at, first, last),
    )


def test_hubspots_silence_is_seen_by_a_won_deal_of_which_nobody_told(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    stage.configure("hubspot", won_deals={"project": None})
    deal = stage.sandbox.admin("POST", f"/hubspot/{DEMO.portal}/deals", {"properties": {"dealname": "Won", "dealstage": "closedwon"}})
    assert watchdog.check("hubspot").state == "silent"
    assert watchdog.recovered(DEALS) == [str(deal["id"])]
    ((title,),) = [tuple(row.values()) for row in stage.rows("select title from zixly.issues where operation = 'webhook'")]
    assert "HubSpot's developer account" in title
