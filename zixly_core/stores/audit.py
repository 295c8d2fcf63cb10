"""The audit log: who did or saw what, when, and from where. Lines are only ever added; the database refuses anything else.

A line holds ids, counts and our own words; never a payload, a secret or an e-mail address. When it was written and by which role of
the database are told by Postgres, and cannot be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from zixly_core.ids import new_id
from zixly_core.requester import requester
from zixly_core.stores.database import Rows

NOTE_SQL = """
insert into zixly.audit_log (id, tenant_id, actor, action, subject, details, address, user_id, token_id, request_id)
values (%s, coalesce(%s, zixly.current_tenant()), %s, %s, %s, %s, %s::inet, %s, %s, %s)"""

NOTED_SQL = """
select from zixly.audit_log where at > now() - %s::interval and tenant_id = %s and actor = %s and action = %s and subject = %s
  and address is not distinct from %s::inet limit 1"""


def note(
    rows: Rows, *, actor: str, action: str, subject: object, tenant_id: UUID | None = None, details: Mapping[str, Any] | None = None
) -> None:
    """Write down what somebody did, in the transaction that does it. `action` is `thing.verb`, `subject` the thing's id or short name;
    from where it came is known from the request that is being answered (`zixly_core.requester`). Without `tenant_id` it is about the tenant
    that the transaction is for, if it is for one."""
    by = requester()
    where = (by.address, by.user_id, by.token_id, by.request_id)
    rows.execute(NOTE_SQL, (new_id(), tenant_id, nameable(actor), action, str(subject), Jsonb(dict(details or {})), *where))


def note_once(rows: Rows, *, within: timedelta, actor: str, action: str, subject: object, tenant_id: UUID) -> None:
    """As `note`, unless the same was written of the same person, thing, client and address so short a time ago: for what is asked again and
    again while it is one deed. Of two that ask at the same moment both may be written."""
    same = (within, tenant_id, nameable(actor), action, str(subject), requester().address)
    if rows.execute(NOTED_SQL, same).fetchone() is None:
        note(rows, actor=actor, action=action, subject=subject, tenant_id=tenant_id)


def nameable(actor: str) -> str:
    """Somebody's name as the log may keep it: never an e-mail address, which would outlive the person's leaving. The id is beside it."""
    return actor if "@" not in actor else f"{actor.partition('@')[0][:1]}..."
