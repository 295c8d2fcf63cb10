"""HubSpot as the gate sees it: who may enter (token, limits), and the portals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.http import Answer, Call, Headers, System, header, json_answer
from zixly_sandbox.hubspot.answers import Refused, refusal, too_many
from zixly_sandbox.hubspot.changes import Change
from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.limits import RollingWindow
from zixly_sandbox.rules import HubSpotRules
from zixly_sandbox.tokens import TokenOffice, TokenPolicy, TokenRefused
from zixly_sandbox.usage import WriteLog

OnChange = Callable[[Sequence[Change]], None]
"""Told of what changed."""


@dataclass
class Account:
    """A portal and the calls it has used."""

    portal: Portal
    burst: RollingWindow = field(default_factory=RollingWindow)
    search: RollingWindow = field(default_factory=RollingWindow)


@dataclass(frozen=True)
class Visit:
    """An admitted call to a portal."""

    account: Account
    desk: HubSpotDesk
    is_search: bool

    @property
    def portal(self) -> Portal:
        return self.account.portal

    @property
    def now(self) -> int:
        """Unix milliseconds."""
        return self.desk.clock.milliseconds()

    @property
    def lag_ms(self) -> int:
        return int(self.desk.rules.search_lag_seconds * 1000)

    def headers(self) -> Headers:
        """Search tells nothing about its limit."""
        return () if self.is_search else self.desk.limit_headers(self.account)

    def leave(self) -> None:
        """Calls in progress are not counted."""


class HubSpotDesk:
    """The vendor, with all portals."""

    system: System = "hubspot"

    def __init__(
        self,
        portals: Iterable[tuple[Portal, str]],
        *,
        clock: Clock,
        rules: HubSpotRules,
        writes: WriteLog,
        on_change: OnChange,
    ) -> None:
        """`portals` with the first refresh token of each."""
        self.clock = clock
        self.rules = rules
        self.writes = writes
        self.on_change = on_change
        pairs = list(portals)
        self.accounts = {portal.id: Account(portal) for portal, _ in pairs}
        policy = TokenPolicy(
            access_token_seconds=lambda: rules.access_token_seconds,
            unused_refresh_token_seconds=lambda: rules.unused_refresh_token_seconds,
            replaced_refresh_token_seconds=lambda: 0,
            rotates=False,
        )
        self.tokens = TokenOffice(clock=clock, policy=policy, first={token: (portal.id,) for portal, token in pairs})

    def admit(self, call: Call) -> Visit | Answer:
        try:
            account = self.accounts[self._portal_of(call)]
        except (TokenRefused, KeyError):
            text = "Authentication credentials not found or expired."
            return refusal(Refused(text, status=401, category="EXPIRED_AUTHENTICATION"))
        now, rules, is_search = self.clock.seconds(), self.rules, call.path.endswith("/search")
        if is_search:
            if not account.search.take(now, limit=rules.search_calls, seconds=rules.search_seconds):
                return too_many("SECONDLY")
        elif not account.burst.take(now, limit=rules.burst_calls, seconds=rules.burst_seconds):
            return too_many("TEN_SECONDLY_ROLLING").with_headers(self.limit_headers(account))
        return Visit(account, self, is_search)

    def limit_headers(self, account: Account) -> Headers:
        """No daily ones: apps connected by OAuth get none."""
        rules = self.rules
        left = account.burst.remaining(self.clock.seconds(), limit=rules.burst_calls, seconds=rules.burst_seconds)
        return (
            header("X-HubSpot-RateLimit-Max", rules.burst_calls),
            header("X-HubSpot-RateLimit-Remaining", left),
            header("X-HubSpot-RateLimit-Interval-Milliseconds", int(rules.burst_seconds * 1000)),
        )

    def failure(self, status: int, *, retry_after: float) -> Answer:
        if status == 429:
            wait = (header("Retry-After", int(retry_after)),) if retry_after else ()
            return too_many("TEN_SECONDLY_ROLLING").with_headers(wait)
        message, category = ("This app lacks a scope.", "MISSING_SCOPES") if status == 403 else ("internal error", "INTERNAL_ERROR")
        return json_answer({"status": "error", "message": message, "category": category}, status=status)

    def record_write(
        self,
        visit: Visit,
        *,
        operation: str,
        object_type: str,
        object_id: str,
        properties: Mapping[str, Any],
        trace_id: str | None = None,
    ) -> None:
        """Note a change that a caller made."""
        self.writes.add(
            at=iso_milliseconds(visit.now),
            system="hubspot",
            account=visit.portal.id,
            operation=operation,
            object_type=object_type,
            object_id=object_id,
            properties=properties,
            trace_id=trace_id,
        )

    def _portal_of(self, call: Call) -> str:
        """Raises `TokenRefused`. A token reaches one portal."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise TokenRefused
        return self.tokens.accounts_of(token)[0]
