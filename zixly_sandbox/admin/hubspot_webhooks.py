"""`/_sandbox/webhooks/hubspot`: where deliveries go, what is subscribed to, and sending events on demand."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from zixly_sandbox.admin.hubspot import portal_of, record_of
from zixly_sandbox.hubspot.changes import PERSON, Change
from zixly_sandbox.hubspot.webhook_message import OlderVersion
from zixly_sandbox.hubspot.webhooks import numbered
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.webhooks.deliveries import DeliveryState

ObjectType = Literal["deals", "contacts", "companies", "line_items"]
Kind = Literal["creation", "propertyChange", "deletion"]


class SubscribedTo(BaseModel):
    """One subscription; `property_name` for changes of a property."""

    object_type: ObjectType
    kind: Kind
    property_name: str = ""


class Target(BaseModel):
    """Where deliveries go, what they are signed with and over, and what is told; what is left out stays."""

    target_url: str | None = None
    public_url: str | None = None
    """The configured address, which the signature covers."""
    secret: str | None = None
    older_signature: OlderVersion | None = None
    subscriptions: list[SubscribedTo] | None = None


class SendEvents(BaseModel):
    """Events to send now: for the named records, or for so many of the type."""

    portal: str
    object_type: ObjectType = "deals"
    kind: Kind = "propertyChange"
    property_name: str = "dealstage"
    property_value: str | None = None
    """The value that the events tell; the record's own where it is left out."""
    object_ids: list[str] | None = None
    count: int = Field(default=1, ge=1, le=500_000)
    duplicates: int = Field(default=0, ge=0, le=1000)
    """How many more times each delivery is sent."""
    shuffled: bool = False
    same_event_id: bool = False
    """Give all events one id: HubSpot does not promise that ids are unique."""
    events_per_delivery: int = Field(default=1, ge=1, le=100)


def hubspot_webhooks_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/webhooks/hubspot", tags=["webhooks"])

    @router.get("")
    async def present() -> dict[str, Any]:
        """Where deliveries go and what is subscribed to."""
        return overview(sandbox)

    @router.put("")
    async def target(body: Target) -> dict[str, Any]:
        """Set where deliveries go; what is left out stays."""
        webhook = sandbox.hubspot_webhook
        webhook.target_url = body.target_url or webhook.target_url
        webhook.signed_url = body.public_url or body.target_url or webhook.signed_url
        webhook.secret = body.secret or webhook.secret
        webhook.older = body.older_signature or webhook.older
        if body.subscriptions is not None:
            webhook.subscribed = numbered([(item.object_type, item.kind, item.property_name) for item in body.subscriptions])
        return overview(sandbox)

    @router.post("/send", status_code=202)
    async def send(body: SendEvents) -> dict[str, Any]:
        """Send events without changing any record."""
        return sent(sandbox, body)

    @router.get("/deliveries")
    async def deliveries(state: DeliveryState | None = None, limit: int = 100) -> dict[str, Any]:
        """What was sent and what came back, newest first."""
        log = sandbox.hubspot_webhook.log
        return {"counts": log.counts(), "deliveries": [item.document() for item in log.select(state=state, limit=limit)]}

    return router


def overview(sandbox: Sandbox) -> dict[str, Any]:
    webhook = sandbox.hubspot_webhook
    return {
        "target_url": webhook.target_url,
        "public_url": webhook.signed_url,
        "older_signature": webhook.older,
        "waiting_events": webhook.waiting_events,
        "deliveries": webhook.log.counts(),
        "subscriptions": [vars(item) for item in webhook.subscribed],
    }


def sent(sandbox: Sandbox, body: SendEvents) -> dict[str, Any]:
    """Make the deliveries; their number and that of their events."""
    webhook, changes = sandbox.hubspot_webhook, changes_told(sandbox, body)
    shared = webhook.event(changes[0]).event_id if body.same_event_id and changes else None
    events = [webhook.event(change, event_id=shared) for change in changes]
    size = body.events_per_delivery
    groups = [events[start : start + size] for start in range(0, len(events), size)]
    copies = [group for group in groups for _ in range(1 + body.duplicates)]
    if body.shuffled:
        sandbox.random.shuffle(copies)
    for group in copies:
        webhook.deliver(group)
    ids = [change.object_id for change in changes]
    return {"deliveries": len(copies), "events": sum(len(group) for group in copies), "object_ids": ids}


def changes_told(sandbox: Sandbox, body: SendEvents) -> list[Change]:
    """What the events tell, in the order of the request. Removed records can be told of by their ids."""
    portal = portal_of(sandbox, body.portal)
    keys = body.object_ids if body.object_ids is not None else list(islice(portal.table(body.object_type).records, body.count))
    if body.kind != "propertyChange":
        return [Change(portal.id, body.object_type, key, body.kind, source=PERSON) for key in keys]
    return [
        Change(portal.id, body.object_type, key, body.kind, body.property_name, value, PERSON)
        for key in keys
        for value in [body.property_value if body.property_value is not None else own_value(sandbox, body, key)]
    ]


def own_value(sandbox: Sandbox, body: SendEvents, key: str) -> str:
    _, record = record_of(portal_of(sandbox, body.portal), body.object_type, key)
    return record.properties.get(body.property_name, "")
