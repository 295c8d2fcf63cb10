"""Around every request: an id for the logs, the duration for the metrics, and headers that keep browsers careful."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from time import perf_counter

import structlog
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webhook_bridge.browser_headers import browser_headers
from webhook_bridge.client_address import TrustedProxies
from webhook_bridge.limits import tell_rate
from webhook_bridge.same_site import STATE as OWN_SITE
from webhook_bridge.same_site import OwnSite
from webhook_bridge.visit import Visit
from zixly_core.ids import new_id
from zixly_core.metrics import ProcessMetrics
from zixly_core.requester import Requester, requested_by
from zixly_core.tracing import stand_at

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Around:
    """Pure ASGI: the response passes through untouched but for its headers. Only the pages under `/connect` and `/auth` set cookies."""

    def __init__(self, app: ASGIApp, *, metrics: ProcessMetrics, proxies: TrustedProxies, own_site: OwnSite) -> None:
        self._app = app
        self._metrics = metrics
        self._proxies = proxies
        self._durations: dict[tuple[str, str, int], Histogram] = {}
        self._own_site = own_site
        careful = browser_headers(is_https=own_site.is_https)
        self._headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in careful.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        scope["client"] = (self._proxies.client(scope), 0)
        scope.setdefault("state", {})[OWN_SITE] = self._own_site
        request_id = new_id()
        status = 500
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id.hex)
        visit = Visit.of(scope, request_id)
        stand_at(visit.context)

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status, own = message["status"], message["headers"]
                there = {name for name, _ in own}
                careful = [header for header in self._headers if header[0] not in there]
                message["headers"] = [*own, (b"x-request-id", request_id.hex.encode()), *careful]
                tell_rate(message, scope)
            await send(message)

        try:
            with requested_by(Requester(address=address_of(scope), request_id=request_id, named_trace=visit.named_trace)):
                await self._app(scope, receive, send_on)
        finally:
            method, route = method_of(scope), route_of(scope)
            self._duration(method, route, status).observe(perf_counter() - began)
            visit.tell(method=method, route=route, status=status)

    def _duration(self, method: str, route: str, status: int) -> Histogram:
        """The histogram of these labels, which are as few as routes and answers."""
        key = (method, route, status)
        found = self._durations.get(key)
        if found is None:
            found = self._durations[key] = self._metrics.http_duration.labels(method, route, str(status))
        return found


def address_of(scope: Scope) -> str | None:
    """The address of whoever asks, as the trusted proxies tell it; None where it is no IP address, as on a Unix socket."""
    return ip_text(scope["client"][0]) if scope.get("client") else None


@lru_cache(maxsize=1024)
def ip_text(text: str) -> str | None:
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def method_of(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in METHODS else "other"


def route_of(scope: Scope) -> str:
    """The template of the route, so that labels are as many as routes; `none` for what nothing serves."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "none"
