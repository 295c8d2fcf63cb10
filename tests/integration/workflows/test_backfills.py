"""Backfills against the sandbox: the days of a tenant read by partitioned runs, and what their jobs do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from dagster import ExecuteInProcessResult

from tests.integration.workflows.conftest import Killed, Stage
from tests.integration.workflows.job_functions import job_named
from tests.support.busy import longest
from tests.support.definitions import dagster_without_warnings
from zixly_core import changed_records
from zixly_core.backfilling import DayReader, WantedBackfill, make_backfill
from zixly_core.changed_records import ChangedInvoices
from zixly_core.changes import Window
from zixly_core.ids import new_id
from zixly_core.stores import backfill_days as days_store
from zixly_core.stores.backfill_days import due_days, settle_backfills
from zixly_core.stores.backfills import BackfillFilter, backfill_detail, backfills_page, stop_backfill
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Page, Scope, scoped
from zixly_dagster.ops import backfill_days
from zixly_dagster.partitions import partition_key
from zixly_dagster.sensors.backfills import request_for
from zixly_sandbox.constants import DEAL, DEMO, TASK
from zixly_sandbox.faults import FaultKind
from zixly_sandbox.xero.entries import Invoice

WORKFLOW = "xero-invoice-to-hubspot"
DAY = date(2026, 11, 20)
# Midnight in Brisbane, ten hours ahead of UTC the whole year.
MIDNIGHT = datetime(2026, 11, 19, 14, tzinfo=UTC)
NOW = datetime(2026, 11, 27, tzinfo=UTC)
INVOICES_CALL = "GET /xero/api.xro/2.0/Invoices*"


@pytest.fixture
def api(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The ledger as the API sees it."""
    monkeypatch.setenv("ZIXLY_DATABASE_URL_DISPATCH", stage.database.url("dispatch"))
    monkeypatch.setenv("ZIXLY_QUEUE_URL", "memory://")
    for invoice in stage.sandbox.books.invoices.values():
        invoice.updated_at = milliseconds(MIDNIGHT - timedelta(days=400))
    stage.instance.add_dynamic_partitions("tenants", ["demo"])
    database = Database(stage.database.url("api"), name="api")
    yield database
    database.close()


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def paid(stage: Stage, email: str, at: datetime) -> tuple[Invoice, str]:
    """An invoice whose last change was its payment at that moment, and the id of its customer's contact."""
    customer, contact = stage.sandbox.add_customer(email, name=email)
    invoice = stage.sandbox.add_paid_invoice(customer)
    invoice.updated_at = milliseconds(at)
    assert contact is not None
    return invoice, contact.id


def asked(
    api: Database, *, workflow: str = WORKFLOW, first: date = DAY, last: date = DAY, dry_run: bool = False, now: datetime = NOW
) -> UUID:
    wanted = WantedBackfill(workflow, "demo", first, last, is_dry_run=dry_run)
    with scoped(api, Scope(tenant_id=None)) as connection:
        return make_backfill(connection, wanted, actor="somebody", now=now)


def run_due(stage: Stage) -> list[ExecuteInProcessResult]:
    """What the sensor asks for, executed."""
    return [execute(stage, request_for(one, now=datetime.now(UTC))) for one in due_days(stage.ledger.dispatch)]


def execute(stage: Stage, request: Any) -> ExecuteInProcessResult:
    with dagster_without_warnings():
        return job_named(request.job_name).execute_in_process(
            partition_key=request.partition_key, instance=stage.instance, tags=dict(request.tags), raise_on_error=False
        )


def seen(api: Database, backfill_id: UUID) -> dict[str, Any]:
    with scoped(api, Scope(tenant_id=None)) as connection:
        found = backfill_detail(connection, backfill_id, examples=20)
    assert found is not None
    return found


def sums(api: Database, backfill_id: UUID) -> tuple[int, int, int]:
    found = seen(api, backfill_id)
    return found["records_found"], found["records_known"], found["jobs_made"]


