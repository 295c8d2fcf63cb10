"""`/api/holes` and `/api/connections/{id}/checks`: whether webhooks still come, and what was missed and made good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from webhook_bridge.cursors import cursor_of, page_from
from webhook_bridge.problems import NotFound, WrongState, problems
from webhook_bridge.signed_in import Caller
from webhook_bridge.watching_models import CheckAsked, CheckList, CheckModel, HoleList, HoleModel, HoleStatus
from zixly_core.stores.database import Database
from zixly_core.stores.holes import HoleFilter, holes_page
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.watching import ask_for_check, checks_page

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]


def wanted_holes(
    *,
    tenant: Annotated[str | None, Query(description="A tenant's short name.")] = None,
    system: Annotated[str | None, Query(description="Such as `xero`.")] = None,
    status: Annotated[HoleStatus | None, Query(description="Only holes that stand there.")] = None,
    connection_id: Annotated[UUID | None, Query(description="Only those of this connection.")] = None,
) -> HoleFilter:
    return HoleFilter(tenant, system, status, connection_id)


@dataclass(frozen=True)
class Watching:
    """How webhooks are looked after, for callers of the API; `database` is seen as role `api`."""

    database: Database

    def holes(self, caller: Caller, wanted: HoleFilter, *, limit: int = 50, cursor: str | None = None) -> HoleList:
        page = page_from(limit=limit, cursor=cursor)
        with scoped(self.database, caller.scope) as rows:
            found = holes_page(rows, wanted, page=page)
        next_cursor = cursor_of(found[-1].found_at, found[-1].id) if len(found) == limit else None
        return HoleList(holes=[HoleModel.model_validate(one, from_attributes=True) for one in found], next_cursor=next_cursor)

    def checks(self, caller: Caller, connection_id: UUID, *, limit: int = 20) -> CheckList:
        with scoped(self.database, caller.scope) as rows:
            found = checks_page(rows, connection_id, limit=limit)
        return CheckList(checks=[CheckModel.model_validate(one, from_attributes=True) for one in found])

    def check(self, caller: Caller, connection_id: UUID) -> CheckAsked:
        with scoped(self.database, caller.scope) as rows:
            asked = ask_for_check(rows, connection_id, actor=caller.name)
        if asked is None:
            raise NotFound(f"There is no connection {connection_id} with webhooks of a vendor, or it is not yours to see.")
        if asked["status"] != "ACTIVE":
            raise WrongState(f"Connection {connection_id} is disconnected: connect it again, and it is looked at then.")
        return CheckAsked(connection_id=connection_id, wanted_at=asked["check_wanted_at"])


def watching_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(tags=["connections"])
    signed_in, filtered = Depends(caller_of), Depends(wanted_holes)
    watching = Watching(database)

    @router.get("/api/holes", responses=problems(400, 401, 422, 503))
    def holes(
        wanted: HoleFilter = filtered,
        limit: Limit = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)] = None,
        caller: Caller = signed_in,
    ) -> HoleList:
        """Times for which events were missing, with what was made good of them."""
        return watching.holes(caller, wanted, limit=limit, cursor=cursor)

    @router.get("/api/connections/{connection_id}/checks", responses=problems(401, 422, 503))
    def checks(connection_id: UUID, limit: Limit = 20, caller: Caller = signed_in) -> CheckList:
        """What looks at the connection's webhooks found, for 30 days back."""
        return watching.checks(caller, connection_id, limit=limit)

    @router.post("/api/connections/{connection_id}/check", status_code=202, responses=problems(401, 403, 404, 409, 422, 503))
    def check(connection_id: UUID, caller: Caller = signed_in) -> CheckAsked:
        """Have the connection's webhooks looked at now; a worker does it within seconds. 409 for one that is disconnected."""
        return watching.check(caller, connection_id)

    return router
