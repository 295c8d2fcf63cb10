"""One OpenID Connect provider: what it offers (its discovery document), where people sign in, what a code is redeemed for.

Authlib speaks OAuth, our shared HTTP client carries it. Nothing here is kept about people.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import orjson
from authlib.integrations.httpx_client import OAuthError
from pydantic import BaseModel, ValidationError

from zixly_core.errors import Permanent, Rejected, Transient, ZixlyError
from zixly_core.oauth import SharedConnectionsClient
from zixly_core.openid.keys import ProviderKeys

DISCOVERY_PATH = "/.well-known/openid-configuration"
FRESH_SECONDS = 3_600.0
PAUSE_SECONDS = 5.0
TIMEOUT_SECONDS = 5.0
MAX_BYTES = 200_000
SCOPES = "openid email profile"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Discovery(BaseModel):
    """What we read of a discovery document (openid.net/specs/openid-connect-discovery-1_0.html, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False
    zixly_sandbox: bool = False
    """Only our own stand-in says so."""

    @property
    def addresses(self) -> list[str]:
        known = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri, self.userinfo_endpoint, self.end_session_endpoint)
        return [one for one in known if one is not None]


@dataclass(frozen=True)
class Client:
    """Our registration at the provider. Without a secret it is a public one, which the code challenge alone protects."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False, default=None)


@dataclass(frozen=True)
class Redeemed:
    """What a code was worth."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False, default=None)


class CodeRefused(Rejected):
    """The provider takes the code from nobody (any more)."""

    default_reason = "code_refused"


