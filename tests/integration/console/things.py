"""What the pages are about, as the bridge and the workers would have written it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from tests.support.ledger import Tenant, TestLedger
from zixly_core.ids import new_id

EVIL = "<script>alert(1)</script>"


def add_delivery(
    ledger: TestLedger, *, body: bytes = b"{}", verdict: str = "accepted", records: tuple[str, ...] = (), age: timedelta = timedelta()
) -> UUID:
    """A delivery of Xero with an event of the first tenant for each record."""
    delivery, at = new_id(), datetime.now(UTC) - age
    ledger.owner.execute(
        "insert into zixly.deliveries (id, system, path, received_at, verdict, reason, status, headers, body, body_sha256, event_count) "
        "values (%s, 'xero', '/webhook/xero', %s, %s, %s, 200, %s, %s, 'x', %s)",
        (delivery, at, verdict, "reason" if verdict == "rejected" else None, Jsonb({"x-header": EVIL}), body, len(records)),
    )
    for record in records:
        event = new_id()
        ledger.owner.execute(
            "insert into zixly.events (id, delivery_id, tenant_id, connection_id, system, kind, external_id, record_key, record_id, "
            "dedupe_key, outcome, occurred_at, received_at, payload) "
            "values (%s, %s, %s, %s, 'xero', 'INVOICE.UPDATE', 'org', %s, %s, %s, 'jobs', %s, %s, %s)",
            (event, delivery, ledger.tenant.id, ledger.tenant.xero, f"xero:org:INVOICE:{record}", record, str(event), at, at, body),
        )
        ledger.add_jobs(1, event_id=event, record_id=record, record_key=f"xero:org:INVOICE:{record}")
    return delivery


def add_issue(
    ledger: TestLedger, *, tenant: Tenant | None = None, status: str = "OPEN", jobs: int = 0, title: str = "HubSpot refuses"
) -> UUID:
    issue, whose = new_id(), tenant or ledger.tenant
    ledger.owner.execute(
        "insert into zixly.issues (id, tenant_id, system, operation, reason, title, status) "
        "values (%s, %s, 'hubspot', 'create a deal', 'refused', %s, %s)",
        (issue, whose.id, title, status),
    )
    ended = {"status": "FAILED", "dead_letter": True, "error_reason": "refused", "completed_at": datetime.now(UTC)}
    ledger.add_jobs(jobs, tenant=whose, issue_id=issue, error_message=EVIL, **ended)
    return issue


def said_by(text: str) -> str:
    """What a page says that an action came to."""
    return text.partition('role="status">')[2].partition("<")[0]
