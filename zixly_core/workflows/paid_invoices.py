"""What the workflow `xero-invoice-to-hubspot` decides: which invoices changed their standing, and what a contact's properties get.

The standing is what a customer owes: a payment, a part payment, a credit note, a void and the reverse of each change it. Xero
tells none of them apart in its events; all arrive as INVOICE UPDATE, credit notes as CREDITNOTE beside it.
"""

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


class Standing(StrEnum):
    """What is left to pay, as the contact in HubSpot is told."""

    OPEN = "OPEN"
    PART_PAID = "PART_PAID"
    PAID = "PAID"
    CREDITED = "CREDITED"
    VOIDED = "VOIDED"


class NoNews(StrEnum):
    """Why an invoice event needs no write."""

    BILL = "is a bill, not a sales invoice"
    OPEN = "is not paid"
    NEVER_TOLD = "was voided before anything was told of it"
    KNOWN = "stands as when we last acted on it"


class MissingContact(StrEnum):
    """What a connection's setting `missing_contact` may say about customers that HubSpot does not know."""

    SKIP = "skip"
    FAIL = "fail"


# What a property of a contact may be filled with. HubSpot takes every value as text; dates as YYYY-MM-DD.
FIELDS: dict[str, Callable[[PaidInvoice], str]] = {
    "standing": lambda invoice: invoice.standing.value,
    "status": lambda invoice: invoice.status,
    "number": lambda invoice: invoice.number,
    "id": lambda invoice: invoice.id,
    "total": lambda invoice: format(invoice.total, "f"),
    "amount_paid": lambda invoice: format(invoice.amount_paid, "f"),
    "amount_credited": lambda invoice: format(invoice.amount_credited, "f"),
    "amount_due": lambda invoice: format(invoice.amount_due, "f"),
    "currency": lambda invoice: invoice.currency,
    "fully_paid_on": lambda invoice: invoice.fully_paid_on.isoformat() if invoice.fully_paid_on else "",
}
DEFAULT_MAPPING: Mapping[str, str] = {
    "xero_last_invoice_status": "standing",
    "xero_last_invoice_number": "number",
    "xero_last_invoice_total": "total",
    "xero_last_paid_at": "fully_paid_on",
}


@dataclass(frozen=True)
class PaidInvoice:
    """What the workflow keeps between its steps of an invoice whose standing changed."""

    id: str
    number: str
    status: str
    standing: Standing
    email: str | None
    total: Decimal
    amount_paid: Decimal
    amount_credited: Decimal
    amount_due: Decimal
    currency: str
    fully_paid_on: date | None
    updated_at: datetime


def standing_of(invoice: Invoice) -> Standing:
    """Xero sets PAID itself, whether money came in or a credit note made up for it."""
    if invoice.status in {"VOIDED", "DELETED"}:
        return Standing.VOIDED
    if invoice.is_paid:
        return Standing.PAID if invoice.amount_paid or not invoice.amount_credited else Standing.CREDITED
    return Standing.PART_PAID if invoice.amount_paid or invoice.amount_credited else Standing.OPEN


def reason_to_skip(invoice: Invoice, seen: SourceState | None, *, is_repair: bool = False) -> NoNews | None:
    """Why the invoice needs nothing, or None when it stands otherwise than when we last acted on it. A repair tells again what was
    told before."""
    if not invoice.is_sale:
        return NoNews.BILL
    standing = standing_of(invoice)
    if seen is None:
        return {Standing.OPEN: NoNews.OPEN, Standing.VOIDED: NoNews.NEVER_TOLD}.get(standing)
    return NoNews.KNOWN if not is_repair and stands_as(invoice, seen) else None


def stands_as(invoice: Invoice, seen: SourceState) -> bool:
    """Whether nothing of the standing moved since, or what was read is older than what we acted on."""
    now = state_of(invoice).state
    told = {"standing": seen.state.get("status"), **seen.state}  # states of before there were standings know the status alone
    return invoice.updated_at < seen.version or all(told[name] == now[name] for name in now if name in told)


def state_of(invoice: Invoice) -> SourceState:
    """What is remembered of an invoice."""
    amounts = {"amount_paid": invoice.amount_paid, "amount_credited": invoice.amount_credited}
    return SourceState(
        invoice.updated_at, {"standing": standing_of(invoice).value, **{name: plain(amount) for name, amount in amounts.items()}}
    )


def plain(amount: Decimal) -> str:
    """An amount in digits, the same for 10 and 10.00."""
    return format(amount.normalize(), "f")


def invoice_to_json(invoice: Invoice) -> dict[str, Any]:
    """The checkpoint of a fetched invoice; it lies in Postgres under the tenant's policy and nowhere else."""
    return {
        "id": invoice.id,
        "number": invoice.number,
        "status": invoice.status,
        "standing": standing_of(invoice).value,
        "state": dict(state_of(invoice).state),
        "email": invoice.contact.email,
        "total": str(invoice.total),
        "amount_paid": str(invoice.amount_paid),
        "amount_credited": str(invoice.amount_credited),
        "amount_due": str(invoice.amount_due),
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
        standing=Standing(kept["standing"]),
        email=kept["email"],
        total=Decimal(kept["total"]),
        amount_paid=Decimal(kept["amount_paid"]),
        amount_credited=Decimal(kept["amount_credited"]),
        amount_due=Decimal(kept["amount_due"]),
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
