"""Tokens of a provider, checked: signature, algorithm, issuer, audience, time. Text and keys in, claims or `TokenRefused` out; no I/O.

Rules: openid.net/specs/openid-connect-core-1_0.html section 3.1.3.7 for ID tokens, RFC 9068 section 4 for access tokens, RFC 8725 for both.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson
from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, ExpiredTokenError, JoseError, MissingClaimError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from zixly_core.errors import Rejected

# Signed with a private key each. HMAC is not among them: its key would be the provider's public one to whoever tries.
# EdDSA is Ed25519's older name (RFC 9864): of its curves only that one's keys are taken (keys.py).
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
# Two machines' clocks may differ by so much.
LEEWAY = timedelta(seconds=30)
MAX_CHARS = 8_000
# Words in the header that say what a token is for (RFC 9068, section 2.1); providers that follow no standard say JWT or nothing.
ACCESS_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
# Claims that only ID tokens have.
ID_TOKEN_MARKS = frozenset({"nonce", "at_hash", "c_hash"})

CLAIM_REASONS: Mapping[str, str] = {
    "iss": "wrong_issuer",
    "aud": "wrong_audience",
    "exp": "expired",
    "nbf": "not_yet_valid",
    "iat": "not_yet_valid",
    "nonce": "wrong_nonce",
    "azp": "wrong_audience",
}


class Taken(JWSRegistry):
    """The algorithms that we take, and no other."""

    def get_alg(self, name: str) -> JWSAlgModel:
        """Without the library's warning about EdDSA, which is about its other curve."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not taken")
        return self.algorithms[name]


TAKEN = Taken(algorithms=list(ALGORITHMS))


class TokenRefused(Rejected):
    """A token that does not hold. `reason` says why; neither it nor the message repeats any of the token."""

    default_reason = "malformed_token"


class Keys(Protocol):
    def key(self, kid: str | None) -> Key | None:
        """The provider's key with this name, or its only one when none is named."""


@dataclass(frozen=True)
class Claims:
    """What a token says that holds."""

    issuer: str
    subject: str = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)

    @property
    def sid(self) -> str | None:
        """The provider's own session, where it names it: with it the provider tells us later that it is over."""
        sid = self.values.get("sid")
        return sid if isinstance(sid, str) and sid else None

    @property
    def verified_email(self) -> str | None:
        return verified_email(self.values)


def looks_like_token(text: str) -> bool:
    return text.count(".") == 2


def checked_id_token(text: str, keys: Keys, *, issuer: str, client_id: str, nonce: str, now: datetime) -> Claims:
    """The claims of an ID token that was made for this client and this sign-in. Raises `TokenRefused`, and what `keys` raises."""
    token = verified(text, keys)
    rules = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(LEEWAY.total_seconds()),
        iss={"essential": True, "value": issuer},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    check(rules, token.claims)
    parties = token.claims["aud"]
    if token.claims.get("azp", client_id) != client_id or (isinstance(parties, list) and len(parties) > 1 and "azp" not in token.claims):
        raise refused("wrong_audience")
    return Claims(issuer, token.claims["sub"], token.claims)


def checked_access_token(text: str, keys: Keys, *, issuer: str, audience: str, now: datetime) -> Claims:
    """The claims of an access token that was made for our API. Raises `TokenRefused`, and what `keys` raises."""
    token = verified(text, keys)
    if str(token.header.get("typ", "")).lower() not in ACCESS_TYPES or not ID_TOKEN_MARKS.isdisjoint(token.claims):
        raise refused("not_an_access_token")
    rules = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(LEEWAY.total_seconds()),
        iss={"essential": True, "value": issuer},
        sub={"essential": True},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )
    check(rules, token.claims)
    return Claims(issuer, token.claims["sub"], token.claims)


def verified(text: str, keys: Keys) -> jwt.Token:
    """The token, if one of the provider's keys signed it by an algorithm that we take."""
    header = header_of(text)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise refused("wrong_algorithm")
    kid = header.get("kid")
    key = keys.key(kid if isinstance(kid, str) else None)
    if key is None:
        raise refused("unknown_key")
    if key.get("alg", algorithm) != algorithm:
        raise refused("wrong_algorithm")
    try:
        return jwt.decode(text, key, registry=TAKEN)
    except BadSignatureError:
        raise refused("bad_signature") from None
    except (JoseError, ValueError):
        raise refused("malformed_token") from None


def header_of(text: str) -> Mapping[str, Any]:
    if len(text) > MAX_CHARS or not looks_like_token(text):
        raise refused("malformed_token")
    encoded = text.partition(".")[0]
    try:
        header = orjson.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError:
        raise refused("malformed_token") from None
    if not isinstance(header, dict):
        raise refused("malformed_token")
    return header


def check(rules: jwt.JWTClaimsRegistry, claims: dict[str, Any]) -> None:
    try:
        rules.validate(claims)
    except MissingClaimError:
        raise refused("missing_claim") from None
    except ExpiredTokenError:
        raise refused("expired") from None
    except ClaimError as error:
        raise refused(CLAIM_REASONS.get(str(error.claim), "wrong_claim")) from None


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """The address, only if the provider says (as a JSON true, nothing else) that it is the person's own."""
    email = claims.get("email")
    return email if isinstance(email, str) and email and claims.get("email_verified") is True else None


def refused(reason: str) -> TokenRefused:
    return TokenRefused(WORDS[reason], reason=reason)


WORDS: Mapping[str, str] = {
    "malformed_token": "This is no token that can be read.",
    "wrong_algorithm": "The token is signed by an algorithm that is not taken.",
    "unknown_key": "The token is signed with a key that the provider does not publish.",
    "bad_signature": "The token's signature is wrong.",
    "wrong_issuer": "The token is another issuer's.",
    "wrong_audience": "The token was made for somebody else (setting ZIXLY_OIDC_AUDIENCE or ZIXLY_OIDC_CLIENT_ID).",
    "expired": "The token has expired; ask the provider for a new one.",
    "not_yet_valid": "The token is not valid yet; compare the clocks.",
    "wrong_nonce": "The token belongs to another sign-in.",
    "missing_claim": "The token lacks a claim that it must have.",
    "wrong_claim": "A claim of the token is wrong.",
    "not_a_logout_token": "This is no token that says that somebody signed out.",
    "not_an_access_token": "Send an access token; this is another kind of token.",
}
