"""Credit notes: read in batches, created, set off against invoices
(developer.xero.com/documentation/api/accounting/creditnotes)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from zixly_core.errors import RecordGone
from zixly_core.systems.xero.calls import PAGE_OF_IDS, XeroCalls, canonical_id, equals, is_quotable
from zixly_core.systems.xero.credit_notes import CreditNote, credit_note_from
from zixly_core.systems.xero.element_results import ALLOCATIONS, CREDIT_NOTES, ElementResult
from zixly_core.systems.xero.fields import Day, number_from
from zixly_core.systems.xero.invoice_calls import FOUR_PLACES
from zixly_core.systems.xero.writes import NewCreditNote, credit_note_element, needs_four_places
from zixly_core.vendor_api import counted

# More than the conditions that fit into a call, so that one page always holds the answer; paged answers are whole records.
PAGE = (("page", "1"), ("pageSize", str(PAGE_OF_IDS)))


class CreditNoteCalls(XeroCalls):
    def credit_notes_by_ids(self, ids: Iterable[str]) -> list[CreditNote]:
        """The credit notes with these ids, in no particular order; those that are gone are missing. Raises `Transient`, `Permanent`.

        Their list takes no `IDs`, so ids go into a condition, some twenty a call.
        """
        wanted = list(dict.fromkeys(known for known in map(canonical_id, ids) if known is not None))
        conditions = [f'CreditNoteID==guid("{one}")' for one in wanted]
        operation = f"read {counted(wanted, 'credit notes')}"
        return [credit_note_from(item) for item in self._where("/CreditNotes", "CreditNotes", conditions, more=PAGE, operation=operation)]

    def credit_notes_by_numbers(self, numbers: Iterable[str]) -> list[CreditNote]:
        """The credit notes with these numbers, those of suppliers too (whose numbers are not unique), whatever their status.

        `ValueError` for a number with a quotation mark. Raises as `credit_notes_by_ids`.
        """
        wanted = list(dict.fromkeys(number.strip() for number in numbers if number.strip()))
        if not all(map(is_quotable, wanted)):
            raise ValueError("A number of a credit note holds no quotation mark and no line break.")
        conditions = [equals("CreditNoteNumber", number) for number in wanted]
        operation = f"look for {counted(wanted, 'credit note numbers')}"
        return [credit_note_from(item) for item in self._where("/CreditNotes", "CreditNotes", conditions, more=PAGE, operation=operation)]

    def create_credit_notes(self, notes: Sequence[NewCreditNote], *, idempotency_key: str) -> dict[str, ElementResult]:
        """Create credit notes to customers in one call; one result for each, by its key. A number that is taken is
        `already_exists`. Raises as `create_invoices`."""
        return self._put(
            "/CreditNotes",
            names=CREDIT_NOTES,
            asked=[(note.key, note.number) for note in notes],
            elements=[credit_note_element(note) for note in notes],
            operation=f"create {counted([note.number for note in notes], 'credit notes')}",
            idempotency_key=idempotency_key,
            more=FOUR_PLACES if needs_four_places(notes) else (),
        )

    def allocate_credit_note(
        self, credit_note_id: str, *, invoice_id: str, amount: Decimal, date: Day, idempotency_key: str
    ) -> ElementResult:
        """Pay a part of an invoice with an approved credit note; at most what is due and what remains of the note
        (`exceeds_amount_due`). The note's `allocations` tell whether it was done before. Raises as `create_invoices`."""
        note, invoice = canonical_id(credit_note_id), canonical_id(invoice_id)
        if note is None or invoice is None:
            raise RecordGone("An id that is no UUID names no record in Xero.")
        element = {"Invoice": {"InvoiceID": invoice}, "Amount": number_from(amount), "Date": date.isoformat()}
        results = self._put(
            f"/CreditNotes/{note}/Allocations",
            names=ALLOCATIONS,
            asked=[(note, "")],
            elements=[element],
            operation=f"allocate credit note {note} to invoice {invoice}",
            idempotency_key=idempotency_key,
        )
        return results[note]
