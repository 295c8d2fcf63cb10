"""What became of each input of a batch: HubSpot answers 200 (201 where it creates), or 207 with `errors` for inputs that failed.

Page: developers.hubspot.com/docs/api-reference/legacy/crm/using-object-apis .
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from zixly_core.errors import BudgetSpent, Permanent, RecordGone, Transient
from zixly_core.systems.hubspot.objects import record_from

NOT_FOUND = "OBJECT_NOT_FOUND"
REFUSED_CATEGORIES = {"VALIDATION_ERROR", "INVALID_INPUT", "MISSING_SCOPES", "CONFLICT", "OBJECT_ALREADY_EXISTS"}
BUDGET_CATEGORIES = {"RATE_LIMITS", "RATE_LIMIT"}


@dataclass(frozen=True)
class WriteResult:
    """What became of one input: done where `error` is None. `record_id` is empty where nothing was created; `is_new` says whether an
    upsert created the record."""

    trace_id: str
    record_id: str
    error: Transient | Permanent | None = None
    updated_at: datetime | None = None
    is_new: bool | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class Asked:
    """One input that was sent: its trace id, the words an error names it by, and the other names that an answer may know it by."""

    trace_id: str
    what: str
    names: tuple[str, ...] = ()
    record_id: str = ""


NamesOf = Callable[[Mapping[str, Any]], Iterable[object]]


def trace_and_id(item: Mapping[str, Any]) -> Iterable[object]:
    """What an answer's element is known by: our trace id, which HubSpot gives back, and its own id."""
    return [item.get("objectWriteTraceId"), item.get("id")]


def write_results(asked: Sequence[Asked], document: Mapping[str, Any], *, names_of: NamesOf = trace_and_id) -> list[WriteResult]:
    """The result of each input from the answer to a batch, in the order of the inputs.

    Matched by trace id, else by another name. An input that the answer says nothing about is transient: a look at the record tells.
    """
    done = keyed(document.get("results"), names_of)
    failed = keyed(document.get("errors"), names_in_context)
    return [result_of(one, done=done, failed=failed) for one in asked]


def result_of(one: Asked, *, done: Mapping[str, Mapping[str, Any]], failed: Mapping[str, Mapping[str, Any]]) -> WriteResult:
    names = (one.trace_id, *one.names)
    error = next((failed[name] for name in names if name in failed), None)
    if error is not None:
        failure = failure_of_input(error, what=one.what).when("hubspot", f"write {one.what}")
        return WriteResult(one.trace_id, one.record_id, error=failure)
    item = next((done[name] for name in names if name in done), None)
    if item is None:
        text = f"HubSpot's answer does not say what became of {one.what}; it is looked at again."
        return WriteResult(one.trace_id, one.record_id, error=Transient(text, reason="outcome_unknown"))
    record = record_from(item)
    is_new = item["new"] if isinstance(item.get("new"), bool) else None
    return WriteResult(one.trace_id, record.id, updated_at=record.updated_at, is_new=is_new)


def failure_of_input(error: Mapping[str, Any], *, what: str) -> Transient | Permanent:
    """What one element of `errors` means, by its category; its text, which may repeat values, is left out."""
    category = category_of(error)
    text = f"HubSpot did not write {what} ({category})."
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


def names_in_context(error: Mapping[str, Any]) -> Iterable[object]:
    """The inputs that an error is about: `context` holds lists of trace ids or of record ids."""
    context = error.get("context")
    lists = [context.get(name) for name in ("objectWriteTraceId", "ids", "id")] if isinstance(context, dict) else []
    return [name for names in lists if isinstance(names, list) for name in names]


def keyed(items: object, names_of: NamesOf) -> dict[str, Mapping[str, Any]]:
    """The objects of a list under each of their names."""
    objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {str(name): item for item in objects for name in names_of(item) if name}
