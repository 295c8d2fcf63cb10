"""Saved settings are compared with what the vendors have, and what does not fit is one issue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dagster import DagsterRunStatus, execute_job, reconstructable
from psycopg.types.json import Jsonb

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.job_functions import settings_check
from tests.support.definitions import dagster_without_warnings
from zixly_core.stores.settings_checks import due_checks
from zixly_dagster.instance.interrupts import interrupts_raised
from zixly_dagster.sensors.settings_check import request_for
from zixly_sandbox.faults import FaultKind

ACCOUNTS_CALL = "GET /xero/api.xro/2.0/Accounts*"


def saved(stage: Stage, system: str, settings: dict[str, Any]) -> None:
    save = "update zixly.connections set settings = %s, settings_saved_at = clock_timestamp() where id = %s"
    stage.ledger.owner.execute(save, (Jsonb(settings), stage.connections[system]))


def check(stage: Stage) -> DagsterRunStatus:
    """Do what the sensor asks for."""
    (due,) = due_checks(stage.ledger.dispatch)
    request = request_for(due, now=datetime.now(UTC))
    with dagster_without_warnings(), interrupts_raised():
        run = execute_job(
            reconstructable(settings_check),
            instance=stage.instance,
            run_config=dict(request.run_config),
            tags=dict(request.tags),
            raise_on_error=False,
        )
    found = stage.instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def issues(stage: Stage) -> list[tuple[str, str, int]]:
    rows = stage.rows("select status, title, count from zixly.issues where reason = 'settings_do_not_fit' order by first_seen_at")
    return [(row["status"], row["title"], row["count"]) for row in rows]


def test_defaults_fit_the_sandbox(stage: Stage) -> None:
    for system in ("xero", "hubspot", "shopify", "asana"):
        saved(stage, system, {})
        assert check(stage) is DagsterRunStatus.SUCCESS
    assert issues(stage) == []
    assert due_checks(stage.ledger.dispatch) == []


def test_an_account_and_a_stage_that_do_not_exist_are_one_issue_which_is_resolved_when_they_are_mended(stage: Stage) -> None:
    saved(stage, "hubspot", {"won_deals": {"account_code": "999", "won_stages": ["nowhere"]}})
    check(stage)
    ((status, title, count),) = issues(stage)
    assert (status, count) == ("OPEN", 1)
    assert "won_deals.account_code: there is no 999 among the accounts." in title
    assert "won_deals.won_stages: there is no nowhere among the stages of deals." in title
    saved(stage, "hubspot", {"won_deals": {"account_code": "999"}})
    check(stage)
    assert issues(stage) == [("OPEN", "won_deals.account_code: there is no 999 among the accounts.", 2)]
    saved(stage, "hubspot", {})
    check(stage)
    assert [status for status, _, _ in issues(stage)] == ["RESOLVED"]


def test_a_tax_type_and_a_payment_account_that_do_not_fit_are_named(stage: Stage) -> None:
    saved(stage, "shopify", {"paid_orders": {"tax_type": "NOSUCHTAX", "payment_account_code": "200"}})
    check(stage)
    ((_, title, _),) = issues(stage)
    assert "paid_orders.tax_type: there is no NOSUCHTAX among the tax types." in title
    assert "paid_orders.payment_account_code: payments cannot be booked to account 200 in Xero." in title


def test_a_property_that_the_portal_does_not_have_is_named(stage: Stage) -> None:
    saved(stage, "xero", {"mapping": {"no_such_property": "standing", "email": "number"}})
    check(stage)
    assert [title for _, title, _ in issues(stage)] == ["mapping: HubSpot's contacts have no property no_such_property."]


def test_a_vendor_that_cannot_be_asked_now_is_asked_again(stage: Stage) -> None:
    saved(stage, "hubspot", {})
    stage.sandbox.fault(ACCOUNTS_CALL, FaultKind.SERVER_ERROR, count=5)
    assert check(stage) is DagsterRunStatus.FAILURE
    assert len(due_checks(stage.ledger.dispatch)) == 1
    assert issues(stage) == []
