"""One request as a place in a trace: that of its sender, where the headers name one as the standard says, else its own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from starlette.datastructures import Headers
from starlette.types import Scope

from zixly_core.trace_context import Caller, TraceContext, span_of, told_by
from zixly_core.tracing import Kind, Span, is_recorded, now_ns, record

# Asked for every few seconds by machines that want to know whether we live.
NOT_TOLD = frozenset({"/health", "/ready", "/metrics"})


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that has begun. A delivery has the request's id, so its span is known by the delivery's."""

    context: TraceContext
    caller: Caller | None
    began_ns: int

    @classmethod
    def of(cls, scope: Scope, request_id: UUID) -> Visit:
        caller = caller_of(scope)
        trace_id = caller.context.trace_id if caller else request_id
        return cls(TraceContext(trace_id, span_of(request_id)), caller, now_ns())

    @property
    def named_trace(self) -> UUID | None:
        return self.caller.context.trace_id if self.caller else None

    def tell(self, *, method: str, route: str, status: int) -> None:
        """The request as a span, in the words of OpenTelemetry's conventions for HTTP servers: the route, never the address."""
        if route in NOT_TOLD or not is_recorded(self.context.trace_id):
            return
        record(
            Span(
                name=f"{method} {route}",
                context=self.context,
                began_ns=self.began_ns,
                ended_ns=now_ns(),
                kind=Kind.SERVER,
                parent=self.caller.context if self.caller else None,
                attributes={"http.request.method": method, "http.route": route, "http.response.status_code": status},
                error=str(status) if status >= 500 else None,
                state=self.caller.state if self.caller else "",
            )
        )


def caller_of(scope: Scope) -> Caller | None:
    """What the headers say; most senders say nothing."""
    if not any(name == b"traceparent" for name, _ in scope["headers"]):
        return None
    headers = Headers(scope=scope)
    return told_by(headers.getlist("traceparent"), headers.getlist("tracestate"))
