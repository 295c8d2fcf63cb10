"""What stands between a client and its vendor: the account's budget, asked before each call and told after it.

`VendorApi` asks; budget_keeper.py answers from the row that all workers share.
"""

from __future__ import annotations

from typing import Protocol

import httpx2

from zixly_core.budget_account import Ask, Permit
from zixly_core.errors import Permanent, Transient

Failure = Transient | Permanent


class CallBudget(Protocol):
    """The calls of one account, in one lane."""

    def take(self, request: httpx2.Request, *, operation: str, is_read: bool) -> Permit:
        """The right to send this request once. Waits a moment where that is enough.

        Raises `BudgetSpent` with the time to come back, `VendorDown` while the vendor rests, `StoreUnavailable` when nobody can
        tell; in none of these cases was anything sent.
        """

    def settle(
        self, permit: Permit, *, endpoint: str, seconds: float, answer: httpx2.Response | None, failure: Failure | None
    ) -> Failure | None:
        """Tell what became of the call, and get the failure to raise, if any; it may be another than the one that was seen.

        `endpoint` is the operation's name among a closed set, and `seconds` how long it took, both for metrics. A store that is
        away is no reason to raise: the call was made, and its answer counts.
        """


class Unlimited:
    """For callers without a shared budget, such as tests of a client."""

    def take(self, request: httpx2.Request, *, operation: str, is_read: bool) -> Permit:
        return ANY_CALL

    def settle(
        self, permit: Permit, *, endpoint: str, seconds: float, answer: httpx2.Response | None, failure: Failure | None
    ) -> Failure | None:
        return failure


ANY_CALL = Permit(Ask("", "live", cost=1, is_read=True, windows=frozenset()), sent=0, beside=0, windows={})
UNLIMITED = Unlimited()
