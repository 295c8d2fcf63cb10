"""Consents in progress: each step of one can be taken once, in time, and by the browser that began it.

Ticket (in a link that staff hand on), state (travels by the vendor) and browser (a cookie) are random; only their hashes are kept, so
that nobody who reads the table can take a step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from zixly_core.accounts import Account
from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows

# Long enough to find the person who may consent at the client; codes of vendors end after some minutes anyway.
LIFETIME = timedelta(minutes=30)
# Ended ones are kept so long, for whoever asks what became of them.
KEPT = timedelta(days=1)

COLUMNS = """s.id, s.tenant_id, t.slug as tenant, t.name as tenant_name, s.system, s.account, s.actor, s.status, s.verifier, s.tokens,
  s.accounts, s.connection_ids, s.reason, s.message, s.expires_at, s.expires_at <= now() as is_late, s.browser_sha256"""
SELECT_SQL = f"select {COLUMNS} from zixly.oauth_states s join zixly.tenants t on t.id = s.tenant_id where "

ADD_SQL = """
insert into zixly.oauth_states (id, tenant_id, system, account, actor, status, ticket_sha256, expires_at)
values (%s, %s, %s, %s, %s, 'INVITED', %s, now() + %s)"""

FORGET_SQL = "delete from zixly.oauth_states where expires_at < now() - %s::interval"

ASK_SQL = """
update zixly.oauth_states set status = 'ASKED', state_sha256 = %(state)s, browser_sha256 = %(browser)s, verifier = %(verifier)s,
  account = coalesce(account, %(account)s)
where id = %(id)s and expires_at > now() and (status = 'INVITED' or status = 'ASKED' and browser_sha256 = %(browser)s)"""

ANSWER_SQL = """
update zixly.oauth_states set status = 'ANSWERED'
where state_sha256 = %(state)s and browser_sha256 = %(browser)s and system = %(system)s and status = 'ASKED' and expires_at > now()
returning id"""

CHOOSE_SQL = """
update zixly.oauth_states set status = 'CHOOSING', tokens = %s, accounts = %s where id = %s and status = 'ANSWERED'"""

CHOSEN_SQL = """
update zixly.oauth_states set status = 'ANSWERED'
where id = %s and browser_sha256 = %s and status = 'CHOOSING' and expires_at > now() returning id"""

END_SQL = """
update zixly.oauth_states set status = %s, connection_ids = %s, reason = %s, message = %s, tokens = null, verifier = null where id = %s"""


@dataclass(frozen=True)
class Consent:
    """One consent, from the link to its end: INVITED, ASKED (at the vendor), ANSWERED, CHOOSING, then DONE or FAILED."""

    id: UUID
    tenant_id: UUID
    tenant: str
    tenant_name: str
    system: str
    account: str | None
    actor: str
    status: str
    expires_at: datetime
    is_late: bool
    verifier: bytes | None = field(default=None, repr=False)
    tokens: bytes | None = field(default=None, repr=False)
    browser_sha256: bytes | None = field(default=None, repr=False)
    accounts: Sequence[dict[str, Any]] = ()
    connection_ids: Sequence[UUID] = ()
    reason: str | None = None
    message: str | None = None

    @property
    def offered(self) -> list[Account]:
        """The accounts that a person chooses from."""
        return [Account(row["external_id"], row["name"]) for row in self.accounts]


def sha256(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def add_consent(rows: Rows, consent_id: UUID, *, tenant_id: UUID, system: str, account: str | None, actor: str, ticket: str) -> None:
    """Begin one, and forget what ended long ago."""
    rows.execute(FORGET_SQL, (KEPT,))
    rows.execute(ADD_SQL, (consent_id, tenant_id, system, account, actor, sha256(ticket), LIFETIME))
    note(rows, actor=actor, action="connection.invite", subject=consent_id, tenant_id=tenant_id, details={"system": system})


def consent_of(rows: Rows, consent_id: UUID) -> Consent | None:
    return one(rows, "s.id = %s", consent_id)


def consent_of_ticket(rows: Rows, ticket: str) -> Consent | None:
    return one(rows, "s.ticket_sha256 = %s", sha256(ticket))


def consent_of_state(rows: Rows, state: str) -> Consent | None:
    return one(rows, "s.state_sha256 = %s", sha256(state))


def one(rows: Rows, where: str, value: object) -> Consent | None:
    with rows.cursor(row_factory=class_row(Consent)) as cursor:
        return cursor.execute(SELECT_SQL + where, (value,)).fetchone()


def ask(rows: Rows, consent_id: UUID, *, state: str, browser: str, verifier: bytes | None, account: str | None) -> bool:
    """The person goes to the vendor. False when the link was used by another browser, or ended."""
    values = {"id": consent_id, "state": sha256(state), "browser": sha256(browser), "verifier": verifier, "account": account}
    return rows.execute(ASK_SQL, values).rowcount == 1


def take_answer(rows: Rows, *, state: str, browser: str, system: str) -> bool:
    """The vendor sent the person back. False when it is not this browser's consent at this system, was answered before, or ended;
    then nothing has changed, so whoever guesses cannot use up somebody's consent."""
    values = {"state": sha256(state), "browser": sha256(browser), "system": system}
    return rows.execute(ANSWER_SQL, values).fetchone() is not None


def offer(rows: Rows, consent_id: UUID, *, tokens: bytes, accounts: Sequence[Account]) -> None:
    """Keep the sealed tokens while the person chooses accounts."""
    offered = [{"external_id": account.external_id, "name": account.name} for account in accounts]
    rows.execute(CHOOSE_SQL, (tokens, Jsonb(offered), consent_id))


def take_choice(rows: Rows, consent_id: UUID, *, browser: str) -> bool:
    """The person chose. False when it is another browser, was done before, or ended."""
    return rows.execute(CHOSEN_SQL, (consent_id, sha256(browser))).fetchone() is not None


def end_done(rows: Rows, consent_id: UUID, connection_ids: Sequence[UUID]) -> None:
    rows.execute(END_SQL, ("DONE", list(connection_ids), None, None, consent_id))


def end_failed(rows: Rows, consent_id: UUID, *, reason: str, message: str) -> None:
    rows.execute(END_SQL, ("FAILED", [], reason, message, consent_id))
