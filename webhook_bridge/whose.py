"""Whose something is: the tenant that is named, or the agency."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query

from webhook_bridge.problems import NotFound
from webhook_bridge.signed_in import Caller
from zixly_core.errors import NotAllowed
from zixly_core.stores.connections_admin import tenant_named
from zixly_core.stores.database import Rows

OfTenant = Annotated[str | None, Query(description="A tenant's short name: only what is of this one.", max_length=100)]


def wanted_tenant(*, tenant: OfTenant = None) -> str | None:
    return tenant


def tenant_meant(rows: Rows, slug: str | None, caller: Caller) -> UUID | None:
    """The tenant's id; None: the agency. Raises `NotAllowed` where somebody of a tenant names none."""
    if slug is None:
        if not caller.scope.is_staff:
            raise NotAllowed("Name the tenant: what belongs to none is the agency's, and for its staff.", reason="staff_only")
        return None
    tenant = tenant_named(rows, slug)
    if tenant is None:
        raise NotFound(f"There is no tenant {slug}, or it is not yours to see.")
    return tenant.id
