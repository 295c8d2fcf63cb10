"""Which properties the objects of a portal have, and what values they take. Values are always text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from zixly_sandbox.hubspot.answers import Refused

PropertyType = Literal["string", "number", "date", "datetime", "enumeration", "bool"]


@dataclass(frozen=True)
class Property:
    """The definition of a property."""

    name: str
    label: str
    type: PropertyType = "string"
    group: str = "contactinformation"
    is_custom: bool = False
    is_read_only: bool = False
    is_unique: bool = False

    def document(self) -> dict[str, Any]:
        """As the properties API shows it."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": {"enumeration": "select", "string": "text", "bool": "booleancheckbox", "datetime": "date"}.get(
                self.type, self.type
            ),
            "groupName": self.group,
            "description": "",
            "options": [],
            "displayOrder": -1,
            "hasUniqueValue": self.is_unique,
            "hubspotDefined": not self.is_custom,
            "archived": False,
        }


def _standard(*names: str) -> tuple[Property, ...]:
    return tuple(Property(name, name.replace("_", " ").capitalize()) for name in names)


def _own(name: str, kind: PropertyType = "string") -> Property:
    return Property(name, name.replace("_", " ").capitalize(), kind, is_custom=True)


SYSTEM_PROPERTIES = (
    Property("hs_object_id", "Record ID", "number", is_read_only=True),
    Property("createdate", "Create date", "datetime", is_read_only=True),
    Property("hs_lastmodifieddate", "Last modified date", "datetime", is_read_only=True),
)

# By object type. The ones named after Xero are the agency's own; each portal can be given more.
PROPERTIES: dict[str, tuple[Property, ...]] = {
    "contacts": (
        Property("email", "Email", is_unique=True),
        Property("lastmodifieddate", "Last modified date", "datetime", is_read_only=True),
        *_standard("firstname", "lastname", "phone", "company", "country", "lifecyclestage", "hs_lead_status"),
        Property("hs_additional_emails", "Additional email addresses"),
        *_standard("hubspot_owner_id"),
        _own("xero_contact_id"),
        _own("xero_last_invoice_id"),
        _own("xero_last_invoice_number"),
        _own("xero_last_invoice_status"),
        _own("xero_last_invoice_currency"),
        _own("xero_last_invoice_total", "number"),
        _own("xero_last_paid_at", "date"),
    ),
    "companies": _standard("name", "domain", "country", "city", "phone", "industry", "hubspot_owner_id"),
    "deals": (
        *_standard("dealname", "dealstage", "pipeline", "deal_currency_code", "dealtype", "description", "hubspot_owner_id"),
        Property("amount", "Amount", "number"),
        Property("closedate", "Close date", "datetime"),
        Property("hs_is_closed", "Is deal closed?", "bool", is_read_only=True),
        Property("hs_is_closed_won", "Is closed won", "bool", is_read_only=True),
        Property("hs_deal_stage_probability", "Deal probability", "number", is_read_only=True),
    ),
    "line_items": (
        *_standard("name", "description", "hs_sku", "hs_product_id", "hs_line_item_currency_code"),
        Property("quantity", "Quantity", "number"),
        Property("price", "Unit price", "number"),
        Property("discount", "Unit discount", "number"),
        Property("hs_discount_percentage", "Discount percentage", "number"),
        Property("hs_position_on_quote", "Position", "number"),
        Property("amount", "Net price", "number", is_read_only=True),
    ),
    "notes": (Property("hs_timestamp", "Activity date", "datetime"), *_standard("hs_note_body", "hubspot_owner_id")),
    "tasks": (
        Property("hs_timestamp", "Due date", "datetime"),
        *_standard("hs_task_subject", "hs_task_body", "hs_task_status", "hs_task_priority", "hs_task_type", "hubspot_owner_id"),
    ),
}
# The group that each object's own properties stand in.
GROUPS = {
    "contacts": ("contactinformation", "Contact information"),
    "companies": ("companyinformation", "Company information"),
    "deals": ("dealinformation", "Deal information"),
    "line_items": ("lineiteminformation", "Line item information"),
    "notes": ("note", "Note information"),
    "tasks": ("task", "Task information"),
}
# What an answer holds when the caller names no properties.
SHOWN: dict[str, tuple[str, ...]] = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": ("amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id", "pipeline"),
}
SHOWN_OTHERWISE = ("createdate", "hs_lastmodifieddate", "hs_object_id")


