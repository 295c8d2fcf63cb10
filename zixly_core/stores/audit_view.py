"""The audit log as it is looked at and handed out: lines, newest first, as far as the scope of the transaction shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

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
LINES_A_PAGE = 500
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


def every_line(transaction: Callable[[], AbstractContextManager[Rows]], *, wanted: AuditFilter) -> Iterator[Line]:
    """All of them, newest first, a page in each transaction: however many there are, none is open for long."""
    after: tuple[datetime, UUID] | None = None
    while True:
        with transaction() as rows:
            lines = audit_page(rows, wanted=wanted, page=Page(limit=LINES_A_PAGE, after=after))
        yield from lines
        if len(lines) < LINES_A_PAGE:
            return
        after = (lines[-1]["at"], lines[-1]["id"])
