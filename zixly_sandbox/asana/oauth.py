"""Asana's OAuth (developers.asana.com/docs/oauth): consent with PKCE, tokens, revocation. The refresh token comes with the code
exchange only and is used again and again."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.asana.desk import AsanaDesk
from zixly_sandbox.consent import chosen_accounts, consent_page, decision_of, is_address, sent_back
from zixly_sandbox.constants import APP
from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.tokens import InvalidGrant, TokenPair


def authorize(call: Call, desk: AsanaDesk) -> Answer:
    """The consent page, where a workspace is picked; back to the app after the answer."""
    query, names = call.query, {gid: found.workspace.name for gid, found in desk.accounts.items()}
    redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
    if query.get("client_id") != APP.client_id or not is_address(redirect_uri) or query.get("response_type") != "code":
        return oauth_error("invalid_request", "client_id, redirect_uri or response_type is wrong")
    if "code_challenge" in query and query.get("code_challenge_method") != "S256":
        return sent_back(redirect_uri, error="invalid_request", state=state)
    match decision_of(call):
        case "ask":
            return consent_page(call, vendor="Asana", app=APP.client_id, accounts=names, several=False)
        case "deny":
            return sent_back(redirect_uri, error="access_denied", state=state)
    accounts = chosen_accounts(call, list(names), several=False)
    if not accounts:
        return oauth_error("invalid_request", "there is no such workspace")
    code = desk.tokens.code_for(accounts, redirect_uri=redirect_uri, challenge=query.get("code_challenge"))
    return sent_back(redirect_uri, code=code, state=state)


def token(call: Call, desk: AsanaDesk) -> Answer:
    """Exchange a code or a refresh token; the app proves itself in the form."""
    try:
        form = call.form()
        if (form.get("client_id"), form.get("client_secret")) != (APP.client_id, APP.client_secret):
            return oauth_error("invalid_client", "The client_id or client_secret is wrong.", status=401)
        match form["grant_type"]:
            case "authorization_code":
                pair = desk.tokens.redeemed(form["code"], redirect_uri=form["redirect_uri"], verifier=form.get("code_verifier"))
                return token_answer(pair, desk, refresh_token=pair.refresh_token)
            case "refresh_token":
                return token_answer(desk.tokens.refreshed(form["refresh_token"]), desk, refresh_token=None)
            case other:
                return oauth_error("unsupported_grant_type", f"The grant type {other} is not supported.")
    except InvalidGrant:
        return oauth_error("invalid_grant", "The code or refresh token provided was invalid.")
    except (KeyError, ValueError):
        return oauth_error("invalid_request", "A parameter is missing or invalid.")


def revoke(call: Call, desk: AsanaDesk) -> Answer:
    """Ends the grant of a refresh token; 200 for an unknown one too."""
    try:
        form = call.form()
    except ValueError:
        return oauth_error("invalid_request", "The body is not a form.")
    if (form.get("client_id"), form.get("client_secret")) != (APP.client_id, APP.client_secret):
        return oauth_error("invalid_client", "The client_id or client_secret is wrong.", status=401)
    try:
        desk.tokens.revoke_token(form.get("token", ""))
    except InvalidGrant:
        return json_answer({})
    return json_answer({})


def token_answer(pair: TokenPair, desk: AsanaDesk, *, refresh_token: str | None) -> Answer:
    user = desk.accounts[pair.accounts[0]].workspace.me
    document: dict[str, Any] = {
        "access_token": pair.access_token,
        "token_type": "bearer",
        "expires_in": pair.expires_in,
        "data": {"id": int(user.gid), "gid": user.gid, "name": user.name, "email": user.email},
    }
    return json_answer({**document, "refresh_token": refresh_token} if refresh_token else document)


def oauth_error(word: str, text: str, *, status: int = 400) -> Answer:
    return json_answer({"error": word, "error_description": text}, status=status)
