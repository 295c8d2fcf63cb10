"""Traces as W3C Trace Context tells them from one program to the next (www.w3.org/TR/trace-context).

A trace needs no memory of its own: what nobody began before us bears the id of what began it (a delivery, a job, a batch), and a
span that others must name bears the last 64 bits of the id of what it is about. So any process can name the spans of any other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

# Versions above 00 may have more after the flags; ff is no version.
PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
FORBIDDEN_VERSION = "ff"
FIRST_VERSION = "00"
SAMPLED = 0x01
LONGEST_PARENT = 512

# Section 3.3: up to 32 members, and at least 512 characters are to be passed on; more than that is not kept.
MOST_MEMBERS = 32
LONGEST_STATE = 512
MEMBER = re.compile(
    r"(?P<key>[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{1,256}"
)

SPAN_BITS = (1 << 64) - 1
# Of a trace id the last 56 bits are random (level 2 of the standard, section 2.2.4), so one ratio means the same in every process.
RANDOM_BITS = (1 << 56) - 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: what is done next is done because of this span."""

    trace_id: UUID
    span_id: int


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request says of the trace that it belongs to."""

    context: TraceContext
    state: str = ""


def told_by(parents: Sequence[str], states: Sequence[str] = ()) -> Caller | None:
    """The trace that these headers (`traceparent`, `tracestate`) name; None for headers that a receiver must ignore. Never raises."""
    context = parent_of(parents[0]) if len(parents) == 1 else None
    return None if context is None else Caller(context, state_of(states))


def parent_of(header: str) -> TraceContext | None:
    """The place that a `traceparent` names. None for one that is not as the standard says; then the trace is begun anew."""
    found = PARENT.fullmatch(header) if len(header) <= LONGEST_PARENT else None
    if found is None:
        return None
    version, trace_id, span_id, _, more = found.groups()
    if version == FORBIDDEN_VERSION or (version == FIRST_VERSION and more is not None):
        return None
    trace, span = UUID(hex=trace_id), int(span_id, 16)
    return TraceContext(trace, span) if trace.int and span else None


def state_of(headers: Sequence[str]) -> str:
    """What `tracestate` says, its headers joined; empty when it is too long, or one member is wrong or comes twice."""
    state = ",".join(headers)
    members = [member.strip(" \t") for member in state.split(",")] if len(state) <= LONGEST_STATE else []
    found = [MEMBER.fullmatch(member) for member in members if member]
    keys = [one["key"] for one in found if one is not None]
    is_good = len(found) == len(keys) == len(set(keys)) <= MOST_MEMBERS
    return ",".join(member for member in members if member) if is_good else ""


def header_of(context: TraceContext, *, is_sampled: bool) -> str:
    """The `traceparent` that names this place to whom we call."""
    return f"{FIRST_VERSION}-{context.trace_id.hex}-{context.span_id:016x}-{SAMPLED if is_sampled else 0:02x}"


def span_of(subject: UUID) -> int:
    """The span that a delivery, a job, a batch or a run is known by. Its id's last bits are random; they are never all zero."""
    return subject.int & SPAN_BITS


def new_span() -> int:
    return int.from_bytes(os.urandom(8)) or 1


def is_among(trace_id: UUID, *, ratio: float) -> bool:
    """Whether a trace is one of those that are recorded: each process comes to the same answer."""
    return trace_id.int & RANDOM_BITS < ratio * (RANDOM_BITS + 1)
