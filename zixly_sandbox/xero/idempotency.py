"""`Idempotency-Key` (developer.xero.com/documentation/guides/idempotent-requests/idempotency): for six minutes the same key
gives the same answer, errors too; with another request it is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, refusal

MAX_KEY_LENGTH = 128


@dataclass(frozen=True)
class Kept:
    """An answer, and which request it was given to."""

    request: bytes
    answer: Answer
    until: float


class IdempotencyKeys:
    """The answers to one organisation's writes."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def answer(self, call: Call, work: Callable[[], Answer], *, now: float, keep_seconds: float) -> Answer:
        """The kept answer, or the work's own."""
        key = call.headers.get("idempotency-key")
        if not key:
            return work()
        if len(key) > MAX_KEY_LENGTH:
            return refused(f"The idempotency key is longer than {MAX_KEY_LENGTH} characters.")
        self._forget(now)
        request = fingerprint(call)
        kept = self._kept.get(key)
        if kept is None:
            kept = Kept(request, work(), now + keep_seconds)
            self._kept[key] = kept
        if kept.request != request:
            return refused("The idempotency key was used with another request.")
        return kept.answer

    def _forget(self, now: float) -> None:
        """Keys stand in the order of their age."""
        while self._kept:
            key = next(iter(self._kept))
            if self._kept[key].until > now:
                return
            del self._kept[key]


def fingerprint(call: Call) -> bytes:
    text = f"{call.method} {call.path}?{call.query_text}\n".encode()
    return hashlib.sha256(text + call.body).digest()


def refused(message: str) -> Answer:
    return refusal(Refused(message, number=10, kind="ValidationException"))
