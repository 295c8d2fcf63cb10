"""The closed sets that notifications are made of."""

from __future__ import annotations

from enum import StrEnum


class ChannelKind(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SLACK = "slack"


class Kind(StrEnum):
    """What a line of the outbox says."""

    OPENED = "opened"
    REMINDER = "reminder"
    """The issue is still open, and nobody took it on."""
    RESOLVED = "resolved"
    DIGEST = "digest"
    TEST = "test"


class Status(StrEnum):
    """How a line of the outbox stands. DROPPED: it was better not said, and its reason says why."""

    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    DROPPED = "DROPPED"


class Transition(StrEnum):
    """What became of an issue."""

    OPENED = "opened"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    IGNORED = "ignored"
    RESOLVED = "resolved"


ABOUT_ISSUES = frozenset({Kind.OPENED, Kind.REMINDER, Kind.RESOLVED})
