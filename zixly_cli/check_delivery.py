"""`zixly check-delivery FILE`: what would the bridge say to this delivery? Answered from the file alone, without any server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from zixly_core.errors import Rejected, ZixlyError
from zixly_core.system import Answer, IncomingRequest, ParsedEvent, Reading, System
from zixly_core.systems import SYSTEMS


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
    received_at_ms: int


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
    """What the receive profile of the delivery's system makes of it, by the file's clock and secret."""
    system = SYSTEMS.get(delivery.system)
    if system is None:
        return Outcome("reject", "unknown_system", Answer(status=404))
    request = IncomingRequest(
        method=delivery.method,
        url=delivery.url,
        headers={name.lower(): value for name, value in delivery.headers.items()},
        body=delivery.body.encode(),
        received_at=datetime.fromtimestamp(delivery.received_at_ms / 1000, tz=UTC),
    )
    try:
        reading = verified(system, request, secret=delivery.secret)
    except Rejected as error:
        return Outcome("reject", error.reason, system.profile.rejection(error))
    return Outcome("accept", "handshake" if reading.is_handshake else None, reading.answer, reading.events)


def verified(system: System, request: IncomingRequest, *, secret: str | None) -> Reading:
    system.profile.verify(request, secrets=[secret] if secret else [])
    return system.profile.read(request)


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
        "category": event.category,
        "type": event.type,
        "external_id": event.external_id,
        "record_id": event.record_id,
        "occurred_at": event.occurred_at,
        "subject": None if event.subject is None else {"system": event.subject.system, "external_id": event.subject.external_id},
    }
