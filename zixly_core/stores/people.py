"""People and their memberships in Postgres, as role `api`: invited by address, given roles, removed.

Rights are read for each request, so whatever is changed here holds for the next one. Tokens that somebody made end with the rights
that he had there: he may know their secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from zixly_core.access import Role
from zixly_core.errors import Rejected
from zixly_core.ids import new_id
from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows
from zixly_core.stores.machine_tokens import revoke_tokens, tokens_of_person

VIEW_SQL = """
select u.id, u.email, u.name, u.created_at,
  jsonb_agg(jsonb_build_object('tenant', t.slug, 'role', m.role, 'sees_payloads', m.sees_payloads)
            order by t.slug nulls first) as memberships
from zixly.users u join zixly.memberships m on m.user_id = u.id left join zixly.tenants t on t.id = m.tenant_id
where (%(id)s::uuid is null or u.id = %(id)s)
group by u.id having %(tenant)s::text is null or bool_or(t.slug = %(tenant)s) order by u.email"""
PERSON_SQL = "select zixly.person_of(%s, %s, %s) as id"
GIVE_SQL = """
insert into zixly.memberships (id, user_id, tenant_id, role, sees_payloads) values (%s, %s, %s, %s, %s)
on conflict (user_id, tenant_id) do nothing returning id"""
OWN_SQL = "select role, sees_payloads from zixly.memberships where user_id = %s and tenant_id is not distinct from %s for update"
CHANGE_SQL = "update zixly.memberships set role = %s, sees_payloads = %s where user_id = %s and tenant_id is not distinct from %s"
TAKE_SQL = "delete from zixly.memberships where user_id = %s and tenant_id is not distinct from %s"
PLACES_SQL = "select tenant_id from zixly.memberships where user_id = %s order by tenant_id nulls first"
FORGET_SQL = "select zixly.forget_person(%s) as is_forgotten"
# One at a time, or two administrators could take each other's last place at once.
LOCK_SQL = "select pg_advisory_xact_lock(hashtext('zixly.memberships of staff'))"
OTHER_ADMINS_SQL = "select 1 from zixly.memberships where tenant_id is null and role = 'ADMIN' and user_id <> %s limit 1"


class AlreadyMember(Rejected):
    default_reason = "already_member"


class NoSuchMember(Rejected):
    """There is no such person, or he is no member there, or it is not the caller's to see."""

    default_reason = "not_found"


class LastAdmin(Rejected):
    """Nobody would be left who can give roles."""

    default_reason = "last_admin"


@dataclass(frozen=True)
class Given:
    """A membership that somebody is to have; `tenant_id` None: at the agency."""

    tenant_id: UUID | None
    role: Role
    sees_payloads: bool = False


@dataclass(frozen=True)
class PersonView:
    """A person, with the memberships that the scope shows."""

    id: UUID
    email: str
    name: str
    created_at: datetime
    memberships: Sequence[Mapping[str, Any]]


def people(rows: Rows, *, person_id: UUID | None = None, tenant: str | None = None) -> list[PersonView]:
    """People who are members of what the scope shows, by their addresses."""
    return [PersonView(**row) for row in rows.execute(VIEW_SQL, {"id": person_id, "tenant": tenant})]


def invite(rows: Rows, *, email: str, name: str, given: Given, actor: str) -> UUID:
    """Make somebody known by his address, and a member. Raises `AlreadyMember`."""
    person: UUID = rows.execute(PERSON_SQL, (email, name, new_id())).fetchall()[0]["id"]
    give(rows, person, given, actor=actor)
    return person


def give(rows: Rows, person_id: UUID, given: Given, *, actor: str) -> None:
    """Make somebody a member of one more place. Raises `AlreadyMember`."""
    values = (new_id(), person_id, given.tenant_id, given.role, given.sees_payloads)
    if rows.execute(GIVE_SQL, values).fetchone() is None:
        raise AlreadyMember("This person is a member there already; change the membership instead.")
    audit(rows, "membership.give", person_id, given.tenant_id, actor=actor, role=given.role, sees_payloads=given.sees_payloads)


def change(rows: Rows, person_id: UUID, *, tenant_id: UUID | None, role: Role | None, sees_payloads: bool | None, actor: str) -> int:
    """Change a membership; what is None stays. How many tokens ended by it. Raises `NoSuchMember` and `LastAdmin`."""
    keep_an_admin(rows, person_id, tenant_id, role)
    before = own_membership(rows, person_id, tenant_id)
    after = Given(tenant_id, role or Role(before["role"]), before["sees_payloads"] if sees_payloads is None else sees_payloads)
    rows.execute(CHANGE_SQL, (after.role, after.sees_payloads, person_id, tenant_id))
    audit(rows, "membership.change", person_id, tenant_id, actor=actor, role=after.role, sees_payloads=after.sees_payloads)
    is_less = not after.role.covers(Role(before["role"]))
    return end_tokens(rows, person_id, tenant_id, actor=actor) if is_less else 0


def take(rows: Rows, person_id: UUID, *, tenant_id: UUID | None, actor: str) -> int:
    """End a membership; somebody who has none left is forgotten. How many tokens ended. Raises `NoSuchMember` and `LastAdmin`."""
    keep_an_admin(rows, person_id, tenant_id, None)
    own_membership(rows, person_id, tenant_id)
    rows.execute(TAKE_SQL, (person_id, tenant_id))
    audit(rows, "membership.take", person_id, tenant_id, actor=actor)
    ended = end_tokens(rows, person_id, tenant_id, actor=actor)
    if rows.execute(FORGET_SQL, (person_id,)).fetchall()[0]["is_forgotten"]:
        audit(rows, "person.forget", person_id, tenant_id, actor=actor)
    return ended


def remove(rows: Rows, person_id: UUID, *, actor: str) -> int:
    """End every membership that the scope shows. How many tokens ended. Raises `NoSuchMember` and `LastAdmin`."""
    places = [row["tenant_id"] for row in rows.execute(PLACES_SQL, (person_id,))]
    if not places:
        raise no_such_member(person_id)
    return sum(take(rows, person_id, tenant_id=place, actor=actor) for place in places)


def keep_an_admin(rows: Rows, person_id: UUID, tenant_id: UUID | None, role: Role | None) -> None:
    """Raises `LastAdmin` where nobody of the agency would be left who can give roles. `role` is what the person is to have instead."""
    if tenant_id is not None or role is Role.ADMIN:
        return
    rows.execute(LOCK_SQL)
    is_admin = any(row["role"] == Role.ADMIN for row in rows.execute(OWN_SQL, (person_id, None)))
    if is_admin and rows.execute(OTHER_ADMINS_SQL, (person_id,)).fetchone() is None:
        raise LastAdmin("This is the agency's last administrator: make somebody else one first.")


def own_membership(rows: Rows, person_id: UUID, tenant_id: UUID | None) -> Mapping[str, Any]:
    row = rows.execute(OWN_SQL, (person_id, tenant_id)).fetchone()
    if row is None:
        raise no_such_member(person_id)
    return row


def end_tokens(rows: Rows, person_id: UUID, tenant_id: UUID | None, *, actor: str) -> int:
    return revoke_tokens(rows, tokens_of_person(rows, person_id, tenant_id=tenant_id), actor=actor)


def no_such_member(person_id: UUID) -> NoSuchMember:
    return NoSuchMember(f"There is no person {person_id} with such a membership, or it is not yours to see.")


def audit(rows: Rows, action: str, person_id: UUID, tenant_id: UUID | None, *, actor: str, **details: Any) -> None:
    note(rows, actor=actor, action=action, subject=person_id, tenant_id=tenant_id, details=details)
