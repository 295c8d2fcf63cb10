"""Our app at Asana (developers.asana.com/docs/oauth): client id and secret in the form, PKCE. A refresh token comes with the code
only and is used again and again."""

from __future__ import annotations

import httpx2

from zixly_core.accounts import Account, accounts_in, asked, unexpected
from zixly_core.oauth import Granted, OAuthApp
from zixly_core.settings import Settings

SCOPES = (
    "projects:read",
    "projects:write",
    "stories:read",
    "stories:write",
    "tasks:read",
    "tasks:write",
    "users:read",
    "webhooks:delete",
    "webhooks:read",
    "webhooks:write",
    "workspaces:read",
)
# The most that one page holds (developers.asana.com/docs/pagination).
PAGE = 100


def asana_app(settings: Settings) -> OAuthApp:
    """Raises `SettingsError` when the client id or secret is not set."""
    base = settings.asana_oauth_url.rstrip("/")
    return OAuthApp(
        system="asana",
        token_url=f"{base}/-/oauth_token",
        client_id=settings.required("asana_client_id"),
        client_secret=settings.required("asana_client_secret"),
        reread_secret=lambda: settings.reread("asana_client_secret"),
        proof="client_secret_post",
        authorize_url=f"{base}/-/oauth_authorize",
        scopes=SCOPES,
        uses_pkce=True,
    )


def asana_accounts(http: httpx2.Client, settings: Settings, granted: Granted, *, account: str) -> list[Account]:
    """The workspaces of the person who consented. Raises what `asked` does."""
    headers = {"Authorization": f"Bearer {granted.tokens.access_token}", "Accept": "application/json"}
    url = f"{settings.asana_api_url.rstrip('/')}/workspaces"
    accounts: list[Account] = []
    offset: str | None = None
    while True:
        params = {"limit": str(PAGE), "opt_fields": "name"} | ({"offset": offset} if offset else {})
        request = http.build_request("GET", url, params=params, headers=headers)
        document = asked(http, request, system="asana", operation="list the workspaces")
        if not isinstance(document, dict):
            raise unexpected("asana")
        accounts += accounts_in(document.get("data"), id_field="gid", name_field="name", system="asana")
        next_page = document.get("next_page")
        offset = next_page.get("offset") if isinstance(next_page, dict) else None
        if not offset:
            return accounts
