"""Who stands behind what is done now, and from where: known once for each request, and written beside every line of the audit log.

A request is identified after it has begun, by functions that run in threads of their own; so this is one object that they share
and complete, not a value that is passed down. Where nobody asked (workers, commands) it is empty, and the database role tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass
class Requester:
    """Where a request came from, and who sent it as soon as that is known."""

    address: str | None = None
    """An IP address, or None where there is none (a Unix socket)."""
    request_id: UUID | None = None
    """The `X-Request-Id` of the answer, which the logs bear too."""
    named_trace: UUID | None = None
    """The trace that the request says it belongs to; None where it begins one, whose id is the request's."""
    user_id: UUID | None = None
    token_id: UUID | None = None


_current: ContextVar[Requester | None] = ContextVar("requester", default=None)


def requester() -> Requester:
    """The one of the request that is being answered; an empty one outside of requests."""
    return _current.get() or Requester()


@contextmanager
def requested_by(one: Requester) -> Iterator[None]:
    """What is done inside is done for this one."""
    before = _current.set(one)
    try:
        yield
    finally:
        _current.reset(before)
