"""Effects: writes to outside systems, each done once.

An effect key says what is written where, because of which state of which record; so a second try, a repeated event and a replay
of the same state all have the same key, and a changed state or mapping has another. A record that is to be created has a key
without state: one invoice for one deal, whatever becomes of the deal. What is written again because the target drifted has the
drift in its key: once for each drift.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson

from zixly_core.job import ClaimedJob, Failed

# Of records that are created once: there is no newer or older version of them.
NO_VERSION = datetime(1970, 1, 1, tzinfo=UTC)


class EffectState(StrEnum):
    """What is known of an effect before it is tried. INTENDED: an earlier try may have written; look before writing."""

    NEW = "NEW"
    INTENDED = "INTENDED"
    DONE = "DONE"


@dataclass(frozen=True)
class Intent:
    """What is known of an effect: `result` of a DONE one and the job that did it, and how long to `wait` before an INTENDED one may
    be sent again, because the earlier request may still be on its way. Of one that `may_be_forgotten` the rows were restored from a
    backup: it may have been done in the lost time, and waits for others that were."""

    state: EffectState
    result: Mapping[str, Any] = field(default_factory=dict)
    job_id: UUID | None = None
    wait: timedelta = timedelta()
    may_be_forgotten: bool = False


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
    is_once: bool = False

    @cached_property
    def content_sha256(self) -> bytes:
        return digest_of(self.content)

    @cached_property
    def effect_key(self) -> str:
        return self.state_key + (f"/repair:{self.job.repairs}" if self.job.repairs else "")

    @property
    def state_key(self) -> str:
        """The effect key without the drift that is repaired: what was done before, and is gone or changed at the target."""
        if self.is_once:
            return self.target_key
        content = self.content_sha256.hex()[:16]
        return f"{self.operation}/{self.target_key}/{self.source_key}@{self.source_version.isoformat()}/{content}"

    @property
    def vendor_key(self) -> str:
        """The effect in 40 characters that any vendor takes: for a property, an external id. A record that is made anew bears the
        name of the one whose place it takes."""
        return f"zixly-{hashlib.sha256(f'{self.job.tenant_id}/{self.state_key}'.encode()).hexdigest()[:34]}"


def digest_of(content: Mapping[str, str]) -> bytes:
    """What is kept of values that were written: enough to tell whether a record still has them."""
    return hashlib.sha256(orjson.dumps(dict(content), option=orjson.OPT_SORT_KEYS)).digest()


@dataclass(frozen=True)
class NewerWrite:
    """A write that may have arrived without anybody hearing of it: the digest of its values, and the `fields` it wrote (None of one
    that was begun before they were kept)."""

    content_sha256: bytes
    fields: tuple[str, ...] | None

    def is_shown_by(self, values: Mapping[str, str | None], *, of: TargetWrite) -> bool:
        """Whether the target holds what it wrote. It is an empty field at a vendor that holds nothing."""
        names = of.content if self.fields is None else self.fields
        return digest_of({name: values.get(name) or "" for name in names}) == self.content_sha256


def call_key(writes: Sequence[TargetWrite]) -> str:
    """The idempotency key of a call that carries these writes: the same for the same writes of the same content, and only then,
    since vendors refuse a known key with another request."""
    parts = sorted(
        f"{write.vendor_key}/{write.content_sha256.hex()}" + (f"/{write.job.repairs}" if write.job.repairs else "") for write in writes
    )
    return f"zixly-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:58]}"


def creation(
    job: ClaimedJob, *, system: str, account: str, operation: str, source_key: str, content: Mapping[str, str], part: str = ""
) -> TargetWrite:
    """A record to be created once for `source_key` in an account; `part` tells several of one operation apart."""
    key = f"{operation}/{system}:{account}/{source_key}" + (f"#{part}" if part else "")
    return TargetWrite(
        job=job,
        system=system,
        operation=operation,
        target_id="",
        target_key=key,
        source_key=source_key,
        source_version=NO_VERSION,
        content=content,
        is_once=True,
    )


@dataclass(frozen=True)
class Written:
    """The outside system took the write, or had it already (`changed` False), perhaps from another job (`by_other`). `planned`: it
    was not sent, because the job is a dry run; this is what it would have been."""

    result: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = True
    by_other: bool = False
    planned: Mapping[str, Any] | None = field(default=None, repr=False)


WriteOutcome = Written | Failed


@dataclass(frozen=True)
class Folded:
    """Writes of one batch by what happens to them: `leading` go out, the others are made needless by a newer one."""

    leading: list[TargetWrite]
    needless: list[tuple[TargetWrite, TargetWrite]]


def folded(writes: Sequence[TargetWrite]) -> Folded:
    """One write for each target record: the one with the newest source version, the later job where versions are equal. Dry runs
    write nothing, so they stand beside the others."""
    newest: dict[str, TargetWrite] = {}
    dry = [write for write in writes if write.job.is_dry_run]
    writes = [write for write in writes if not write.job.is_dry_run]
    for write in writes:
        leader = newest.get(write.target_key)
        if leader is None or order_of(write) > order_of(leader):
            newest[write.target_key] = write
    needless = [(one, newest[one.target_key]) for one in writes if newest[one.target_key] is not one]
    return Folded(leading=[*newest.values(), *dry], needless=needless)


def order_of(write: TargetWrite) -> tuple[datetime, datetime, str]:
    return write.source_version, write.job.occurred_at, str(write.job.id)
