"""People and what they may do: roles, memberships, and the one that holds for a request.

A membership is a role at a tenant; agency staff have memberships without a tenant, whose scope is all of them (DESIGN.md, section 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from zixly_core.errors import NotAllowed


class Role(StrEnum):
    """What somebody may do, the least first; each may do what those before it may."""

    VIEWER = "VIEWER"
    """Read, without payloads unless they were granted."""
    EDITOR = "EDITOR"
    """Trigger, retry, replay, cancel, and see all data of the tenant."""
    ADMIN = "ADMIN"
    """Everything: people, connections, settings."""

    def covers(self, other: Role) -> bool:
        order = tuple(Role)
        return order.index(self) >= order.index(other)


class TokenScope(StrEnum):
    """What a machine's token may be narrowed to, within its role."""

    JOBS_READ = "jobs:read"
    """Look at jobs, and trace them."""
    JOBS_WRITE = "jobs:write"
    """Make, retry, cancel and reorder jobs."""
    READ = "read"
    """Look at everything that the role may look at."""
    ALL = "all"
    """Everything that the role may."""


@dataclass(frozen=True)
class Membership:
    """A role at a tenant; `tenant_id` and `tenant` (its short name) are None for staff, whose scope is all tenants."""

    tenant_id: UUID | None
    tenant: str | None
    role: Role
    sees_payloads: bool = False
    """Only asked of a VIEWER: the others see payloads anyhow."""

    @property
    def is_staff(self) -> bool:
        return self.tenant_id is None

    @property
    def may_see_payloads(self) -> bool:
        return self.sees_payloads or self.role.covers(Role.EDITOR)


def membership_for(memberships: Sequence[Membership], *, tenant: str | None) -> Membership:
    """The membership that holds for a request about `tenant` (a short name, or None where it names none).

    Staff's holds for every tenant, except where one is named at which they have a greater role of their own. Somebody of several
    tenants has to name one. Raises `NotAllowed`.
    """
    staff = next((one for one in memberships if one.is_staff), None)
    own = [one for one in memberships if not one.is_staff and tenant in (None, one.tenant)]
    if staff is not None:
        is_greater = tenant is not None and len(own) == 1 and not staff.role.covers(own[0].role)
        return own[0] if is_greater else staff
    if len(own) == 1:
        return own[0]
    if not own:
        raise NotAllowed("You are no member of this tenant." if tenant else "You are no member of any tenant; ask an administrator.")
    names = ", ".join(sorted(one.tenant or "" for one in own))
    raise NotAllowed(f"Name the tenant (header `Zixly-Tenant`): you are a member of {names}.", reason="name_the_tenant")
