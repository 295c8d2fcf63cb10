"""People as the provider knows them: found by issuer and subject; at the first sign-in by an e-mail address that the provider vouches
for, among those who were invited. Nobody comes into being by signing in.

All of it looks across tenants (as staff, in a transaction of its own): who somebody is has to be known before whose rows are seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from zixly_core.access import Membership, Role
from zixly_core.requester import requester
from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows

KNOWN_SQL = "update zixly.users set signed_in_at = now() where issuer = %s and subject = %s returning id, name"
FIND_SQL = "select id, name from zixly.users where issuer = %s and subject = %s"
NAME_SQL = "select name from zixly.users where id = %s"
# Two rows that differ in capitals only are two people to us, and the provider cannot tell which is meant.
INVITED_SQL = """
update zixly.users set issuer = %(issuer)s, subject = %(subject)s, signed_in_at = now()
where lower(email) = lower(%(email)s) and issuer is null
  and (select count(*) from zixly.users where lower(email) = lower(%(email)s)) = 1
returning id, name"""
MEMBERSHIPS_SQL = """
select m.tenant_id, t.slug as tenant, m.role, m.sees_payloads from zixly.memberships m left join zixly.tenants t on t.id = m.tenant_id
where m.user_id = %s and t.erased_at is null order by t.slug nulls first"""


@dataclass(frozen=True)
class Person:
    id: UUID
    name: str = field(repr=False)

    @property
    def actor(self) -> str:
        """How the audit log calls him: by id, never by name or address."""
        return f"user:{self.id}"


def person_known_as(rows: Rows, issuer: str, subject: str) -> Person | None:
    return one(rows, FIND_SQL, (issuer, subject))


def person_signing_in(rows: Rows, issuer: str, subject: str) -> Person | None:
    """As above, and the moment is noted."""
    return one(rows, KNOWN_SQL, (issuer, subject))


def bind_invited(rows: Rows, issuer: str, subject: str, *, email: str) -> Person | None:
    """The person invited under this address, who from now on is known by issuer and subject; None when nobody was invited so, or he is
    known as somebody else already: an address that was given to another does not open the door of the first."""
    return one(rows, INVITED_SQL, {"issuer": issuer, "subject": subject, "email": email})


def name_of(rows: Rows, user_id: UUID) -> str:
    found = rows.execute(NAME_SQL, (user_id,)).fetchone()
    return str(found["name"]) if found else ""


def memberships_of(rows: Rows, user_id: UUID) -> tuple[Membership, ...]:
    """What a person is a member of; memberships at tenants that were erased count no more."""
    found = rows.execute(MEMBERSHIPS_SQL, (user_id,))
    return tuple(Membership(row["tenant_id"], row["tenant"], Role(row["role"]), row["sees_payloads"]) for row in found)


def note_sign_in(rows: Rows, action: str, *, person: Person | None, **details: Any) -> None:
    """A line of the audit log: `sign_in`, `sign_in_refused` or `sign_out`. Who it is was not known when the request came."""
    if person is None:
        note(rows, actor="unknown", action=action, subject="unknown", details=details)
        return
    requester().user_id = person.id
    note(rows, actor=person.actor, action=action, subject=person.id, details=details)


def one(rows: Rows, query: str, values: Any) -> Person | None:
    found = rows.execute(query, values).fetchone()
    return Person(found["id"], found["name"]) if found else None
