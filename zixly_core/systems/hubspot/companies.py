"""Companies of HubSpot as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from zixly_core.systems.hubspot.objects import Properties, record_from

COMPANY_PROPERTIES = ("name", "domain")


@dataclass(frozen=True)
class Company:
    """A company as it was read; name and domain are empty where it has none."""

    id: str
    name: str = field(repr=False)
    domain: str
    updated_at: datetime
    properties: Properties = field(repr=False)


def company_from(item: object) -> Company:
    """One element of `results`. Raises `Permanent` (`unexpected_answer`)."""
    record = record_from(item)
    return Company(record.id, record.text("name"), record.text("domain"), record.updated_at, record.properties)
