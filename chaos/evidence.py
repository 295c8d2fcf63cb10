"""What is known at the end, as plain values: what the sender did, what the ledger's rows say, what the vendors have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# The kind of a note when it is known by its text.
NOTE_TEXT = "note text"


@dataclass(frozen=True)
class Sent:
    """Bytes that were posted at least once. `acknowledged`: at least one of the posts was answered with success."""

    sha256: str
    system: str
    records: tuple[str, ...]
    acknowledged: bool


@dataclass(frozen=True)
class StoredEvent:
    """An event's row, with the delivery that it came in and the workflows of its jobs."""

    id: str
    sha256: str
    record: str
    outcome: str
    workflows: tuple[str, ...]


@dataclass(frozen=True)
class StoredJob:
    """A job's row."""

    id: str
    workflow: str
    tenant: str
    record: str
    status: str


@dataclass(frozen=True)
class Change:
    """An invoice came to a standing at the vendor, at `at` of the vendor's clock."""

    tenant: str
    account: str
    """The tenant's account at the system that is told: the HubSpot portal."""
    contact: str | None
    """Whom the invoice is to, by the e-mail address; None for a customer without one."""
    number: str
    standing: str
    at: int
    told: bool
    """A delivery that was sent after the change was acknowledged."""


@dataclass(frozen=True)
class ContactWrite:
    """The vendor's record of a write to a contact about an invoice, in the order in which it took them."""

    account: str
    contact_id: str
    number: str
    standing: str


@dataclass(frozen=True)
class Creation:
    """Something that the vendor was made to create, by what tells it apart in the real world, and how often."""

    system: str
    account: str
    kind: str
    key: str
    count: int


@dataclass(frozen=True)
class Wanted:
    """Something that must have been created once for a record that was told of. `key` is a part of the creation's."""

    system: str
    account: str
    kind: str
    key: str


@dataclass(frozen=True)
class Evidence:
    """All of it."""

    sent: Sequence[Sent] = ()
    stored: Mapping[str, int] = field(default_factory=dict)
    """Digest of a body -> how many rows hold it, rejected ones left out."""
    events: Sequence[StoredEvent] = ()
    jobs: Sequence[StoredJob] = ()
    changes: Sequence[Change] = ()
    contact_writes: Sequence[ContactWrite] = ()
    contacts: Mapping[tuple[str, str], ContactWrite] = field(default_factory=dict)
    """Account and e-mail address -> what the contact shows at the end."""
    creations: Sequence[Creation] = ()
    wanted: Sequence[Wanted] = ()
    owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """System and account -> the tenant it belongs to."""
    marks: Sequence[tuple[str, str, str]] = ()
    """System, account and the name of the tenant that a write bears."""
    unaccounted: int | None = 0
    managers: Sequence[int] = ()
    """The process managers that were seen at work."""
