"""What a workflow says about comparing its source with its target: one module for each, one line in `COMPARISONS`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from zixly_core.changes import Window
from zixly_core.drifts import Difference, Drift, DriftKind, SourceRecord
from zixly_core.stores.compared import WrittenTarget
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.database import Database
from zixly_core.stores.effects import SourceState, source_states_in
from zixly_core.vendor_clients import VendorClients

ItemT = TypeVar("ItemT")
# What was made once is looked at for so long; after that it is history at the vendor.
LOOKED_AT_FOR = timedelta(days=90)


@dataclass(frozen=True)
class Sides:
    """The source account of a workflow, and what leads to the target."""

    database: Database
    clients: VendorClients
    source: ConfiguredConnection
    workflow: str
    zone: ZoneInfo

    @property
    def tenant_id(self) -> UUID:
        return self.source.tenant_id

    def seen(self, keys: Sequence[str]) -> dict[str, SourceState]:
        """What the workflow last acted on of these records."""
        return source_states_in(self.database, self.tenant_id, workflow=self.workflow, keys=keys)


@dataclass(frozen=True)
class Compared:
    """What the comparison of some targets came to: what differs, and source records that turned out to ask for work."""

    drifts: Sequence[Drift] = ()
    due: Sequence[SourceRecord] = field(default_factory=list)


class Comparison(Protocol):
    """How the records of one workflow are compared. Its calls raise what the vendors' clients raise."""

    @property
    def beginnings(self) -> Sequence[str]:
        """What the keys of the targets begin with that this workflow writes."""

    @property
    def is_ordered(self) -> bool:
        """Whether `changed` gives the oldest change first, so that it can go on from the last page."""

    def changed(self, window: Window) -> Iterator[Sequence[SourceRecord]]:
        """The source records that changed in the window, a page at a time, the oldest change first where the vendor can."""

    def compare(self, targets: Sequence[WrittenTarget]) -> Compared:
        """Read these targets, and their sources where they differ from what was written."""


@dataclass(frozen=True)
class Made:
    """A record that was made once: for which source record, and what the vendor calls it."""

    target: WrittenTarget
    source_key: str
    id: str
    part: str = ""
    """What tells several of one source record apart."""

    def is_gone(self, **fields: str) -> Drift:
        """The drift that it is when the vendor does not have it any more."""
        return Drift(
            DriftKind.MISSING_TARGET,
            key=self.source_key,
            id=id_in(self.source_key),
            version=self.target.done_at or self.target.version,
            target=self.id,
            target_key=self.target.key,
            fields={name: Difference(value, None) for name, value in fields.items()},
        )


def beginning_of(operation: str, *, account: str, source: str) -> str:
    """What the keys of records begin with that an operation made once in an account for source records whose keys begin so."""
    return f"{operation}/{account}/{source}"


def made_lately(targets: Sequence[WrittenTarget], *, now: datetime) -> list[Made]:
    """Those that were made within the time for which they are looked at, with what their keys and results say."""
    return [made_from(one) for one in targets if one.done_at is not None and one.done_at > now - LOOKED_AT_FOR and "id" in one.result]


def made_from(target: WrittenTarget) -> Made:
    """What a key of `effects.creation` says: operation, account, source record and part."""
    source_key, _, part = target.key.split("/", 2)[2].partition("#")
    return Made(target, source_key, str(target.result["id"]), part)


def in_pages(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """The items in lists of at most `size`; no more than one list is in memory."""
    rest = iter(items)
    while page := list(islice(rest, size)):
        yield page


def id_in(key: str) -> str:
    """The record's own id: the last part of its key."""
    return key.rpartition(":")[2]
