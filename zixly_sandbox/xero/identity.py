"""Xero's identity service (developer.xero.com/documentation/guides/oauth2/auth-flow/): authorize, token, revocation, and the
list of connected organisations."""

from __future__ import annotations

import binascii
from base64 import b64decode
from urllib.parse import unquote, urlencode

from zixly_sandbox.constants import APP
from zixly_sandbox.http import Answer, Call, header, json_answer
from zixly_sandbox.tokens import InvalidGrant, TokenPair
from zixly_sandbox.xero.answers import not_found
from zixly_sandbox.xero.desk import XeroDesk

SCOPES = "offline_access accounting.invoices accounting.payments accounting.contacts accounting.settings.read"


class XeroIdentity:
    """The handlers; they are open endpoints, so each looks at the caller's proof itself."""

    def __init__(self, desk: XeroDesk) -> None:
        self._desk = desk

    def authorize(self, call: Call) -> Answer:
        """Says yes at once for the organisation in the sandbox's own parameter `account` (the first one without it)."""
        query = call.query
        account = query.get("account") or next(iter(self._desk.organisations))
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != APP.client_id or not redirect_uri or account not in self._desk.organisations:
            return oauth_error("invalid_request")
        code = self._desk.tokens.code_for((account,), redirect_uri=redirect_uri, challenge=query.get("code_challenge"))
        back = urlencode({"code": code, "state": query.get("state", ""), "scope": SCOPES})
        return Answer(302, headers=(header("Location", f"{redirect_uri}?{back}"),))

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
        accounts = self._desk.accounts_of(call)
        if isinstance(accounts, Answer):
            return accounts
        return json_answer([self._connection(account) for account in accounts if account in self._desk.organisations])

    def disconnect(self, call: Call) -> Answer:
        """DELETE of a connection: the grant ends, whoever holds its tokens."""
        accounts = self._desk.accounts_of(call)
        if isinstance(accounts, Answer):
            return accounts
        if call.params["connection"].lower() not in accounts:
            return not_found()
        self._desk.tokens.revoke(call.params["connection"].lower())
        return Answer(204)

    def _granted(self, form: dict[str, str]) -> TokenPair:
        match form["grant_type"]:
            case "refresh_token":
                return self._desk.tokens.refreshed(form["refresh_token"])
            case "authorization_code":
                return self._desk.tokens.redeemed(form["code"], redirect_uri=form["redirect_uri"], verifier=form.get("code_verifier"))
            case other:
                raise ValueError(other)

    def _connection(self, account: str) -> dict[str, str]:
        """The sandbox uses the organisation's id as the connection's too."""
        return {
            "id": account,
            "tenantId": account,
            "tenantType": "ORGANISATION",
            "tenantName": self._desk.organisations[account].books.name,
            "authEventId": account,
        }


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
    return json_answer(
        {
            "access_token": pair.access_token,
            "expires_in": pair.expires_in,
            "token_type": "Bearer",
            "refresh_token": pair.refresh_token,
            "scope": SCOPES,
        },
        headers=(header("Cache-Control", "no-store"),),
    )


def oauth_error(word: str, *, status: int = 400) -> Answer:
    return json_answer({"error": word}, status=status)
