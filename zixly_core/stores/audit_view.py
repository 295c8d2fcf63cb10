"""The audit log as it is looked at and handed out: lines, newest first, as far as the scope of the transaction shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page

# Lines of a tenant are its administrators' to see; those of none (people, systems, deliveries of several) are staff's.
LINES_SQL = """
select a.id, a.at, t.slug as tenant, a.actor, a.action, a.subject, a.details, host(a.address) as address, a.user_id, a.token_id,
  a.request_id, a.written_as
from zixly.audit_log a left join zixly.tenants t on t.id = a.tenant_id
where (%(tenant)s::text is null or a.tenant_id = (select id from zixly.tenants where slug = %(tenant)s))
  and (%(actor)s::text is null or a.actor = %(actor)s)
  and (%(action)s::text is null or a.action = %(action)s or starts_with(a.action, %(action)s || '.'))
  and (%(subject)s::text is null or a.subject = %(subject)s)
  and (%(since)s::timestamptz is null or a.at >= %(since)s) and (%(until)s::timestamptz is null or a.at < %(until)s)
  and (%(age)s::timestamptz is null or (a.at, a.id) < (%(age)s, %(after)s::uuid))
order by a.at desc, a.id desc limit %(limit)s"""
Line = dict[str, Any]


@dataclass(frozen=True)
class AuditFilter:
    """Which lines are wanted; None leaves a question open. `action` is a whole one (`job.retry`) or a thing (`job`)."""

    tenant: str | None = None
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def audit_page(rows: Rows, *, wanted: AuditFilter, page: Page) -> list[Line]:
    """A page of lines, newest first."""
    age, after = page.after or (None, None)
    return list(rows.execute(LINES_SQL, {**vars(wanted), "age": age, "after": after, "limit": page.limit}))
