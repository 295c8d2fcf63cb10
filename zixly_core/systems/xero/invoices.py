"""Invoices and contacts of Xero as values, read from the JSON of its Accounting API.

Shapes: github.com/XeroAPI/Xero-OpenAPI xero_accounting.yaml. Dates come as `/Date(1541176290160+0000)/` (milliseconds) beside
ISO text, money as JSON numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from zixly_core.errors import Permanent

InvoiceType = Literal["ACCREC", "ACCPAY"]
"""A sales invoice (accounts receivable) or a bill (accounts payable)."""

MICROSOFT_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Contact:
    """A contact. `email` None: the answer did not tell; empty: the contact has none."""

    id: str
    name: str = field(repr=False)
    email: str | None = field(repr=False)


@dataclass(frozen=True)
class Invoice:
    """A sales invoice or bill in its present state. Ids are in lower case, money is in `currency`."""

    id: str
    number: str
    type: InvoiceType
    status: str
    contact: Contact
    currency: str
    total: Decimal
    amount_due: Decimal
    amount_paid: Decimal
    fully_paid_on: date | None
    updated_at: datetime

    @property
    def is_paid(self) -> bool:
        """Xero sets the status itself when the last payment comes in; no event says so."""
        return self.status == "PAID"

    @property
    def is_sale(self) -> bool:
        return self.type == "ACCREC"


def invoice_from(item: object) -> Invoice:
    """One element of `Invoices`. Raises `Permanent` (`unexpected_answer`) naming the field, never its value."""
    source = object_of(item, what="an invoice")
    return Invoice(
        id=text_of(source, "InvoiceID").lower(),
        number=str(source.get("InvoiceNumber") or ""),
        type=type_of(source),
        status=text_of(source, "Status").upper(),
        contact=contact_from(source.get("Contact")),
        currency=text_of(source, "CurrencyCode"),
        total=money_of(source, "Total"),
        amount_due=money_of(source, "AmountDue"),
        amount_paid=money_of(source, "AmountPaid"),
        fully_paid_on=instant_from(source["FullyPaidOnDate"]).date() if source.get("FullyPaidOnDate") else None,
        updated_at=instant_from(source.get("UpdatedDateUTC")),
    )


def contact_from(item: object) -> Contact:
    """One element of `Contacts`, or the contact inside an invoice. Raises `Permanent`."""
    source = object_of(item, what="a contact")
    email = source.get("EmailAddress")
    return Contact(
        id=text_of(source, "ContactID").lower(),
        name=str(source.get("Name") or ""),
        email=email.strip() if isinstance(email, str) else None,
    )


def instant_from(value: object) -> datetime:
    """A moment in UTC from either of Xero's forms. What follows the milliseconds is the organisation's zone, which does not
    move the moment; ISO text without a zone is UTC. Raises `Permanent`."""
    text = value if isinstance(value, str) else ""
    found = MICROSOFT_DATE.fullmatch(text)
    try:
        if found:
            return EPOCH + timedelta(milliseconds=int(found[1]))
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise unexpected("a date") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def object_of(item: object, *, what: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise unexpected(what)
    return item


def text_of(source: Mapping[str, Any], name: str) -> str:
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise unexpected(name)
    return value


def type_of(source: Mapping[str, Any]) -> InvoiceType:
    """`ACCREC` or `ACCPAY`; the credit and payment types of the same list in Xero's pages never come from `/Invoices`."""
    match source.get("Type"):
        case "ACCREC":
            return "ACCREC"
        case "ACCPAY":
            return "ACCPAY"
        case _:
            raise unexpected("Type")


def money_of(source: Mapping[str, Any], name: str) -> Decimal:
    """An amount; 0 where it is left out. The shortest text of a double is exact up to 15 digits, more than Xero keeps."""
    value = source.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unexpected(name)
    return Decimal(str(value))


def unexpected(what: str) -> Permanent:
    return Permanent(f"Xero's answer holds {what} in a form that is not known here.", reason="unexpected_answer")
