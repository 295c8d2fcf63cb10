"""OAuth 2 at a vendor: the link to its consent page, and tokens for codes and refresh tokens. Authlib over our shared HTTP client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx2
from authlib.integrations.httpx_client import OAuth2ClientAuth, OAuthError
from authlib.oauth2.client import OAuth2Client

from zixly_core.errors import Disconnected, Permanent, Transient
from zixly_core.http_errors import failure_of
from zixly_core.token_store import TokenSet

# Of an access token whose answer does not tell: short enough to be true, long enough not to exchange for each call.
ASSUMED_LIFETIME = timedelta(minutes=10)

# RFC 6749, section 5.2, and what vendors answer when they cannot tell.
TEMPORARY_ERRORS = {"server_error", "temporarily_unavailable", "slow_down"}

# Shopify's endpoints are the shop's own; in their URLs this stands for the account.
ACCOUNT_PLACE = "{shop}"


@dataclass(frozen=True)
class OAuthApp:
    """Our app at a vendor: where people allow it what, and how it proves itself at the token endpoint."""

    system: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    proof: Literal["client_secret_basic", "client_secret_post", "json"]
    """`json`: credentials and everything else in a JSON body instead of a form."""
    reread_secret: Callable[[], str] | None = field(default=None, repr=False)
    """Gives the client secret as it is now, where it may have been changed since this was made."""
    authorize_url: str = ""
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    uses_pkce: bool = False
    """Whether the vendor takes a code challenge (RFC 7636); only S256 is used."""
    code_parameters: Mapping[str, str] = field(default_factory=dict)
    """What is sent with a code beside the standard's own parameters."""


@dataclass(frozen=True)
class Granted:
    """What a vendor gave for a code: the tokens, and the rest of its answer, which may name the account."""

    tokens: TokenSet
    answer: Mapping[str, Any] = field(repr=False)


