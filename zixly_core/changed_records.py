"""Which records changed at a source: one reader for each workflow that is about records of an outside system.

A record counts to the moment of its last change: one that changed on Monday and again on Friday is told of Friday only. Searches lag
some seconds behind writes, so a window that ends now may miss the last moments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile

from zixly_core.changes import ChangedRecord, ChangeReader, Window
from zixly_core.connection_settings import HubSpotSettings, settings_in
from zixly_core.errors import Permanent
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.database import Database
from zixly_core.stores.subscriptions import subscriptions_of
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.systems.shopify.client import ShopifyClient
from zixly_core.systems.xero.client import XeroClient
from zixly_core.vendor_clients import VendorClients
from zixly_core.workflows.won_deals import is_won

# How many records are told at once.
PAGE_SIZE = 200
# Readings of changes begin a little earlier than asked, because some vendors cut moments to seconds; what is too early is left out.
EARLIER = timedelta(seconds=2)
# Clients go back by up to two seconds from page to page, so for so long is remembered what was told.
REMEMBERED = timedelta(seconds=5)
# Statuses in which an invoice is, or was, owed: a draft was never told to the customer.
INVOICE_STATUSES = ("AUTHORISED", "PAID", "VOIDED", "DELETED")


class ChangedInvoices:
    """Sales invoices of Xero, for `xero-invoice-to-hubspot`. A credit note changes the invoice that it is set against, so notes are not
    read themselves."""

    def __init__(self, client: XeroClient) -> None:
        self._client = client

    def changed(self, window: Window) -> Iterator[Sequence[ChangedRecord]]:
        found = self._client.invoices_changed_since(window.since - EARLIER, statuses=INVOICE_STATUSES)
        before = takewhile(lambda invoice: invoice.updated_at < window.until, found)
        return in_pages(once_each(ChangedRecord(one.id, one.updated_at) for one in before if one.is_sale), window)


class ChangedDeals:
    """Won deals of HubSpot, for `hubspot-deal-to-xero`."""

    def __init__(self, client: HubSpotClient, connection: ConfiguredConnection) -> None:
        self._client = client
        self._settings = settings_in(HubSpotSettings, connection.settings, connection_id=connection.id).won_deals

    def changed(self, window: Window) -> Iterator[Sequence[ChangedRecord]]:
        stages = self._client.deal_stages()
        found = self._client.deals_changed_since(window.since)
        before = takewhile(lambda deal: deal.updated_at < window.until, found)
        won = (deal for deal in before if is_won(deal, stages=stages, settings=self._settings))
        return in_pages(once_each(ChangedRecord(one.id, one.updated_at) for one in won), window)


class ChangedOrders:
    """Orders of Shopify, for `shopify-order-to-xero`; without the scope `read_all_orders` those of the last 60 days."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client

    def changed(self, window: Window) -> Iterator[Sequence[ChangedRecord]]:
        found = self._client.order_changes_since(window.since - EARLIER)
        before = takewhile(lambda order: order.updated_at < window.until, found)
        return in_pages(once_each(ChangedRecord(one.id, one.updated_at) for one in before), window)


class CompletedTasks:
    """Completed tasks in projects that Asana tells us of, for `asana-task-to-hubspot`; in the order of projects, not of time. A task
    counts to the moment of its completion: what else changes about it is no matter of the workflow."""

    def __init__(self, client: AsanaClient, project_gids: Sequence[str]) -> None:
        self._client = client
        self._projects = list(dict.fromkeys(project_gids))

    def changed(self, window: Window) -> Iterator[Sequence[ChangedRecord]]:
        return in_pages(self._completed(window.since - EARLIER), window)

    def _completed(self, since: datetime) -> Iterator[ChangedRecord]:
        """A task of several projects is told with the first of them that is read."""
        read: set[str] = set()
        for project in self._projects:
            for task in self._client.tasks_changed_since(project, since):
                if task.completed_at is not None and read.isdisjoint(task.project_gids):
                    yield ChangedRecord(task.gid, task.completed_at)
            read.add(project)


def once_each(records: Iterable[ChangedRecord]) -> Iterator[ChangedRecord]:
    """Each change once, where the oldest come first but for a step back at the border of a page."""
    recent: dict[ChangedRecord, None] = {}
    for record in records:
        if record in recent:
            continue
        while recent and next(iter(recent)).changed_at < record.changed_at - REMEMBERED:
            del recent[next(iter(recent))]
        recent[record] = None
        yield record


def in_pages(records: Iterator[ChangedRecord], window: Window) -> Iterator[Sequence[ChangedRecord]]:
    """The records that changed within the window, some at a time."""
    within = (record for record in records if window.holds(record.changed_at))
    while page := list(islice(within, PAGE_SIZE)):
        yield page


Make = Callable[[VendorClients, ConfiguredConnection, Database], ChangeReader]


def invoices(clients: VendorClients, connection: ConfiguredConnection, _database: Database) -> ChangeReader:
    return ChangedInvoices(clients.xero(connection))


def deals(clients: VendorClients, connection: ConfiguredConnection, _database: Database) -> ChangeReader:
    return ChangedDeals(clients.hubspot(connection), connection)


def orders(clients: VendorClients, connection: ConfiguredConnection, _database: Database) -> ChangeReader:
    return ChangedOrders(clients.shopify(connection))


def tasks(clients: VendorClients, connection: ConfiguredConnection, database: Database) -> ChangeReader:
    known = subscriptions_of(database, tenant_id=connection.tenant_id, connection_id=connection.id)
    return CompletedTasks(clients.asana(connection), [one.resource for one in known if one.resource])


READERS: Mapping[str, Make] = {
    "xero-invoice-to-hubspot": invoices,
    "hubspot-deal-to-xero": deals,
    "shopify-order-to-xero": orders,
    "asana-task-to-hubspot": tasks,
}
# Those that tell the oldest change first, so that a reading that was broken off goes on where it was.
OLDEST_FIRST = READERS.keys() - {"asana-task-to-hubspot"}


def reader_for(workflow: str, clients: VendorClients, connection: ConfiguredConnection, *, database: Database) -> ChangeReader:
    """What reads a connection's records that a workflow is about; the calls count in the lane of `clients`. `database` as the role
    that runs jobs. Raises `Permanent` for a workflow that is about no records, and for settings that cannot be read."""
    make = READERS.get(workflow)
    if make is None:
        text = f"What changed for {workflow} cannot be read at its source; that works for {', '.join(sorted(READERS))}."
        raise Permanent(text, reason="workflow_without_records")
    return make(clients, connection, database)
