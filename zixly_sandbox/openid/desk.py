"""What the provider remembers: its key, made at the start, and the codes that are on their way. Tokens are signed, not remembered."""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from zixly_sandbox.openid.people import SandboxPerson, person_of

ALGORITHM = "ES256"
AUDIENCE = "zixly-api"
CODE_SECONDS = 60
TOKEN_SECONDS = 600


@dataclass(frozen=True)
class Wish:
    """What a client asked for at the authorize address."""

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    scope: str


@dataclass(frozen=True)
class Issued:
    """A code that is on its way."""

    wish: Wish
    person: SandboxPerson
    ends_at: float


class OpenIdDesk:
    """One provider under `issuer`. A code is good once, for a minute, for whoever made its challenge."""

    def __init__(self, issuer: str, *, clock: Callable[[], float] = time.time) -> None:
        self.issuer = issuer
        self._clock = clock
        self._key = ECKey.generate_key("P-256", {"kid": secrets.token_hex(8), "use": "sig", "alg": ALGORITHM})
        self._codes: dict[str, Issued] = {}

    def key_set(self) -> Mapping[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}

    def code_for(self, wish: Wish, person: SandboxPerson) -> str:
        now = self._clock()
        self._codes = {code: one for code, one in self._codes.items() if one.ends_at > now}
        code = secrets.token_urlsafe(24)
        self._codes[code] = Issued(wish, person, now + CODE_SECONDS)
        return code

    def tokens_for(self, code: str, *, client_id: str, redirect_uri: str, verifier: str) -> Mapping[str, Any] | None:
        """The token endpoint's answer; None for a code that does not hold. Whoever tries has used it up."""
        issued = self._codes.pop(code, None)
        if issued is None or issued.ends_at <= self._clock():
            return None
        wish = issued.wish
        is_right = wish.client_id == client_id and wish.redirect_uri == redirect_uri
        if not is_right or not hmac.compare_digest(challenge_of(verifier), wish.challenge):
            return None
        person = issued.person
        profile = {"email": person.email, "email_verified": True, "name": person.name, "nonce": wish.nonce}
        return {
            "id_token": self._signed("JWT", sub=person.subject, aud=client_id, **profile),
            "access_token": self._signed("at+jwt", sub=person.subject, aud=AUDIENCE, client_id=client_id, scope=wish.scope),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": wish.scope,
        }

    def person_with(self, access_token: str) -> SandboxPerson | None:
        """Whose access token this is."""
        try:
            claims = jwt.decode(access_token, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        is_good = claims.get("aud") == AUDIENCE and claims.get("exp", 0) > self._clock()
        return person_of(str(claims.get("sub"))) if is_good else None

    def _signed(self, kind: str, **claims: Any) -> str:
        now = int(self._clock())
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": kind}
        told = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, {"iss": self.issuer, "iat": now, "exp": now + TOKEN_SECONDS, **told}, self._key, algorithms=[ALGORITHM])


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
