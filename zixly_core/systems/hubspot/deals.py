"""Deals of HubSpot as values (developers.hubspot.com/docs/api-reference/crm-deals-v3/guide)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from zixly_core.systems.hubspot.objects import Properties, record_from

DEAL_PROPERTIES = (
    "dealname",
    "dealstage",
    "pipeline",
    "amount",
    "deal_currency_code",
    "closedate",
    "hs_is_closed_won",
    "hubspot_owner_id",
)


@dataclass(frozen=True)
class Deal:
    """A deal as it was read. `amount` is in `currency`, None meaning the portal's own; `is_won` is None where HubSpot does not tell,
    and then the stage does; `closed_on` is the day in UTC."""

    id: str
    name: str = field(repr=False)
    stage: str
    pipeline: str
    amount: Decimal | None
    currency: str | None
    closed_on: date | None
    is_won: bool | None
    owner_id: str | None
    updated_at: datetime
    properties: Properties = field(repr=False)


def deal_from(item: object) -> Deal:
    """One element of `results`. Raises `Permanent` (`unexpected_answer`)."""
    record = record_from(item)
    closed_at = record.moment("closedate")
    return Deal(
        id=record.id,
        name=record.text("dealname"),
        stage=record.text("dealstage"),
        pipeline=record.text("pipeline"),
        amount=record.decimal("amount"),
        currency=record.optional("deal_currency_code"),
        closed_on=closed_at.date() if closed_at else None,
        is_won=record.flag("hs_is_closed_won"),
        owner_id=record.optional("hubspot_owner_id"),
        updated_at=record.updated_at,
        properties=record.properties,
    )
