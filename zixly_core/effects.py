"""Effects: writes to outside systems, each done once.

An effect key says what is written where, because of which state of which record; so a second try, a repeated event and a replay
of the same state all have the same key, and a changed state or mapping has another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from zixly_core.job import ClaimedJob, Failed


class EffectState(StrEnum):
    """What is known of an effect before it is tried. INTENDED: an earlier try may have written; look before writing."""

    NEW = "NEW"
    INTENDED = "INTENDED"
    DONE = "DONE"


@dataclass(frozen=True)
class TargetWrite:
    """A write to one outside record, on behalf of one job."""

    job: ClaimedJob
    system: str
    operation: str
    target_id: str
    target_key: str
    """The record as order and versions know it, such as `hubspot:62515:contact:901`."""
    source_key: str
    source_version: datetime
    """When the source record reached the state that is written; an older one never overwrites a newer one."""
    content: Mapping[str, str] = field(repr=False)

    @property
    def content_sha256(self) -> bytes:
        return hashlib.sha256(orjson.dumps(dict(self.content), option=orjson.OPT_SORT_KEYS)).digest()

    @property
    def effect_key(self) -> str:
        content = self.content_sha256.hex()[:16]
        return f"{self.operation}/{self.target_key}/{self.source_key}@{self.source_version.isoformat()}/{content}"


@dataclass(frozen=True)
class Written:
    """The outside system took the write, or had it already (`changed` False)."""

    result: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = True


WriteOutcome = Written | Failed


@dataclass(frozen=True)
class Folded:
    """Writes of one batch by what happens to them: `leading` go out, the others are made needless by a newer one."""

    leading: list[TargetWrite]
    needless: list[tuple[TargetWrite, TargetWrite]]


def folded(writes: Sequence[TargetWrite]) -> Folded:
    """One write for each target record: the one with the newest source version, the later job where versions are equal."""
    newest: dict[str, TargetWrite] = {}
    for write in writes:
        leader = newest.get(write.target_key)
        if leader is None or order_of(write) > order_of(leader):
            newest[write.target_key] = write
    needless = [(one, newest[one.target_key]) for one in writes if newest[one.target_key] is not one]
    return Folded(leading=list(newest.values()), needless=needless)


def order_of(write: TargetWrite) -> tuple[datetime, datetime, str]:
    return write.source_version, write.job.occurred_at, str(write.job.id)
