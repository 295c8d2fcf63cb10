"""Xero's four limits (developer.xero.com/documentation/oauth2/limits): per organisation a minute, a day and calls in
progress; per app a minute over all organisations."""

from __future__ import annotations

from zixly_sandbox.http import Answer, Headers, header, text_answer
from zixly_sandbox.limits import FixedWindow
from zixly_sandbox.rules import XeroRules

MINUTE = 60
DAY = 86_400


class AppLimit:
    """The app's calls in a minute."""

    def __init__(self) -> None:
        self.minute = FixedWindow(seconds=MINUTE, account="app")


class OrganisationLimits:
    """One organisation's calls."""

    def __init__(self, *, organisation: str, app: AppLimit) -> None:
        self._minute = FixedWindow(seconds=MINUTE, account=organisation)
        self._day = FixedWindow(seconds=DAY, account=organisation)
        self._app = app.minute
        self._in_progress = 0

    def enter(self, now: float, *, rules: XeroRules) -> Answer | None:
        """Count a call and give None, or give the refusal. Call `leave` when an admitted call is over."""
        if self._in_progress >= rules.concurrent_calls:
            return self._refusal("concurrent", now, rules=rules, retry_after=None)
        if not self._day.remaining(now, limit=rules.day_calls):
            return self._refusal("day", now, rules=rules, retry_after=self._day.seconds_left(now))
        if not self._minute.remaining(now, limit=rules.minute_calls):
            return self._refusal("minute", now, rules=rules, retry_after=self._minute.seconds_left(now))
        if not self._app.take(now, limit=rules.app_minute_calls):
            return self._refusal("appminute", now, rules=rules, retry_after=self._app.seconds_left(now))
        self._minute.take(now, limit=rules.minute_calls)
        self._day.take(now, limit=rules.day_calls)
        self._in_progress += 1
        return None

    def leave(self) -> None:
        self._in_progress -= 1

    def headers(self, now: float, *, rules: XeroRules) -> Headers:
        """What every answer carries."""
        return (
            header("X-MinLimit-Remaining", self._minute.remaining(now, limit=rules.minute_calls)),
            header("X-DayLimit-Remaining", self._day.remaining(now, limit=rules.day_calls)),
            header("X-AppMinLimit-Remaining", self._app.remaining(now, limit=rules.app_minute_calls)),
        )

    def _refusal(self, problem: str, now: float, *, rules: XeroRules, retry_after: int | None) -> Answer:
        return too_many(problem, retry_after=retry_after).with_headers(self.headers(now, rules=rules))


def too_many(problem: str, *, retry_after: int | None) -> Answer:
    """429 in Xero's words. No time is told for calls in progress."""
    wait = (header("Retry-After", retry_after),) if retry_after is not None else ()
    return text_answer("Too Many Requests", status=429, headers=(header("X-Rate-Limit-Problem", problem), *wait))
