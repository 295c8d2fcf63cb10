"""`zixly check-delivery FILE`: what would the bridge say to this delivery? Answered from the file alone, without any server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from zixly_core.errors import Rejected, ZixlyError
from zixly_core.intake import prepared
from zixly_core.prepared import Verdict
from zixly_core.routing import Route, RoutingTable
from zixly_core.subscriptions import Subscription, SubscriptionKind, SubscriptionStatus
from zixly_core.system import Answer, IncomingRequest, ParsedEvent, System
from zixly_core.systems import SYSTEMS

# The end of the calendar, in milliseconds since 1970.
LAST_MS = 253_402_300_799_999


class UnreadableFile(ZixlyError):
    """The file is not a delivery in the format of the recorded ones."""

    default_reason = "unreadable_file"


class RecordedDelivery(BaseModel):
    """The fields of a recorded delivery that decide what happens to it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    system: str
    method: str = "POST"
    url: str = ""
    headers: dict[str, str] = {}
    body: str = ""
    secret: str | None = None
    received_at_ms: int = Field(ge=0, le=LAST_MS)
    state_before: str | None = None
    """In words what was there when it came; of a path that a handshake comes to, whether it has a secret."""

    @field_validator("url")
    @classmethod
    def can_be_taken_apart(cls, value: str) -> str:
        urlsplit(value)
        return value


@dataclass(frozen=True)
class Outcome:
    """The verdict, and what the sender would get."""

    verdict: str
    reason: str | None
    answer: Answer
    events: tuple[ParsedEvent, ...] = ()


def read_delivery(path: Path) -> RecordedDelivery:
    """Raises `UnreadableFile`."""
    try:
        return RecordedDelivery.model_validate(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise UnreadableFile(f"{path} is not JSON: {error.msg}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise UnreadableFile(f"{path} is not a delivery: {where}: {first['msg']}") from error


def outcome_of(delivery: RecordedDelivery) -> Outcome:
    """What the bridge would make of the delivery, by the file's clock, secret and state, were its sender one of ours."""
    system = SYSTEMS.get(delivery.system)
    if system is None:
        return Outcome("reject", "unknown_system", Answer(status=404))
    request = IncomingRequest(
        method=delivery.method,
        url=delivery.url,
        headers={name.lower(): value for name, value in delivery.headers.items()},
        body=delivery.body.encode(),
        received_at=datetime.fromtimestamp(delivery.received_at_ms / 1000, tz=UTC),
        path=path_of(system, delivery.url),
    )
    is_waiting = is_waiting_for_a_secret(delivery, system=system, request=request)
    secrets = [delivery.secret] if delivery.secret and not is_waiting else []
    decided = prepared(request, system=system, secrets=secrets, routing=known_sender(system, request, is_waiting=is_waiting))
    if decided.fixed_verdict is Verdict.REJECTED:
        return Outcome("reject", decided.reason, decided.answer)
    reason = "handshake" if decided.fixed_verdict is Verdict.HANDSHAKE else None
    return Outcome("accept", reason, decided.answer, tuple(one.event for one in decided.events))


def path_of(system: System, url: str) -> str:
    """Which of the system's paths a URL is; recorded ones may stand under other folders than ours."""
    path = urlsplit(url).path
    patterns = {template: re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)) for template in system.paths}
    return next((template for template, pattern in patterns.items() if re.search(f"/{pattern}$", path)), system.paths[0])


def is_waiting_for_a_secret(delivery: RecordedDelivery, *, system: System, request: IncomingRequest) -> bool:
    """Whether the path is taken to wait for a handshake: one came, and the file does not say that a secret is stored already."""
    state = delivery.state_before or ""
    has_secret = bool(re.search(r"\bsecret\b.*\bstored\b", state, re.IGNORECASE)) and not re.search(r"\bno secret\b", state, re.IGNORECASE)
    try:
        return system.profile.handshake(request) is not None and not has_secret
    except Rejected:
        return False


def known_sender(system: System, request: IncomingRequest, *, is_waiting: bool) -> RoutingTable:
    """A routing table that knows the path of this request and nothing else."""
    owner = system.profile.secret_owner(request)
    if owner is None:
        return RoutingTable()
    status = SubscriptionStatus.PENDING if is_waiting else SubscriptionStatus.ACTIVE
    kind = SubscriptionKind.SIGNED if system.name == "callbacks" else SubscriptionKind.HANDSHAKE
    nobody = UUID(int=0)
    subscription = Subscription(id=nobody, kind=kind, status=status)
    return RoutingTable(routes={(system.name, owner): Route(nobody, nobody, owner, subscription)})


def report_of(outcome: Outcome) -> dict[str, Any]:
    """The outcome as the JSON object that is printed. A body of null is made by the server: it holds the ids of the new jobs."""
    body = outcome.answer.body
    return {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "response": {
            "status": outcome.answer.status,
            "headers": dict(outcome.answer.headers),
            "body": None if body is None else body.decode(),
        },
        "events": [event_report(event) for event in outcome.events],
    }


def event_report(event: ParsedEvent) -> dict[str, Any]:
    return {
        "dedupe_key": event.dedupe_key,
        "record_key": event.record_key,
        "kind": event.kind,
        "category": event.category,
        "type": event.type,
        "external_id": event.external_id,
        "record_id": event.record_id,
        "occurred_at": event.occurred_at,
        "subject": None if event.subject is None else {"system": event.subject.system, "external_id": event.subject.external_id},
    }
