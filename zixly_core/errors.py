"""Every error of the platform, and the two questions its branch answers: whose fault, and would another try help.

ZixlyError
├── SettingsError          the operator's: a wrong setting; the start stops with one sentence
├── Rejected               the sender's: the request is refused, nothing changed
│   ├── InvalidSignature
│   ├── StaleTimestamp
│   ├── MalformedPayload
│   └── NotAllowed         known, but this is not theirs to do
├── Transient              nobody's: another try may help (after `retry_after`, when the other side said so)
│   ├── StoreUnavailable
│   ├── QueueUnavailable
│   ├── BudgetSpent        an API budget is used up; `retry_after` says until when to park
│   ├── VendorDown         a vendor fails again and again and is left alone; jobs park meanwhile
│   └── ConnectionBusy     another worker is exchanging the connection's tokens; jobs park meanwhile
├── Permanent              another try cannot help
│   ├── Disconnected       a person has to authorise the connection again
│   ├── RecordGone
│   └── ObjectNotFound
└── LeaseLost              this worker no longer owns the job; whatever it holds must not be written
"""

from __future__ import annotations

from datetime import timedelta
from typing import Self
from uuid import UUID

from zixly_core.redaction import masked


class ZixlyError(Exception):
    """Base of all errors. `reason` is a machine word for metrics and tests; the message is for people."""

    default_reason = "error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(masked(message))  # it goes into answers, jobs, issues and logs, and may quote what others said
        self.reason = reason or self.default_reason
        self.system: str | None = None
        self.operation: str | None = None

    def when(self, system: str, operation: str) -> Self:
        """The same error, which knows the outside system that was called and what for."""
        self.system, self.operation = system, operation
        return self


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


class NotAllowed(Rejected):
    default_reason = "not_allowed"


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
    """`only_bulk`: the wait is for bulk work alone; the account itself is not to be left alone. `connection_id` names the account,
    where it is known."""

    default_reason = "budget_spent"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        retry_after: timedelta | None = None,
        only_bulk: bool = False,
        connection_id: UUID | None = None,
    ) -> None:
        super().__init__(message, reason=reason, retry_after=retry_after)
        self.only_bulk = only_bulk
        self.connection_id = connection_id


class VendorDown(Transient):
    """The circuit breaker blames the vendor for what failed, or sent nothing because of it (`was_sent` False). `connection_id` names the
    account that rests: jobs that need it wait for that."""

    default_reason = "vendor_down"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        retry_after: timedelta | None = None,
        connection_id: UUID | None = None,
        was_sent: bool = True,
    ) -> None:
        super().__init__(message, reason=reason, retry_after=retry_after)
        self.connection_id = connection_id
        self.was_sent = was_sent


class ConnectionBusy(Transient):
    default_reason = "token_exchange_busy"


class Permanent(ZixlyError):
    default_reason = "permanent"


class Disconnected(Permanent):
    """`connection_id` names the connection that a person has to authorise again, where it is known."""

    default_reason = "reconnect_needed"

    def __init__(self, message: str, *, reason: str | None = None, connection_id: UUID | None = None) -> None:
        super().__init__(message, reason=reason)
        self.connection_id = connection_id


class RecordGone(Permanent):
    default_reason = "record_gone"


class ObjectNotFound(Permanent):
    default_reason = "object_not_found"


class LeaseLost(ZixlyError):
    default_reason = "lease_lost"