def read_all(stage: Stage, api: Database, backfill_id: UUID) -> None:
    """Until every day is read: an account of which nothing is known yet keeps bulk work waiting for a moment."""
    end = time.monotonic() + longest(30)
    while seen(api, backfill_id)["days_done"] < seen(api, backfill_id)["days"]:
        assert time.monotonic() < end, seen(api, backfill_id)["days_log"]
        run_due(stage)
        time.sleep(0.2)


def finish(stage: Stage) -> None:
    """Have all waiting jobs done, and the ends noted."""
    if any(job["status"] == "QUEUED" for job in stage.jobs()):
        stage.run(stage.hand_over())
    settle_backfills(stage.ledger.dispatch)


def test_the_records_of_a_day_become_jobs_that_do_what_the_webhook_would_have_done(stage: Stage, api: Database) -> None:
    (first, ada), (last, grace) = paid(stage, "first@x.test", MIDNIGHT), paid(stage, "last@x.test", MIDNIGHT + timedelta(hours=23))
    paid(stage, "before@x.test", MIDNIGHT - timedelta(seconds=1))
    paid(stage, "after@x.test", MIDNIGHT + timedelta(hours=24))
    backfill_id = asked(api)
    (result,) = run_due(stage)
    assert result.success
    assert {job["record_id"] for job in stage.jobs()} == {first.id, last.id}
    for job in stage.jobs():
        assert (job["origin"], job["lane"], job["made_by"], job["priority"]) == ("backfill", "bulk", backfill_id, 2)
    finish(stage)
    assert [stage.sandbox.contact(one)["xero_last_invoice_number"] for one in (ada, grace)] == [first.number, last.number]
    assert len(stage.sandbox.writes()) == 2
    found = seen(api, backfill_id)
    assert (found["status"], found["jobs_completed"], found["jobs_failed"], found["days_done"]) == ("DONE", 2, 0, 1)


def test_repeating_a_backfill_makes_no_job_and_writes_nothing(stage: Stage, api: Database) -> None:
    for number in range(5):
        paid(stage, f"{number}@x.test", MIDNIGHT + timedelta(hours=number))
    asked(api)
    run_due(stage)
    finish(stage)
    writes, jobs = len(stage.sandbox.writes()), len(stage.jobs())
    again = asked(api)
    run_due(stage)
    assert sums(api, again) == (5, 5, 0)
    assert (len(stage.sandbox.writes()), len(stage.jobs())) == (writes, jobs)
    finish(stage)
    assert seen(api, again)["status"] == "DONE"


def test_a_record_that_changed_since_is_news_and_a_waiting_job_is_enough_for_two_backfills(stage: Stage, api: Database) -> None:
    invoice, contact = paid(stage, "a@x.test", MIDNIGHT)
    asked(api)
    run_due(stage)
    again = asked(api)
    run_due(stage)
    assert sums(api, again) == (1, 1, 0)
    finish(stage)
    stage.sandbox.take_payment_back(invoice, changed_ms_later=0)
    invoice.updated_at = milliseconds(datetime.now(UTC) + timedelta(minutes=1))
    today = invoice_day(invoice)
    third = asked(api, first=today, last=today, now=datetime.now(UTC) + timedelta(days=1))
    run_due(stage)
    assert sums(api, third) == (1, 0, 1)
    finish(stage)
    assert stage.sandbox.contact(contact)["xero_last_invoice_status"] == "OPEN"


def test_a_day_without_records_is_done_and_so_is_its_backfill(stage: Stage, api: Database) -> None:
    backfill_id = asked(api, first=DAY - timedelta(days=1))
    assert [result.success for result in run_due(stage)] == [True, True]
    finish(stage)
    found = seen(api, backfill_id)
    assert (found["status"], found["days_done"], found["records_found"], found["jobs_made"]) == ("DONE", 2, 0, 0)


