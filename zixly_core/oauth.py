"""The exchange of OAuth 2 tokens at a vendor's token endpoint, done by Authlib over our shared HTTP client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx2
from authlib.integrations.httpx_client import OAuth2ClientAuth, OAuthError
from authlib.oauth2.client import OAuth2Client

from zixly_core.errors import Disconnected, Permanent, Transient
from zixly_core.http_errors import failure_of
from zixly_core.token_store import TokenSet

OPERATION = "exchange a refresh token"

# Of an access token whose answer does not tell: short enough to be true, long enough not to exchange for each call.
ASSUMED_LIFETIME = timedelta(minutes=10)

# RFC 6749, section 5.2, and what vendors answer when they cannot tell.
TEMPORARY_ERRORS = {"server_error", "temporarily_unavailable", "slow_down"}


@dataclass(frozen=True)
class OAuthApp:
    """Our app at a vendor: how it proves itself at the token endpoint."""

    system: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    proof: Literal["client_secret_basic", "client_secret_post"]


class TokenExchange:
    """Exchanges refresh tokens for one app. Safe to share between threads."""

    def __init__(self, http: httpx2.Client, app: OAuthApp) -> None:
        self._http = http
        self._app = app

    def refreshed(self, tokens: TokenSet, *, now: datetime) -> TokenSet:
        """A new pair for a refresh token. Vendors that keep it in use leave it out of the answer; it is kept then.

        Raises `Disconnected` for `invalid_grant` (a person has to authorise again), `Transient` when another try may help,
        `Permanent` when the app itself is refused. The request is sent once: its answer decides.
        """
        try:
            answer = self._authlib_client().refresh_token(self._app.token_url, refresh_token=tokens.refresh_token)
        except OAuthError as error:
            raise refusal(error, system=self._app.system) from None  # its text may repeat what was sent
        except httpx2.HTTPError as error:
            raise failure_of(error, system=self._app.system, operation=OPERATION) from error
        except ValueError:
            text = f"{self._app.system}'s answer could not be read when asked to {OPERATION}; it is tried again."
            raise Transient(text, reason="unreadable_answer") from None
        return token_set(answer, now=now)

    def _authlib_client(self) -> OAuth2Client:
        """Authlib's client keeps the last token in itself, so each exchange has its own; connections are shared."""
        client = SharedConnectionsClient(
            self._http,
            client_id=self._app.client_id,
            client_secret=self._app.client_secret,
            token_endpoint_auth_method=self._app.proof,
        )
        client.register_compliance_hook("refresh_token_response", self._answer_to_read)
        return client

    def _answer_to_read(self, answer: httpx2.Response) -> httpx2.Response:
        """Only a success and the refusals of RFC 6749 (400, 401) are read as OAuth; the others are failures of the call."""
        if answer.is_success or answer.status_code in {400, 401}:
            return answer
        raise failure_of(answer, system=self._app.system, operation=OPERATION)


class SharedConnectionsClient(OAuth2Client):  # type: ignore[misc]  # Authlib ships no types
    """Authlib's OAuth client over an HTTP client of ours."""

    client_auth_class = OAuth2ClientAuth
    oauth_error_class = OAuthError


def refusal(error: OAuthError, *, system: str) -> Disconnected | Permanent | Transient:
    """What the token endpoint's error means (RFC 6749, section 5.2). HubSpot's dead refresh token is `invalid_grant` too."""
    word = str(error.error)
    if word == "invalid_grant":
        return Disconnected(f"{system} no longer takes the refresh token (invalid_grant); connect the account again.")
    if word in TEMPORARY_ERRORS:
        return Transient(f"{system} cannot exchange tokens now ({word}); it is tried again.", reason="vendor_unavailable")
    known = word if word.replace("_", "").isalpha() and len(word) <= 40 else "an unknown error"
    text = f"{system} refuses our app when asked to {OPERATION} ({known}): check its client id and secret in the settings."
    return Permanent(text, reason="app_refused")


def token_set(answer: Mapping[str, Any], *, now: datetime) -> TokenSet:
    """The pair in a token endpoint's answer; its lifetime counts from `now`, the moment before it was asked."""
    access_token, refresh_token = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access_token, str) or not access_token:
        raise Transient("A token endpoint answered without an access token; it is tried again.", reason="unreadable_answer")
    return TokenSet(access_token, str(refresh_token) if refresh_token else None, now + lifetime_of(answer))


def lifetime_of(answer: Mapping[str, Any]) -> timedelta:
    """`expires_in`, in seconds. It may be left out (RFC 6749, section 5.1), and a new pair is never thrown away for its sake."""
    try:
        return timedelta(seconds=int(answer["expires_in"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return ASSUMED_LIFETIME
