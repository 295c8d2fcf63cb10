"""`/_sandbox/sweeps`: look at sweeps and make them fail."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.sandbox import Sandbox


class Fail(BaseModel):
    """The word that a failed sweep says why with."""

    error: str = Field(default="no_prices", pattern=r"^[a-z0-9_]{1,64}$")


def sweeps_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/sweeps", tags=["sweeps"])

    @router.get("")
    async def sweeps() -> list[dict[str, Any]]:
        """All sweeps with their requests and states, oldest first."""
        desk = sandbox.sweeps
        return [{**desk.state_of(one), "request": one.wish.request} for one in desk.sweeps.values()]

    @router.post("/{sweep}/fail")
    async def fail(sweep: str, body: Fail) -> dict[str, Any]:
        """Let a sweep end as failed, once its time is over."""
        found = sandbox.sweeps.sweeps.get(sweep)
        if found is None:
            raise HTTPException(404, f"There is no sweep {sweep}.")
        found.failure = body.error
        return sandbox.sweeps.state_of(found)

    @router.delete("/{sweep}", status_code=204)
    async def forget(sweep: str) -> None:
        """Make a sweep disappear."""
        sandbox.sweeps.sweeps.pop(sweep, None)

    return router
