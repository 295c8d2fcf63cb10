"""A vendor that keeps its own record of what reached it, whatever its callers believe, and the records that jobs are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from zixly_core.effects import TargetWrite, WriteOutcome, Written
from zixly_core.errors import Permanent, Transient, VendorDown

BASE = datetime(2026, 11, 22, tzinfo=UTC)
# A request that is on its way longer than this never arrives: below the 60 s for which ops let it settle.
ON_ITS_WAY_SECONDS = 50


class Crash(BaseException):
    """The process is gone, at this very point. No `except Exception` may outlive it."""


class Fate(StrEnum):
    """What becomes of one call."""

    ANSWERED = "answered"
    DIES_BEFORE = "the caller dies before it arrives"
    DIES_AFTER = "the caller dies after it arrived"
    FAILS_BEFORE = "an error, and nothing was done"
    FAILS_AFTER = "an error, and it was done all the same"
    REFUSED = "refused for good"
    DOWN = "nobody answers"
    ON_ITS_WAY = "no answer, and it arrives later"
    LOST = "no answer, and it is lost on its way"


@dataclass
class OnItsWay:
    """A request for whose answer nobody waits any more."""

    write: TargetWrite
    arrives: bool
    seconds: int = 0


@dataclass
class Vendor:
    """`versions` are what each target was given, in order; `made` how often each creation was carried out; `arrived` each effect."""

    versions: dict[str, list[datetime]] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    arrived: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    owners: dict[str, set[UUID]] = field(default_factory=dict)
    on_its_way: list[OnItsWay] = field(default_factory=list)
    fates: Iterator[Fate] = field(default_factory=lambda: iter(()))

    def look(self, writes: Sequence[TargetWrite]) -> Mapping[str, Mapping[str, str]]:
        """What the vendor shows of these: a record that bears our key, a target that has these values now."""
        return {write.effect_key: {"id": write.vendor_key} for write in writes if self._shows(write)}

    def before(self, writes: Sequence[TargetWrite]) -> Mapping[str, Mapping[str, str | None]]:
        """What the targets of these hold now."""
        held = {write.effect_key: self.versions.get(write.target_key) for write in writes}
        return {key: {"version": versions[-1].isoformat()} for key, versions in held.items() if versions}

    def send(self, writes: Sequence[TargetWrite]) -> Mapping[str, WriteOutcome]:
        fate = next(self.fates, Fate.ANSWERED)
        if fate in {Fate.DIES_AFTER, Fate.FAILS_AFTER, Fate.ANSWERED}:
            self._take(writes)
        if fate in {Fate.ON_ITS_WAY, Fate.LOST}:
            self.on_its_way += [OnItsWay(write, fate is Fate.ON_ITS_WAY) for write in writes if write.is_once]
        match fate:
            case Fate.ANSWERED:
                return {write.effect_key: Written({"id": write.vendor_key}) for write in writes}
            case Fate.FAILS_BEFORE | Fate.FAILS_AFTER:
                raise Transient("The vendor answered 500.", reason="http_500")
            case Fate.ON_ITS_WAY | Fate.LOST:
                raise Transient("The vendor gave no answer in time.", reason="timeout")
            case Fate.REFUSED:
                raise Permanent("The vendor answered 422.", reason="http_422")
            case Fate.DOWN:
                raise VendorDown("The vendor does not answer.", retry_after=timedelta(seconds=30))
            case _:
                raise Crash

    def later(self, seconds: int) -> None:
        """Time passes for what is on its way."""
        for one in self.on_its_way:
            one.seconds += seconds
        over = [one for one in self.on_its_way if one.seconds >= ON_ITS_WAY_SECONDS]
        self.on_its_way = [one for one in self.on_its_way if one not in over]
        self._take([one.write for one in over if one.arrives])

    def _shows(self, write: TargetWrite) -> bool:
        if write.is_once:
            return self.made[write.vendor_key] > 0
        return self.versions.get(write.target_key, [])[-1:] == [write.source_version]

    def _take(self, writes: Sequence[TargetWrite]) -> None:
        for write in writes:
            self.arrived[write.job.tenant_id, write.effect_key] += 1
            self.owners.setdefault(write.target_key, set()).add(write.job.tenant_id)
            if write.is_once:
                self.made[write.vendor_key] += 1
            else:
                self.versions.setdefault(write.target_key, []).append(write.source_version)


@dataclass
class Sources:
    """The records at the source system: each change gives one a version that no other has."""

    changes: int = 0
    versions: dict[str, datetime] = field(default_factory=dict)

    def change(self, record_id: str) -> datetime:
        self.changes += 1
        self.versions[record_id] = BASE + timedelta(seconds=self.changes)
        return self.versions[record_id]
