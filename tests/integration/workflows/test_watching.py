"""Checks of webhooks against the sandbox: what vendors deleted is made again, and what was missed is made good, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from dagster import execute_job, reconstructable
from psycopg.types.json import Jsonb

from tests.integration.workflows.conftest import DEMO_ACCOUNTS, Stage
from tests.integration.workflows.job_functions import watch_subscriptions
from tests.support.definitions import dagster_without_warnings
from tests.support.vendor_accounts import handshake_target
from zixly_core.ids import new_id
from zixly_core.process import shared_database
from zixly_core.secrets.vaults import open_vault
from zixly_core.settings import read_settings
from zixly_core.stores.sequences import note_missing_numbers
from zixly_core.stores.tokens import PostgresTokenStore
from zixly_core.stores.watching import Check, WatchedConnection, due_checks, watched_connections
from zixly_core.subscriptions import token_digest
from zixly_core.vendor_clients import VendorClients
from zixly_core.watching import Watch, check_connection
from zixly_dagster.instance.interrupts import interrupts_raised
from zixly_dagster.sensors.watch_subscriptions import request_for
from zixly_sandbox.constants import DEMO, TASK

pytestmark = pytest.mark.integration
PATIENCE = timedelta(minutes=9)
INVOICES, ORDERS, TASKS, DEALS = "xero-invoice-to-hubspot", "shopify-order-to-xero", "asana-task-to-hubspot", "hubspot-deal-to-xero"


class Watchdog:
    """Checks the stage's connections as if time had gone on."""

    def __init__(self, stage: Stage, clients: VendorClients, *, public_url: str) -> None:
        self.stage = stage
        self.watch = Watch(
            stage.ledger.runs, clients, stage.ledger.tenant.id, public_url=public_url, patience=PATIENCE, endpoint_answers=lambda: False
        )

    def check(self, system: str, *, after: timedelta = timedelta(minutes=10)) -> Check:
        return check_connection(self.watch, self.watched(system), now=datetime.now(UTC) + after)

    def watched(self, system: str) -> WatchedConnection:
        found = {one.id: one for one in watched_connections(self.stage.ledger.runs, self.stage.ledger.tenant.id)}
        return found[self.stage.connections[system]]

    def holes(self) -> list[dict[str, Any]]:
        return self.stage.rows("select * from zixly.holes order by found_at, id")

    def issues(self) -> list[tuple[str, str]]:
        rows = self.stage.rows("select reason, status from zixly.issues where operation = 'webhook' order by first_seen_at")
        return [(row["reason"], row["status"]) for row in rows]

    def recovered(self, workflow: str) -> list[str]:
        """The records for which jobs were made by holes."""
        rows = self.stage.rows("select record_id from zixly.workflow_jobs where made_by is not null and workflow_type = %s", workflow)
        return sorted(row["record_id"] for row in rows)

    def event(self, system: str) -> None:
        """Any event of the account comes."""
        now = datetime.now(UTC)
        columns = {
            "id": new_id(),
            "delivery_id": new_id(),
            "tenant_id": self.stage.ledger.tenant.id,
            "connection_id": self.stage.connections[system],
            "system": system,
            "kind": "any",
            "external_id": DEMO_ACCOUNTS[system],
            "record_key": "k",
            "record_id": "r",
            "dedupe_key": str(new_id()),
            "outcome": "filtered",
            "occurred_at": now,
            "received_at": now,
        }
        places = ", ".join(["%s"] * len(columns))
        self.stage.ledger.owner.execute(f"insert into zixly.events ({', '.join(columns)}) values ({places})", list(columns.values()))


@pytest.fixture
def target() -> Iterator[str]:
    with handshake_target() as url:
        yield url.partition("/webhook/")[0]


@pytest.fixture
def watchdog(stage: Stage, target: str) -> Iterator[Watchdog]:
    settings = read_settings()
    clients = VendorClients(settings, PostgresTokenStore(stage.ledger.runs, open_vault(settings)))
    yield Watchdog(stage, clients, public_url=target)
    clients.close()


def new_orders(stage: Stage, count: int) -> list[str]:
    made = stage.sandbox.admin("POST", f"/shopify/{DEMO.shop}/orders", {"count": count})
    return sorted(str(one) for one in made["order_ids"])


def run_all(stage: Stage, system: str) -> None:
    """Do everything that is due; bulk work waits where a shop's points are left to live work."""
    deadline = time.monotonic() + 60
    open_ones = "select 1 from zixly.workflow_jobs where system = %s and status = 'QUEUED' and batch_id is null"
    while stage.rows(open_ones, system):
        assert time.monotonic() < deadline, "the jobs did not end"
        time.sleep(0.5)
        stage.ledger.owner.execute("update zixly.workflow_jobs set due_at = now() - interval '1 second' where status = 'QUEUED'")
        stage.run(stage.hand_over(system))


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


