"""OAuth 2 at a vendor: codes, access tokens that run out, refresh tokens that are replaced on use.

Tokens carry what they mean and are signed, so they stay good when the sandbox is started again, as a vendor's would; only what
was revoked is forgotten then.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from zixly_core.signatures import hmac_base64, is_signed_by_any
from zixly_sandbox.clock import Clock

# Signs tokens of the sandbox only, which guard made-up data.
SIGNING_KEY = b"zixly sandbox tokens"
JWT_HEAD = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
CODE_SECONDS = 300


class InvalidGrant(Exception):
    """The refresh token or code is unknown, used up, too old or revoked: a person has to authorise again."""


class TokenRefused(Exception):
    """The access token is unknown or has run out."""


@dataclass
class Grant:
    """What a person allowed: access to some accounts. `generation` counts the refresh tokens handed out for it."""

    key: str
    accounts: tuple[str, ...]
    generation: int = 0
    epoch: int = 0
    """Access tokens of an earlier epoch are no longer taken."""
    revoked: bool = False
    scope: str = ""
    replaced_at: dict[int, float] = field(default_factory=dict)
    newest_used: int = -1
    """The newest generation that was exchanged."""


@dataclass(frozen=True)
class TokenPair:
    """An answer of the token endpoint."""

    access_token: str
    refresh_token: str
    expires_in: int
    accounts: tuple[str, ...]
    scope: str = ""


@dataclass(frozen=True)
class Code:
    """An authorization code, good once and for five minutes."""

    accounts: tuple[str, ...]
    redirect_uri: str
    challenge: str | None
    until: float
    scope: str


@dataclass(frozen=True)
class TokenPolicy:
    """How a vendor does it; read on each use, since the rules may change."""

    access_token_seconds: Callable[[], float]
    unused_refresh_token_seconds: Callable[[], float]
    replaced_refresh_token_seconds: Callable[[], float]
    rotates: bool
    """Whether each refresh gives a new refresh token."""
    ends_when_next_is_used: bool = False
    """Whether a replaced refresh token ends as soon as a newer one is used."""


class TokenOffice:
    """Issues and checks the tokens of one vendor. `first` are refresh tokens that exist from the start, with their accounts."""

    def __init__(self, *, clock: Clock, policy: TokenPolicy, first: Mapping[str, tuple[str, ...]]) -> None:
        self._clock = clock
        self._policy = policy
        self._first = dict(first)
        self._started = clock.seconds()
        self._grants: dict[str, Grant] = {text: Grant(text, accounts) for text, accounts in first.items()}
        self._codes: dict[str, Code] = {}
        self._known: dict[str, tuple[Grant, int, float]] = {}

    def refreshed(self, refresh_token: str) -> TokenPair:
        """A new pair. A replaced token works a while longer, for a caller that lost the answer. Raises `InvalidGrant`."""
        grant, generation, issued_at = self._refresh_claims(refresh_token)
        now = self._clock.seconds()
        replaced_at = grant.replaced_at.get(generation)
        if grant.revoked or now - issued_at > self._policy.unused_refresh_token_seconds():
            raise InvalidGrant
        if replaced_at is not None and now - replaced_at > self._policy.replaced_refresh_token_seconds():
            raise InvalidGrant
        if replaced_at is None and generation < grant.generation:
            raise InvalidGrant
        if self._policy.ends_when_next_is_used and generation < grant.newest_used:
            raise InvalidGrant
        grant.newest_used = max(grant.newest_used, generation)
        if not self._policy.rotates:
            return self._pair(grant, refresh_token=refresh_token)
        grant.replaced_at.setdefault(generation, now)
        grant.replaced_at.setdefault(grant.generation, now)
        grant.generation = max(grant.generation, generation) + 1
        return self._pair(grant)

    def authorised(self, accounts: tuple[str, ...], *, scope: str = "") -> TokenPair:
        """A first pair, as after a person said yes."""
        grant = Grant(secrets.token_hex(8), accounts, scope=scope)
        self._grants[grant.key] = grant
        return self._pair(grant)

    def lone_access(self, accounts: tuple[str, ...], *, seconds: float) -> TokenPair:
        """An access token that lives so long, without a refresh token (its text is empty)."""
        grant = Grant(secrets.token_hex(8), accounts)
        self._grants[grant.key] = grant
        return replace(self._pair(grant, seconds=seconds), refresh_token="")

    def code_for(self, accounts: tuple[str, ...], *, redirect_uri: str, challenge: str | None, scope: str = "") -> str:
        code = secrets.token_urlsafe(32)
        self._codes[code] = Code(accounts, redirect_uri, challenge, self._clock.seconds() + CODE_SECONDS, scope)
        return code

    def redeemed(self, code: str, *, redirect_uri: str, verifier: str | None) -> TokenPair:
        """The pair for a code. Raises `InvalidGrant`; a code is gone after the first try."""
        found = self._codes.pop(code, None)
        if found is None or found.redirect_uri != redirect_uri or found.until < self._clock.seconds():
            raise InvalidGrant
        if found.challenge is not None and found.challenge != challenge_of(verifier or ""):
            raise InvalidGrant
        return self.authorised(found.accounts, scope=found.scope)

    def accounts_of(self, access_token: str) -> tuple[str, ...]:
        """What the token reaches. Raises `TokenRefused`."""
        return self.grant_of(access_token).accounts

    def grant_of(self, access_token: str) -> Grant:
        """What the token was given for. Raises `TokenRefused`."""
        known = self._known.get(access_token)
        if known is None:
            known = self._access_claims(access_token)
            self._known[access_token] = known
        grant, epoch, until = known
        if epoch < grant.epoch or until <= self._clock.seconds():
            self._known.pop(access_token, None)
            raise TokenRefused
        return grant

    def let_go(self, grant: Grant, account: str) -> None:
        """Take one account out of a grant; its tokens go on reaching the others."""
        grant.accounts = tuple(item for item in grant.accounts if item != account)

    def expire_access(self, account: str | None = None) -> int:
        """End the access tokens of an account, or all, now; their number of grants."""
        grants = [grant for grant in self._grants.values() if account is None or account in grant.accounts]
        for grant in grants:
            grant.epoch += 1
        return len(grants)

    def revoke(self, account: str) -> int:
        """End all tokens of an account, as when a person disconnects the app; the number of grants."""
        grants = [grant for grant in self._grants.values() if account in grant.accounts]
        for grant in grants:
            grant.revoked = True
            grant.epoch += 1
        return len(grants)

    def disconnect(self, account: str) -> int:
        """Take an account out of every grant, whose tokens go on reaching the others; the number of grants."""
        grants = [grant for grant in self._grants.values() if account in grant.accounts]
        for grant in grants:
            self.let_go(grant, account)
        return len(grants)

    def revoke_token(self, refresh_token: str) -> None:
        """End the grant of a refresh token. Raises `InvalidGrant` when it is unknown."""
        grant = self._refresh_claims(refresh_token)[0]
        grant.revoked = True
        grant.epoch += 1

    def _pair(self, grant: Grant, *, refresh_token: str | None = None, seconds: float | None = None) -> TokenPair:
        now = self._clock.seconds()
        lifetime = int(self._policy.access_token_seconds() if seconds is None else seconds)
        about = {"grant": grant.key, "accounts": grant.accounts, "scope": grant.scope, "jti": secrets.token_hex(8), "iat": int(now)}
        access = signed({**about, "use": "access", "epoch": grant.epoch, "exp": now + lifetime})
        refresh = refresh_token or signed({**about, "use": "refresh", "generation": grant.generation, "iat": now})
        return TokenPair(access, refresh, lifetime, grant.accounts, grant.scope)

    def _refresh_claims(self, token: str) -> tuple[Grant, int, float]:
        """Grant, generation and issue time of a refresh token."""
        if token in self._first:
            return self._grants[token], 0, self._started
        claims = claims_of(token)
        if claims is None or claims["use"] != "refresh":
            raise InvalidGrant
        grant = self._grant_of(claims)
        # Higher than known: handed out before the sandbox was started again.
        grant.generation = max(grant.generation, claims["generation"])
        return grant, claims["generation"], claims["iat"]

    def _access_claims(self, token: str) -> tuple[Grant, int, float]:
        """Grant, epoch and end of an access token."""
        claims = claims_of(token)
        if claims is None or claims["use"] != "access":
            raise TokenRefused
        return self._grant_of(claims), claims["epoch"], claims["exp"]

    def _grant_of(self, claims: Mapping[str, Any]) -> Grant:
        key = claims["grant"]
        if key not in self._grants:
            self._grants[key] = Grant(key, tuple(claims["accounts"]), scope=claims.get("scope", ""))
        return self._grants[key]


def signed(claims: Mapping[str, Any]) -> str:
    """The claims as a JSON Web Token."""
    body = urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return f"{JWT_HEAD}.{body}.{seal_of(body)}"


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a token that `signed` made; None for any other text."""
    head, _, rest = token.partition(".")
    body, _, seal = rest.partition(".")
    if head != JWT_HEAD or not seal.isascii() or not is_signed_by_any(seal, [seal_of(body)]):
        return None
    claims: dict[str, Any] = orjson.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def seal_of(body: str) -> str:
    return hmac_base64(SIGNING_KEY, f"{JWT_HEAD}.{body}".encode()).translate({43: "-", 47: "_", 61: None})


def challenge_of(verifier: str) -> str:
    """RFC 7636, method S256."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
