"""`shopify-order-to-xero` compared: each paid order has its invoice, and the invoice the order's total and payments.

Xero keeps the amounts of an invoice that payments were made to, so one that is PAID is as it was booked. Only of the others the order
is read, and decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from zixly_core.changed_records import ChangedOrders
from zixly_core.changes import Window
from zixly_core.drifts import Drift, DriftKind, SourceRecord, differences
from zixly_core.operations import INVOICE_CREATE
from zixly_core.reconciling.comparison import Compared, Made, Sides, beginning_of, id_in, in_pages, made_lately
from zixly_core.stores.compared import WrittenTarget
from zixly_core.stores.connections import partner_of_connection
from zixly_core.stores.effects import SourceState
from zixly_core.systems.shopify.orders import Order
from zixly_core.systems.xero.invoices import Invoice
from zixly_core.workflows.paid_orders import BOOKED_STATUSES, Plan, judged, takings_of

ORDERS_PER_PAGE = 5
GONE_STATUSES = frozenset({"VOIDED", "DELETED"})


class OrderComparison:
    """Orders of one shop beside the books."""

    is_ordered = True

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._shopify = sides.clients.shopify(sides.source)
        books = partner_of_connection(sides.database, sides.source, system="xero")
        self._xero = sides.clients.xero(books)
        self._source = f"shopify:{sides.source.external_id}:order:"
        self.beginnings = (beginning_of(INVOICE_CREATE, account=f"xero:{books.external_id}", source=self._source),)

    def changed(self, window: Window) -> Iterator[Sequence[SourceRecord]]:
        for page in ChangedOrders(self._shopify).changed(window):
            # As many as go into one call: after a spent budget only that call is made again.
            for some in in_pages(page, ORDERS_PER_PAGE):
                orders = self._shopify.orders_by_ids([one.record_id for one in some])
                seen = self._sides.seen([self._source + order.id for order in orders])
                yield [self._record(order, seen) for order in orders]

    def compare(self, targets: Sequence[WrittenTarget]) -> Compared:
        made = made_lately(targets, now=datetime.now(UTC))
        invoices = {invoice.id: invoice for invoice in self._xero.invoices_by_ids([one.id for one in made])} if made else {}
        doubtful = {id_in(one.source_key): one for one in made if one.id not in invoices or not invoices[one.id].is_paid}
        if not doubtful:
            return Compared()
        orders = self._shopify.orders_by_ids(doubtful)
        seen = self._sides.seen([self._source + order.id for order in orders])
        due = [record for order in orders if (record := self._record(order, seen)).is_due]
        waiting = {record.id for record in due}
        booked = [order for order in orders if order.id not in waiting and order.financial_status in BOOKED_STATUSES]
        drifts = [self._drift(order, doubtful[order.id], invoices.get(doubtful[order.id].id)) for order in booked]
        return Compared([drift for drift in drifts if drift is not None], due)

    def _drift(self, order: Order, made: Made, invoice: Invoice | None) -> Drift | None:
        paid = sum((one.amount for one in takings_of(order, zone=self._sides.zone)), Decimal(0))
        wanted = {"total": str(order.total), "amount_paid": str(paid)}
        if invoice is None:
            return made.is_gone(invoice=made.id, **wanted)
        found: dict[str, str | None] = {"total": str(invoice.total), "amount_paid": str(invoice.amount_paid)}
        if invoice.status in GONE_STATUSES:
            wanted, found = {**wanted, "status": "PAID"}, {**found, "status": invoice.status}
        fields = differences(wanted, found)
        if not fields:
            return None
        key = self._source + order.id
        return Drift(DriftKind.FIELD_DRIFT, key, order.id, order.updated_at, target=invoice.id, target_key=made.target.key, fields=fields)

    def _record(self, order: Order, seen: Mapping[str, SourceState]) -> SourceRecord:
        key = self._source + order.id
        return SourceRecord(key, order.id, order.updated_at, is_due=isinstance(judged(order, seen.get(key)), Plan))
