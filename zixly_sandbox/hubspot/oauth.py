"""HubSpot's OAuth (developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens). The refresh token
stays the same on a refresh; whether it does at HubSpot is not stated, so clients store what an answer holds."""

from __future__ import annotations

from zixly_sandbox.consent import chosen_accounts, consent_page, decision_of, is_address, sent_back
from zixly_sandbox.constants import APP
from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.hubspot.desk import HubSpotDesk
from zixly_sandbox.tokens import InvalidGrant, TokenPair

SCOPES = (
    "oauth crm.objects.contacts.read crm.objects.contacts.write crm.objects.companies.read crm.objects.deals.read"
    " crm.objects.line_items.read crm.schemas.contacts.write crm.schemas.deals.write"
)
NO_LONGER_GOOD = "refresh token is invalid, expired or revoked"


def authorize(call: Call, desk: HubSpotDesk) -> Answer:
    """The consent page, where one account is picked; back to the app after the answer."""
    query, names = call.query, {key: account.portal.name for key, account in desk.accounts.items()}
    redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
    if query.get("client_id") != APP.client_id or not is_address(redirect_uri):
        return oauth_error("invalid_request", status="BAD_REQUEST", message="client_id or redirect_uri is wrong")
    match decision_of(call):
        case "ask":
            return consent_page(call, vendor="HubSpot", app=APP.client_id, accounts=names, several=False)
        case "deny":
            text = "The user denied access to the app"
            return sent_back(redirect_uri, error="access_denied", error_description=text, state=state)
    accounts = chosen_accounts(call, list(names), several=False)
    if not accounts:
        return oauth_error("invalid_request", status="BAD_REQUEST", message="account is wrong")
    scope = query.get("scope") or SCOPES
    code = desk.tokens.code_for(accounts, redirect_uri=redirect_uri, challenge=query.get("code_challenge"), scope=scope)
    return sent_back(redirect_uri, code=code, state=state)


def token(call: Call, desk: HubSpotDesk) -> Answer:
    """Exchange a code or a refresh token; the app proves itself in the form."""
    try:
        form = call.form()
        if (form.get("client_id"), form.get("client_secret")) != (APP.client_id, APP.client_secret):
            return oauth_error("invalid_client", status="BAD_CLIENT_ID", message="client id or secret is wrong")
        return token_answer(granted(form, desk))
    except InvalidGrant:
        return oauth_error("invalid_grant", status="BAD_REFRESH_TOKEN", message=NO_LONGER_GOOD)
    except (KeyError, ValueError):
        return oauth_error("invalid_request", status="BAD_REQUEST", message="a field is missing or unknown")


def granted(form: dict[str, str], desk: HubSpotDesk) -> TokenPair:
    match form["grant_type"]:
        case "refresh_token":
            return desk.tokens.refreshed(form["refresh_token"])
        case "authorization_code":
            return desk.tokens.redeemed(form["code"], redirect_uri=form["redirect_uri"], verifier=form.get("code_verifier"))
        case other:
            raise ValueError(other)


def token_answer(pair: TokenPair) -> Answer:
    return json_answer(
        {
            "token_type": "bearer",
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "expires_in": pair.expires_in,
            "hub_id": int(pair.accounts[0]),
            "scopes": (pair.scope or SCOPES).split(),
        }
    )


def oauth_error(word: str, *, status: str, message: str) -> Answer:
    return json_answer({"error": word, "error_description": message, "status": status, "message": message}, status=400)
