"""What became of each element of one write: with `summarizeErrors=false` good and bad ones stand side by side in the answer
(developer.xero.com/documentation/api/accounting/requests-and-responses)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zixly_core.errors import Permanent, Transient, ZixlyError


@dataclass(frozen=True)
class Names:
    """How the answer to a write names things: the list, the id of an element, and the field that is the element's own name. A
    field of none (payments have no name) leaves the order to tell."""

    list: str
    id: str
    number: str | None = None


INVOICES = Names("Invoices", "InvoiceID", "InvoiceNumber")
CREDIT_NOTES = Names("CreditNotes", "CreditNoteID", "CreditNoteNumber")
CONTACTS = Names("Contacts", "ContactID", "Name")
PAYMENTS = Names("Payments", "PaymentID")
ALLOCATIONS = Names("Allocations", "AllocationID")

# What Xero's sentences are about, by words in them; first fit wins. The sentences themselves may repeat names and amounts.
SENTENCES: tuple[tuple[str, str, str], ...] = (
    ("must be unique", "already_exists", "The number or name is taken: look for the record that has it."),
    ("already assigned", "already_exists", "The number or name is taken: look for the record that has it."),
    ("amount outstanding", "exceeds_amount_due", "More would be paid than is due."),
    ("greater than the remaining", "exceeds_amount_due", "More would be paid than is due."),
    ("lock date", "period_locked", "The books are locked for that date."),
    ("currency", "unknown_currency", "The organisation does not keep books in that currency."),
    ("tax", "unknown_tax_type", "Look at the tax type that the connection's settings name."),
    ("account", "unknown_account", "Look at the account that the connection's settings name."),
    ("archived", "contact_archived", "The contact is archived: restore it in Xero, or settle on another one."),
    ("not of valid status", "status_not_allowed", "The record's present status does not allow it."),
    ("status", "status_not_allowed", "The record's present status does not allow it."),
)
REFUSED = ("refused", "Look at the field mapping and the values it sends.")


@dataclass(frozen=True)
class ElementResult:
    """What became of one element: done where `error` is None.

    `Permanent` errors say why by their reason: `already_exists`, `exceeds_amount_due`, `period_locked`, `unknown_currency`,
    `unknown_tax_type`, `unknown_account`, `contact_archived`, `status_not_allowed`, else `refused`. `Transient` with
    `outcome_unknown`: the answer does not tell, a look at the books does.
    """

    id: str | None
    number: str | None
    error: ZixlyError | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


def element_results(asked: Sequence[tuple[str, str]], items: Sequence[Any], *, names: Names, operation: str) -> dict[str, ElementResult]:
    """The result of each element by its key. `asked` holds key and own name (empty for none) in the order that was sent.

    Answers keep the order of the request; an element that bears the name of another one is not taken for this one.
    """
    elements = [item if isinstance(item, dict) else {} for item in items]
    by_name = {name_in(item, names): item for item in elements}
    wanted = {plain(name) for _, name in asked}
    in_order = elements if len(elements) == len(asked) else [{}] * len(asked)
    results: dict[str, ElementResult] = {}
    for (key, name), item in zip(asked, in_order, strict=True):
        is_another = name_in(item, names) in wanted - {plain(name), ""}
        found = item if item and not is_another else by_name.get(plain(name), {}) if name else {}
        results[key] = result_of(found, names=names, operation=operation)
    return results


def name_in(item: Mapping[str, Any], names: Names) -> str:
    return plain(str(item.get(names.number) or "")) if names.number else ""


def plain(name: str) -> str:
    """A name as Xero compares it: without regard to case and to blanks around it."""
    return " ".join(name.split()).casefold()


def result_of(item: Mapping[str, Any], *, names: Names, operation: str) -> ElementResult:
    """An element that is empty was not told about."""
    if not item:
        text = f"xero's answer does not say what became of an element when asked to {operation}; it is looked for."
        return ElementResult(None, None, Transient(text, reason="outcome_unknown").when("xero", operation))
    number = str(item.get(names.number) or "") if names.number else ""
    error = failure_of_element(item, operation=operation)
    if error is not None:
        return ElementResult(None, number or None, error)
    return ElementResult(str(item.get(names.id) or "").lower() or None, number or None)


def failure_of_element(item: Mapping[str, Any], *, operation: str) -> Permanent | None:
    """Why an element was refused, None where it was taken. Xero's sentences are read and left out."""
    sentences = sentences_of(item)
    if item.get("StatusAttributeString") != "ERROR" and not sentences:
        return None
    reason, advice = meaning_of(sentences)
    return Permanent(f"xero refused an element ({reason}) when asked to {operation}. {advice}", reason=reason).when("xero", operation)


def sentences_of(item: Mapping[str, Any]) -> list[str]:
    errors = item.get("ValidationErrors")
    found = [error.get("Message") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return [text.lower() for text in found if isinstance(text, str)]


def meaning_of(sentences: Sequence[str]) -> tuple[str, str]:
    for words, reason, advice in SENTENCES:
        if any(words in sentence for sentence in sentences):
            return reason, advice
    return REFUSED
