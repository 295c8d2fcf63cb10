"""Every error of the platform, and the two questions its branch answers: whose fault, and would another try help.

ZixlyError
├── SettingsError          the operator's: a wrong setting; the start stops with one sentence
├── Rejected               the sender's: the request is refused, nothing changed
│   ├── InvalidSignature
│   ├── StaleTimestamp
│   └── MalformedPayload
├── Transient              nobody's: another try may help (after `retry_after`, when the other side said so)
│   ├── StoreUnavailable
│   ├── QueueUnavailable
│   └── BudgetSpent        an API budget is used up; `retry_after` says until when to park
├── Permanent              another try cannot help
│   ├── Disconnected       a person has to authorise the connection again
│   ├── RecordGone
│   └── ObjectNotFound
└── LeaseLost              this worker no longer owns the job; whatever it holds must not be written
"""

from __future__ import annotations

from datetime import timedelta


class ZixlyError(Exception):
    """Base of all errors. `reason` is a machine word for metrics and tests; the message is for people."""

    default_reason = "error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or self.default_reason


class SettingsError(ZixlyError):
    default_reason = "settings"


class Rejected(ZixlyError):
    default_reason = "rejected"


class InvalidSignature(Rejected):
    default_reason = "invalid_signature"


class StaleTimestamp(Rejected):
    default_reason = "stale_timestamp"


class MalformedPayload(Rejected):
    default_reason = "malformed_payload"


class Transient(ZixlyError):
    """Another try may help. `retry_after` is the least wait the other side asked for, if it did."""

    default_reason = "transient"

    def __init__(self, message: str, *, reason: str | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class StoreUnavailable(Transient):
    default_reason = "store_unavailable"


class QueueUnavailable(Transient):
    default_reason = "queue_unavailable"


class BudgetSpent(Transient):
    default_reason = "budget_spent"


class Permanent(ZixlyError):
    default_reason = "permanent"


class Disconnected(Permanent):
    default_reason = "reconnect_needed"


class RecordGone(Permanent):
    default_reason = "record_gone"


class ObjectNotFound(Permanent):
    default_reason = "object_not_found"


class LeaseLost(ZixlyError):
    default_reason = "lease_lost"
