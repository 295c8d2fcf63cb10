"""The shared budget in front of every call: who may send now, who waits a moment, who is told to come back.

Limits belong to an account at a vendor and not to a job, a worker or a process, so the decision is made on the account's one row
(`BudgetStore`). A wait of a moment is waited out here; for a longer one the job is parked, and the worker does something else.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

import httpx2
import structlog

from zixly_core.api_budget import CallBudget, Failure
from zixly_core.api_limits import Lane, Limits, Report
from zixly_core.budget_account import DOWN, Account, Ask, Outcome, Permit, ask_for, asked, heard
from zixly_core.budget_windows import Wait
from zixly_core.call_counts import CallCounts
from zixly_core.errors import BudgetSpent, StoreUnavailable, VendorDown
from zixly_core.ids import new_id
from zixly_core.token_store import Connection

# How long a worker waits for its turn at most.
PATIENCE_SECONDS = 2.0
# Waits are stretched by up to this part of them, so that those who were refused together do not come back together.
JITTER = 0.2

T = TypeVar("T")
Decide = Callable[[Account, float], tuple[Account, T]]
"""The account now (a moment of the store's clock, in seconds) gives the account afterwards and an answer."""

log = structlog.get_logger()


class BudgetStore(Protocol):
    """Where accounts are kept for all workers. Implementations: stores/budgets.py."""

    def change(self, connection: Connection, decide: Decide[T]) -> T:
        """Decide about an account while nobody else does. Raises `StoreUnavailable`; then nothing may be sent."""


class BudgetKeeper:
    """The budgets of all accounts that this process calls. Safe to share between threads."""

    def __init__(
        self,
        store: BudgetStore,
        *,
        counts: CallCounts,
        sleep: Callable[[float], object] = time.sleep,
        jitter: random.Random | None = None,
    ) -> None:
        self.store = store
        self.counts = counts
        self.sleep = sleep
        self.jitter = jitter or random.SystemRandom()

    def of(self, connection: Connection, limits: Limits, *, lane: Lane) -> CallBudget:
        """The budget of one account for calls of this lane."""
        return AccountBudget(self, connection, limits, lane=lane)


class AccountBudget:
    """`CallBudget` of one account."""

    def __init__(self, keeper: BudgetKeeper, connection: Connection, limits: Limits, *, lane: Lane) -> None:
        self._keeper = keeper
        self._connection = connection
        self._limits = limits
        self._lane = lane

    def take(self, request: httpx2.Request, *, operation: str, is_read: bool) -> Permit:
        ask = ask_for(self._limits, request, call_id=str(new_id()), lane=self._lane, is_read=is_read)
        patience = PATIENCE_SECONDS
        while True:
            answer = self._asked(ask, patience=patience)
            if isinstance(answer, Permit):
                return answer
            wait = answer.seconds * (1 + JITTER * self._keeper.jitter.random())
            if answer.window == DOWN or wait > patience:
                raise self._refusal(answer, operation=operation, wait=timedelta(seconds=wait))
            self._keeper.sleep(wait)
            patience -= wait

    def settle(
        self, permit: Permit, *, endpoint: str, seconds: float, answer: httpx2.Response | None, failure: Failure | None
    ) -> Failure | None:
        status = "none" if answer is None else str(answer.status_code)
        self._keeper.counts.add(self._connection, endpoint=endpoint, status=status, seconds=seconds)
        report = Report() if answer is None else self._limits.report_of(answer)
        if answer is not None and report.throttled_for is not None:
            failure = throttled(self._connection.system, timedelta(seconds=report.throttled_for))
        outcome = outcome_of(answer, failure, report)
        try:
            rest = self._keeper.store.change(
                self._connection, lambda account, now: settled(account, self._limits, permit, outcome, now=now)
            )
        except StoreUnavailable as error:
            # The call was made and its answer counts; its place is free again when its time is over.
            log.warning("call_not_settled", system=self._connection.system, reason=error.reason)
            return failure
        if rest > 0 and failure is not None and outcome.kind in {"vendor_failed", "lost"}:
            wait = timedelta(seconds=rest * (1 + JITTER * self._keeper.jitter.random()))
            text = f"{failure} It fails again and again and is left alone for a while."
            down = VendorDown(text, retry_after=wait, connection_id=self._connection.id)
            return down.when(self._connection.system, failure.operation or endpoint)
        return failure

    def _asked(self, ask: Ask, *, patience: float) -> Permit | Wait:
        limits = self._limits
        return self._keeper.store.change(self._connection, lambda account, now: asked(account, limits, ask, now=now, patience=patience))

    def _refusal(self, answer: Wait, *, operation: str, wait: timedelta) -> BudgetSpent | VendorDown:
        system, seconds = self._connection.system, int(wait.total_seconds()) + 1
        if answer.window == DOWN:
            text = f"{system} fails again and again and is left alone for {seconds} s; it was not asked to {operation}."
            down = VendorDown(text, retry_after=wait, connection_id=self._connection.id, was_sent=False)
            return down.when(system, operation)
        why = "are left to more urgent work" if answer.only_bulk else "are used up"
        text = f"{system} was not asked to {operation}: the account's calls per {answer.window} {why}; the next may go in {seconds} s."
        return BudgetSpent(text, reason=f"budget_{answer.window}", retry_after=wait, only_bulk=answer.only_bulk)


def outcome_of(answer: httpx2.Response | None, failure: Failure | None, report: Report) -> Outcome:
    """What became of a call, for the budget. Only what the vendor is to blame for counts against it."""
    wait = getattr(failure, "retry_after", None) or timedelta()
    if isinstance(failure, BudgetSpent):
        return Outcome("refused", report.levels, refused=failure.reason.removeprefix("rate_limited_"), wait=wait.total_seconds())
    if answer is None:
        return Outcome("lost")
    if answer.status_code >= 500:
        return Outcome("vendor_failed", report.levels, wait=wait.total_seconds())
    return Outcome("answered", report.levels)


def throttled(system: str, wait: timedelta) -> BudgetSpent:
    text = f"{system} answered THROTTLED: the account's points are used up; it is tried again in {wait.total_seconds():.1f} s."
    return BudgetSpent(text, reason="rate_limited_points", retry_after=wait)


def settled(account: Account, limits: Limits, permit: Permit, outcome: Outcome, *, now: float) -> tuple[Account, float]:
    """The account after a call, and the seconds that its vendor is left alone for because of it. 0 for the failure that ends a trial:
    the vendor had just answered, so it may be the request, and the job uses up an attempt of its own."""
    after = heard(account, limits, permit, outcome, now=now)
    if not after.circuit.is_open or account.circuit.is_on_trial(now):
        return after, 0.0
    return after, max(after.circuit.rests_until - now, 0.0)
