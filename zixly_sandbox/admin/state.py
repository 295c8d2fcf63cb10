"""`/_sandbox`: start over, seed, look, move time, change rules."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.constants import CLIENTS, DEFAULT_SEED, Client
from zixly_sandbox.http import System
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.seeding.bulk import add_customers, add_invoices


class Reset(BaseModel):
    """Start over."""

    seed: int = DEFAULT_SEED


class Seed(BaseModel):
    """More data for one client."""

    organisation: str
    customers: int = Field(default=0, ge=0, le=100_000)
    invoices: int = Field(default=0, ge=0, le=500_000)
    paid_percent: int = Field(default=45, ge=0, le=100)
    only_sales: bool = False
    only_known: bool = False
    """Each of the new customers has an e-mail address, and is a contact under it at HubSpot."""


class Advance(BaseModel):
    """Move the sandbox's clock forward."""

    seconds: float = Field(ge=0)


def state_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(tags=["state"])

    @router.post("/reset")
    async def reset(body: Reset) -> dict[str, Any]:
        """Throw away all data, calls, writes, faults and deliveries, and start with the data of a seed."""
        sandbox.reset(body.seed)
        return overview(sandbox)

    @router.get("/state")
    async def state() -> dict[str, Any]:
        """Organisations and portals with their sizes, rules, clock, webhook."""
        return overview(sandbox)

    @router.post("/seed")
    async def seed(body: Seed) -> dict[str, Any]:
        """Add customers and invoices to an organisation (and the customers to its portal); no webhook is sent for them."""
        return {"invoice_ids": added(sandbox, body)}

    @router.post("/clock")
    async def clock(body: Advance) -> dict[str, str]:
        """Move time forward; it moves tokens, windows of limits and idempotency keys, not the waits of retries."""
        sandbox.clock.advance(body.seconds)
        return {"now": sandbox.clock.now().isoformat()}

    @router.patch("/rules")
    async def rules(changes: dict[str, Any]) -> dict[str, Any]:
        """Change limits and times, such as `{"latency_seconds": 0.02, "xero": {"minute_calls": 100000}}`."""
        try:
            sandbox.rules.change(changes)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return sandbox.rules.as_dict()

    @router.get("/calls")
    async def calls() -> list[dict[str, Any]]:
        """How often each endpoint was called, by status; 0 is a dropped connection."""
        return list(sandbox.calls.rows())

    @router.get("/writes")
    async def writes(
        *,
        after: int = 0,
        limit: int = 1000,
        system: System | None = None,
        account: str | None = None,
        object_type: str | None = None,
        object_id: str | None = None,
    ) -> dict[str, Any]:
        """Every write that a caller made, oldest first; go on with `after` = the last number."""
        found = sandbox.writes.select(
            after=after, limit=limit, system=system, account=account, object_type=object_type, object_id=object_id
        )
        return {"total": len(sandbox.writes), "writes": [asdict(write) for write in found]}

    return router


def overview(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "seed": sandbox.seed,
        "now": sandbox.clock.now().isoformat(),
        "organisations": [organisation(sandbox, client) for client in CLIENTS],
        "portals": [portal(sandbox, client) for client in CLIENTS],
        "rules": sandbox.rules.as_dict(),
        "webhook": {
            "target_url": sandbox.webhook.target_url,
            "state": sandbox.webhook.state,
            "waiting_events": sandbox.webhook.waiting_events,
            "deliveries": sandbox.webhook.log.counts(),
        },
        "hubspot_webhook": {
            "target_url": sandbox.hubspot_webhook.target_url,
            "public_url": sandbox.hubspot_webhook.signed_url,
            "waiting_events": sandbox.hubspot_webhook.waiting_events,
            "deliveries": sandbox.hubspot_webhook.log.counts(),
        },
        "writes": len(sandbox.writes),
    }


def organisation(sandbox: Sandbox, client: Client) -> dict[str, Any]:
    books = sandbox.xero.organisations[client.organisation].books
    return {
        "id": books.id,
        "name": books.name,
        "portal": client.portal,
        "invoices": len(books.invoices),
        "contacts": len(books.contacts),
        "open_sales": sum(1 for _ in books.open_sales()),
        "credits": len(books.credits),
        "payments": len(books.payments),
    }


def portal(sandbox: Sandbox, client: Client) -> dict[str, Any]:
    found = sandbox.hubspot.accounts[client.portal].portal
    sizes = {name: len(table.records) for name, table in found.tables.items()}
    return {"id": found.id, "name": found.name, "organisation": client.organisation, **sizes}


def added(sandbox: Sandbox, body: Seed) -> list[str]:
    """The ids of the invoices that were added."""
    client = client_of(body.organisation)
    books, found = sandbox.xero.organisations[client.organisation].books, sandbox.hubspot.accounts[client.portal].portal
    now, today = sandbox.clock.milliseconds(), today_of(sandbox)
    domain = f"{client.slug}.example.test"
    made = add_customers(books, found, count=body.customers, random=sandbox.random, now=now, domain=domain, only_known=body.only_known)
    invoices = add_invoices(
        books,
        made or list(books.contacts.values()),
        count=body.invoices,
        random=sandbox.random,
        now=now,
        today=today,
        paid_percent=body.paid_percent,
        only_sales=body.only_sales,
    )
    return [invoice.id for invoice in invoices]


def client_of(organisation_id: str) -> Client:
    for client in CLIENTS:
        if client.organisation == organisation_id:
            return client
    raise HTTPException(404, f"There is no organisation {organisation_id}.")


def today_of(sandbox: Sandbox) -> date:
    return sandbox.clock.now().date()
