"""How many requests are taken from whom. Known callers share the rate of their tenant; whoever does not say who he is has that of his
address. A delivery that is signed has none (DESIGN.md, promise 10): it is judged before anything is counted here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope

from webhook_bridge.client_address import address_of, source_of
from webhook_bridge.problems import NotSignedIn, TooManyRequests
from webhook_bridge.signed_in import Caller
from zixly_core.errors import NotAllowed
from zixly_core.metrics import ProcessMetrics
from zixly_core.rates.limiter import RateLimiter
from zixly_core.rates.rate import Rate, Taken
from zixly_core.settings import Settings

log = structlog.get_logger()
TAKEN = "rate_taken"
# The gateway's question, of which one page of Dagster takes dozens. Strangers are counted there too.
UNCOUNTED = frozenset({"/auth/verify"})


class Limits:
    """The rates of a bridge. What is refused raises `TooManyRequests`; the answer's headers tell how things stand either way."""

    def __init__(self, limiter: RateLimiter, *, settings: Settings, metrics: ProcessMetrics) -> None:
        self._limiter = limiter
        self._refused = metrics.rate_limited
        self._api = Rate("api", settings.api_requests_per_minute)
        self._unknown = Rate("unknown", settings.unknown_requests_per_minute)
        self._unsigned = Rate("unsigned", settings.unsigned_requests_per_minute)
        self._sign_in = Rate("sign-in", settings.sign_ins_per_minute)

    def known(self, request: Request, caller: Caller) -> None:
        """A request of somebody who said who he is."""
        subject = subject_of(caller)
        if subject is not None:
            self._demand(request, self._api, subject)

    def unknown(self, request: Request) -> None:
        """A request that is going to be refused: guessing gets slower."""
        self._demand(request, self._unknown, source_of(address_of(request)))

    def sign_in(self, request: Request) -> None:
        """A try at signing in, to be asked before anything else is done about it."""
        self._demand(request, self._sign_in, source_of(address_of(request)))

    async def unsigned(self, client: str) -> Taken:
        """A delivery that proved nothing. Only to be asked after its signature was looked at."""
        taken = await asyncio.to_thread(self._limiter.take, self._unsigned, source_of(client))
        if not taken.is_allowed:
            self._refused.labels(self._unsigned.name).inc()
        return taken

    def _demand(self, request: Request, rate: Rate, subject: str) -> None:
        taken = self._limiter.take(rate, subject)
        setattr(request.state, TAKEN, taken)
        if taken.is_allowed:
            return
        self._refused.labels(rate.name).inc()
        log.info("rate_limited", rate=rate.name)
        seconds = taken.reset_seconds
        text = f"More than {rate.limit} requests in a minute; try again in {seconds} s."
        raise TooManyRequests(text, retry_after_seconds=seconds)


def subject_of(caller: Caller) -> str | None:
    """Who shares one rate: a tenant's people and tokens, or one person or token of the agency. Nobody else is there to be protected
    where everybody at this machine is staff."""
    if caller.scope.tenant_id is not None:
        return f"tenant:{caller.scope.tenant_id}"
    if caller.user_id is not None:
        return f"person:{caller.user_id}"
    return None if caller.name == "local" else f"token:{caller.name}"


def limited(caller_of: Callable[[Request], Caller], limits: Limits) -> Callable[[Request], Caller]:
    """The same function, which also counts. It raises `TooManyRequests` beside what the other one raises."""

    def caller(request: Request) -> Caller:
        try:
            known = caller_of(request)
        except (NotSignedIn, NotAllowed):
            limits.unknown(request)
            raise
        if request.scope["path"] not in UNCOUNTED:
            limits.known(request, known)
        return known

    return caller


def tell_rate(message: Message, scope: Scope) -> None:
    """How things stand, in the fields of the present draft (datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers, 11) and in
    those of its first six, which most clients read."""
    taken: Taken | None = scope.get("state", {}).get(TAKEN)
    if taken is None:
        return
    headers = MutableHeaders(scope=message)
    rate, remaining, reset = taken.rate, taken.remaining, taken.reset_seconds
    headers["ratelimit-policy"] = f'"{rate.name}";q={rate.limit};w={int(rate.window.total_seconds())}'
    headers["ratelimit"] = f'"{rate.name}";r={remaining};t={reset}'
    headers["ratelimit-limit"] = str(rate.limit)
    headers["ratelimit-remaining"] = str(remaining)
    headers["ratelimit-reset"] = str(reset)
