"""Browsers that are signed in. A session is a row: it ends when it is told to, after a day's work, or when nobody used it for an hour.

The cookie holds a random value and the row its hash, so that nobody who reads the table can go on with somebody's session.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from zixly_core.ids import new_id
from zixly_core.openid.logout import SignedOut
from zixly_core.openid.tokens import LEEWAY
from zixly_core.stores.database import Rows
from zixly_core.stores.oauth_states import sha256

LIFETIME = timedelta(hours=12)
IDLE = timedelta(hours=1)
# A session's last use is written down at most so often.
NOTED_EVERY = timedelta(minutes=1)
# Ended ones stay for a day, for whoever asks what became of them.
KEPT = timedelta(days=1)

FORGET_SQL = "delete from zixly.sessions where expires_at < now() - %s::interval"
BEGIN_SQL = "insert into zixly.sessions (id, token_sha256, user_id, sid_sha256, expires_at) values (%s, %s, %s, %s, now() + %s)"
FIND_SQL = """
select s.id, user_id, name, last_seen_at < now() - %(noted)s::interval as is_to_note
from zixly.sessions s join zixly.users u on u.id = user_id
where token_sha256 = %(token)s and ended_at is null and expires_at > now() and last_seen_at > now() - %(idle)s::interval"""
NOTE_SQL = "update zixly.sessions set last_seen_at = now() where id = %s"
END_SQL = "update zixly.sessions set ended_at = now() where token_sha256 = %s and ended_at is null returning user_id"
# A session of which the provider did not tell its own is ended with the person's others. Clocks may differ by the leeway.
END_AT_PROVIDER_SQL = """
update zixly.sessions s set ended_at = now() from zixly.users u
where u.id = s.user_id and u.issuer = %(issuer)s and s.ended_at is null and s.created_at <= %(until)s
  and (%(subject)s::text is null or u.subject = %(subject)s)
  and (%(sid)s::bytea is null or s.sid_sha256 = %(sid)s or (s.sid_sha256 is null and %(subject)s::text is not null))
returning s.user_id"""
END_ALL_SQL = "update zixly.sessions set ended_at = now() where user_id = %s and ended_at is null and expires_at > now()"


@dataclass(frozen=True)
class Session:
    id: UUID
    user_id: UUID
    name: str = field(repr=False)
    """The person's."""


def begin_session(rows: Rows, user_id: UUID, *, sid: str | None = None) -> str:
    """The value for the cookie: always a new one, so that nobody can have put it there before. `sid` is the provider's own session."""
    token = secrets.token_urlsafe(32)
    rows.execute(FORGET_SQL, (KEPT,))
    rows.execute(BEGIN_SQL, (new_id(), sha256(token), user_id, sha256(sid) if sid else None, LIFETIME))
    return token


def session_of(rows: Rows, token: str) -> Session | None:
    """The session of a cookie's value, if it holds; its use is noted."""
    found = rows.execute(FIND_SQL, {"token": sha256(token), "noted": NOTED_EVERY, "idle": IDLE}).fetchone()
    if found is None:
        return None
    if found["is_to_note"]:
        rows.execute(NOTE_SQL, (found["id"],))
    return Session(found["id"], found["user_id"], found["name"])


def end_session(rows: Rows, token: str) -> UUID | None:
    """End it; whose it was, None when there was none."""
    found = rows.execute(END_SQL, (sha256(token),)).fetchone()
    return found["user_id"] if found else None


def end_sessions_at_provider(rows: Rows, over: SignedOut) -> list[UUID]:
    """End what the provider says is over: whose sessions these were."""
    sid = sha256(over.sid) if over.sid else None
    values = {"issuer": over.issuer, "subject": over.subject, "sid": sid, "until": over.at + LEEWAY}
    return [row["user_id"] for row in rows.execute(END_AT_PROVIDER_SQL, values)]


def end_sessions_of(rows: Rows, user_id: UUID) -> int:
    """End all sessions of a person, wherever they are; how many there were."""
    return rows.execute(END_ALL_SQL, (user_id,)).rowcount
