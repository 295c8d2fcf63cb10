"""Our app at Shopify: every shop has endpoints of its own, and the callback of a consent is signed.

Apps for other merchants get expiring offline tokens (an hour, with a refresh token good for 90 days;
shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens). The app of an own store gets a token
for its own credentials (24 hours, no refresh token; .../access-tokens/client-credentials-grant). There is no PKCE.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

import httpx2

from zixly_core.accounts import Account, asked, name_of, unexpected
from zixly_core.errors import InvalidSignature, MalformedPayload
from zixly_core.oauth import Granted, OAuthApp, of_account
from zixly_core.settings import Settings
from zixly_core.signatures import hmac_hex, is_signed_by_any

# A refresh token ends this long after it was given.
UNUSED_LIFETIME = timedelta(days=90)
SCOPES = ("read_orders", "read_customers")
# shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant, "Security checks".
SHOP = re.compile(r"[a-z0-9][a-z0-9\-]*\.myshopify\.com")
SHOP_QUERY = "{ shop { name myshopifyDomain } }"


def shopify_app(settings: Settings) -> OAuthApp:
    """Its URLs hold `{shop}` for the account. Raises `SettingsError` when the client id or secret is not set."""
    base = settings.shopify_api_url.rstrip("/")
    return OAuthApp(
        system="shopify",
        token_url=f"{base}/admin/oauth/access_token",
        client_id=settings.required("shopify_client_id"),
        client_secret=settings.required("shopify_client_secret"),
        reread_secret=lambda: settings.reread("shopify_client_secret"),
        proof="json",
        authorize_url=f"{base}/admin/oauth/authorize",
        scopes=SCOPES,
        scope_separator=",",
        code_parameters={"expiring": "1"},
    )


def shopify_accounts(http: httpx2.Client, settings: Settings, granted: Granted, *, account: str) -> list[Account]:
    """The shop itself, asked for its name with the new token. Raises what `asked` does."""
    url = f"{of_account(settings.shopify_api_url.rstrip('/'), account)}/admin/api/{settings.shopify_api_version}/graphql.json"
    headers = {"X-Shopify-Access-Token": granted.tokens.access_token or "", "Accept": "application/json"}
    request = http.build_request("POST", url, json={"query": SHOP_QUERY}, headers=headers)
    document = asked(http, request, system="shopify", operation=f"read the shop {account}")
    data = document.get("data") if isinstance(document, dict) else None
    shop = data.get("shop") if isinstance(data, dict) else None
    if not isinstance(shop, dict) or shop.get("myshopifyDomain") != account:
        raise unexpected("shopify")
    return [Account(account, name_of(shop, "name") or account)]


def shop_of(text: str) -> str:
    """The shop that a person typed, as `name.myshopify.com`. Raises `MalformedPayload` for anything else, an own domain too: who
    types it would send our credentials there."""
    shop = text.strip().lower().removeprefix("https://").removesuffix("/")
    if "." not in shop:
        shop += ".myshopify.com"
    if not SHOP.fullmatch(shop):
        raise MalformedPayload("A shop is named as example.myshopify.com, as its admin shows it.", reason="not_a_shop")
    return shop


def check_callback(parameters: Sequence[tuple[str, str]], *, secrets: Sequence[str], account: str) -> None:
    """Raises `InvalidSignature` for a callback that Shopify did not sign, or that is about another shop than `account`.

    Signed is the query without `hmac`, in the order of its names.
    """
    values: Mapping[str, str] = dict(parameters)
    message = urlencode(sorted((name, value) for name, value in parameters if name != "hmac"))
    expected = [hmac_hex(secret.encode(), message.encode()) for secret in secrets]
    if not is_signed_by_any(values.get("hmac", ""), expected):
        raise InvalidSignature("This answer was not signed by Shopify; nothing was changed.", reason="callback_not_signed")
    if values.get("shop") != account:
        raise InvalidSignature(f"This answer is about another shop than {account}; nothing was changed.", reason="other_account")
