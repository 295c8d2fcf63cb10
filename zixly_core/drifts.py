"""Drifts: where a source, its target and our jobs do not agree. The words for them, and what is told apart without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

# A number in its plain form: 007 is a name and no number.
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


class DriftKind(StrEnum):
    """What does not agree."""

    MISSING_EVENT = "missing_event"
    """The source changed in a way that asks for work, and no job of ours knows of it: the event never came."""
    FIELD_DRIFT = "field_drift"
    """The target differs from what the source says, in fields that we write."""
    MISSING_TARGET = "missing_target"
    """What we made is gone."""


class DriftStatus(StrEnum):
    """What became of a drift. GONE: it was not found again. ACCEPTED: a person decided that it stays as it is."""

    OPEN = "OPEN"
    REPAIRING = "REPAIRING"
    REPAIRED = "REPAIRED"
    GONE = "GONE"
    ACCEPTED = "ACCEPTED"


@dataclass(frozen=True)
class SourceRecord:
    """A record of the source as it is now. `is_due`: its workflow would act on it, as far as the record itself tells."""

    key: str
    id: str
    version: datetime
    is_due: bool


@dataclass(frozen=True)
class Difference:
    """One field: what the source gives, and what the target has."""

    wanted: str = field(repr=False)
    found: str | None = field(repr=False)


@dataclass(frozen=True)
class Drift:
    """One record that does not agree. `target_key` is the target as the ledger of effects knows it, `target` as a person does."""

    kind: DriftKind
    key: str
    id: str
    version: datetime
    target: str | None = None
    target_key: str | None = None
    fields: Mapping[str, Difference] = field(default_factory=dict, repr=False)

    def fields_as_json(self) -> dict[str, Any]:
        return {name: {"source": one.wanted, "target": one.found} for name, one in sorted(self.fields.items())}


@dataclass(frozen=True)
class KnownJobs:
    """What our jobs know of a record: whether one is open, the moment up to which an ended one saw the record, how the last ended."""

    is_open: bool = False
    seen_until: datetime | None = None
    has_failed: bool = False


class Place(StrEnum):
    """Where a changed record stands with us."""

    NOTHING_DUE = "nothing_due"
    SETTLING = "settling"
    IN_HAND = "in_hand"
    KNOWN = "known"
    FAILED = "failed"
    MISSING = "missing"


def place_of(record: SourceRecord, known: KnownJobs, *, until: datetime) -> Place:
    """Whether a record's event never came. What changed at `until` or later may be on its way still; a job that failed has its issue;
    one that ended otherwise saw the change and had its reason."""
    if not record.is_due:
        return Place.NOTHING_DUE
    if known.is_open:
        return Place.IN_HAND
    if record.version >= until:
        return Place.SETTLING
    if known.seen_until is None or known.seen_until < record.version:
        return Place.MISSING
    return Place.FAILED if known.has_failed else Place.KNOWN


def differences(wanted: Mapping[str, str], found: Mapping[str, str | None]) -> dict[str, Difference]:
    """The fields that say something else; what differs only in form is the same."""
    return {name: Difference(value, found.get(name)) for name, value in wanted.items() if not is_same(value, found.get(name))}


def is_same(wanted: str, found: str | None) -> bool:
    """Whether two values say the same: no value is empty text, 10 is 10.00, a day is its midnight in UTC."""
    one, other = wanted.strip(), (found or "").strip()
    if one == other:
        return True
    if NUMBER.fullmatch(one) and NUMBER.fullmatch(other):
        return Decimal(one) == Decimal(other)
    return day_in(one) is not None and day_in(one) == day_in(other)


def day_in(text: str) -> date | None:
    """The day that a text names, alone or as its midnight."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.date() if not at.time().replace(tzinfo=None).isoformat().strip("0:.") and not at.utcoffset() else None
