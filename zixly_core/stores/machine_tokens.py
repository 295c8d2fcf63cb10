"""Machine tokens in Postgres, as role `api`: made, listed, revoked, and looked up when somebody sends one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.access import Membership, Role
from zixly_core.machine_tokens import GivenToken, WantedToken, digest_of, is_secret
from zixly_core.stores.audit import note
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import Scope, scoped

ADD_SQL = """
insert into zixly.machine_tokens (id, tenant_id, name, role, scopes, sees_payloads, secret_sha256, made_by, made_by_user, made_with,
                                  expires_at)
values (%(id)s, %(tenant)s, %(name)s, %(role)s, %(scopes)s, %(sees_payloads)s, %(sha256)s, %(actor)s, %(user)s, %(with)s, %(expires_at)s)"""
VIEW_SQL = """
select k.id, t.slug as tenant, k.tenant_id, k.name, k.role, k.scopes, k.sees_payloads, k.made_by, k.created_at, k.expires_at,
  k.last_used_at, k.revoked_at, k.revoked_by
from zixly.machine_tokens k left join zixly.tenants t on t.id = k.tenant_id
where (%(id)s::uuid is null or k.id = %(id)s) and (%(tenant)s::text is null or t.slug = %(tenant)s)
order by t.slug nulls first, k.created_at, k.id"""
# With those that were made with it, and with those.
REVOKE_SQL = """
with recursive doomed as (
  select id from zixly.machine_tokens where id = any(%(ids)s)
  union select k.id from zixly.machine_tokens k join doomed d on k.made_with = d.id)
update zixly.machine_tokens k set revoked_at = now(), revoked_by = %(actor)s from doomed d
where k.id = d.id and k.revoked_at is null returning k.id, k.tenant_id"""
LOOKED_UP_SQL = """
select k.secret_sha256, k.name, k.tenant_id, t.slug as tenant, k.role, k.scopes, k.sees_payloads, k.expires_at,
  k.revoked_at is not null or t.erased_at is not null as is_revoked, k.expires_at <= now() as is_expired,
  k.last_used_at is null or k.last_used_at < now() - interval '1 minute' as is_use_to_be_noted
from zixly.machine_tokens k left join zixly.tenants t on t.id = k.tenant_id where k.id = %s"""
USED_SQL = """
update zixly.machine_tokens set last_used_at = now()
where id = %s and (last_used_at is null or last_used_at < now() - interval '1 minute')"""
# Whoever leaves the agency made tokens for its clients too; those stay where he is an administrator of the client's own.
OF_PERSON_SQL = """
select k.id from zixly.machine_tokens k where k.made_by_user = %(user)s and k.revoked_at is null
  and (k.tenant_id is not distinct from %(tenant)s or %(tenant)s::uuid is null and not exists (
    select from zixly.memberships m where m.user_id = k.made_by_user and m.tenant_id = k.tenant_id and m.role = 'ADMIN'))"""


@dataclass(frozen=True)
class TokenView:
    """A token as people see it; its secret is nowhere."""

    id: UUID
    tenant: str | None
    tenant_id: UUID | None
    name: str
    role: str
    scopes: Sequence[str]
    sees_payloads: bool
    made_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True)
class NewToken:
    """A token that is to be kept. `made_with` is the token that its maker uses, where that is a program."""

    id: UUID
    secret: str = field(repr=False)
    wanted: WantedToken
    expires_at: datetime
    actor: str
    user_id: UUID | None = None
    made_with: UUID | None = None


@dataclass(frozen=True)
class KnownToken:
    """A token that was sent and is ours."""

    id: UUID
    name: str
    membership: Membership
    scopes: frozenset[str]
    expires_at: datetime
    is_revoked: bool
    is_expired: bool


def add_token(rows: Rows, token: NewToken) -> TokenView:
    """Keep a token, and tell it as it stands."""
    wanted = token.wanted
    values = {
        "id": token.id,
        "tenant": wanted.tenant_id,
        "name": wanted.name,
        "role": wanted.role,
        "scopes": sorted(wanted.scopes),
        "sees_payloads": wanted.sees_payloads,
        "sha256": digest_of(token.secret),
        "actor": token.actor,
        "user": token.user_id,
        "with": token.made_with,
        "expires_at": token.expires_at,
    }
    rows.execute(ADD_SQL, values)
    details = {"role": wanted.role, "scopes": sorted(wanted.scopes), "sees_payloads": wanted.sees_payloads}
    note(rows, actor=token.actor, action="token.make", subject=token.id, tenant_id=wanted.tenant_id, details=details)
    return token_views(rows, token_id=token.id)[0]


def token_views(rows: Rows, *, token_id: UUID | None = None, tenant: str | None = None) -> list[TokenView]:
    """Tokens, as the scope of the transaction allows, the agency's own first."""
    with rows.cursor(row_factory=class_row(TokenView)) as cursor:
        return cursor.execute(VIEW_SQL, {"id": token_id, "tenant": tenant}).fetchall()


def revoke_tokens(rows: Rows, token_ids: Sequence[UUID], *, actor: str) -> int:
    """End tokens, and those that were made with them; how many. One that ended already stays as it is."""
    ended = rows.execute(REVOKE_SQL, {"ids": list(token_ids), "actor": actor}).fetchall()
    for one in ended:
        note(rows, actor=actor, action="token.revoke", subject=one["id"], tenant_id=one["tenant_id"])
    return len(ended)


def tokens_of_person(rows: Rows, user_id: UUID, *, tenant_id: UUID | None) -> list[UUID]:
    """Tokens in use that a person made by a membership at a tenant (None: at the agency): he may know their secrets."""
    return [row["id"] for row in rows.execute(OF_PERSON_SQL, {"user": user_id, "tenant": tenant_id})]


def known_token(database: Database, given: GivenToken) -> KnownToken | None:
    """The token whose secret was sent; None where there is no such one. Looks across tenants: the token tells whose it is."""
    with scoped(database, Scope(tenant_id=None)) as rows:
        row = rows.execute(LOOKED_UP_SQL, (given.id,)).fetchone()
        if row is None or not is_secret(given.secret, sha256=bytes(row["secret_sha256"])):
            return None
        if row["is_use_to_be_noted"] and not (row["is_revoked"] or row["is_expired"]):
            rows.execute(USED_SQL, (given.id,))
    membership = Membership(row["tenant_id"], row["tenant"], Role(row["role"]), sees_payloads=row["sees_payloads"])
    return KnownToken(given.id, row["name"], membership, frozenset(row["scopes"]), row["expires_at"], row["is_revoked"], row["is_expired"])
