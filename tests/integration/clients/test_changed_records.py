"""What changed at each source: everything of a window is told once, and nothing else. One suite for every reader, on the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx2
import pytest

from tests.integration.workflows.sandbox_server import SandboxServer
from tests.support.outgoing import HERE
from tests.support.vendor_accounts import SandboxTokens
from zixly_core.changed_records import PAGE_SIZE, ChangedDeals, ChangedInvoices, ChangedOrders, CompletedTasks
from zixly_core.changes import ChangedRecord, ChangeReader, Window
from zixly_core.http_client import new_client
from zixly_core.ids import new_id
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.systems.shopify.client import ShopifyClient
from zixly_core.systems.xero.client import XeroClient
from zixly_sandbox.asana.workspace import Project
from zixly_sandbox.constants import DEMO
from zixly_sandbox.hubspot.table import stamp
from zixly_sandbox.seeding.bulk import add_invoices
from zixly_sandbox.seeding.deals import add_deals
from zixly_sandbox.seeding.shops import add_orders
from zixly_sandbox.seeding.workspaces import add_tasks

pytestmark = pytest.mark.integration

DAY = Window(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
SECOND_PROJECT = "1203333333333399"


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def moments(count: int) -> list[datetime]:
    """Changes of a day: at both of its ends, at its edges outside, two thirds of a page in one moment, the rest over the day."""
    many = count * 2 // 3
    edges = [DAY.since, DAY.until - timedelta(seconds=1), DAY.since - timedelta(seconds=1), DAY.until]
    spread = [DAY.since + timedelta(minutes=number % 1400) for number in range(count - many - len(edges))]
    return [*edges, *[DAY.since + timedelta(hours=12)] * many, *spread]


@dataclass
class Source:
    """A vendor's records with the moments of their changes, and what reads them."""

    reader: ChangeReader
    changed: dict[str, datetime]

    def expected(self) -> set[ChangedRecord]:
        return {ChangedRecord(key, at) for key, at in self.changed.items() if DAY.holds(at)}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    server = SandboxServer()
    server.start()
    server.sandbox.rules.change({"hubspot": {"search_calls": 1_000}, "shopify": {"read_all_orders": 1}})
    yield server
    server.stop()


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with new_client(HERE) as made:
        yield made


def connection_to(system: str, external_id: str) -> ConfiguredConnection:
    return ConfiguredConnection(id=new_id(), tenant_id=new_id(), system=system, external_id=external_id, name=system, status="CONNECTED")


def xero(sandbox: SandboxServer, http: httpx2.Client) -> Source:
    """A thousand a page: more than one page, bills among them, a page in one moment."""
    books, now = sandbox.books, milliseconds(datetime.now(UTC))
    made = add_invoices(books, list(books.contacts.values()), count=1_600, random=Random(1), now=now, today=DAY.since.date())
    for invoice, at in zip(made, moments(len(made)), strict=True):
        invoice.updated_at = milliseconds(at)
    told = {one.id: one.updated_at for one in books.invoices.values() if one.type == "ACCREC" and one.status != "DRAFT"}
    client = XeroClient(
        http, base_url=f"{sandbox.url}/xero/api.xro/2.0", tokens=SandboxTokens(sandbox.url, "xero"), external_id=DEMO.organisation
    )
    return Source(ChangedInvoices(client), {key: moment(at) for key, at in told.items()})


def hubspot(sandbox: SandboxServer, http: httpx2.Client) -> Source:
    """Two hundred a page, open and lost deals among them."""
    portal, table = sandbox.portal, sandbox.portal.tables["deals"]
    companies = list(portal.tables["companies"].records.values())
    made = add_deals(portal, companies, random=Random(1), now=milliseconds(DAY.since), count=1_200)
    for deal, at in zip(made, moments(len(made)), strict=True):
        deal.updated_at = milliseconds(at)
        stamp(deal, "deals")
        table.show_later(deal, now=0, lag_ms=0)
    won = {one.id: one.updated_at for one in table.records.values() if one.properties.get("hs_is_closed_won") == "true"}
    client = HubSpotClient(
        http,
        base_url=f"{sandbox.url}/hubspot",
        version="2026-09",
        tokens=SandboxTokens(sandbox.url, "hubspot"),
        external_id=DEMO.portal,
    )
    return Source(ChangedDeals(client, connection_to("hubspot", DEMO.portal)), {key: moment(at) for key, at in won.items()})


