"""Our app at Xero (developer.xero.com/documentation/guides/oauth2/auth-flow/): client id and secret as HTTP Basic, PKCE, and one
authorisation that may reach several organisations."""

from __future__ import annotations

from datetime import timedelta

import httpx2

from zixly_core.accounts import Account, accounts_in, asked
from zixly_core.oauth import Granted, OAuthApp
from zixly_core.settings import Settings

# An unused refresh token ends after it (developer.xero.com/faq/oauth2).
UNUSED_LIFETIME = timedelta(days=60)
# Granular scopes, the only ones for apps made since March 2026 (developer.xero.com/faq/granular-scopes).
SCOPES = (
    "offline_access",
    "accounting.invoices",
    "accounting.payments",
    "accounting.contacts",
    "accounting.settings.read",
)


def xero_app(settings: Settings) -> OAuthApp:
    """Raises `SettingsError` when the client id or secret is not set."""
    return OAuthApp(
        system="xero",
        token_url=settings.xero_identity_url.rstrip("/") + "/connect/token",
        client_id=settings.required("xero_client_id"),
        client_secret=settings.required("xero_client_secret"),
        reread_secret=lambda: settings.reread("xero_client_secret"),
        proof="client_secret_basic",
        authorize_url=settings.xero_login_url.rstrip("/") + "/identity/connect/authorize",
        scopes=SCOPES,
        uses_pkce=True,
    )


def xero_accounts(http: httpx2.Client, settings: Settings, granted: Granted, *, account: str) -> list[Account]:
    """The organisations that the authorisation reaches, those of earlier consents of the same person too. A practice (Xero HQ) has
    no invoices and is left out. Raises what `asked` does."""
    headers = {"Authorization": f"Bearer {granted.tokens.access_token}", "Accept": "application/json"}
    request = http.build_request("GET", settings.xero_connections_url, headers=headers)
    rows = asked(http, request, system="xero", operation="list the connected organisations")
    if isinstance(rows, list):
        rows = [row for row in rows if not isinstance(row, dict) or row.get("tenantType", "ORGANISATION") == "ORGANISATION"]
    return accounts_in(rows, id_field="tenantId", name_field="tenantName", system="xero")
