"""What every check keeps to: pauses, vendors that cannot be asked, tenants, and the run of the sensor."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from dagster import execute_job, reconstructable
from psycopg.types.json import Jsonb

from tests.integration.workflows.job_functions import watch_subscriptions
from tests.integration.workflows.watching.conftest import INVOICES, Watchdog
from tests.support.definitions import dagster_without_warnings
from zixly_core.process import shared_database
from zixly_core.stores.watching import due_checks
from zixly_core.watching import check_connection
from zixly_dagster.instance.interrupts import interrupts_raised
from zixly_dagster.sensors.watch_subscriptions import request_for
from zixly_sandbox.constants import DEMO

pytestmark = pytest.mark.integration


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
