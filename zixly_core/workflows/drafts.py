"""An invoice that is to be made, as it stands in the checkpoint of its job between the step that decides it and the one that
makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as Day  # noqa: N812 - the invoice has a field named date
from decimal import Decimal
from typing import Any, Literal

LineAmountTypes = Literal["Exclusive", "Inclusive", "NoTax"]


@dataclass(frozen=True)
class DraftLine:
    """One line. `unit_amount` in the invoice's currency; a discount is a percentage."""

    description: str = field(repr=False)
    quantity: Decimal
    unit_amount: Decimal
    account_code: str
    tax_type: str | None = None
    discount_rate: Decimal | None = None
    item_code: str | None = None


@dataclass(frozen=True)
class Draft:
    """The invoice. `number` is unique among an organisation's sales invoices and so the natural key of what is made."""

    number: str
    date: Day
    due_date: Day | None
    currency: str | None
    reference: str = field(repr=False)
    status: Literal["DRAFT", "AUTHORISED"]
    line_amount_types: LineAmountTypes
    lines: tuple[DraftLine, ...]
    url: str | None = None


def draft_to_json(draft: Draft) -> dict[str, Any]:
    """Decimals as text, dates as YYYY-MM-DD."""
    return {
        "number": draft.number,
        "date": draft.date.isoformat(),
        "due_date": draft.due_date.isoformat() if draft.due_date else None,
        "currency": draft.currency,
        "reference": draft.reference,
        "status": draft.status,
        "line_amount_types": draft.line_amount_types,
        "lines": [line_to_json(line) for line in draft.lines],
        "url": draft.url,
    }


def draft_from_json(kept: Mapping[str, Any]) -> Draft:
    due = kept["due_date"]
    return Draft(
        number=kept["number"],
        date=Day.fromisoformat(kept["date"]),
        due_date=Day.fromisoformat(due) if due else None,
        currency=kept["currency"],
        reference=kept["reference"],
        status=kept["status"],
        line_amount_types=kept["line_amount_types"],
        lines=tuple(line_from_json(line) for line in kept["lines"]),
        url=kept["url"],
    )


def line_to_json(line: DraftLine) -> dict[str, Any]:
    return {
        "description": line.description,
        "quantity": str(line.quantity),
        "unit_amount": str(line.unit_amount),
        "account_code": line.account_code,
        "tax_type": line.tax_type,
        "discount_rate": None if line.discount_rate is None else str(line.discount_rate),
        "item_code": line.item_code,
    }


def line_from_json(kept: Mapping[str, Any]) -> DraftLine:
    rate = kept["discount_rate"]
    return DraftLine(
        description=kept["description"],
        quantity=Decimal(kept["quantity"]),
        unit_amount=Decimal(kept["unit_amount"]),
        account_code=kept["account_code"],
        tax_type=kept["tax_type"],
        discount_rate=None if rate is None else Decimal(rate),
        item_code=kept["item_code"],
    )


def content_of(draft: Draft) -> dict[str, str]:
    """The draft as the fields of an effect, which a dry run shows."""
    lines = {
        f"line {number}": f"{line.description}: {line.quantity} x {line.unit_amount}, account {line.account_code}"
        + (f", tax {line.tax_type}" if line.tax_type else "")
        + (f", less {line.discount_rate} %" if line.discount_rate else "")
        for number, line in enumerate(draft.lines, start=1)
    }
    head = {
        "number": draft.number,
        "status": draft.status,
        "date": draft.date.isoformat(),
        "due": draft.due_date.isoformat() if draft.due_date else "",
        "currency": draft.currency or "",
        "reference": draft.reference,
    }
    return {**head, **lines}
