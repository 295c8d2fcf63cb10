"""The vendors, played by the sandbox: made ready, changed as people would change them, and asked at the end what they have."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from chaos.evidence import Change
from zixly_cli.sandbox_api import LIMITS
from zixly_cli.seed import TENANTS, DemoTenant

# Ten times what the vendors allow: their limits are measured by the benchmarks, and would only stretch this.
RULES: Mapping[str, Any] = {
    "xero": {"minute_calls": 1_000, "day_calls": 1_000_000, "app_minute_calls": 100_000, "concurrent_calls": 20},
    "hubspot": {"burst_calls": 2_000, "search_calls": 100},
    "asana": {"minute_calls": 2_000},
    "shopify": {"bucket_points": 20_000, "restore_per_second": 1_000},
}
INVOICES_PER_CUSTOMER = 2
MICROSOFT_DATE = re.compile(r"/Date\((\d+)")
PAGE = 1000


@dataclass
class Client:
    """A tenant with what it has at the vendors."""

    tenant: DemoTenant
    invoices: list[str] = field(default_factory=list)
    person: str = ""
    """A contact of the portal, to whom deals and tasks belong."""


class Vendors:
    """Calls the sandbox's admin API."""

    def __init__(self, sandbox_url: str) -> None:
        self._http = httpx2.AsyncClient(base_url=f"{sandbox_url}/_sandbox", timeout=60, limits=LIMITS, trust_env=False)
        self.clients = [Client(tenant) for tenant in TENANTS]
        self.changes: list[Change] = []
        self._in_hand: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, method: str, path: str, body: Mapping[str, object] | None = None, **query: object) -> Any:
        """The JSON of a success; None where there is none. Raises what httpx2 raises."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        answer = await self._http.request(method, path, json=body, params=given)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def make_ready(self, *, invoices: int, sink_url: str) -> None:
        """Open invoices for each tenant and a person to win deals from; the vendors' own webhooks lead to the sink, because the suite
        sends the deliveries itself and has to know each of them."""
        await self.ask("PATCH", "/rules", RULES)
        for system in ("xero", "hubspot", "shopify"):
            await self.ask("PUT", f"/webhooks/{system}", {"target_url": f"{sink_url}/webhook/{system}"})
        for client in self.clients:
            tenant = client.tenant
            wanted = {"organisation": tenant.organisation, "invoices": invoices, "paid_percent": 0, "only_sales": True}
            made = await self.ask("POST", "/seed", {**wanted, "customers": max(2, invoices // INVOICES_PER_CUSTOMER)})
            client.invoices = made["invoice_ids"]
            person = {"email": f"buyer@{tenant.slug}.example.test", "firstname": "Bea", "lastname": f"Buyer of {tenant.slug}"}
            client.person = str((await self.ask("POST", f"/hubspot/{tenant.portal}/contacts", {"properties": person}))["id"])

    async def pay(self, client: Client, invoice: str, *, in_part: bool) -> Change:
        """A person books a payment. When it was is read before anybody books another one on the same invoice."""
        async with self._in_hand[invoice]:
            return await self._paid(client, invoice, in_part=in_part)

    async def _paid(self, client: Client, invoice: str, *, in_part: bool) -> Change:
        path = f"/xero/{client.tenant.organisation}"
        if in_part:
            await self.ask("POST", f"{path}/invoices/{invoice}/pay", {"amount": 1.0, "reference": "Deposit"})
        else:
            await self.ask("POST", f"{path}/pay", {"invoice_ids": [invoice]})
        found = await self.ask("GET", f"{path}/invoices/{invoice}")
        email = str(found["Contact"].get("EmailAddress") or "").lower()
        change = Change(
            tenant=client.tenant.slug,
            account=client.tenant.portal,
            contact=email or None,
            number=found["InvoiceNumber"],
            standing="PART_PAID" if in_part else "PAID",
            at=milliseconds_of(found["UpdatedDateUTC"]),
            told=False,
        )
        self.changes.append(change)
        return change

    async def win_deal(self, client: Client, number: int) -> str:
        """A new deal is moved to the stage that is won; its id."""
        tenant = client.tenant
        properties = {"dealname": deal_name(tenant, number), "dealstage": "appointmentscheduled", "pipeline": "default", "amount": "250.00"}
        body = {"properties": properties, "associations": {"contacts": [client.person]}}
        deal = str((await self.ask("POST", f"/hubspot/{tenant.portal}/deals", body))["id"])
        await self.ask("POST", f"/hubspot/{tenant.portal}/deals/{deal}/stage", {})
        return deal

    async def pay_order(self, client: Client, number: int) -> tuple[str, str]:
        """A customer orders and pays; id and name of the order."""
        email = f"shopper{number}@{client.tenant.slug}.example.test"
        body = {"email": email, "first_name": "Sam", "last_name": f"Shopper {number} of {client.tenant.slug}"}
        made = await self.ask("POST", f"/shopify/{client.tenant.shop}/orders", body)
        return str(made["id"]), str(made["name"])

    async def complete_task(self, client: Client, number: int) -> str:
        """A task of the buyer is completed; its id."""
        workspace = client.tenant.workspace
        body = {"name": task_name(client.tenant, number), "custom_fields": {"HubSpot record": f"contact:{client.person}"}}
        task = str((await self.ask("POST", f"/asana/{workspace}/tasks", body))["gid"])
        await self.ask("POST", f"/asana/{workspace}/tasks/{task}/complete", {})
        return task

    async def writes(self) -> list[dict[str, Any]]:
        """Everything that callers of the vendors' APIs wrote, in the vendors' order."""
        found: list[dict[str, Any]] = []
        while True:
            page = (await self.ask("GET", "/writes", after=len(found), limit=PAGE))["writes"]
            found += page
            if len(page) < PAGE:
                return found

    async def created(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.ask("GET", "/objects"))["objects"]
        return rows

    async def contact(self, portal: str, email: str) -> dict[str, Any] | None:
        """A contact's record; None where the portal knows nobody of that address."""
        answer = await self._http.get(f"/hubspot/{portal}/contacts/{email}", params={"id_property": "email"})
        if answer.status_code == 404:
            return None
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


def deal_name(tenant: DemoTenant, number: int) -> str:
    return f"Deal {number:05d} of {tenant.slug}"


def task_name(tenant: DemoTenant, number: int) -> str:
    return f"Task {number:05d} of {tenant.slug}"


def milliseconds_of(text: str) -> int:
    found = MICROSOFT_DATE.match(text)
    if found is None:
        raise ValueError(f"Xero gave {text!r} as a date")
    return int(found[1])


async def serve_sink() -> tuple[asyncio.Server, str]:
    """A server that takes every webhook and forgets it, and its address."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the sender hung up; it sends again
        finally:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
