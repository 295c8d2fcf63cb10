"""Who asks the API, and what he may see. Locally everybody at this machine is staff; elsewhere the API's token says so."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from webhook_bridge.problems import NotSignedIn
from zixly_core.access import Role
from zixly_core.errors import NotAllowed
from zixly_core.settings import Settings
from zixly_core.stores.jobs_view import Scope

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Caller:
    """Somebody known: the name that the audit log gets, whose rows are seen, and what may be done there."""

    name: str
    scope: Scope
    role: Role = Role.ADMIN
    sees_payloads: bool = True
    user_id: UUID | None = None


def caller_of(settings: Settings) -> Callable[[Request], Caller]:
    """The function that tells the caller of a request. It raises `NotSignedIn` or `NotAllowed`."""
    token = settings.api_token.get_secret_value() if settings.api_token else None
    is_open = settings.environment == "local" and token is None

    def caller(request: Request) -> Caller:
        refuse_other_sites(request)
        if is_open:
            return Caller("local", Scope(tenant_id=None))
        if token is None:
            raise NotSignedIn("The API is off in production until ZIXLY_API_TOKEN is set.", reason="api_off")
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise NotSignedIn("Send the API's token as `Authorization: Bearer ...` (setting ZIXLY_API_TOKEN).")
        return Caller("api-token", Scope(tenant_id=None))

    return caller


def refuse_other_sites(request: Request) -> None:
    """A web page elsewhere must not change anything here through somebody's browser."""
    site = request.headers.get("sec-fetch-site", "none")
    if request.method not in SAFE_METHODS and site not in {"none", "same-origin"}:
        raise NotAllowed("Another web site asked for this change; open the page of the bridge itself.", reason="cross_site")