class Provider:
    """Safe to share between threads. Methods raise `Transient` while the provider is away, `Permanent` when it or we are set up wrongly."""

    def __init__(
        self, client: Client, http: Callable[[], httpx2.Client], *, is_production: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._http = http
        self._is_production = is_production
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Discovery | None = None
        self._asked_at = float("-inf")
        self.keys = ProviderKeys(self._key_set, clock=clock)

    @property
    def issuer(self) -> str:
        return self._client.issuer

    @property
    def client_id(self) -> str:
        return self._client.client_id

    def discovery(self) -> Discovery:
        """The document, at most an hour old, or the last one known while the provider is away."""
        with self._lock:
            wait = FRESH_SECONDS if self._known else PAUSE_SECONDS
            if self._clock() - self._asked_at >= wait:
                self._asked_at = self._clock()
                self._known = self._fetched_discovery() or self._known
            if self._known is None:
                raise Transient("The sign-in provider could not be reached; try again in a few seconds.", reason="provider_away")
            return self._known

    def _fetched_discovery(self) -> Discovery | None:
        url = self.issuer.rstrip("/") + DISCOVERY_PATH
        try:
            found = Discovery.model_validate(self._document(url))
        except Transient:
            return None
        except ValidationError:
            raise Permanent(f"{url} is no discovery document that we can use.", reason="provider_wrong") from None
        if found.issuer != self.issuer:
            text = "The provider calls itself by another name than ZIXLY_OIDC_ISSUER does (a slash at the end counts)."
            raise Permanent(text, reason="provider_wrong")
        refuse_unsafe(found, is_production=self._is_production)
        return found

    def sign_in_url(self, *, state: str, nonce: str, verifier: str, redirect_uri: str) -> str:
        """Where the browser goes: code flow, with a code challenge (S256)."""
        url, _ = self._oauth().create_authorization_url(
            self.discovery().authorization_endpoint,
            state=state,
            nonce=nonce,
            code_verifier=verifier,
            redirect_uri=redirect_uri,
            scope=SCOPES,
        )
        return str(url)

    def redeemed(self, code: str, *, verifier: str, redirect_uri: str) -> Redeemed:
        """The tokens for a code. Raises `CodeRefused` for one that does not hold."""
        try:
            answer = self._oauth().fetch_token(
                self.discovery().token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=redirect_uri,
                timeout=TIMEOUT_SECONDS,
            )
        except OAuthError as error:
            raise refusal(str(error.error)) from None  # its text may repeat what was sent
        except (httpx2.HTTPError, ValueError):
            raise Transient("The sign-in provider could not be reached; sign in again.", reason="provider_away") from None
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str):
            raise Permanent("The provider answered without an ID token; is it an OpenID Connect provider?", reason="provider_wrong")
        return Redeemed(id_token, access_token if isinstance(access_token, str) else None)

    def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """What the provider says of the person beside the ID token; empty where it offers nothing."""
        url = self.discovery().userinfo_endpoint
        return self._document(url, authorization=f"Bearer {access_token}") if url else {}

    def sign_out_url(self, *, back_to: str, hint: str | None = None) -> str | None:
        """Where the browser ends its session at the provider (RP-initiated logout), if the provider has such a place. With the ID token
        as a hint it knows whose, and most ask nothing."""
        url = self.discovery().end_session_endpoint
        if url is None:
            return None
        hinted = {"id_token_hint": hint} if hint else {}
        query = urlencode({"client_id": self.client_id, "post_logout_redirect_uri": back_to, **hinted})
        return f"{url}{'&' if urlsplit(url).query else '?'}{query}"

    def _key_set(self) -> Mapping[str, Any]:
        return self._document(self.discovery().jwks_uri)

    def _document(self, url: str, **headers: str) -> Mapping[str, Any]:
        """A JSON object from the provider. Raises `Transient`."""
        try:
            answer = self._http().get(url, headers={"accept": "application/json", **headers}, timeout=TIMEOUT_SECONDS)
            document = orjson.loads(answer.content) if answer.is_success and len(answer.content) <= MAX_BYTES else None
        except (httpx2.HTTPError, httpx2.InvalidURL, orjson.JSONDecodeError):
            document = None
        if not isinstance(document, dict):
            raise Transient("The sign-in provider could not be reached; try again in a few seconds.", reason="provider_away")
        return document

    def _oauth(self) -> SharedConnectionsClient:
        """Authlib's client keeps the last token in itself, so each exchange has its own; connections are shared."""
        return SharedConnectionsClient(
            self._http(),
            client_id=self.client_id,
            client_secret=self._client.client_secret,
            token_endpoint_auth_method=self._proof(),
            code_challenge_method="S256",
        )

    def _proof(self) -> str:
        if self._client.client_secret is None:
            return "none"
        offered = self.discovery().token_endpoint_auth_methods_supported
        return "client_secret_basic" if "client_secret_basic" in offered or "client_secret_post" not in offered else "client_secret_post"


def refuse_unsafe(found: Discovery, *, is_production: bool) -> None:
    """Everything over TLS, but for a provider on this machine while developing. Raises `Permanent`."""
    if is_production and found.zixly_sandbox:
        raise Permanent("ZIXLY_OIDC_ISSUER is the sandbox's provider, where anybody is whom he likes.", reason="provider_wrong")
    for address in found.addresses:
        try:
            parts = urlsplit(address)
        except ValueError:
            raise Permanent("The provider of ZIXLY_OIDC_ISSUER names an address that is none.", reason="provider_wrong") from None
        if parts.scheme != "https" and (is_production or parts.scheme != "http" or parts.hostname not in LOOPBACK):
            raise Permanent("The provider of ZIXLY_OIDC_ISSUER has an address without TLS.", reason="provider_wrong")


def refusal(word: str) -> ZixlyError:
    """What the token endpoint's error means (RFC 6749, section 5.2)."""
    if word == "invalid_grant":
        return CodeRefused("The provider takes this code no more; sign in again.")
    if word in {"server_error", "temporarily_unavailable", "slow_down"}:
        return Transient("The sign-in provider cannot answer now; sign in again.", reason="provider_away")
    return Permanent("The provider refuses us: check ZIXLY_OIDC_CLIENT_ID and ZIXLY_OIDC_CLIENT_SECRET.", reason="client_refused")
