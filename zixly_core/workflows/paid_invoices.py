"""What the workflow `xero-invoice-to-hubspot` decides: which invoices became paid, and what a contact's properties get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from zixly_core.errors import Permanent
from zixly_core.stores.effects import SourceState
from zixly_core.systems.xero.invoices import Invoice

PAID = "PAID"


class NotPaid(StrEnum):
    """Why an invoice event needs no write."""

    BILL = "is a bill, not a sales invoice"
    OPEN = "is not paid"
    KNOWN = "was paid already when we last acted on it"


class MissingContact(StrEnum):
    """What a connection's setting `missing_contact` may say about customers that HubSpot does not know."""

    SKIP = "skip"
    FAIL = "fail"


# What a property of a contact may be filled with. HubSpot takes every value as text; dates as YYYY-MM-DD.
FIELDS: dict[str, Callable[[PaidInvoice], str]] = {
    "status": lambda invoice: invoice.status,
    "number": lambda invoice: invoice.number,
    "id": lambda invoice: invoice.id,
    "total": lambda invoice: format(invoice.total, "f"),
    "currency": lambda invoice: invoice.currency,
    "fully_paid_on": lambda invoice: invoice.fully_paid_on.isoformat() if invoice.fully_paid_on else "",
}
DEFAULT_MAPPING: Mapping[str, str] = {
    "xero_last_invoice_status": "status",
    "xero_last_invoice_number": "number",
    "xero_last_invoice_total": "total",
    "xero_last_paid_at": "fully_paid_on",
}


@dataclass(frozen=True)
class PaidInvoice:
    """What the workflow keeps of a paid invoice between its steps."""

    id: str
    number: str
    status: str
    email: str | None
    total: Decimal
    currency: str
    fully_paid_on: date | None
    updated_at: datetime


def reason_to_skip(invoice: Invoice, seen: SourceState | None) -> NotPaid | None:
    """Why the invoice needs nothing, or None when it became paid since the state that we acted on last."""
    if not invoice.is_sale:
        return NotPaid.BILL
    if not invoice.is_paid:
        return NotPaid.OPEN
    if seen is not None and seen.state.get("status") == PAID:
        return NotPaid.KNOWN
    return None


def is_reopened(invoice: Invoice, seen: SourceState | None) -> bool:
    """Whether an invoice that was paid when we last acted on it is paid no more (the bank took the money back). This has to be
    remembered: paid again, it became paid anew."""
    return seen is not None and seen.state.get("status") == PAID and not invoice.is_paid and invoice.updated_at >= seen.version


def state_of(invoice: Invoice) -> SourceState:
    """What is remembered of an invoice."""
    return SourceState(invoice.updated_at, {"status": invoice.status})


def invoice_to_json(invoice: Invoice) -> dict[str, Any]:
    """The checkpoint of a fetched invoice; it lies in Postgres under the tenant's policy and nowhere else."""
    return {
        "id": invoice.id,
        "number": invoice.number,
        "status": invoice.status,
        "email": invoice.contact.email,
        "total": str(invoice.total),
        "currency": invoice.currency,
        "fully_paid_on": invoice.fully_paid_on.isoformat() if invoice.fully_paid_on else None,
        "updated_at": invoice.updated_at.isoformat(),
    }


def invoice_from_json(kept: Mapping[str, Any]) -> PaidInvoice:
    """The invoice of a checkpoint."""
    paid_on = kept["fully_paid_on"]
    return PaidInvoice(
        id=kept["id"],
        number=kept["number"],
        status=kept["status"],
        email=kept["email"],
        total=Decimal(kept["total"]),
        currency=kept["currency"],
        fully_paid_on=date.fromisoformat(paid_on) if paid_on else None,
        updated_at=datetime.fromisoformat(kept["updated_at"]),
    )


def mapping_of(settings: Mapping[str, Any]) -> Mapping[str, str]:
    """Which property of the contact gets which field, from the connection's setting `mapping`. Raises `Permanent` for a field
    that does not exist, naming those that do."""
    mapping = settings.get("mapping") or DEFAULT_MAPPING
    if not isinstance(mapping, Mapping):
        raise Permanent("The setting mapping of the connection is not an object.", reason="mapping_invalid")
    unknown = sorted({str(name) for name in mapping.values()} - FIELDS.keys())
    if unknown:
        raise Permanent(
            f"The setting mapping names unknown invoice fields {unknown}; there are {sorted(FIELDS)}.", reason="mapping_invalid"
        )
    return {str(name): str(source) for name, source in mapping.items()}


def properties_from(invoice: PaidInvoice, mapping: Mapping[str, str]) -> dict[str, str]:
    """What the contact's properties get."""
    return {name: FIELDS[source](invoice) for name, source in mapping.items()}
