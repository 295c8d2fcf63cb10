"""The transport that makes each call outside a part of its trace: the call names the trace, and is told as a span.

The address of a call is never told: paths hold ids of records and, of some services, secrets. Calls to vendors' APIs are told by
their endpoint, with ids left out as in the metrics.
"""

from __future__ import annotations

import httpx2

from zixly_core.trace_context import header_of
from zixly_core.tracing import Kind, OpenSpan, here, is_recorded, spanned

# In a request's extensions: the system that is called, and the endpoint as the metrics name it.
CALLED = "zixly_called"
FIRST_FAILURE = 400


class TracedTransport(httpx2.BaseTransport):
    """Passes requests on to the transport inside."""

    def __init__(self, inside: httpx2.BaseTransport, *, tells_trace: bool) -> None:
        self._inside = inside
        self._tells_trace = tells_trace

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        is_in_trace = here() is not None
        system, endpoint = request.extensions.get(CALLED, ("", ""))
        facts = {
            "http.request.method": request.method,
            "server.address": request.url.host,
            "server.port": request.url.port or (443 if request.url.scheme == "https" else 80),
            "url.template": endpoint.partition(" ")[2] or None,
            "zixly.system": system or None,
        }
        with spanned(endpoint or request.method, kind=Kind.CLIENT, attributes=facts) as span:
            if self._tells_trace and is_in_trace:
                request.headers["traceparent"] = header_of(span.context, is_sampled=is_recorded(span.context.trace_id))
            answer = self._inside.handle_request(request)
            note_status(span, answer.status_code)
            return answer

    def close(self) -> None:
        self._inside.close()


def note_status(span: OpenSpan, status: int) -> None:
    span.attributes["http.response.status_code"] = status
    if status >= FIRST_FAILURE:
        span.error = str(status)
