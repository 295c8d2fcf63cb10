"""People who were invited, and what the audit log says of them."""

from __future__ import annotations

from uuid import UUID

from tests.support.ledger import TestLedger
from zixly_core.ids import new_id


def invite(ledger: TestLedger, email: str, role: str = "EDITOR") -> UUID:
    """A member of the agency who never signed in."""
    user_id = new_id()
    ledger.owner.execute("insert into zixly.users (id, email, name) values (%s, %s, 'Somebody')", (user_id, email))
    ledger.owner.execute("insert into zixly.memberships (id, user_id, role) values (%s, %s, %s)", (new_id(), user_id, role))
    return user_id


def audited(ledger: TestLedger) -> list[tuple[str, str, str | None]]:
    rows = ledger.owner.execute("select action, subject, details ->> 'reason' as reason from zixly.audit_log order by at, id")
    return [(row["action"], row["subject"], row["reason"]) for row in rows.fetchall()]
