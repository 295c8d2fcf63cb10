"""Browsers on their way to the provider and back. Each way can be gone once, in time, by the browser that began it.

State (travels by the provider) and browser (a cookie) are random; only their hashes are kept. What the provider must not be told before
the end, and nobody else at all (the code verifier), is computed from both and kept nowhere.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta

from zixly_core.stores.database import Rows
from zixly_core.stores.oauth_states import sha256

# Long enough to find one's second factor.
LIFETIME = timedelta(minutes=10)
# Somebody who has the state but not the cookie may try so often; then the way is closed.
MAX_STRANGERS = 3
KEPT = timedelta(hours=1)

FORGET_SQL = "delete from zixly.sign_ins where created_at < now() - %s::interval"
BEGIN_SQL = "insert into zixly.sign_ins (state_sha256, browser_sha256, place) values (%s, %s, %s)"
ANSWER_SQL = """
update zixly.sign_ins set status = 'ANSWERED'
where state_sha256 = %(state)s and browser_sha256 = %(browser)s and status = 'BEGUN' and created_at > now() - %(lifetime)s::interval
returning place"""
STRANGER_SQL = """
update zixly.sign_ins set strangers = strangers + 1, status = case when strangers + 1 >= %s then 'REFUSED' else status end
where state_sha256 = %s and status = 'BEGUN'"""
END_SQL = "update zixly.sign_ins set status = %s where state_sha256 = %s"


@dataclass(frozen=True)
class Way:
    """One way to the provider and back: what only the browser that goes it can know."""

    state: str
    browser: str

    @property
    def verifier(self) -> str:
        """Of the code challenge (RFC 7636)."""
        return self._derived("verifier")

    @property
    def nonce(self) -> str:
        """What the ID token must repeat."""
        return self._derived("nonce")

    def _derived(self, purpose: str) -> str:
        digest = hmac.digest(self.browser.encode(), f"{purpose} {self.state}".encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def begin_way(rows: Rows, way: Way, *, place: str) -> None:
    """Note that a browser leaves; `place` is where it goes on afterwards."""
    rows.execute(FORGET_SQL, (KEPT,))
    rows.execute(BEGIN_SQL, (sha256(way.state), sha256(way.browser), place))


def take_way(rows: Rows, way: Way) -> str | None:
    """A browser came back: where it goes on. None when it is not the one that left, came back before, or came too late.

    A stranger uses up nobody's way, unless he comes again and again.
    """
    values = {"state": sha256(way.state), "browser": sha256(way.browser), "lifetime": LIFETIME}
    found = rows.execute(ANSWER_SQL, values).fetchone()
    if found is None:
        rows.execute(STRANGER_SQL, (MAX_STRANGERS, sha256(way.state)))
        return None
    return str(found["place"])


def end_way(rows: Rows, way: Way, *, is_signed_in: bool) -> None:
    rows.execute(END_SQL, ("SIGNED_IN" if is_signed_in else "REFUSED", sha256(way.state)))
