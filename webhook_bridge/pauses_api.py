"""`/api/pauses`: hold a tenant, system, workflow or connection, and let it go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from webhook_bridge.pauses_models import NewPause, PauseList, PauseModel, Resumed
from webhook_bridge.problems import WrongState, problems
from webhook_bridge.signed_in import Caller
from zixly_core.errors import NotAllowed
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.pauses import PausedKind, pause, pauses, resume

What = Annotated[PausedKind, Query(description="`tenant`, `system`, `workflow` or `connection`.")]
Name = Annotated[str, Query(description="A tenant's short name, a system's, a workflow's, or a connection's id.", max_length=200)]
FOR_ALL = {"system", "workflow"}


@dataclass(frozen=True)
class Pauses:
    """Holding and letting go, for callers of the API; `database` is seen as role `api`."""

    database: Database

    def seen(self, caller: Caller) -> PauseList:
        with scoped(self.database, caller.scope) as rows:
            return PauseList(pauses=[PauseModel.model_validate(one, from_attributes=True) for one in pauses(rows)])

    def hold(self, caller: Caller, wanted: NewPause) -> PauseList:
        refuse_for_tenants(caller, wanted.what)
        with scoped(self.database, caller.scope) as rows:
            pause(rows, kind=wanted.what, name=wanted.name, reason=wanted.reason, until=wanted.until, actor=caller.name)
            made = [one for one in pauses(rows) if (one.kind, one.name) == (wanted.what, wanted.name)]
        return PauseList(pauses=[PauseModel.model_validate(one, from_attributes=True) for one in made])

    def let_go(self, caller: Caller, *, what: PausedKind, name: str) -> Resumed:
        refuse_for_tenants(caller, what)
        with scoped(self.database, caller.scope) as rows:
            done = resume(rows, kind=what, name=name, actor=caller.name)
        if done.is_switched_off:
            raise WrongState(f"The sensor dispatch_{name} is switched off: switch it on in the Dagster UI under Automation.")
        return Resumed(resumed=done.was_paused)


def pauses_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(tags=["pauses"])
    signed_in = Depends(caller_of)
    every = Pauses(database)

    @router.get("/api/pauses", responses=problems(401, 503))
    def paused(caller: Caller = signed_in) -> PauseList:
        """What is paused, by whom, why and until when."""
        return every.seen(caller)

    @router.post("/api/pauses", status_code=201, responses=problems(400, 401, 403, 404, 422, 503))
    def hold(wanted: NewPause, caller: Caller = signed_in) -> PauseList:
        """Pause: deliveries are still received, jobs that run end, the others wait in their order. Pausing what is paused changes
        its reason and end."""
        return every.hold(caller, wanted)

    @router.delete("/api/pauses", responses=problems(401, 403, 404, 409, 422, 503))
    def let_go(what: What, name: Name, caller: Caller = signed_in) -> Resumed:
        """Resume: what waited is worked off in order. 409 for a system whose sensor is switched off in the Dagster UI."""
        return every.let_go(caller, what=what, name=name)

    return router


def refuse_for_tenants(caller: Caller, what: str) -> None:
    """Systems and workflows are everybody's: only staff holds them."""
    if what in FOR_ALL and not caller.scope.is_staff:
        raise NotAllowed(f"A {what} is paused for all tenants; that is for staff.")
