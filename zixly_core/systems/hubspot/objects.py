"""What all CRM records of HubSpot are alike in: an id, properties that are text or absent, a moment of change.

Shapes: developers.hubspot.com/docs/api-reference/legacy/crm/using-object-apis . Errors name a field, never its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from zixly_core.errors import Permanent

Properties = Mapping[str, str | None]


@dataclass(frozen=True)
class CrmRecord:
    """A record as it was read: only the properties that were asked for."""

    id: str
    properties: Properties = field(repr=False)
    updated_at: datetime

    def text(self, name: str) -> str:
        """A property; empty where it has no value."""
        return self.properties.get(name) or ""

    def optional(self, name: str) -> str | None:
        return self.properties.get(name) or None

    def decimal(self, name: str) -> Decimal | None:
        """A number or an amount; None where it has no value. Raises `Permanent` for text that is no number."""
        text = self.text(name)
        try:
            amount = Decimal(text) if text else None
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount is not None and not amount.is_finite():
            raise unexpected(name)
        return amount

    def moment(self, name: str) -> datetime | None:
        """A date or a moment, in UTC; None where it has no value. Numbers are milliseconds. Raises `Permanent`."""
        text = self.text(name)
        if not text:
            return None
        try:
            at = datetime.fromtimestamp(int(text) / 1000, UTC) if text.lstrip("-").isdecimal() else datetime.fromisoformat(text)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            raise unexpected(name) from None

    def flag(self, name: str) -> bool | None:
        """A yes or no; None where it has no value."""
        text = self.text(name).lower()
        return text == "true" if text in {"true", "false"} else None


def record_from(item: object) -> CrmRecord:
    """One element of `results`. Raises `Permanent` (`unexpected_answer`) naming the field, never its value."""
    if not isinstance(item, dict) or not isinstance(item.get("properties"), dict):
        raise Permanent("HubSpot's answer holds a record without properties.", reason="unexpected_answer")
    try:
        updated_at = datetime.fromisoformat(item["updatedAt"])
        return CrmRecord(id=str(item["id"]), properties=item["properties"], updated_at=updated_at.astimezone(UTC))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Permanent("HubSpot's answer holds a record without id or updatedAt.", reason="unexpected_answer") from None


def unexpected(what: str) -> Permanent:
    return Permanent(f"HubSpot's answer holds {what} in a form that is not known here.", reason="unexpected_answer")