class TokenExchange:
    """Exchanges codes and refresh tokens for one app. Safe to share between threads. Each request is sent once: its answer decides.

    All methods raise `Disconnected` for `invalid_grant` (a person has to authorise again), `Transient` when another try may help,
    `Permanent` when the app itself is refused.
    """

    def __init__(self, http: httpx2.Client, app: OAuthApp) -> None:
        self._http = http
        self._app = app

    def refreshed(self, tokens: TokenSet, *, account: str, now: datetime) -> TokenSet:
        """A new pair for a refresh token. Vendors that keep it in use leave it out of the answer; it is kept then."""
        if tokens.is_app_own:
            return self.own(account=account, now=now)
        answer = self._asked(lambda client, url: client.refresh_token(url, refresh_token=tokens.refresh_token), account=account)
        return token_set(answer, now=now)

    def own(self, *, account: str, now: datetime) -> TokenSet:
        """A token for the app's own credentials, in an account of the app's owner; there is no refresh token."""
        answer = self._asked(lambda client, url: client.fetch_token(url, grant_type="client_credentials"), account=account)
        tokens = token_set(answer, now=now)
        return TokenSet(tokens.access_token, None, tokens.expires_at, is_app_own=True)

    def redeemed(self, code: str, *, account: str, redirect_uri: str, verifier: str | None, now: datetime) -> Granted:
        """The first pair, for the code that a person's consent gave. `verifier` is what the code challenge was made from."""
        parameters = {"code": code, "redirect_uri": redirect_uri, **self._app.code_parameters}
        if verifier is not None:
            parameters["code_verifier"] = verifier
        answer = self._asked(
            lambda client, url: client.fetch_token(url, grant_type="authorization_code", **parameters),
            account=account,
            operation="exchange an authorisation code",
        )
        return Granted(token_set(answer, now=now), answer)

    def consent_url(self, *, account: str, redirect_uri: str, state: str, verifier: str | None) -> str:
        """The vendor's page where a person allows our app what it asks for."""
        url, _ = self._authlib_client().create_authorization_url(
            of_account(self._app.authorize_url, account),
            state=state,
            code_verifier=verifier,
            redirect_uri=redirect_uri,
            scope=self._app.scope_separator.join(self._app.scopes),
        )
        return str(url)

    def _asked(
        self, ask: Callable[[OAuth2Client, str], Mapping[str, Any]], *, account: str, operation: str = "exchange a refresh token"
    ) -> Mapping[str, Any]:
        system = self._app.system
        try:
            return self._answered(ask, of_account(self._app.token_url, account), operation=operation)
        except OAuthError as error:
            raise refusal(error, system=system, operation=operation) from None  # its text may repeat what was sent
        except httpx2.HTTPError as error:
            raise failure_of(error, system=system, operation=operation) from error
        except ValueError:
            text = f"{system}'s answer could not be read when asked to {operation}; it is tried again."
            raise Transient(text, reason="unreadable_answer") from None

    def _answered(self, ask: Callable[[OAuth2Client, str], Mapping[str, Any]], url: str, *, operation: str) -> Mapping[str, Any]:
        """A refused client secret is looked up anew, and if it was changed the request is sent once more."""
        try:
            return ask(self._authlib_client(operation), url)
        except OAuthError as error:
            if error.error != "invalid_client" or not self._has_new_secret():
                raise
            return ask(self._authlib_client(operation), url)

    def _has_new_secret(self) -> bool:
        before = self._app.client_secret
        if self._app.reread_secret is not None:
            self._app = replace(self._app, client_secret=self._app.reread_secret())
        return self._app.client_secret != before

    def _authlib_client(self, operation: str = "") -> OAuth2Client:
        """Authlib's client keeps the last token in itself, so each exchange has its own; connections are shared."""
        is_json = self._app.proof == "json"
        client = SharedConnectionsClient(
            JsonBodies(self._http, self._app) if is_json else self._http,
            client_id=self._app.client_id,
            client_secret=self._app.client_secret,
            token_endpoint_auth_method="none" if is_json else self._app.proof,
            code_challenge_method="S256" if self._app.uses_pkce else None,
        )

        def answer_to_read(answer: httpx2.Response) -> httpx2.Response:
            """Only a success and the refusals of RFC 6749 (400, 401) are read as OAuth; the others are failures of the call."""
            if answer.is_success or answer.status_code in {400, 401}:
                return answer
            raise failure_of(answer, system=self._app.system, operation=operation)

        client.register_compliance_hook("refresh_token_response", answer_to_read)
        client.register_compliance_hook("access_token_response", answer_to_read)
        return client


class SharedConnectionsClient(OAuth2Client):  # type: ignore[misc]  # Authlib ships no types
    """Authlib's OAuth client over an HTTP client of ours."""

    client_auth_class = OAuth2ClientAuth
    oauth_error_class = OAuthError


class JsonBodies:
    """Sends what Authlib would send as a form as a JSON body, with the app's credentials in it, as Shopify's own client does."""

    def __init__(self, http: httpx2.Client, app: OAuthApp) -> None:
        self._http = http
        self._app = app

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: object) -> httpx2.Response:
        """`headers` and `auth` are those of a form, and are left out."""
        body = {"client_id": self._app.client_id, "client_secret": self._app.client_secret, **data}
        return self._http.post(url, json=body, headers={"Accept": "application/json"})


def of_account(url: str, account: str) -> str:
    return url.replace(ACCOUNT_PLACE, account)


def refusal(error: OAuthError, *, system: str, operation: str) -> Disconnected | Permanent | Transient:
    """What the token endpoint's error means (RFC 6749, section 5.2). HubSpot's dead refresh token is `invalid_grant` too."""
    word = str(error.error)
    if word == "invalid_grant":
        return Disconnected(f"{system} no longer takes the authorisation (invalid_grant); connect the account again.")
    if word in TEMPORARY_ERRORS:
        return Transient(f"{system} cannot exchange tokens now ({word}); it is tried again.", reason="vendor_unavailable")
    known = word if word.replace("_", "").isalpha() and len(word) <= 40 else "an unknown error"
    text = f"{system} refuses our app when asked to {operation} ({known}): check its client id and secret in the settings."
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