def shopify(sandbox: SandboxServer, http: httpx2.Client) -> Source:
    """Two hundred and fifty a page."""
    shop = sandbox.sandbox.shopify.shops[DEMO.shop].shop
    add_orders(shop, list(shop.customers.values()), count=700, random=Random(1), now=milliseconds(DAY.since))
    for order, at in zip(shop.orders.values(), moments(len(shop.orders)), strict=True):
        order.updated_at = milliseconds(at)
    shop.revision += 1
    client = ShopifyClient(
        http,
        base_url=f"{sandbox.url}/shopify/{{shop}}",
        version="2026-10",
        tokens=SandboxTokens(sandbox.url, "shopify"),
        external_id=DEMO.shop,
    )
    return Source(ChangedOrders(client), {str(one.id): moment(one.updated_at) for one in shop.orders.values()})


def asana(sandbox: SandboxServer, http: httpx2.Client) -> Source:
    """A hundred a page, in two projects, some tasks in both and some not completed."""
    workspace = sandbox.sandbox.asana.accounts[DEMO.workspace].workspace
    first, now = workspace.projects[DEMO.project], milliseconds(DAY.since)
    second = Project(SECOND_PROJECT, "Second", now, now)
    workspace.keep_project(second)
    made = add_tasks(workspace, first, steps=tuple(f"Step {number}" for number in range(450)), random=Random(1), now=now)
    for number, (task, at) in enumerate(zip(made, moments(len(made)), strict=True)):
        task.modified_at, task.completed = milliseconds(at), number % 5 != 4
        task.completed_at = task.modified_at if task.completed else None
        if number % 3 == 0:
            workspace.put_in_project(task, second.gid)
    client = AsanaClient(
        http, base_url=f"{sandbox.url}/asana/api/1.0", tokens=SandboxTokens(sandbox.url, "asana"), external_id=DEMO.workspace
    )
    completed = {one.gid: moment(one.modified_at) for one in workspace.tasks.values() if one.completed and one.projects}
    return Source(CompletedTasks(client, [first.gid, second.gid, first.gid]), completed)


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


@pytest.mark.parametrize("arranged", [xero, hubspot, shopify, asana])
def test_everything_that_changed_in_a_window_is_told_once_and_nothing_else(
    sandbox: SandboxServer, http: httpx2.Client, arranged: Callable[[SandboxServer, httpx2.Client], Source]
) -> None:
    """Across the borders of pages, with hundreds of records of one moment."""
    source = arranged(sandbox, http)
    pages = list(source.reader.changed(DAY))
    told = [record for page in pages for record in page]
    assert len(told) == len(set(told))
    assert set(told) == source.expected()
    assert len(told) > PAGE_SIZE
    assert max(map(len, pages)) <= PAGE_SIZE
    assert list(source.reader.changed(Window(DAY.since - timedelta(days=3_650), DAY.until - timedelta(days=3_650)))) == []


def test_a_page_is_told_before_the_next_one_is_asked_for(sandbox: SandboxServer, http: httpx2.Client) -> None:
    """So memory stays bounded, however long the list is."""
    calls: list[Any] = []
    http.event_hooks = {"request": [calls.append], "response": []}
    pages = shopify(sandbox, http).reader.changed(DAY)
    first: Sequence[ChangedRecord] = next(iter(pages))
    assert (len(first), len(calls)) == (PAGE_SIZE, 1)
