"""End our authorisation at the vendor, where it has a call for it (RFC 7009); elsewhere a person of the client has to remove the app."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2

from zixly_core.errors import ZixlyError
from zixly_core.http_errors import failure_of
from zixly_core.settings import Settings
from zixly_core.systems.asana.oauth import asana_app
from zixly_core.systems.xero.oauth import xero_app
from zixly_core.token_store import TokenSet

# Where a person removes the app, for vendors that offer no call, and when a call failed.
BY_HAND: Mapping[str, str] = {
    "xero": "disconnect the app in Xero: Settings, Connected apps",
    "hubspot": "uninstall the app in HubSpot: Settings, Integrations, Connected apps",
    "shopify": "uninstall the app in the shop's admin: Settings, Apps and sales channels",
    "asana": "remove the app in Asana: Settings, Apps, Manage authorised apps",
}


def revoke(http: httpx2.Client, settings: Settings, *, system: str, tokens: TokenSet) -> str | None:
    """None when the vendor has ended it; else what a person has to do there."""
    if tokens.refresh_token is None or system not in ("xero", "asana"):
        return BY_HAND.get(system)
    try:
        answer = http.send(revocation(http, settings, system=system, token=tokens.refresh_token))
        return None if answer.is_success else f"{BY_HAND[system]} ({failure_of(answer, system=system, operation='revoke').reason})"
    except httpx2.HTTPError as error:
        return f"{BY_HAND[system]} ({failure_of(error, system=system, operation='revoke').reason})"
    except ZixlyError as error:
        return f"{BY_HAND[system]} ({error.reason})"


def revocation(http: httpx2.Client, settings: Settings, *, system: str, token: str) -> httpx2.Request:
    """Raises `SettingsError` without the app's credentials."""
    if system == "xero":
        app = xero_app(settings)
        credentials = httpx2.BasicAuth(app.client_id, app.client_secret)
        request = http.build_request("POST", f"{settings.xero_identity_url.rstrip('/')}/connect/revocation", data={"token": token})
        return next(credentials.sync_auth_flow(request))
    app = asana_app(settings)
    form = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token}
    return http.build_request("POST", f"{settings.asana_oauth_url.rstrip('/')}/-/oauth_revoke", data=form)
