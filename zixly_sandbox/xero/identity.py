"""Xero's identity service (developer.xero.com/documentation/guides/oauth2/auth-flow/): authorize, token, revocation, and the
list of connected organisations."""

from __future__ import annotations

import binascii
from base64 import b64decode
from urllib.parse import unquote
from uuid import NAMESPACE_URL, uuid5

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.consent import chosen_accounts, consent_page, decision_of, is_address, sent_back
from zixly_sandbox.constants import APP
from zixly_sandbox.http import Answer, Call, header, json_answer
from zixly_sandbox.tokens import Grant, InvalidGrant, TokenPair, TokenRefused
from zixly_sandbox.xero.answers import not_found, problem
from zixly_sandbox.xero.desk import XeroDesk

SCOPES = "offline_access accounting.invoices accounting.payments accounting.contacts accounting.settings.read"
# Without it there is no refresh token (developer.xero.com/documentation/guides/oauth2/scopes).
OFFLINE = "offline_access"


class XeroIdentity:
    """The handlers; they are open endpoints, so each looks at the caller's proof itself."""

    def __init__(self, desk: XeroDesk) -> None:
        self._desk = desk

    def authorize(self, call: Call) -> Answer:
        """The consent page, where several organisations can be picked; back to the app after the answer."""
        query, names = call.query, self._names()
        redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
        if query.get("client_id") != APP.client_id or not is_address(redirect_uri) or query.get("response_type", "code") != "code":
            return oauth_error("invalid_request")
        if "code_challenge" in query and query.get("code_challenge_method") != "S256":
            return sent_back(redirect_uri, error="invalid_request", state=state)
        match decision_of(call):
            case "ask":
                return consent_page(call, vendor="Xero", app=APP.client_id, accounts=names, several=True)
            case "deny":
                return sent_back(redirect_uri, error="access_denied", state=state)
        accounts, scope = chosen_accounts(call, list(names), several=True), query.get("scope") or SCOPES
        if not accounts:
            return oauth_error("invalid_request")
        code = self._desk.tokens.code_for(accounts, redirect_uri=redirect_uri, challenge=query.get("code_challenge"), scope=scope)
        return sent_back(redirect_uri, code=code, scope=scope, state=state)

    def token(self, call: Call) -> Answer:
        """Exchange a code or a refresh token."""
        if not is_our_app(call):
            return oauth_error("invalid_client", status=401)
        try:
            return token_answer(self._granted(call.form()))
        except InvalidGrant:
            return oauth_error("invalid_grant")
        except (KeyError, ValueError):
            return oauth_error("invalid_request")

    def revocation(self, call: Call) -> Answer:
        """200 for unknown tokens too (RFC 7009)."""
        if not is_our_app(call):
            return oauth_error("invalid_client", status=401)
        try:
            self._desk.tokens.revoke_token(call.form().get("token", ""))
        except (InvalidGrant, ValueError):
            return Answer(200)
        return Answer(200)

    def connections(self, call: Call) -> Answer:
        """The organisations that the token reaches."""
        grant = self._grant(call)
        if isinstance(grant, Answer):
            return grant
        event = call.query.get("autheventid")
        if event is not None and event != event_id(grant):
            return json_answer([])
        return json_answer([self._connection(grant, account) for account in grant.accounts if account in self._desk.organisations])

    def disconnect(self, call: Call) -> Answer:
        """DELETE of a connection: the token no longer reaches that organisation, and goes on reaching the others."""
        grant = self._grant(call)
        if isinstance(grant, Answer):
            return grant
        account = next((item for item in grant.accounts if connection_id(item) == call.params["connection"].lower()), None)
        if account is None:
            return not_found()
        self._desk.tokens.let_go(grant, account)
        return Answer(204)

    def _grant(self, call: Call) -> Grant | Answer:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        try:
            return self._desk.tokens.grant_of(token if scheme.lower() == "bearer" else "")
        except TokenRefused:
            return problem("Unauthorized", status=401, detail="TokenExpired: token expired or not known")

    def _names(self) -> dict[str, str]:
        return {key: found.books.name for key, found in self._desk.organisations.items()}

    def _granted(self, form: dict[str, str]) -> TokenPair:
        match form["grant_type"]:
            case "refresh_token":
                return self._desk.tokens.refreshed(form["refresh_token"])
            case "authorization_code":
                return self._desk.tokens.redeemed(form["code"], redirect_uri=form["redirect_uri"], verifier=form.get("code_verifier"))
            case other:
                raise ValueError(other)

    def _connection(self, grant: Grant, account: str) -> dict[str, str]:
        at = iso_milliseconds(self._desk.clock.milliseconds()).removesuffix("Z")
        return {
            "id": connection_id(account),
            "authEventId": event_id(grant),
            "tenantId": account,
            "tenantType": "ORGANISATION",
            "tenantName": self._desk.organisations[account].books.name,
            "createdDateUtc": at,
            "updatedDateUtc": at,
        }


def connection_id(account: str) -> str:
    """A connection has an id of its own, which is not the organisation's."""
    return str(uuid5(NAMESPACE_URL, f"connection:{account}"))


def event_id(grant: Grant) -> str:
    """One authorisation by a person; `GET /connections?authEventId=` picks what it connected."""
    return str(uuid5(NAMESPACE_URL, f"authorisation:{grant.key}"))


def is_our_app(call: Call) -> bool:
    """Client id and secret as HTTP Basic, or in the form."""
    scheme, _, text = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        try:
            form = call.form()
        except ValueError:
            return False
        return (form.get("client_id"), form.get("client_secret")) == (APP.client_id, APP.client_secret)
    try:
        name, _, proof = b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return (unquote(name), unquote(proof)) == (APP.client_id, APP.client_secret)


def token_answer(pair: TokenPair) -> Answer:
    """A first refresh token that the sandbox was started with carries no scope; it has all."""
    scope = pair.scope or SCOPES
    document = {"access_token": pair.access_token, "expires_in": pair.expires_in, "token_type": "Bearer", "scope": scope}
    if OFFLINE in scope.split():
        document["refresh_token"] = pair.refresh_token
    return json_answer(document, headers=(header("Cache-Control", "no-store"),))


def oauth_error(word: str, *, status: int = 400) -> Answer:
    return json_answer({"error": word}, status=status)
