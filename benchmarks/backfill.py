"""A backfill in the ledger: jobs of the bulk lane, as many as asked for, written at once."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from benchmarks.errors import NotMeasured
from zixly_cli.seed import DEMO
from zixly_core.ids import new_id

WORKFLOW = "xero-invoice-to-hubspot"

ADD_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, lane, priority, origin, record_key, record_id,
                                 occurred_at)
select t.id, c.tenant_id, c.id, %s, 'xero', 'bulk', 2, 'backfill', 'xero:' || c.external_id || ':INVOICE:' || t.record, t.record, now()
from zixly.connections c, unnest(%s::uuid[], %s::text[]) as t (id, record)
where c.system = 'xero' and c.external_id = %s"""
OPEN_SQL = """
select count(*) filter (where status in ('QUEUED', 'RUNNING')) as open, count(*) filter (where status in ('FAILED', 'CANCELLED')) as failed
from zixly.workflow_jobs where origin = 'backfill'"""


def add_backfill(owner_url: str, invoices: Sequence[str]) -> None:
    """A job for each invoice of the demo organisation."""
    with psycopg.connect(owner_url) as connection:
        connection.execute(ADD_SQL, (WORKFLOW, [new_id() for _ in invoices], list(invoices), DEMO.organisation))


def open_backfill_jobs(owner_url: str) -> int:
    """How many have not ended. Raises `NotMeasured` when one ended otherwise than well."""
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(OPEN_SQL).fetchone()
    left, failed = row or (0, 0)
    if failed:
        raise NotMeasured(f"{failed} jobs of the backfill failed")
    return int(left)


def forget_budgets(owner_url: str) -> None:
    """Nothing is known of any account's limits, as on the first day."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("delete from zixly.api_budgets")
