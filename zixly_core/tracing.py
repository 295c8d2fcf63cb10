"""Where in which trace the program stands, and the spans that it tells of.

The place is always known, so that log lines and calls to vendors bear the trace. Spans are told only where a recorder was given
(`otlp.py`, when ZIXLY_OTLP_URL is set); without one they cost a comparison, and OpenTelemetry is not imported.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import structlog

from zixly_core.errors import ZixlyError
from zixly_core.ids import new_id
from zixly_core.trace_context import TraceContext, new_span


class Kind(StrEnum):
    """Which side of which exchange a span is, in OpenTelemetry's words."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


@dataclass(frozen=True, slots=True)
class Span:
    """Something that was done, and because of what."""

    name: str
    context: TraceContext
    began_ns: int
    """Of Unix time."""
    ended_ns: int
    kind: Kind = Kind.INTERNAL
    parent: TraceContext | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Only names of `ATTRIBUTES` are told (span_attributes.py)."""
    links: Sequence[TraceContext] = ()
    error: str | None = None
    """A machine word where it failed: never a text."""
    state: str = ""


class Recorder(Protocol):
    """What takes spans. It never raises and never waits."""

    def wants(self, trace_id: UUID) -> bool:
        """Whether spans of this trace are kept."""

    def keep(self, span: Span) -> None:
        """Take a span that has ended."""

    def close(self) -> None:
        """Pass on what was taken, within a moment."""


_recorder: Recorder | None = None
_here: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def record_to(recorder: Recorder | None) -> None:
    """Tell the spans of this process to a recorder from now on; None: to nobody."""
    global _recorder  # noqa: PLW0603 - one for each process, as with the logs
    _recorder = recorder


def stop_recording() -> None:
    """The process ends: what was taken is passed on, and nothing is taken any more."""
    recorder = _recorder
    record_to(None)
    if recorder is not None:
        recorder.close()


def here() -> TraceContext | None:
    """The span that is the cause of what is done now; None outside of traces."""
    return _here.get()


def is_recorded(trace_id: UUID) -> bool:
    return _recorder is not None and _recorder.wants(trace_id)


def record(span: Span) -> None:
    if _recorder is not None and _recorder.wants(span.context.trace_id):
        _recorder.keep(span)


def now_ns() -> int:
    return time.time_ns()


def stand_at(context: TraceContext) -> None:
    """From now on, in this task, what is done is done because of this span."""
    _here.set(context)
    structlog.contextvars.bind_contextvars(trace_id=context.trace_id.hex)


@contextmanager
def standing_at(context: TraceContext) -> Iterator[None]:
    """What is done inside is done because of this span, and its log lines bear the trace."""
    before = _here.set(context)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=context.trace_id.hex):
            yield
    finally:
        _here.reset(before)


@dataclass(slots=True)
class OpenSpan:
    """A span that has not ended: what is learned on the way may be added."""

    context: TraceContext
    attributes: dict[str, Any]
    error: str | None = None


@contextmanager
def spanned(
    name: str,
    *,
    kind: Kind = Kind.INTERNAL,
    at: TraceContext | None = None,
    parent: TraceContext | None = None,
    attributes: Mapping[str, Any] | None = None,
    links: Sequence[TraceContext] = (),
) -> Iterator[OpenSpan]:
    """What is done inside is a span: a child of the place where the program stands, or the first of a new trace. `at` gives it an id
    that others know it by, as a child of `parent`, or of none."""
    cause = parent if at else here()
    context = at or TraceContext(cause.trace_id if cause else new_id(), new_span())
    open_span = OpenSpan(context, dict(attributes or {}))
    began = now_ns()
    before = _here.set(context)
    try:
        yield open_span
    except BaseException as error:
        open_span.error = word_of(error)
        raise
    finally:
        _here.reset(before)
        facts = open_span.attributes
        record(Span(name, context, began, now_ns(), kind, cause, facts, links=links, error=open_span.error))


def word_of(error: BaseException) -> str:
    """An error as one word: ours by its reason, any other by its type."""
    return error.reason if isinstance(error, ZixlyError) else type(error).__name__
