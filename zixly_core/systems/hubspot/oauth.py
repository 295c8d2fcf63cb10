"""Our app at HubSpot: client id and secret in the form, no PKCE
(developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens)."""

from __future__ import annotations

import httpx2

from zixly_core.accounts import Account, unexpected
from zixly_core.oauth import Granted, OAuthApp
from zixly_core.settings import Settings

SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.line_items.read",
    "crm.schemas.contacts.write",
    "crm.schemas.companies.write",
    "crm.schemas.deals.write",
)


def hubspot_app(settings: Settings) -> OAuthApp:
    """The version in the path follows the setting. Raises `SettingsError` when the client id or secret is not set."""
    return OAuthApp(
        system="hubspot",
        token_url=f"{settings.hubspot_api_url.rstrip('/')}/oauth/{settings.hubspot_api_version}/token",
        client_id=settings.required("hubspot_client_id"),
        client_secret=settings.required("hubspot_client_secret"),
        reread_secret=lambda: settings.reread("hubspot_client_secret"),
        proof="client_secret_post",
        authorize_url=settings.hubspot_authorize_url,
        scopes=SCOPES,
    )


def hubspot_accounts(http: httpx2.Client, settings: Settings, granted: Granted, *, account: str) -> list[Account]:
    """The portal that the person chose at HubSpot: the token answer names it (`hub_id`). Raises `Permanent` when it does not."""
    hub_id = granted.answer.get("hub_id")
    if not isinstance(hub_id, int | str) or not str(hub_id).isdecimal():
        raise unexpected("hubspot")
    return [Account(str(hub_id), f"HubSpot {hub_id}")]