def test_subscriptions_that_shopify_deleted_are_made_again_and_what_was_missed_is_done_once(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    stage.configure("shopify", webhooks="api")
    assert watchdog.check("shopify", after=timedelta()).state == "mended"
    hooks = stage.sandbox.sandbox.shopify.shops[DEMO.shop].hooks
    topics = sorted(one.topic for one in hooks.api_subscriptions())
    assert topics == ["ORDERS_CANCELLED", "ORDERS_PAID", "ORDERS_UPDATED", "REFUNDS_CREATE"]
    assert watchdog.check("shopify", after=timedelta()).state == "well"

    stage.sandbox.admin("DELETE", f"/webhooks/shopify/subscriptions?shop={DEMO.shop}")
    missed = new_orders(stage, 5)
    check = watchdog.check("shopify", after=timedelta(seconds=1))
    assert (check.state, check.findings["lost"], check.findings["made"]) == ("mended", 4, 4)
    assert sorted(one.topic for one in hooks.api_subscriptions()) == topics
    assert watchdog.recovered(ORDERS) == missed
    (hole,) = watchdog.holes()
    assert (hole["kind"], hole["status"], hole["objects"], hole["jobs"]) == ("subscription", "RECOVERED", 5, 5)
    assert watchdog.check("shopify", after=timedelta(hours=1)).state == "well"
    assert (len(watchdog.recovered(ORDERS)), watchdog.issues()) == (5, [])
    run_all(stage, "shopify")
    invoices = stage.sandbox.created("invoice")
    assert len(invoices) == 5
    assert stage.sandbox.doubled() == []


def test_one_of_our_subscriptions_that_leads_elsewhere_is_moved_and_a_strangers_is_left_alone(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    stage.configure("shopify", webhooks="api")
    watchdog.check("shopify")
    hooks = stage.sandbox.sandbox.shopify.shops[DEMO.shop].hooks
    stranger = hooks.subscribe("ORDERS_PAID", uri="https://else.example.test/", include_fields=(), name=None, version="2026-10")
    ours = next(one for one in hooks.api_subscriptions() if one.topic == "ORDERS_UPDATED")
    ours.uri = "https://old.example.test/webhook/shopify"
    assert watchdog.check("shopify").state == "mended"
    assert (ours.uri, stranger.uri) == (f"{watchdog.watch.public_url}/webhook/shopify", "https://else.example.test/")
    assert len(hooks.api_subscriptions()) == 5


def test_a_shop_whose_webhooks_the_app_declares_gets_none_of_ours(watchdog: Watchdog) -> None:
    assert watchdog.check("shopify").state == "well"
    assert watchdog.stage.sandbox.sandbox.shopify.shops[DEMO.shop].hooks.api_subscriptions() == []


@pytest.fixture
def project(watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project of the demo workspace that Asana tells us of."""
    monkeypatch.setattr(watchdog.stage.sandbox.sandbox.asana, "client", lambda: httpx2.AsyncClient(trust_env=False))
    stage, token = watchdog.stage, "first-path"
    body = {"workspace": DEMO.workspace, "resource": DEMO.project, "secret": "s" * 32}
    target_url = f"{watchdog.watch.public_url}/webhook/asana/{token}"
    made = stage.sandbox.admin("POST", "/webhooks/asana", {**body, "target_url": target_url})
    stage.ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, token_sha256, external_id, resource, status)"
        " values (%s, %s, %s, 'asana', 'handshake', %s, %s, %s, 'ACTIVE')",
        (new_id(), stage.ledger.tenant.id, stage.connections["asana"], token_digest(token), made["gid"], DEMO.project),
    )
    return DEMO.project


def complete(stage: Stage, task: str = TASK) -> None:
    stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{task}/complete")


def test_a_webhook_that_asana_deleted_is_made_again_and_its_tasks_are_made_good(watchdog: Watchdog, project: str) -> None:
    stage = watchdog.stage
    assert watchdog.check("asana", after=timedelta()).state == "well"
    stage.sandbox.admin("DELETE", f"/webhooks/asana?workspace={DEMO.workspace}")
    complete(stage)
    check = watchdog.check("asana", after=timedelta(seconds=1))
    assert (check.state, check.findings["lost"], check.findings["made"]) == ("mended", 1, 1)
    rows = stage.rows("select status, external_id, resource from zixly.subscriptions order by created_at")
    assert [row["status"] for row in rows] == ["GONE", "ACTIVE"]
    (webhook,) = stage.sandbox.sandbox.asana.accounts[DEMO.workspace].hooks.found.values()
    assert (webhook.gid, webhook.resource) == (rows[1]["external_id"], project)
    assert watchdog.recovered(TASKS) == [TASK]
    assert [(one["kind"], one["status"], one["resource"]) for one in watchdog.holes()] == [("subscription", "RECOVERED", project)]
    run_all(stage, "asana")
    assert len(stage.sandbox.created("notes")) == 1
    assert watchdog.check("asana", after=timedelta(hours=1)).state == "well"
    assert (watchdog.recovered(TASKS), watchdog.issues()) == ([TASK], [])


def test_what_asana_does_not_make_again_now_is_an_issue_and_its_hole_stays_open(watchdog: Watchdog, project: str) -> None:
    stage = watchdog.stage
    watchdog.check("asana", after=timedelta())
    stage.sandbox.admin("DELETE", f"/webhooks/asana?workspace={DEMO.workspace}")
    complete(stage)
    reachable = watchdog.watch
    watchdog.watch = Watch(
        **{**vars(reachable), "public_url": "http://127.0.0.1:9"},
    )
    assert watchdog.check("asana", after=timedelta(seconds=1)).state == "lost"
    assert watchdog.issues() == [("webhook_lost", "OPEN")]
    assert (watchdog.recovered(TASKS), [one["status"] for one in watchdog.holes()]) == ([TASK], ["OPEN"])
    assert watchdog.check("asana", after=timedelta(minutes=1)).state == "lost"
    assert len(watchdog.holes()) == 1
    stage.ledger.owner.execute("update zixly.subscriptions set status = 'GONE'")
    watchdog.watch = reachable
    stage.sandbox.admin("POST", "/webhooks/asana", webhook_body(watchdog))
    found = stage.sandbox.sandbox.asana.accounts[DEMO.workspace].hooks.found
    stage.ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, external_id, resource, status)"
        " values (%s, %s, %s, 'asana', 'handshake', %s, %s, 'ACTIVE')",
        (new_id(), stage.ledger.tenant.id, stage.connections["asana"], next(iter(found)), project),
    )
    assert watchdog.check("asana", after=timedelta(minutes=2)).state == "mended"
    assert ([one["status"] for one in watchdog.holes()], watchdog.issues()) == (["RECOVERED"], [("webhook_lost", "RESOLVED")])


def webhook_body(watchdog: Watchdog) -> dict[str, Any]:
    target_url = f"{watchdog.watch.public_url}/webhook/asana/second-path"
    return {"workspace": DEMO.workspace, "resource": DEMO.project, "secret": "s" * 32, "target_url": target_url}


def test_a_webhook_that_asana_is_about_to_delete_is_told_in_time_and_the_issue_ends_with_the_next_success(
    watchdog: Watchdog, project: str
) -> None:
    stage = watchdog.stage
    stage.sandbox.admin("POST", f"/webhooks/asana/fail?workspace={DEMO.workspace}")
    assert watchdog.check("asana").state == "failing"
    ((title,),) = [tuple(row.values()) for row in stage.rows("select title from zixly.issues where operation = 'webhook'")]
    assert "deletes them at " in title
    assert "does not answer at ZIXLY_BRIDGE_PUBLIC_URL" in title
    (webhook,) = stage.sandbox.sandbox.asana.accounts[DEMO.workspace].hooks.found.values()
    webhook.last_success_at, webhook.deleted_at = (webhook.last_failure_at or 0) + 1, None
    assert watchdog.check("asana").state == "well"
    assert watchdog.issues() == [("webhook_failing", "RESOLVED")]


def test_a_path_that_belongs_to_no_webhook_is_left_alone(watchdog: Watchdog) -> None:
    """Such as the demo's, to which samples are sent."""
    stage = watchdog.stage
    stage.ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, token_sha256, status)"
        " values (%s, %s, %s, 'asana', 'handshake', 'digest', 'ACTIVE')",
        (new_id(), stage.ledger.tenant.id, stage.connections["asana"]),
    )
    assert watchdog.check("asana").state == "well"
    assert [row["status"] for row in stage.rows("select status from zixly.subscriptions")] == ["ACTIVE"]
    assert (watchdog.holes(), watchdog.issues()) == ([], [])


def test_a_task_that_changed_otherwise_is_no_hole(watchdog: Watchdog, project: str) -> None:
    stage = watchdog.stage
    stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{TASK}/comments")
    assert watchdog.check("asana").state == "well"


def test_hubspots_silence_is_seen_by_a_won_deal_of_which_nobody_told(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    stage.configure("hubspot", won_deals={"project": None})
    deal = stage.sandbox.admin("POST", f"/hubspot/{DEMO.portal}/deals", {"properties": {"dealname": "Won", "dealstage": "closedwon"}})
    assert watchdog.check("hubspot").state == "silent"
    assert watchdog.recovered(DEALS) == [str(deal["id"])]
    ((title,),) = [tuple(row.values()) for row in stage.rows("select title from zixly.issues where operation = 'webhook'")]
    assert "HubSpot's developer account" in title


def test_a_paused_connection_is_looked_at_too_and_is_no_alarm(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    customer, _ = stage.sandbox.add_customer("paused@example.test", name="Paused")
    invoice = stage.sandbox.add_paid_invoice(customer)
    stage.ledger.owner.execute("update zixly.connections set paused_at = now() where id = %s", (stage.connections["xero"],))
    stage.add_job(INVOICES, invoice.id)
    watchdog.event("xero")
    assert watchdog.check("xero").state == "well"
    assert (watchdog.holes(), watchdog.issues()) == ([], [])


def test_a_vendor_that_cannot_be_asked_is_unknown_and_what_was_found_stays_open(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    customer, _ = stage.sandbox.add_customer("away@example.test", name="Away")
    stage.sandbox.add_paid_invoice(customer)
    stage.sandbox.sandbox.xero.tokens.revoke(DEMO.organisation)
    stage.ledger.owner.execute("update zixly.connections set status = 'DISCONNECTED' where id = %s", (stage.connections["hubspot"],))
    watched = watchdog.watched("xero")
    assert check_connection(watchdog.watch, watched, now=datetime.now(UTC)).state == "unknown"
    until = stage.rows("select watched_until from zixly.connections where id = %s", watched.id)
    assert until == [{"watched_until": None}]


def test_a_bridge_that_was_down_for_six_hours_misses_nothing(watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than Shopify's four hours: orders that changed meanwhile were told to nobody, and their subscriptions are gone."""
    stage = watchdog.stage
    monkeypatch.setattr(stage.sandbox.sandbox.clock, "_offset", 0.0)  # and back again: other tests share the clock
    stage.configure("shopify", webhooks="api")
    watchdog.check("shopify", after=timedelta())
    missed: list[str] = []
    for _ in range(6):
        stage.sandbox.sandbox.clock.advance(3600)
        missed += new_orders(stage, 2)
    stage.sandbox.admin("DELETE", f"/webhooks/shopify/subscriptions?shop={DEMO.shop}")
    began = datetime.now(UTC)
    assert watchdog.check("shopify", after=timedelta(hours=6, minutes=1)).state == "mended"
    assert datetime.now(UTC) - began < timedelta(minutes=10)
    assert watchdog.recovered(ORDERS) == sorted(missed)
    run_all(stage, "shopify")
    assert len(stage.sandbox.created("invoice")) == 12
    assert stage.sandbox.doubled() == []


def test_another_tenant_sees_neither_checks_nor_holes(watchdog: Watchdog) -> None:
    stage = watchdog.stage
    customer, _ = stage.sandbox.add_customer("mine@example.test", name="Mine")
    stage.sandbox.add_paid_invoice(customer)
    assert watchdog.check("xero").state == "silent"
    other: UUID = stage.ledger.add_tenant("other").id
    for role in ("runs", "api"):
        database = shared_database(stage.database.url(role), name=f"watch-{role}")
        for tenant, count in ((stage.ledger.tenant.id, 1), (other, 0)):
            with database.transaction(tenant_id=tenant) as rows:
                for table in ("holes", "subscription_checks"):
                    assert len(rows.execute(f"select 1 from zixly.{table}").fetchall()) == count
    stage.ledger.owner.execute("update zixly.connections set settings = %s where id = %s", (Jsonb({}), stage.connections["xero"]))


def test_the_run_that_the_sensor_asks_for_looks_at_what_is_due(watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = watchdog.stage
    monkeypatch.setenv("ZIXLY_DATABASE_URL_DISPATCH", stage.database.url("dispatch"))
    (due,) = due_checks(stage.ledger.dispatch)
    request = request_for(due, now=datetime.now(UTC))
    with dagster_without_warnings(), interrupts_raised():
        run = execute_job(
            reconstructable(watch_subscriptions),
            instance=stage.instance,
            run_config=dict(request.run_config),
            tags=dict(request.tags),
            raise_on_error=False,
        )
    assert run.success
    found = stage.instance.get_run_by_id(run.run_id)
    assert found is not None
    assert stage.shown(found, "check_webhooks") == {"summary": "4 well", "checked": 4}
    assert due_checks(stage.ledger.dispatch) == []
