"""Our app at HubSpot, at its token endpoint: client id and secret in the form
(developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens)."""

from __future__ import annotations

from zixly_core.oauth import OAuthApp
from zixly_core.settings import Settings


def hubspot_app(settings: Settings) -> OAuthApp:
    """The version in the path follows the setting. Raises `SettingsError` when the client id or secret is not set."""
    return OAuthApp(
        system="hubspot",
        token_url=f"{settings.hubspot_api_url.rstrip('/')}/oauth/{settings.hubspot_api_version}/token",
        client_id=settings.required("hubspot_client_id"),
        client_secret=settings.required("hubspot_client_secret"),
        proof="client_secret_post",
    )
