"""What the workflow `hubspot-deal-to-xero` decides: whether a deal is won, for whom its invoice is, and what stands in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from zixly_core.connection_settings import ProjectTemplate, WonDeals, filled
from zixly_core.errors import Permanent
from zixly_core.systems.hubspot.companies import Company
from zixly_core.systems.hubspot.contacts import Contact
from zixly_core.systems.hubspot.deals import Deal
from zixly_core.systems.hubspot.line_items import LineItem
from zixly_core.systems.hubspot.pipelines import Stage
from zixly_core.workflows.customers import Party
from zixly_core.workflows.drafts import Draft, DraftLine

# What is read of a contact and of a deal beside what their values hold anyway.
CONTACT_PROPERTIES = ("firstname", "lastname")
DEAL_PROPERTIES = ("closedate",)
MAX_LINES = 500
MAX_NUMBER = 255  # of characters in an invoice number


class NotWon(StrEnum):
    """Why an event about a deal needs no invoice."""

    OPEN = "the deal is not won"
    ARCHIVED = "the deal is in HubSpot no more"


@dataclass(frozen=True)
class WonDeal:
    """A deal with everything that its invoice and its project are made from."""

    deal: Deal
    company: Company | None
    contact: Contact | None
    lines: Sequence[LineItem] = field(repr=False)
    account: str

    @property
    def key(self) -> str:
        return f"hubspot:{self.account}:deal:{self.deal.id}"


def is_won(deal: Deal, *, stages: Mapping[str, Stage], settings: WonDeals) -> bool:
    """By the stages that the connection names; else by what HubSpot says of the deal, or of its stage: `closedwon` is the id of
    the default pipeline's stage only."""
    if settings.won_stages:
        return deal.stage in settings.won_stages
    if deal.is_won is not None:
        return deal.is_won
    stage = stages.get(deal.stage)
    return stage is not None and stage.is_won


def party_of(won: WonDeal) -> Party:
    """Whom the invoice is for: the deal's company, else its contact. Raises `Permanent` for a deal that has neither."""
    contact = won.contact
    email = contact.email if contact else None
    first, last = (contact.properties.get(name) if contact else None for name in CONTACT_PROPERTIES)
    if won.company is not None and won.company.name:
        key = f"hubspot:{won.account}:company:{won.company.id}"
        return Party(key=key, name=won.company.name, email=email, first_name=first, last_name=last)
    if contact is None:
        text = f"Deal {won.deal.id} has neither a company nor a contact; add one in HubSpot, then replay the job."
        raise Permanent(text, reason="deal_without_customer")
    name = " ".join(part for part in (first, last) if part) or email
    if not name:
        text = f"Contact {contact.id} of deal {won.deal.id} has neither a name nor an e-mail address; add one in HubSpot, then replay."
        raise Permanent(text, reason="deal_without_customer")
    return Party(key=f"hubspot:{won.account}:contact:{contact.id}", name=name, email=email, first_name=first, last_name=last)


def draft_of(won: WonDeal, settings: WonDeals, *, zone: ZoneInfo, today: date) -> Draft:
    """The draft invoice. Raises `Permanent` for a deal without lines and amount."""
    at = closed_on(won.deal, zone=zone) or today
    return Draft(
        number=(settings.number_prefix + won.deal.id)[:MAX_NUMBER],
        date=at,
        due_date=at + timedelta(days=settings.due_in_days),
        currency=won.deal.currency,
        reference=filled(settings.reference, placeholders(won))[:MAX_NUMBER],
        status="DRAFT",
        line_amount_types=settings.line_amount_types,
        lines=tuple(draft_lines(won, settings)),
    )


def draft_lines(won: WonDeal, settings: WonDeals) -> list[DraftLine]:
    """One line for each line item; a deal without line items has one line of its amount."""
    tax_type = None if settings.line_amount_types == "NoTax" else settings.tax_type
    if len(won.lines) > MAX_LINES:
        text = f"Deal {won.deal.id} has {len(won.lines)} line items; {MAX_LINES} fit into an invoice."
        raise Permanent(text, reason="deal_too_long")
    if won.lines:
        return [line_of(item, account_code=settings.account_code, tax_type=tax_type) for item in won.lines]
    if won.deal.amount is None:
        text = f"Deal {won.deal.id} has neither line items nor an amount; add them in HubSpot, then replay the job."
        raise Permanent(text, reason="deal_without_amount")
    return [DraftLine(won.deal.name or f"Deal {won.deal.id}", Decimal(1), won.deal.amount, settings.account_code, tax_type=tax_type)]


def line_of(item: LineItem, *, account_code: str, tax_type: str | None) -> DraftLine:
    """HubSpot takes a discount in percent or as an amount off each unit
    (developers.hubspot.com/docs/api-reference/crm-line-items-v3/guide)."""
    return DraftLine(
        description=item.name or item.sku or f"Line item {item.id}",
        quantity=item.quantity,
        unit_amount=item.unit_price - item.discount,
        account_code=account_code,
        tax_type=tax_type,
        discount_rate=item.discount_percent or None,
    )


def closed_on(deal: Deal, *, zone: ZoneInfo) -> date | None:
    """The day on which the deal was closed, where the client company is: HubSpot tells a moment."""
    text = deal.properties.get("closedate") or ""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone).date()
    except (ValueError, OverflowError):
        return deal.closed_on


def placeholders(won: WonDeal) -> dict[str, str]:
    """What templates may name."""
    party = party_of(won)
    first, last = (won.contact.properties.get(name) if won.contact else None for name in CONTACT_PROPERTIES)
    contact = " ".join(part for part in (first, last) if part) or party.name
    company = won.company.name if won.company and won.company.name else party.name
    return {"deal": won.deal.name or f"Deal {won.deal.id}", "deal_id": won.deal.id, "company": company, "contact": contact}


@dataclass(frozen=True)
class PlannedTask:
    """A task that the project of a won deal gets."""

    name: str = field(repr=False)
    notes: str = field(repr=False)
    due_on: date | None


@dataclass(frozen=True)
class ProjectPlan:
    """The project of a won deal, out of the connection's template."""

    name: str = field(repr=False)
    team: str | None
    due_on: date | None
    tasks: tuple[PlannedTask, ...]


def project_of(won: WonDeal, template: ProjectTemplate, *, start: date) -> ProjectPlan:
    """The template with its placeholders filled and its days counted from `start`."""
    values = placeholders(won)
    tasks = tuple(
        PlannedTask(
            name=filled(task.name, values),
            notes=filled(task.notes, values),
            due_on=None if task.due_in_days is None else start + timedelta(days=task.due_in_days),
        )
        for task in template.tasks
    )
    due = max((task.due_on for task in tasks if task.due_on is not None), default=None)
    return ProjectPlan(name=filled(template.name, values), team=template.team, due_on=due, tasks=tasks)


def project_to_json(plan: ProjectPlan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "team": plan.team,
        "due_on": text_of(plan.due_on),
        "tasks": [{"name": task.name, "notes": task.notes, "due_on": text_of(task.due_on)} for task in plan.tasks],
    }


def project_from_json(kept: Mapping[str, Any]) -> ProjectPlan:
    tasks = tuple(PlannedTask(name=task["name"], notes=task["notes"], due_on=date_of(task["due_on"])) for task in kept["tasks"])
    return ProjectPlan(name=kept["name"], team=kept["team"], due_on=date_of(kept["due_on"]), tasks=tasks)


def text_of(day: date | None) -> str | None:
    return day.isoformat() if day else None


def date_of(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
