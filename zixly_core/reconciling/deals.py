"""`hubspot-deal-to-xero` compared: each won deal has its draft invoice and its project.

What stands in them is nobody's drift: the draft is the accountant's from the moment it was made, the project the team's. So is the
end of a draft: one that was deleted or voided is there, and its status is somebody's decision. Only what is not there at all is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from zixly_core.changed_records import ChangedDeals
from zixly_core.changes import Window
from zixly_core.connection_settings import HubSpotSettings, settings_in
from zixly_core.drifts import Drift, SourceRecord
from zixly_core.operations import INVOICE_CREATE, PROJECT_CREATE
from zixly_core.reconciling.comparison import Compared, Made, Sides, beginning_of, id_in, made_lately
from zixly_core.stores.compared import WrittenTarget, done_effects_of
from zixly_core.stores.connections import has_partner, partner_of_connection
from zixly_core.workflows.won_deals import is_won


class DealComparison:
    """Deals of one portal beside the books, and beside the workspace where there is one."""

    is_ordered = True

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._settings = settings_in(HubSpotSettings, sides.source.settings, connection_id=sides.source.id).won_deals
        self._hubspot = sides.clients.hubspot(sides.source)
        books = partner_of_connection(sides.database, sides.source, system="xero")
        self._xero = sides.clients.xero(books)
        self._source = f"hubspot:{sides.source.external_id}:deal:"
        self._invoices = beginning_of(INVOICE_CREATE, account=f"xero:{books.external_id}", source=self._source)
        self._projects: frozenset[str] | None = None
        self.beginnings: Sequence[str] = (self._invoices,)
        if has_partner(sides.database, sides.source, system="asana"):
            workspace = partner_of_connection(sides.database, sides.source, system="asana")
            self._asana = sides.clients.asana(workspace)
            self.beginnings = (
                self._invoices,
                beginning_of(PROJECT_CREATE, account=f"asana:{workspace.external_id}", source=self._source),
            )

    def changed(self, window: Window) -> Iterator[Sequence[SourceRecord]]:
        for page in ChangedDeals(self._hubspot, self._sides.source).changed(window):
            done = done_effects_of(self._sides.database, self._sides.tenant_id, [self._invoices + one.record_id for one in page])
            yield [
                SourceRecord(self._source + one.record_id, one.record_id, one.changed_at, is_due=self._invoices + one.record_id not in done)
                for one in page
            ]

    def compare(self, targets: Sequence[WrittenTarget]) -> Compared:
        made = made_lately(targets, now=datetime.now(UTC))
        if not made:
            return Compared()
        are_invoices = made[0].target.key.startswith(self._invoices)
        there = self._invoices_there(made) if are_invoices else self._projects_there()
        return Compared(self._drifts([one for one in made if one.id not in there], name="invoice" if are_invoices else "project"))

    def _drifts(self, gone: Sequence[Made], *, name: str) -> list[Drift]:
        """Of deals that are won still: what became of the others asks for nothing."""
        if not gone:
            return []
        stages = self._hubspot.deal_stages()
        deals = self._hubspot.deals_by_ids([id_in(one.source_key) for one in gone])
        won = {deal.id for deal in deals if is_won(deal, stages=stages, settings=self._settings)}
        return [one.is_gone(**{name: one.id}) for one in gone if id_in(one.source_key) in won]

    def _invoices_there(self, made: Sequence[Made]) -> frozenset[str]:
        return frozenset(invoice.id for invoice in self._xero.invoices_by_ids([one.id for one in made]))

    def _projects_there(self) -> frozenset[str]:
        """All projects of the workspace, read once: Asana lists a hundred a call and has no batch of projects."""
        if self._projects is None:
            self._projects = frozenset(project.gid for project in self._asana.projects())
        return self._projects
