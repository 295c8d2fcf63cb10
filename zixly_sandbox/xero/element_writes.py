"""Answers to requests that write elements: the same request with the same idempotency key is answered once, whatever it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, refusal
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.elements import Element, Plan, elements_of, summarizes, write_elements


def answer_write(
    call: Call,
    visit: Visit,
    *,
    name: str,
    plan: Callable[[Element], Plan],
    carry_out: Callable[[Plan], Element],
    fixed: Mapping[str, str] | None = None,
) -> Answer:
    """Write the elements that stand under `name`; `fixed` are the fields that the request's address decides."""

    def work() -> Answer:
        try:
            elements = elements_of(call, name)
        except Refused as error:
            return refusal(error)
        return write_elements(
            [{**element, **(fixed or {})} for element in elements],
            name=name,
            plan=plan,
            carry_out=carry_out,
            summarize_errors=summarizes(call),
            now_ms=visit.desk.clock.milliseconds(),
        )

    return answer_once(call, visit, work)


def answer_once(call: Call, visit: Visit, work: Callable[[], Answer]) -> Answer:
    """For as long as the organisation keeps the request's key."""
    keep = visit.desk.rules.idempotency_seconds
    return visit.organisation.keys.answer(call, work, now=visit.desk.clock.seconds(), keep_seconds=keep)
