"""How many calls an account still has at a vendor, as the vendor's own headers tell with each answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx2


@dataclass(frozen=True)
class Budget:
    """Calls left for one account, by window (`minute`, `day`, `app_minute`, `interval`); empty when the answer told none.

    `external_id` is the account at the vendor: limits belong to it, not to a job or a worker.
    """

    system: str
    external_id: str
    status: int
    remaining: Mapping[str, int] = field(default_factory=dict)


OnBudget = Callable[[Budget], None]
"""Called once for each answer of a vendor, failed ones too, so it counts calls as well."""


def ignore_budget(budget: Budget) -> None:
    """For callers that do not watch the budget."""


def budget_of(answer: httpx2.Response, *, system: str, external_id: str, windows: Mapping[str, str]) -> Budget:
    """The budget that an answer tells; `windows` maps header names to windows."""
    texts = {window: answer.headers.get(header, "") for header, window in windows.items()}
    remaining = {window: int(text) for window, text in texts.items() if text.isascii() and text.isdecimal()}
    return Budget(system=system, external_id=external_id, status=answer.status_code, remaining=remaining)
