"""`/_sandbox/slack`: the messages that channels got, and webhooks that people revoke."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from zixly_sandbox.sandbox import Sandbox


class Revoked(BaseModel):
    """A webhook that is to be good no longer."""

    webhook: str = Field(description="Its path below `/slack/services/`.")


def slack_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/slack", tags=["slack"])

    @router.get("/messages")
    async def messages(webhook: str | None = None) -> list[dict[str, Any]]:
        """What came, oldest first; with `webhook` only what came there."""
        return [asdict(one) for one in sandbox.slack.messages if webhook in {None, one.webhook}]

    @router.post("/revoke", status_code=204)
    async def revoke(body: Revoked) -> None:
        """A person removes the webhook: from now on it answers 404 `no_service`."""
        sandbox.slack.revoked.add(body.webhook)

    return router
