"""Our app at Xero, at its token endpoint: client id and secret as HTTP Basic (developer.xero.com/faq/oauth2)."""

from __future__ import annotations

from zixly_core.oauth import OAuthApp
from zixly_core.settings import Settings


def xero_app(settings: Settings) -> OAuthApp:
    """Raises `SettingsError` when the client id or secret is not set."""
    return OAuthApp(
        system="xero",
        token_url=settings.xero_identity_url.rstrip("/") + "/connect/token",
        client_id=settings.required("xero_client_id"),
        client_secret=settings.required("xero_client_secret"),
        proof="client_secret_basic",
    )
