"""What stands around each page: the navigation that the caller may use, who he is, and what his last action came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request

from webhook_bridge.console.said import Said
from webhook_bridge.console.sections import SECTIONS, Section
from webhook_bridge.permissions import ROUTES, permit
from webhook_bridge.same_site import form_fields_of
from webhook_bridge.signed_in import Caller
from zixly_core.access import Membership
from zixly_core.errors import NotAllowed


@dataclass(frozen=True)
class Frame:
    """`page` in the templates. No caller: a page that says why somebody was not let in."""

    path: str
    caller: Caller | None
    said: Said | None
    hidden: Mapping[str, str]
    """The fields that every form of ours holds."""

    @property
    def sections(self) -> Sequence[Section]:
        return [one for one in SECTIONS if self.may("GET", one.path)]

    @property
    def section(self) -> Section | None:
        """The one that the page belongs to: of several that hold it, the narrowest."""
        held = [one for one in SECTIONS if one.holds(self.path)]
        return max(held, key=lambda one: len(one.path), default=None)

    @property
    def tenants(self) -> Sequence[str]:
        """Between which he may choose; empty where there is no choice."""
        memberships = self.caller.memberships if self.caller else ()
        own = sorted(one.tenant for one in memberships if one.tenant is not None)
        return own if len(own) > 1 and not any(one.is_staff for one in memberships) else ()

    @property
    def can_sign_out(self) -> bool:
        return bool(self.hidden)

    def may(self, method: str, template: str) -> bool:
        """Whether the caller may use a route: what he may not is not offered."""
        if self.caller is None:
            return False
        return may(self.caller, method, template)


def may(caller: Caller, method: str, template: str) -> bool:
    """What signed_in.py would say, by the same table; no for a route that there is not."""
    need = ROUTES.get((method, template))
    if need is None:
        return False
    membership = Membership(caller.scope.tenant_id, caller.tenant, caller.role, caller.sees_payloads)
    try:
        permit(method, need, membership=membership, scopes=caller.scopes)
    except NotAllowed:
        return False
    return True


def frame_of(request: Request, caller: Caller | None, *, said: Said | None = None) -> Frame:
    return Frame(path=request.url.path, caller=caller, said=said, hidden=form_fields_of(request))
