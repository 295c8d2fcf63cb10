"""What callers did: how often each endpoint was called, and every write, so that a test can prove "written once"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zixly_sandbox.http import System


@dataclass(frozen=True)
class Write:
    """One change that a caller of a vendor's API made. Replays answered from an idempotency key are none."""

    number: int
    at: str
    system: System
    account: str
    operation: str
    object_type: str
    object_id: str
    properties: Mapping[str, Any]
    idempotency_key: str | None
    trace_id: str | None


class WriteLog:
    """Grows only; empty again after a reset."""

    def __init__(self) -> None:
        self._writes: list[Write] = []

    def __len__(self) -> int:
        return len(self._writes)

    def add(
        self,
        *,
        at: str,
        system: System,
        account: str,
        operation: str,
        object_type: str,
        object_id: str,
        properties: Mapping[str, Any],
        idempotency_key: str | None = None,
        trace_id: str | None = None,
    ) -> None:
        number = len(self._writes) + 1
        self._writes.append(Write(number, at, system, account, operation, object_type, object_id, properties, idempotency_key, trace_id))

    def select(self, *, after: int = 0, limit: int = 1000, **wanted: str | None) -> list[Write]:
        """Writes after a number whose fields have the wanted values; None: any."""
        asked = {name: value for name, value in wanted.items() if value is not None}
        found: list[Write] = []
        for write in self._writes[after:]:
            if all(getattr(write, name) == value for name, value in asked.items()):
                found.append(write)
                if len(found) >= limit:
                    break
        return found


class CallLog:
    """Calls by system, endpoint and status. A dropped connection counts under status 0."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def add(self, system: System, endpoint: str, status: int) -> None:
        self._counts[system, endpoint, status] += 1

    def rows(self) -> Iterable[dict[str, Any]]:
        return (
            {"system": system, "endpoint": endpoint, "status": status, "count": count}
            for (system, endpoint, status), count in sorted(self._counts.items())
        )
