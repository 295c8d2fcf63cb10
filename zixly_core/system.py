"""What an outside system is to us: how its deliveries are verified and read, and how it wants to be answered.

Implementations are in `systems/<name>/receive.py`: pure functions of bytes, headers and a clock, without I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from zixly_core.errors import InvalidSignature, Rejected
from zixly_core.ids import new_id


@dataclass(frozen=True)
class IncomingRequest:
    """One HTTP request as it reached us: header names in lower case, the body's raw bytes, the URL the sender called."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    path: str = ""
    """Which of `System.paths` it came to; empty when it came to none."""
    client: str = ""
    """The address that it came from, as far as we see it; nothing is decided by it but how much of its rubbish is kept."""
    id: UUID = field(default_factory=new_id, compare=False)
    """Of the request, and of the delivery that it becomes."""
    trace_id: UUID | None = None
    """The trace that its sender named; None: it begins one, which has its own id."""


@dataclass(frozen=True)
class Subject:
    """The account that an event is about, where that is not the account that sent it: a generic sender asks for something
    to be done about an invoice in Xero."""

    system: str
    external_id: str


@dataclass(frozen=True)
class ParsedEvent:
    """One fact inside a delivery, before it is known whose it is.

    `external_id` is the account's id at the system (a Xero organisation, a HubSpot portal), which leads to the connection and
    tenant; where the delivery names no account it is the address of the path that it came to. `record_key` names the outside
    record the event is about, for order: jobs of one record never run side by side.
    """

    dedupe_key: str
    record_key: str
    category: str
    type: str
    external_id: str
    record_id: str
    occurred_at: datetime
    payload: Mapping[str, Any] = field(repr=False)
    subject: Subject | None = None
    fingerprint: str = ""
    """What becomes part of the key that is stored, where `dedupe_key` itself was not signed: whoever makes one up, or repeats one
    with another body, takes nobody's place."""

    @property
    def kind(self) -> str:
        """What workflows are triggered by, such as `INVOICE.UPDATE`."""
        return f"{self.category}.{self.type}"


@dataclass(frozen=True)
class Answer:
    """What the sender gets. `body` None means: the job ids, as JSON (for senders that may see them)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""


@dataclass(frozen=True)
class Numbers:
    """The numbers of a delivery's events, where its sender numbers them without gaps: the first and the last."""

    first: int
    last: int


@dataclass(frozen=True)
class Reading:
    """A verified delivery, read: its events (none for a handshake) and the answer that its sender demands."""

    events: tuple[ParsedEvent, ...]
    answer: Answer
    is_handshake: bool = False
    numbers: Numbers | None = None


@dataclass(frozen=True)
class Handshake:
    """A sender's offer of the secret that it will sign with, and the answer that takes it."""

    secret: str = field(repr=False)
    answer: Answer


class ReceiveProfile(Protocol):
    """How one system's deliveries are received. Stateless; time and secrets come in as arguments.

    A profile inherits what is written out here, which suits a system that signs everything with the secret of our app.
    """

    def verify(self, request: IncomingRequest, *, secrets: Sequence[str]) -> None:
        """Check the signature over the raw bytes with each secret in turn.

        Raises `InvalidSignature` or `StaleTimestamp`. An empty `secrets` means that the system is off: nothing verifies.
        """

    def read(self, request: IncomingRequest) -> Reading:
        """The events of a verified request. Raises `MalformedPayload`."""

    def rejection(self, error: Rejected) -> Answer:
        """The answer to a request that did not verify or could not be read."""

    def secret_owner(self, request: IncomingRequest) -> str | None:
        """Whose secret signs this request: the address of its path, or a connection's external id; None when it is our app's."""
        return None

    def handshake(self, request: IncomingRequest) -> Handshake | None:
        """The offer in a request that offers a secret. Raises `InvalidSignature` for one that cannot be a secret."""
        return None

    def read_unsigned(self, request: IncomingRequest) -> Reading:
        """The event of a request that its path alone proves. Raises `MalformedPayload`."""
        raise InvalidSignature("This system sends nothing unsigned.", reason="signature_missing")


@dataclass(frozen=True)
class System:
    """One line of `SYSTEMS`: an outside product and what the rest of the platform needs to know about it."""

    name: str
    title: str
    profile: ReceiveProfile
    paths: tuple[str, ...]
    """What follows `/webhook/` in the URLs of its deliveries; older names stay served."""
    secrets_settings: tuple[str, ...] = ()
    """The settings with our app's signing secrets, newest first, separated by commas: the first that is set counts. None when each
    sender has a secret of its own."""
    content_types: tuple[str, ...] = ()
    """The content types that are taken, without parameters; empty where a good signature is enough, whatever the request claims."""
