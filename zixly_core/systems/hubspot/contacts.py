"""Contacts of HubSpot as values, what is written to them, and how a batch answer is read.

Shapes: developers.hubspot.com/docs/api-reference/legacy/crm/using-object-apis . Property values are always text, missing ones are
null or absent. A batch answers 200, or 207 with `errors` for the inputs that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from zixly_core.errors import BudgetSpent, Permanent, RecordGone, Transient

# What `hs_additional_emails` separates a contact's other addresses with.
EMAIL_SEPARATOR = ";"

NOT_FOUND = "OBJECT_NOT_FOUND"
REFUSED_CATEGORIES = {"VALIDATION_ERROR", "INVALID_INPUT", "MISSING_SCOPES", "CONFLICT", "OBJECT_ALREADY_EXISTS"}
BUDGET_CATEGORIES = {"RATE_LIMITS", "RATE_LIMIT"}


@dataclass(frozen=True)
class Contact:
    """A contact as it was read: only the properties that were asked for."""

    id: str
    properties: Mapping[str, str | None] = field(repr=False)
    updated_at: datetime

    @property
    def emails(self) -> frozenset[str]:
        """Its addresses in lower case: the first one, and the others when `hs_additional_emails` was asked for."""
        others = (self.properties.get("hs_additional_emails") or "").split(EMAIL_SEPARATOR)
        texts = (text.strip().lower() for text in [self.properties.get("email") or "", *others])
        return frozenset(text for text in texts if text)


@dataclass(frozen=True)
class ContactUpdate:
    """New values for properties of one contact; empty text clears one. `trace_id` comes back in the answer."""

    contact_id: str
    properties: Mapping[str, str] = field(repr=False)
    trace_id: str


@dataclass(frozen=True)
class WriteResult:
    """What became of one update: done where `error` is None."""

    trace_id: str
    contact_id: str
    error: Transient | Permanent | None = None
    updated_at: datetime | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


def contact_from(item: object) -> Contact:
    """One element of `results`. Raises `Permanent` (`unexpected_answer`) naming the field, never its value."""
    if not isinstance(item, dict) or not isinstance(item.get("properties"), dict):
        raise Permanent("HubSpot's answer holds a contact without properties.", reason="unexpected_answer")
    try:
        updated_at = datetime.fromisoformat(item["updatedAt"])
        return Contact(id=str(item["id"]), properties=item["properties"], updated_at=updated_at)
    except (KeyError, TypeError, ValueError):
        raise Permanent("HubSpot's answer holds a contact without id or updatedAt.", reason="unexpected_answer") from None


def by_asked_email(emails: Iterable[str], contacts: Iterable[Contact]) -> dict[str, Contact]:
    """The contact of each asked address, in lower case; a first address wins over somebody's additional one."""
    found: dict[str, Contact] = {}
    for contact in contacts:
        for email in contact.emails:
            if email not in found or email == (contact.properties.get("email") or "").strip().lower():
                found[email] = contact
    return {email: found[email] for email in emails if email in found}


def write_results(updates: Sequence[ContactUpdate], document: Mapping[str, Any]) -> list[WriteResult]:
    """The result of each update from the answer to a batch, in the order of the updates.

    Matched by trace id, else by the contact's id. An update that the answer says nothing about is transient: a look at the
    contact tells.
    """
    done = keyed(document.get("results"), lambda item: [item.get("objectWriteTraceId"), item.get("id")])
    failed = keyed(document.get("errors"), names_in_context)
    return [result_of(update, done=done, failed=failed) for update in updates]


def result_of(update: ContactUpdate, *, done: Mapping[str, Mapping[str, Any]], failed: Mapping[str, Mapping[str, Any]]) -> WriteResult:
    names = (update.trace_id, update.contact_id)
    error = next((failed[name] for name in names if name in failed), None)
    if error is not None:
        return WriteResult(update.trace_id, update.contact_id, error=failure_of_input(error, contact_id=update.contact_id))
    item = next((done[name] for name in names if name in done), None)
    if item is None:
        text = f"HubSpot's answer does not say what became of contact {update.contact_id}; it is looked at again."
        return WriteResult(update.trace_id, update.contact_id, error=Transient(text, reason="outcome_unknown"))
    return WriteResult(update.trace_id, update.contact_id, updated_at=contact_from(item).updated_at)


def failure_of_input(error: Mapping[str, Any], *, contact_id: str) -> Transient | Permanent:
    """What one element of `errors` means, by its category; its text, which may repeat values, is left out."""
    category = category_of(error)
    text = f"HubSpot did not write contact {contact_id} ({category})."
    if category == NOT_FOUND:
        return RecordGone(f"{text} It is gone, or was merged into another one.")
    if category in BUDGET_CATEGORIES:
        return BudgetSpent(text, reason="rate_limited_interval", retry_after=timedelta(seconds=10))
    if category in REFUSED_CATEGORIES:
        return Permanent(f"{text} Look at the field mapping and the values it sends.", reason="refused")
    return Transient(f"{text} It is tried again.", reason="vendor_unavailable")


def unread_errors(document: Mapping[str, Any]) -> list[str]:
    """The categories of a batch read's errors, except that a record is not there, which is an answer and not a failure."""
    errors = document.get("errors")
    categories = [category_of(error) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return [category for category in categories if category != NOT_FOUND]


def category_of(error: Mapping[str, Any]) -> str:
    category = str(error.get("category", ""))
    return category if category.replace("_", "").isalnum() and len(category) <= 60 else "UNKNOWN"


def names_in_context(error: Mapping[str, Any]) -> list[Any]:
    """The inputs that an error is about: `context` holds lists of trace ids or of record ids."""
    context = error.get("context")
    lists = [context.get(name) for name in ("objectWriteTraceId", "ids", "id")] if isinstance(context, dict) else []
    return [name for names in lists if isinstance(names, list) for name in names]


def keyed(items: object, names_of: Any) -> dict[str, Mapping[str, Any]]:
    """The objects of a list under each of their names."""
    objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {str(name): item for item in objects for name in names_of(item) if name}
