"""A ledger in which everything is as bad as an alert waits for, and its mending."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from tests.support.ledger import POLICY, WORKFLOW, TestLedger
from zixly_core.budget_account import Account
from zixly_core.budget_windows import FixedState
from zixly_core.ids import new_id
from zixly_core.job import Failed, JobEnd
from zixly_core.stores.budgets import packed
from zixly_core.stores.settle import settle

AGO = {"minutes": "now() - interval '10 minutes'", "hours": "now() - interval '2 hours'", "days": "now() - interval '45 days'"}
# The alert that fires while the rows are so. `%(...)s` are the first tenant and its connections; `other` is another's.
ROWS = {
    "AccountDisconnected": "update zixly.connections set status = 'DISCONNECTED' where id = %(hubspot)s",
    "AuthorisationExpiring": f"""
with unused as (insert into zixly.grants (id, tenant_id, system, ciphertext, refreshed_at)
                values (gen_random_uuid(), %(tenant)s, 'xero', 'sealed', {AGO["days"]}) returning id)
update zixly.connections set grant_id = (select id from unused) where id = %(xero)s""",
    "SubscriptionLost": "update zixly.connections set watch_state = 'lost' where id = %(xero)s",
    "WebhooksSilent": "update zixly.connections set watch_state = 'silent' where id = %(other)s",
    "WebhooksUnwatched": f"update zixly.connections set watched_at = {AGO['hours']} where id = %(other)s",
    "WebhooksMissed": f"""
insert into zixly.holes (id, tenant_id, connection_id, system, kind, since)
values (gen_random_uuid(), %(tenant)s, %(xero)s, 'xero', 'missed', {AGO["hours"]})""",
    "AccountResting": """
insert into zixly.account_rests (connection_id, tenant_id, system) values (%(hubspot)s, %(tenant)s, 'hubspot')""",
    "BudgetNearlySpent": """
insert into zixly.api_budgets (connection_id, tenant_id, system, state) values (%(xero)s, %(tenant)s, 'xero', %(budget)s)""",
    "NotificationsNotSent": f"""
insert into zixly.notifications (id, channel_id, kind, due_at)
select gen_random_uuid(), id, 'test', {AGO["minutes"]} from zixly.notification_channels""",
    "NotificationsGivenUp": "update zixly.notification_channels set failed = failed + 1",
    "ReconciliationMissed": f"""
insert into zixly.reconciliations (id, tenant_id, connection_id, workflow, origin, since, until, status, ended_at)
values (gen_random_uuid(), %(tenant)s, %(xero)s, '{WORKFLOW}', 'nightly', {AGO["days"]}, {AGO["days"]}, 'DONE', {AGO["days"]})""",
    "PayloadIndexBehind": f"update zixly.payload_index set updated_at = {AGO['hours']}",
    "LedgerUnchecked": f"""
insert into zixly.ledger_balance (slice, events, jobs, balanced_at) values ({AGO["hours"]}, 0, 0, {AGO["hours"]})""",
    "PauseForgotten": """
insert into zixly.pauses (id, kind, subject, actor) values (gen_random_uuid(), 'workflow', 'another', 'a test')""",
}
MENDED = (
    "update zixly.connections set status = 'ACTIVE', grant_id = null, watch_state = 'well', watched_at = now()",
    *(f"delete from zixly.{table}" for table in ("grants", "holes", "account_rests", "api_budgets", "notifications", "pauses")),
    "delete from zixly.reconciliations",
    "delete from zixly.ledger_balance",
    "update zixly.payload_index set updated_at = now()",
    "delete from zixly.workflow_jobs",
)
OF_JOBS = {"QueueBacklog", "OldestDueJob", "Unaccounted", "HighErrorRate", "DeadLettersGrow", "JobsEndWorkers", "SlowExecution"}


def begin(ledger: TestLedger) -> None:
    """What has happened before: some of each, so that what comes grows."""
    ledger.owner.execute(
        "insert into zixly.notification_channels (id, kind, name, address) values (gen_random_uuid(), 'email', 'ops', 'ops@example.com')"
    )
    ledger.add_tenant("another")
    fail_jobs(ledger, 1)
    lose_jobs(ledger, 1)
    ledger.owner.execute("delete from zixly.workflow_jobs where status <> 'FAILED'")


def break_everything(ledger: TestLedger) -> None:
    fail_jobs(ledger, 10)
    lose_jobs(ledger, 5)
    tenant = ledger.tenant
    spent = FixedState(left=100, ends_by=datetime.now(UTC).timestamp() + 3600)
    values: dict[str, object] = {
        "tenant": tenant.id,
        "xero": tenant.xero,
        "hubspot": tenant.hubspot,
        "other": ledger.tenants[1].xero,
        "budget": packed(Account(windows={"day": spent})),
    }
    for statement in ROWS.values():
        ledger.owner.execute(statement, values)
    ledger.claimed(1, run_id=str(new_id()))
    ledger.lapse_leases()  # and no sweep comes
    ledger.add_jobs(101, due_at=datetime.now(UTC) - timedelta(minutes=10))


def fail_jobs(ledger: TestLedger, count: int) -> None:
    """Jobs that took seven minutes to fail for good."""
    run, jobs = ledger.claimed(count, run_id=str(new_id()))
    ledger.owner.execute("update zixly.workflow_jobs set first_op_at = now() - interval '7 minutes' where status = 'RUNNING'")
    ends = [JobEnd(job, Failed("record_gone", "It is gone.", permanent=True)) for job in jobs]
    settle(ledger.runs, run, ends, policy=POLICY, jitter=random.Random(1))


def lose_jobs(ledger: TestLedger, count: int) -> None:
    """Jobs whose worker vanished, taken back by the sweep."""
    ledger.claimed(count, run_id=str(new_id()))
    ledger.lapse_leases()
    ledger.sweep()


def mend_everything(ledger: TestLedger) -> None:
    for statement in MENDED:
        ledger.owner.execute(statement)
