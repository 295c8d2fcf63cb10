"""`xero-invoice-to-hubspot` compared: each contact shows the standing of the last invoice that was told to it.

Contacts are read in batches of 100 and compared with the digest of what was written last, so a contact that nobody touched costs
a hundredth of a call and nothing at Xero. Only of those that differ the invoice is read, and decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from zixly_core.changes import Window
from zixly_core.drifts import Drift, DriftKind, SourceRecord, differences
from zixly_core.effects import digest_of
from zixly_core.reconciling.comparison import Compared, Sides, id_in, in_pages
from zixly_core.stores.compared import WrittenTarget
from zixly_core.stores.connections import partner_of_connection
from zixly_core.stores.effects import SourceState
from zixly_core.systems.hubspot.contacts import Contact
from zixly_core.systems.xero.invoices import Invoice
from zixly_core.workflows.paid_invoices import invoice_from_json, invoice_to_json, mapping_of, properties_from, reason_to_skip

PAGE = 500
STATUSES = ("AUTHORISED", "PAID", "VOIDED", "DELETED")
OTHER_EMAILS = "hs_additional_emails"


class InvoiceComparison:
    """Invoices of one organisation beside the contacts of one portal."""

    is_ordered = True

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        target = partner_of_connection(sides.database, sides.source, system="hubspot")
        self._mapping = mapping_of(sides.source.settings)
        self._xero = sides.clients.xero(sides.source)
        self._hubspot = sides.clients.hubspot(target)
        self._contact_key = f"hubspot:{target.external_id}:contact:"
        self.beginnings = (self._contact_key,)

    def changed(self, window: Window) -> Iterator[Sequence[SourceRecord]]:
        invoices = self._xero.invoices_changed_since(window.since, statuses=STATUSES)
        for page in in_pages(takewhile(lambda one: one.updated_at < window.until, invoices), PAGE):
            seen = self._sides.seen([self._key_of(invoice) for invoice in page])
            yield [self._record(invoice, seen) for invoice in page]

    def compare(self, targets: Sequence[WrittenTarget]) -> Compared:
        told = [target for target in targets if target.source is not None]
        contacts = self._hubspot.contacts_by_ids([id_in(target.key) for target in told], properties=sorted(self._mapping))
        touched = [target for target in told if not self._shows(contacts.get(id_in(target.key)), target)]
        return self._judged(touched, contacts) if touched else Compared()

    def _shows(self, contact: Contact | None, target: WrittenTarget) -> bool:
        """Whether the contact has what was written, to the letter."""
        return contact is not None and digest_of({name: contact.text(name) for name in self._mapping}).hex() == target.content

    def _judged(self, touched: Sequence[WrittenTarget], contacts: Mapping[str, Contact]) -> Compared:
        """What the invoices as they are now say to contacts that are not as they were written."""
        contact_of = {id_in(str(target.source)).lower(): id_in(target.key) for target in touched}
        invoices = self._xero.invoices_by_ids(contact_of)
        seen = self._sides.seen([self._key_of(invoice) for invoice in invoices])
        due = [record for invoice in invoices if (record := self._record(invoice, seen)).is_due]
        waiting = {record.id for record in due}
        told = [invoice for invoice in invoices if invoice.id not in waiting]
        replaced = self._replacements([invoice for invoice in told if contact_of[invoice.id] not in contacts])
        pairs = [(invoice, contacts.get(contact_of[invoice.id]) or replaced.get(invoice.id)) for invoice in told]
        drifts = [self._drift(invoice, contact) for invoice, contact in pairs if contact is not None]
        return Compared([drift for drift in drifts if drift is not None], due)

    def _replacements(self, invoices: Sequence[Invoice]) -> dict[str, Contact]:
        """The contacts that took the place of those that are gone, by the invoice's id. A customer whom HubSpot does not know any more
        is no drift: the workflow would have nobody to tell."""
        if not invoices:
            return {}
        emails = {one.id: (one.contact.email or "").lower() for one in self._xero.with_contact_emails(invoices)}
        found = self._hubspot.contacts_by_email(sorted(filter(None, emails.values())), properties=[*sorted(self._mapping), OTHER_EMAILS])
        return {invoice: found[email] for invoice, email in emails.items() if email in found}

    def _drift(self, invoice: Invoice, contact: Contact) -> Drift | None:
        wanted = properties_from(invoice_from_json(invoice_to_json(invoice)), self._mapping)
        fields = differences(wanted, {name: contact.text(name) for name in self._mapping})
        if not fields:
            return None
        return Drift(
            DriftKind.FIELD_DRIFT,
            key=self._key_of(invoice),
            id=invoice.id,
            version=invoice.updated_at,
            target=contact.id,
            target_key=self._contact_key + contact.id,
            fields=fields,
        )

    def _record(self, invoice: Invoice, seen: Mapping[str, SourceState]) -> SourceRecord:
        key = self._key_of(invoice)
        return SourceRecord(key, invoice.id, invoice.updated_at, is_due=reason_to_skip(invoice, seen.get(key)) is None)

    def _key_of(self, invoice: Invoice) -> str:
        return f"xero:{self._sides.source.external_id}:INVOICE:{invoice.id}"