class Schema:
    """The properties of one object type in one portal, and the groups they stand in."""

    def __init__(self, object_type: str) -> None:
        self.shown = SHOWN.get(object_type, SHOWN_OTHERWISE)
        group, label = GROUPS[object_type]
        self.groups = {group: label}
        known = (*SYSTEM_PROPERTIES, *PROPERTIES[object_type])
        self._properties = {item.name: replace(item, group=group) for item in known}
        self.unique = [item.name for item in known if item.is_unique]

    def all(self) -> list[Property]:
        return list(self._properties.values())

    def get(self, name: str) -> Property | None:
        return self._properties.get(name)

    def add(self, item: Property) -> None:
        """Raises `Refused`: 409 when there is one of that name, 400 when its group does not exist."""
        if item.name in self._properties:
            text = f"A property named '{item.name}' already exists."
            raise Refused(text, status=409, category="OBJECT_ALREADY_EXISTS")
        if item.group not in self.groups:
            raise Refused(f"Property group {item.group} does not exist.", code="PROPERTY_GROUP_NOT_FOUND")
        self._properties[item.name] = item
        if item.is_unique:
            self.unique.append(item.name)

    def add_group(self, name: str, label: str) -> None:
        """Raises `Refused` (409) when there is one of that name."""
        if name in self.groups:
            raise Refused(f"A property group named '{name}' already exists.", status=409, category="OBJECT_ALREADY_EXISTS")
        self.groups[name] = label

    def checked(self, values: object) -> dict[str, str]:
        """Values to write, as they are kept: text, empty to clear. Raises `Refused` naming the first that does not fit."""
        if not isinstance(values, dict):
            raise Refused("Invalid input JSON: properties is missing or no object.")
        return {name: self._checked(name, value) for name, value in values.items()}

    def _checked(self, name: str, value: object) -> str:
        found = self._properties.get(name)
        if found is None:
            raise invalid(name, f'Property "{name}" does not exist', code="PROPERTY_DOESNT_EXIST")
        if found.is_read_only:
            raise invalid(name, f'"{name}" is a read only property; its value cannot be set.', code="READ_ONLY_VALUE")
        text = "" if value is None else str(value)
        if text and not fits(text, found.type):
            raise invalid(name, f'The value of "{name}" was not a valid {found.type}.', code=f"INVALID_{found.type.upper()}")
        if name == "email":
            return checked_email(text)
        return text


def fits(text: str, kind: PropertyType) -> bool:
    """Whether text is a value of the type. Dates are YYYY-MM-DD or milliseconds at midnight UTC."""
    try:
        match kind:
            case "number":
                float(text)
            case "date":
                return int(text) % 86_400_000 == 0 if text.lstrip("-").isdecimal() else bool(date.fromisoformat(text))
            case "datetime":
                return text.isdecimal() or bool(datetime.fromisoformat(text))
            case "bool":
                return text in {"true", "false"}
            case "string" | "enumeration":
                return True
    except ValueError:
        return False
    return True


def checked_email(text: str) -> str:
    """E-mail addresses are kept in lower case."""
    name, _, domain = text.partition("@")
    if text and (not name or "." not in domain or " " in text):
        raise invalid("email", f"Email address {text} is invalid", code="INVALID_EMAIL")
    return text.lower()


def invalid(name: str, message: str, *, code: str) -> Refused:
    return Refused(message, code=code, context={"propertyName": [name]})
