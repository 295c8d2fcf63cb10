"""`/api/searches`: events by a value in their payloads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from webhook_bridge.problems import NotFound, problems
from webhook_bridge.replay_models import NewSearch, Search
from webhook_bridge.signed_in import Caller
from zixly_core.payload_paths import wanted_value
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.manual_jobs import tenant_of
from zixly_core.stores.payload_search import Within, events_found, find_events, keep_search, kept_search

SHOWN = 200


@dataclass(frozen=True)
class Searches:
    """Searches for callers of the API; `database` is seen as role `api`."""

    database: Database

    def make(self, caller: Caller, asked: NewSearch) -> Search:
        wanted = wanted_value(asked.path, asked.value)
        with scoped(self.database, caller.scope) as connection:
            tenant_id = tenant_of(connection, asked.tenant)
            found = find_events(connection, wanted, tenant_id=tenant_id, within=Within(asked.since, asked.until), limit=asked.limit)
            search_id = keep_search(connection, wanted, found, tenant_id=tenant_id, actor=caller.name)
            return shown(connection, search_id)

    def kept(self, caller: Caller, search_id: UUID) -> Search:
        with scoped(self.database, caller.scope) as connection:
            return shown(connection, search_id)


def searches_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(tags=["replays"])
    signed_in = Depends(caller_of)
    store = Searches(database)

    @router.post("/api/searches", status_code=201, responses=problems(400, 401, 403, 422, 503))
    def search(asked: NewSearch, caller: Caller = signed_in) -> Search:
        """Find events of a tenant by a value in their payloads. What was found is kept as ids, for a replay to name; the value is not."""
        return store.make(caller, asked)

    @router.get("/api/searches/{search_id}", responses=problems(401, 404, 422, 503))
    def kept(search_id: UUID, caller: Caller = signed_in) -> Search:
        """What an earlier search found, and how the jobs stand now."""
        return store.kept(caller, search_id)

    return router


def shown(connection: Rows, search_id: UUID) -> Search:
    row = kept_search(connection, search_id)
    if row is None:
        raise NotFound(f"There is no search {search_id}, or it is not yours to see.")
    events = events_found(connection, row["event_ids"][:SHOWN])
    return Search.model_validate(row | {"found": len(row["event_ids"]), "events": events})