def test_a_run_that_was_killed_in_the_middle_goes_on_where_it_was(stage: Stage, api: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed_records, "PAGE_SIZE", 3)
    for number in range(10):
        paid(stage, f"{number}@x.test", MIDNIGHT + timedelta(minutes=number // 2))
    backfill_id = asked(api)
    with monkeypatch.context() as killing:
        killing.setattr(DayReader, "_keep", killed_after(2))
        killing.setattr(backfill_days, "end_day", lambda *_, **__: None)
        assert not run_due(stage)[0].success
    assert sums(api, backfill_id) == (6, 0, 6)
    assert due_days(stage.ledger.dispatch) == []  # its lease is good for two minutes
    stage.ledger.owner.execute("update zixly.backfill_days set lease_until = now() - interval '1 second'")
    windows = list[Window]()
    monkeypatch.setattr(ChangedInvoices, "changed", noting(windows))
    (result,) = run_due(stage)
    assert result.success
    assert windows == [Window(MIDNIGHT + timedelta(minutes=2), MIDNIGHT + timedelta(days=1))]
    assert sums(api, backfill_id) == (10, 0, 10)
    assert len({job["record_id"] for job in stage.jobs()}) == len(stage.jobs()) == 10


def test_a_day_whose_run_is_stopped_is_given_back_at_once(stage: Stage, api: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(stage, "a@x.test", MIDNIGHT)
    asked(api)
    with monkeypatch.context() as stopping:
        stopping.setattr(DayReader, "_keep", killed_after(0))
        assert not run_due(stage)[0].success
    assert [due["tries"] for due in due_days(stage.ledger.dispatch)] == [1]
    assert run_due(stage)[0].success
    assert len(stage.jobs()) == 1


def test_a_vendor_that_is_away_is_asked_again_and_one_that_refuses_fails_the_day(stage: Stage, api: Database) -> None:
    paid(stage, "a@x.test", MIDNIGHT)
    backfill_id = asked(api)
    stage.sandbox.fault(INVOICES_CALL, FaultKind.SERVER_ERROR, count=None)
    (result,) = run_due(stage)
    assert not result.success
    (day,) = seen(api, backfill_id)["days_log"]
    assert (day["state"], day["tries"]) == ("WAITING", 1)
    assert day["error"].startswith("vendor_unavailable: ")
    assert due_days(stage.ledger.dispatch) == []  # not before its time
    stage.sandbox.sandbox.faults.clear()
    stage.make_due()
    stage.ledger.owner.execute("update zixly.backfill_days set due_at = now()")
    assert run_due(stage)[0].success
    finish(stage)
    assert seen(api, backfill_id)["status"] == "DONE"
    stage.ledger.owner.execute("update zixly.connections set status = 'DISCONNECTED', grant_id = null where system = 'xero'")
    refused = asked(api)
    run_due(stage)
    finish(stage)
    found = seen(api, refused)
    assert (found["status"], found["days_log"][0]["state"]) == ("FAILED", "FAILED")
    assert found["days_log"][0]["error"]


def test_a_dry_run_tells_how_many_and_the_differences_of_the_first_ones_and_writes_nothing(stage: Stage, api: Database) -> None:
    invoices = [paid(stage, f"{number}@x.test", MIDNIGHT + timedelta(hours=number))[0] for number in range(7)]
    backfill_id = asked(api, dry_run=True)
    run_due(stage)
    finish(stage)
    found = seen(api, backfill_id)
    assert (found["status"], found["records_found"], found["records_known"], found["jobs_made"]) == ("DONE", 7, 0, 5)
    assert [one["record_id"] for one in found["examples"]] == [invoice.id for invoice in invoices[:5]]
    for example, invoice in zip(found["examples"], invoices, strict=False):
        (write,) = example["result"]["would_write"]
        assert write["changes"]["xero_last_invoice_number"]["after"] == invoice.number
    assert stage.sandbox.writes() == []
    wet = asked(api)
    run_due(stage)
    assert sums(api, wet) == (7, 0, 7)


def test_days_are_the_tenants_own(stage: Stage, api: Database) -> None:
    """Midnight in Auckland is another one, and in the week that its clocks change one day is 23 hours long."""
    stage.ledger.owner.execute("update zixly.tenants set time_zone = 'Pacific/Auckland'")
    first = paid(stage, "first@x.test", datetime(2026, 9, 26, 12, tzinfo=UTC))[0]
    last = paid(stage, "last@x.test", datetime(2026, 9, 27, 10, 59, 59, tzinfo=UTC))[0]
    paid(stage, "next@x.test", datetime(2026, 9, 27, 11, tzinfo=UTC))
    asked(api, first=date(2026, 9, 27), last=date(2026, 9, 27))
    run_due(stage)
    assert {job["record_id"] for job in stage.jobs()} == {first.id, last.id}


def test_all_tenants_of_a_day_are_read_by_one_run_and_none_sees_anothers(stage: Stage, api: Database) -> None:
    other = stage.ledger.add_tenant("other")
    invoice, _ = paid(stage, "a@x.test", MIDNIGHT)
    with dagster_without_warnings():
        result = job_named("backfill_xero_invoice_to_hubspot_by_day").execute_in_process(
            partition_key=str(DAY), instance=stage.instance, raise_on_error=False
        )
    assert not result.success  # the other tenant's account was never connected
    assert [(job["record_id"], job["tenant_id"]) for job in stage.jobs()] == [(invoice.id, stage.ledger.tenant.id)]
    rows = stage.rows("select tenant_id, status, first_day, launched_by from zixly.backfills order by created_at")
    assert {row["tenant_id"] for row in rows} == {stage.ledger.tenant.id, other.id}
    assert {(row["first_day"], row["launched_by"]) for row in rows} == {(DAY, result.dagster_run.run_id)}
    for tenant in (stage.ledger.tenant, other):
        with scoped(api, Scope(tenant_id=tenant.id)) as connection:
            page = backfills_page(connection, BackfillFilter(), page=Page(limit=10))
            assert [one["tenant_id"] for one in page] == [tenant.id]
        with stage.ledger.runs.transaction(tenant_id=tenant.id) as connection:
            for table in ("backfills", "backfill_days"):
                assert {row["tenant_id"] for row in connection.execute(f"select tenant_id from zixly.{table}")} == {tenant.id}


def test_days_launched_together_in_the_dagster_ui_are_one_backfill_and_a_tag_makes_it_dry(stage: Stage, api: Database) -> None:
    paid(stage, "a@x.test", MIDNIGHT)
    paid(stage, "b@x.test", MIDNIGHT + timedelta(days=1))
    tags = {"dagster/backfill": "dialog1", "zixly/dry_run": "true", "zixly/launched_by": "grace"}
    for day in (DAY + timedelta(days=1), DAY):
        with dagster_without_warnings():
            job_named("backfill_xero_invoice_to_hubspot").execute_in_process(
                partition_key=partition_key(str(day), "demo"), instance=stage.instance, tags=tags
            )
    (row,) = stage.rows("select id, first_day, last_day, actor, launched_by, is_dry_run from zixly.backfills")
    assert (row["first_day"], row["last_day"]) == (DAY, DAY + timedelta(days=1))
    assert (row["actor"], row["launched_by"], row["is_dry_run"]) == ("grace", "dialog1", True)
    assert sums(api, row["id"]) == (2, 0, 2)
    finish(stage)
    assert stage.sandbox.writes() == []


def test_a_few_days_are_launched_at_once_and_none_while_too_many_jobs_wait(
    stage: Stage, api: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    backfill_id = asked(api, first=DAY - timedelta(days=9))
    due = due_days(stage.ledger.dispatch)
    assert [one["day"] for one in due] == [DAY - timedelta(days=9 - number) for number in range(6)]
    assert request_for(due[0], now=datetime(2026, 11, 27, tzinfo=UTC)).partition_key == f"demo|{DAY - timedelta(days=9)}"
    stage.ledger.add_jobs(3, made_by=backfill_id, origin="backfill")
    monkeypatch.setattr(days_store, "MOST_OPEN_JOBS", 3)
    assert due_days(stage.ledger.dispatch) == []
    monkeypatch.setattr(days_store, "MOST_OPEN_JOBS", 4)
    assert len(due_days(stage.ledger.dispatch)) == 6
    stage.ledger.owner.execute("update zixly.tenants set paused_at = now()")
    assert due_days(stage.ledger.dispatch) == []


def test_stopping_reads_no_further_day_and_cancels_what_nobody_has_in_hand(stage: Stage, api: Database) -> None:
    for number in range(3):
        paid(stage, f"{number}@x.test", MIDNIGHT + timedelta(hours=number))
    backfill_id = asked(api, last=DAY + timedelta(days=7))
    run_due(stage)
    with scoped(api, Scope(tenant_id=None)) as connection:
        assert stop_backfill(connection, backfill_id, actor="somebody") == 3
        assert stop_backfill(connection, backfill_id, actor="somebody") is None
    assert due_days(stage.ledger.dispatch) == []
    found = seen(api, backfill_id)
    assert (found["status"], found["jobs_cancelled"], found["jobs_open"]) == ("STOPPED", 3, 0)
    assert {day["state"] for day in found["days_log"]} == {"DONE", "STOPPED"}
    assert stage.rows("select details from zixly.audit_log where action = 'backfill.stop'") == [{"details": {"jobs_cancelled": 3}}]
    assert sum(row["value"] for row in stage.rows("select value from zixly.job_counters where status = 'cancelled'")) == 3


def won_deal(stage: Stage) -> str:
    stage.sandbox.admin("POST", f"/hubspot/{DEMO.portal}/deals/{DEAL}/stage", {})
    return f"hubspot:{DEMO.portal}:deal:{DEAL}"


def paid_order(stage: Stage) -> str:
    order = stage.sandbox.admin("POST", f"/shopify/{DEMO.shop}/orders", {})
    return f"shopify:{DEMO.shop}:order:{order['id']}"


def completed_task(stage: Stage) -> str:
    stage.ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, resource, status)"
        " values (%s, %s, %s, 'asana', 'handshake', %s, 'ACTIVE')",
        (new_id(), stage.ledger.tenant.id, stage.connections["asana"], DEMO.project),
    )
    stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{TASK}/complete")
    return f"asana:task:{TASK}"


@pytest.mark.parametrize(
    ("workflow", "change"),
    [("hubspot-deal-to-xero", won_deal), ("shopify-order-to-xero", paid_order), ("asana-task-to-hubspot", completed_task)],
)
def test_every_workflow_about_records_is_backfilled_under_the_keys_that_its_events_have(
    stage: Stage, api: Database, workflow: str, change: Callable[[Stage], str]
) -> None:
    key = change(stage)
    now = datetime.now(UTC)
    today = (now + timedelta(hours=10)).date()
    backfill_id = asked(api, workflow=workflow, first=today - timedelta(days=1), last=today, now=now)
    read_all(stage, api, backfill_id)
    jobs = {job["record_key"]: job for job in stage.jobs(workflow)}
    assert (jobs[key]["origin"], jobs[key]["made_by"], jobs[key]["lane"]) == ("backfill", backfill_id, "bulk")


def invoice_day(invoice: Invoice) -> date:
    """The day in Brisbane on which it last changed."""
    return (datetime.fromtimestamp(invoice.updated_at / 1000, UTC) + timedelta(hours=10)).date()


def killed_after(pages: int) -> Any:
    """`DayReader._keep`, which is not survived once so many pages are kept."""
    keep, kept = DayReader._keep, list[int]()

    def keep_or_die(self: DayReader, *arguments: Any, **named: Any) -> bool:
        if len(kept) == pages:
            raise Killed
        kept.append(1)
        return keep(self, *arguments, **named)

    return keep_or_die


def noting(windows: list[Window]) -> Any:
    """`ChangedInvoices.changed`, which notes the windows that are asked for."""
    changed = ChangedInvoices.changed

    def noted(self: ChangedInvoices, window: Window) -> Any:
        windows.append(window)
        return changed(self, window)

    return noted
