"""Who asks the API, and what he may see: the one function that every route depends on.

It asks the authenticators who it is, takes the membership that holds for the request, and holds it against the table of permissions.
Rights are read anew for each request. Where no sign-in is asked for (on one's own machine), everybody is the agency's administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from fastapi import Request

from webhook_bridge.authenticators import STAFF_ADMIN, authenticators_of
from webhook_bridge.chosen_tenant import chosen_tenant, is_console
from webhook_bridge.identity import Authenticator, Identity, Proof
from webhook_bridge.permissions import Need, need_of, permit
from webhook_bridge.problems import NotSignedIn
from webhook_bridge.same_site import SAFE_METHODS, own_site_of, refuse_other_sites
from zixly_core.access import Membership, Role, membership_for
from zixly_core.requester import requester
from zixly_core.settings import Settings
from zixly_core.stores.jobs_view import Scope

__all__ = ["SAFE_METHODS", "Caller", "caller_of", "refuse_other_sites"]
TENANT_HEADER = "zixly-tenant"
LOCAL = Identity("local", Proof.LOCAL, (STAFF_ADMIN,))


@dataclass(frozen=True)
class Caller:
    """Somebody known: the name that the audit log gets, whose rows are seen, and what may be done there."""

    name: str
    scope: Scope
    role: Role = Role.ADMIN
    sees_payloads: bool = True
    user_id: UUID | None = None
    scopes: frozenset[str] | None = None
    """What a machine's token is narrowed to; None: everything that the role may."""
    ends_at: datetime | None = None
    """When a machine's token ends."""
    token_id: UUID | None = None
    label: str = field(default="", repr=False)
    """How a page greets him; never for logs."""
    tenant: str | None = None
    """The short name of the tenant that the request is about; None for staff."""
    memberships: tuple[Membership, ...] = ()


def caller_of(settings: Settings, authenticators: Sequence[Authenticator] | None = None) -> Callable[[Request], Caller]:
    """The function that tells the caller of a request. It raises `NotSignedIn` or `NotAllowed`."""
    asked = authenticators_of(settings) if authenticators is None else authenticators
    is_open = not settings.asks_to_sign_in

    def caller(request: Request) -> Caller:
        method, need = need_of(request)
        refuse_other_sites(request)
        identity = identified(request, asked) or (LOCAL if is_open else None)
        if identity is None:
            raise nobody(asked)
        if identity is LOCAL:
            own_site_of(request).refuse_other_names(request)
        by = requester()  # for the audit log
        by.user_id, by.token_id = identity.user_id, identity.token_id
        known = caller_for(identity, method, need, tenant=named_tenant(request, identity))
        request.state.caller = known  # for a page that has to say what went wrong
        return known

    return caller


def identified(request: Request, authenticators: Sequence[Authenticator]) -> Identity | None:
    """Whom the first proof names that one of them knows. Raises `NotSignedIn`."""
    found = (one.identity(request) for one in authenticators)
    return next((identity for identity in found if identity is not None), None)


def named_tenant(request: Request, identity: Identity) -> str | None:
    """The tenant that a request is about: the header's, or for somebody of several tenants the filter's or, in the console, the one that
    he chose there."""
    named = request.headers.get(TENANT_HEADER)
    if named is None and sum(not one.is_staff for one in identity.memberships) > 1:
        return chosen_tenant(request, identity.memberships) if is_console(request) else request.query_params.get("tenant")
    return named


def identity_of(settings: Settings, authenticators: Sequence[Authenticator]) -> Callable[[Request], Identity]:
    """The function that tells who asks, whatever he is a member of. It raises `NotSignedIn`."""

    def identity(request: Request) -> Identity:
        found = identified(request, authenticators) or (None if settings.asks_to_sign_in else LOCAL)
        if found is None:
            raise nobody(authenticators)
        if found is LOCAL:
            own_site_of(request).refuse_other_names(request)
        return found

    return identity


def caller_for(identity: Identity, method: str, need: Need, *, tenant: str | None) -> Caller:
    """The caller, by the membership that holds. Raises `NotAllowed`, also where that is not enough for the route."""
    membership = membership_for(identity.memberships, tenant=tenant)
    permit(method, need, membership=membership, scopes=identity.scopes)
    return Caller(
        identity.name,
        Scope(tenant_id=membership.tenant_id),
        role=membership.role,
        sees_payloads=membership.may_see_payloads,
        user_id=identity.user_id,
        scopes=identity.scopes,
        ends_at=identity.ends_at,
        token_id=identity.token_id,
        label=identity.label,
        tenant=membership.tenant,
        memberships=identity.memberships,
    )


def nobody(authenticators: Sequence[Authenticator]) -> NotSignedIn:
    if not authenticators:
        return NotSignedIn("The API is off until ZIXLY_API_TOKEN or ZIXLY_OIDC_ISSUER is set.", reason="api_off")
    return NotSignedIn("Sign in, or send the API's token as `Authorization: Bearer ...` (setting ZIXLY_API_TOKEN).")
