"""`/_sandbox/webhooks/xero`: where deliveries go, and sending them on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from itertools import islice
from typing import Annotated, Any, Literal

import httpx2
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from zixly_sandbox.admin.records import books_of, contact_of, invoice_of
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.webhooks.deliveries import DeliveryState
from zixly_sandbox.webhooks.message import Event
from zixly_sandbox.webhooks.probes import intent_to_receive
from zixly_sandbox.webhooks.subscription import WebhookState
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.credit_documents import told


class Target(BaseModel):
    """Where deliveries go, and the key that they are signed with."""

    target_url: str | None = None
    key: str | None = None


class SendEvents(BaseModel):
    """Events to send now: for the named records, or for so many sales invoices with a status."""

    organisation: str
    category: Literal["INVOICE", "CONTACT", "CREDITNOTE", "OVERPAYMENT", "PREPAYMENT"] = "INVOICE"
    type: Literal["CREATE", "UPDATE"] = "UPDATE"
    record_ids: list[str] | None = None
    count: int = Field(default=1, ge=1, le=500_000)
    status: str | None = "PAID"
    duplicates: int = Field(default=0, ge=0, le=1000)
    """How many more times each delivery is sent, byte for byte."""
    shuffled: bool = False
    events_per_delivery: int = Field(default=1, ge=1, le=1000)


def webhooks_router(sandbox: Sandbox, client: Callable[[], httpx2.AsyncClient]) -> APIRouter:
    router = APIRouter(prefix="/webhooks/xero", tags=["webhooks"])

    @router.put("")
    async def target(body: Target) -> dict[str, str]:
        """Set where deliveries go; what is left out stays."""
        sandbox.webhook.target_url = body.target_url or sandbox.webhook.target_url
        sandbox.webhook.key = body.key or sandbox.webhook.key
        return {"target_url": sandbox.webhook.target_url, "state": sandbox.webhook.state}

    @router.post("/send", status_code=202)
    async def send(body: SendEvents) -> dict[str, Any]:
        """Send events without changing any record. Each gets a time of its own, as if the changes were milliseconds apart."""
        return sent(sandbox, body)

    @router.post("/probe")
    async def probe() -> dict[str, Any]:
        """Intent to receive: several empty deliveries, some wrongly signed, and whether the endpoint passes."""
        webhook, seconds = sandbox.webhook, sandbox.rules.webhooks.answer_seconds
        verdict = await intent_to_receive(client(), url=webhook.target_url, key=webhook.key, random=sandbox.random, seconds=seconds)
        return asdict(verdict)

    @router.post("/enable")
    async def enable() -> dict[str, Any]:
        """Probe the endpoint and switch the webhook on if it passes; what piled up is sent then."""
        verdict = await probe()
        if verdict["passed"]:
            sandbox.webhook.enable()
        return {"state": sandbox.webhook.state, **verdict}

    @router.post("/disable")
    async def disable() -> dict[str, WebhookState]:
        """Switch it off, as Xero does after 24 hours of failures; events pile up."""
        sandbox.webhook.disable()
        return {"state": sandbox.webhook.state}

    @router.post("/lose")
    async def lose(count: Annotated[int, Query(ge=1, le=1_000)] = 1) -> dict[str, int]:
        """Number so many events that are never sent, as if they had been lost on their way."""
        sandbox.webhook.lose(count)
        return {"lost": count}

    @router.post("/lose-next")
    async def lose_next(count: Annotated[int, Query(ge=1, le=1_000)] = 1) -> dict[str, int]:
        """Lose the events of so many changes that are yet to come: they are numbered and never sent."""
        sandbox.webhook.lose_next(count)
        return {"to_lose": count}

    @router.get("/deliveries")
    async def deliveries(state: DeliveryState | None = None, limit: int = 100) -> dict[str, Any]:
        """What was sent and what came back, newest first."""
        chosen = sandbox.webhook.log.select(state=state, limit=limit)
        return {"counts": sandbox.webhook.log.counts(), "deliveries": [item.document() for item in chosen]}

    return router


def sent(sandbox: Sandbox, body: SendEvents) -> dict[str, Any]:
    """Make the deliveries; their number and that of their events."""
    books = books_of(sandbox, body.organisation)
    keys, now = record_ids(books, body), sandbox.clock.now()
    events = [
        Event(books.id, body.category, key, body.type, now + timedelta(milliseconds=number), data_of(books, key))
        for number, key in enumerate(keys)
    ]
    size = body.events_per_delivery
    groups = [events[start : start + size] for start in range(0, len(events), size)]
    copies = [group for group in groups for _ in range(1 + body.duplicates)]
    if body.shuffled:
        sandbox.random.shuffle(copies)
    for group in copies:
        sandbox.webhook.deliver(group)
    return {"deliveries": len(copies), "events": sum(len(group) for group in copies), "record_ids": keys}


def data_of(books: Books, key: str) -> dict[str, str] | None:
    """What an event tells beyond the id: only credit notes have more."""
    credit = books.credits.get(key)
    return told(credit) if credit else None


def record_ids(books: Books, body: SendEvents) -> list[str]:
    """The records that the events are about, in the order of the request."""
    if body.record_ids is not None:
        for key in body.record_ids:
            if body.category in {"INVOICE", "CONTACT"}:
                (invoice_of if body.category == "INVOICE" else contact_of)(books, key)
        return [key.lower() for key in body.record_ids]
    if body.category == "CONTACT":
        return list(islice(books.contacts, body.count))
    if body.category != "INVOICE":
        return list(islice((item.id for item in books.credits.values() if item.is_note is (body.category == "CREDITNOTE")), body.count))
    fitting = (item.id for item in books.invoices.values() if item.type == "ACCREC" and body.status in {None, item.status})
    return list(islice(fitting, body.count))
