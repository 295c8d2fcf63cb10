"""Shopify's OAuth (shopify.dev/docs/apps/build/authentication-authorization): authorization code, client credentials, and expiring
offline tokens with a refresh token that is replaced on use.

A replaced refresh token works until its successor is used for the first time, 30 days at most
(shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping

from zixly_core.signatures import hmac_hex
from zixly_sandbox.consent import consent_page, decision_of, is_address, sent_back
from zixly_sandbox.constants import APP
from zixly_sandbox.http import Answer, Call, header, json_answer
from zixly_sandbox.shopify.answers import not_found, oauth_error
from zixly_sandbox.shopify.desk import ShopifyDesk
from zixly_sandbox.shopify.root_fields import ALL_ORDERS, SCOPES
from zixly_sandbox.shopify.shop import Shop
from zixly_sandbox.tokens import InvalidGrant, TokenPair

# Of a token that does not expire; the sandbox's lives ten years.
FOREVER = 10 * 365 * 86_400


def authorize(call: Call, desk: ShopifyDesk) -> Answer:
    """The consent page; back to the app with a code and a signed address."""
    account = desk.shops.get(call.params["shop"].lower())
    if account is None:
        return not_found()
    redirect_uri, state = call.query.get("redirect_uri", ""), call.query.get("state", "")
    if call.query.get("client_id") != APP.client_id or not is_address(redirect_uri):
        return oauth_error("invalid_request", "client_id or redirect_uri is wrong")
    match decision_of(call):
        case "ask":
            return consent_page(call, vendor="Shopify", app=APP.client_id, accounts={account.shop.domain: account.shop.name}, several=False)
        case "deny":
            return sent_back(redirect_uri, error="access_denied", state=state)
    code = desk.tokens.code_for((account.shop.domain,), redirect_uri="", challenge=None)
    return sent_back(redirect_uri, **signed_query(account.shop, code=code, state=state, now=int(desk.clock.seconds())))


def signed_query(shop: Shop, *, code: str, state: str, now: int) -> dict[str, str]:
    """What the callback carries; `hmac` is over the rest, sorted by name."""
    host = urlsafe_b64encode(f"admin.shopify.com/store/{shop.domain.removesuffix('.myshopify.com')}".encode()).decode().rstrip("=")
    query = {"code": code, "host": host, "shop": shop.domain, "state": state, "timestamp": str(now)}
    signed = "&".join(f"{name}={value}" for name, value in sorted(query.items()))
    return {**query, "hmac": hmac_hex(APP.client_secret.encode(), signed.encode())}


def token(call: Call, desk: ShopifyDesk) -> Answer:
    """JSON or a form; the app proves itself in it."""
    account = desk.shops.get(call.params["shop"].lower())
    if account is None:
        return not_found()
    try:
        form = fields_of(call)
        if (form.get("client_id"), form.get("client_secret")) != (APP.client_id, APP.client_secret):
            return oauth_error("invalid_client", "The client credentials are invalid.", status=401)
        return granted(form, account.shop, desk)
    except InvalidGrant:
        return oauth_error("invalid_grant", "The code or refresh token was not found, was already used or has expired.")
    except (KeyError, ValueError):
        return oauth_error("invalid_request", "A parameter is missing or invalid.")


def fields_of(call: Call) -> dict[str, str]:
    if "json" in call.headers.get("content-type", ""):
        return {name: str(value) for name, value in call.json().items()}
    return call.form()


def granted(form: Mapping[str, str], shop: Shop, desk: ShopifyDesk) -> Answer:
    """A code comes without `grant_type`, as Shopify's own clients send it, or with the standard one."""
    match form.get("grant_type", "authorization_code"):
        case "client_credentials":
            pair = desk.tokens.lone_access((shop.domain,), seconds=desk.rules.client_credentials_seconds)
            # The real answers tell one second less than they mean.
            return token_answer(desk, {"access_token": pair.access_token, "expires_in": pair.expires_in - 1})
        case "refresh_token":
            return expiring_answer(desk, of_shop(desk.tokens.refreshed(form["refresh_token"]), shop))
        case "authorization_code":
            pair = of_shop(desk.tokens.redeemed(form["code"], redirect_uri="", verifier=None), shop)
            if form.get("expiring") == "1":
                return expiring_answer(desk, pair)
            lasting = desk.tokens.lone_access((shop.domain,), seconds=FOREVER)
            return token_answer(desk, {"access_token": lasting.access_token})
        case other:
            raise ValueError(other)


def of_shop(pair: TokenPair, shop: Shop) -> TokenPair:
    """Raises `InvalidGrant` when the token was given for another shop."""
    if shop.domain not in pair.accounts:
        raise InvalidGrant
    return pair


def expiring_answer(desk: ShopifyDesk, pair: TokenPair) -> Answer:
    return token_answer(
        desk,
        {
            "access_token": pair.access_token,
            "expires_in": pair.expires_in,
            "refresh_token": pair.refresh_token,
            "refresh_token_expires_in": int(desk.rules.unused_refresh_token_seconds),
        },
    )


def token_answer(desk: ShopifyDesk, fields: Mapping[str, object]) -> Answer:
    names = (*SCOPES, ALL_ORDERS) if desk.rules.read_all_orders else SCOPES
    return json_answer({**fields, "scope": ",".join(names)}, headers=(header("Cache-Control", "no-store"),))
