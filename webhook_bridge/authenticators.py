"""By what the bridge knows people and programs, in the order in which it asks: a browser's session, a machine's token, the API's own
token, a token of the provider."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from fastapi import Request

from webhook_bridge.cookies import session_cookie
from webhook_bridge.identity import Authenticator, Identity, Proof, bearer_of
from webhook_bridge.machine_tokens import MachineTokens
from webhook_bridge.people_known import ProviderToken, SessionCookie
from zixly_core.access import Membership, Role
from zixly_core.openid.setting_up import provider_of
from zixly_core.settings import Settings
from zixly_core.stores.database import Database

STAFF_ADMIN = Membership(tenant_id=None, tenant=None, role=Role.ADMIN)


class ApiToken:
    """The one token of the setting ZIXLY_API_TOKEN: whoever has it is the agency's administrator."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def identity(self, request: Request) -> Identity | None:
        given = bearer_of(request)
        if given is None or not hmac.compare_digest(given.encode(), self._token):
            return None
        return Identity("api-token", Proof.API_TOKEN, (STAFF_ADMIN,))


def authenticators_of(settings: Settings, *, database: Database | None = None) -> Sequence[Authenticator]:
    """Those that the settings name. Where sign-in is asked for and nothing is set to sign in with, the API is off, for programs too."""
    provider = provider_of(settings)
    found: list[Authenticator] = []
    if database is not None and provider is not None:
        found.append(SessionCookie(database, session_cookie(settings.bridge_public_url)))
    if database is not None and (provider is not None or settings.api_token is not None or not settings.asks_to_sign_in):
        found.append(MachineTokens(database))
    if settings.api_token is not None:
        found.append(ApiToken(settings.required("api_token")))
    if database is not None and provider is not None:
        found.append(ProviderToken(database, provider, audience=settings.oidc_audience))
    return found
