"""A provider's word that somebody signed out there (OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6): checked, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt

from zixly_core.openid.tokens import LEEWAY, Keys, check, refused, verified

EVENT = "http://schemas.openid.net/event/backchannel-logout"
# Providers that follow no typing say JWT or nothing; one that is typed as another kind is not taken.
TYPES = frozenset({"", "jwt", "logout+jwt", "application/logout+jwt"})
# Such a token is sent at once, and again within minutes: an older one is somebody's copy.
OLDEST = timedelta(minutes=5)


@dataclass(frozen=True)
class SignedOut:
    """Whose sessions are over: the provider's session, all of a person, or that session of that person. What began after `at` goes on,
    so that a token which is sent twice ends nothing new."""

    issuer: str
    at: datetime
    subject: str | None = field(repr=False)
    sid: str | None = field(repr=False)


def checked_logout_token(text: str, keys: Keys, *, issuer: str, client_id: str, now: datetime) -> SignedOut:
    """Raises `TokenRefused`, and what `keys` raises."""
    token = verified(text, keys)
    if str(token.header.get("typ", "")).lower() not in TYPES or not says_so(token.claims):
        raise refused("not_a_logout_token")
    rules = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(LEEWAY.total_seconds()),
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        iat={"essential": True},
        jti={"essential": True},
    )
    check(rules, token.claims)
    issued = token.claims["iat"]  # any number: one that is far enough off is no date
    if now.timestamp() - issued > (OLDEST + LEEWAY).total_seconds():
        raise refused("expired")
    at = datetime.fromtimestamp(issued, UTC)
    return SignedOut(issuer, at, subject=text_in(token.claims, "sub"), sid=text_in(token.claims, "sid"))


def says_so(claims: dict[str, Any]) -> bool:
    """It names the event and whose it is, and has no nonce: that is how it differs from an ID token, which must never do here."""
    events = claims.get("events")
    is_event = isinstance(events, dict) and isinstance(events.get(EVENT), dict)
    return is_event and "nonce" not in claims and any(text_in(claims, name) for name in ("sub", "sid"))


def text_in(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None
