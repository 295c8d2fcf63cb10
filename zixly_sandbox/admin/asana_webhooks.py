"""`/_sandbox/webhooks/asana`: install, look, and send on demand."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.admin.asana import account_of, task_in
from zixly_sandbox.asana.answers import Refused
from zixly_sandbox.asana.desk import Account
from zixly_sandbox.asana.events import Event, task_reference
from zixly_sandbox.asana.hooks import Webhook
from zixly_sandbox.asana.workspace import Task
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.webhooks.deliveries import DeliveryState


class Install(BaseModel):
    """A webhook that is there without a handshake, for a receiver that knows the secret already."""

    workspace: str
    resource: str
    target_url: str
    secret: str = Field(min_length=16)
    filters: list[dict[str, Any]] = Field(default_factory=list)


class SendChanges(BaseModel):
    """Events to send now to all webhooks that hear of them, as if a field of the tasks had changed."""

    workspace: str
    task_gids: list[str] | None = None
    count: int = Field(default=1, ge=1, le=100_000)
    field: str = "completed"
    duplicates: int = Field(default=0, ge=0, le=1000)
    """How many more times each delivery is sent, byte for byte."""
    shuffled: bool = False
    events_per_delivery: int = Field(default=1, ge=1, le=1000)


def asana_webhooks_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/webhooks/asana", tags=["webhooks"])

    @router.post("", status_code=201)
    async def install(body: Install) -> dict[str, Any]:
        """Put a webhook in place; one for the same resource and target is replaced."""
        return installed(sandbox, body).document()

    @router.post("/send", status_code=202)
    async def send(body: SendChanges) -> dict[str, Any]:
        """Send events without changing any task. Each gets a time of its own."""
        return sent(sandbox, body)

    @router.delete("")
    async def delete(workspace: str) -> dict[str, int]:
        """Delete all webhooks of a workspace, as Asana does with those that failed for 24 hours."""
        hooks = account_of(sandbox, workspace).hooks
        found = list(hooks.found.values())
        for webhook in found:
            hooks.remove(webhook)
        return {"deleted": len(found)}

    @router.post("/fail")
    async def fail(workspace: str) -> dict[str, int]:
        """Let the last delivery of all webhooks of a workspace have failed a moment ago, for the first time."""
        hooks = account_of(sandbox, workspace).hooks
        for webhook in hooks.found.values():
            hooks.failed(webhook)
        return {"failing": len(hooks.found)}

    @router.post("/heartbeat", status_code=202)
    async def heartbeat(workspace: str) -> dict[str, int]:
        """An empty delivery to each webhook of a workspace, now."""
        hooks = account_of(sandbox, workspace).hooks
        return {"deliveries": len([hooks.deliver(webhook, ()) for webhook in list(hooks.found.values())])}

    @router.get("/deliveries")
    async def deliveries(state: DeliveryState | None = None, limit: int = 100) -> dict[str, Any]:
        """What was sent and what came back, newest first."""
        chosen = sandbox.asana_courier.select(state=state, limit=limit)
        return {"counts": sandbox.asana_courier.counts(), "deliveries": [item.document() for item in chosen]}

    return router


def installed(sandbox: Sandbox, body: Install) -> Webhook:
    account = account_of(sandbox, body.workspace)
    hooks, workspace = account.hooks, account.workspace
    for known in list(hooks.found.values()):
        if (known.resource, known.target) == (body.resource, body.target_url):
            hooks.remove(known)
    kind = "project" if body.resource in workspace.projects else "task" if body.resource in workspace.tasks else None
    if kind is None:
        raise HTTPException(404, f"There is no project or task {body.resource}.")
    try:
        made = hooks.new_webhook(
            workspace.next_gid(), resource=body.resource, resource_type=kind, target=body.target_url, filters=body.filters
        )
    except Refused as error:
        raise HTTPException(422, str(error)) from error
    made.secret = body.secret
    hooks.start(made)
    return made


def sent(sandbox: Sandbox, body: SendChanges) -> dict[str, Any]:
    account = account_of(sandbox, body.workspace)
    tasks = chosen_tasks(account, body)
    events = [changed(sandbox, account, task, body.field, number=number) for number, task in enumerate(tasks)]
    groups = [
        (webhook, heard[start : start + body.events_per_delivery])
        for webhook in account.hooks.found.values()
        if (heard := [event for event in events if webhook.resource in event.heard_by and event.fits(webhook.filters)])
        for start in range(0, len(heard), body.events_per_delivery)
    ]
    copies = [group for group in groups for _ in range(1 + body.duplicates)]
    if body.shuffled:
        sandbox.random.shuffle(copies)
    for webhook, group in copies:
        account.hooks.deliver(webhook, group)
    return {"deliveries": len(copies), "events": sum(len(group) for _, group in copies), "task_gids": [task.gid for task in tasks]}


def chosen_tasks(account: Account, body: SendChanges) -> list[Task]:
    if body.task_gids is not None:
        return [task_in(account, gid) for gid in body.task_gids]
    return list(account.workspace.tasks.values())[: body.count]


def changed(sandbox: Sandbox, account: Account, task: Task, field: str, *, number: int) -> Event:
    at = sandbox.clock.milliseconds() + number
    change = {"field": field, "action": "changed"}
    return Event("changed", task_reference(task), None, change, account.workspace.me.gid, at, frozenset(account.workspace.upwards(task)))
