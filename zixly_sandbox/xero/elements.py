"""Writes of several elements in one request: each is checked alone, and `summarizeErrors` decides what bad ones do to the
others (developer.xero.com/documentation/api/accounting/requests-and-responses)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import body_refused, invalid_elements, records

Plan = TypeVar("Plan")
Element = dict[str, Any]


class Invalid(Exception):
    """An element cannot be taken, for these reasons."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def elements_of(call: Call, name: str) -> list[Element]:
    """The elements of a request: a list under the name, or one element alone. Raises `Refused`."""
    try:
        document = call.json()
    except ValueError:
        raise body_refused("The request body could not be read as JSON.") from None
    found = document.get(name, [document])
    if not isinstance(found, list) or not found or not all(isinstance(item, dict) for item in found):
        raise body_refused(f"The request body holds no {name}.")
    return found


def write_elements(
    elements: list[Element],
    *,
    name: str,
    plan: Callable[[Element], Plan],
    carry_out: Callable[[Plan], Element],
    summarize_errors: bool,
    now_ms: int,
) -> Answer:
    """Check all, then write. Bad elements refuse the whole request, or stand beside the good ones with
    `summarizeErrors=false`."""
    plans = [planned(plan, element) for element in elements]
    if summarize_errors and any(isinstance(item, Invalid) for item in plans):
        bad = [
            {**ids_in(element), "ValidationErrors": messages(item)}
            for element, item in zip(elements, plans, strict=True)
            if isinstance(item, Invalid)
        ]
        return invalid_elements(bad)
    return records(name, [written(element, plan=plan, carry_out=carry_out) for element in elements], now_ms=now_ms)


def written(element: Element, *, plan: Callable[[Element], Plan], carry_out: Callable[[Plan], Element]) -> Element:
    """The document of a written element. It is planned anew, because elements before it may have changed what is allowed."""
    item = planned(plan, element)
    return failed(element, item) if isinstance(item, Invalid) else {**carry_out(item), "StatusAttributeString": "OK"}


def ids_in(element: Element) -> Element:
    """What the description lets a refused element show of itself."""
    return {name: value for name, value in element.items() if name.endswith("ID") and isinstance(value, str)}


def planned(plan: Callable[[Element], Plan], element: Element) -> Plan | Invalid:
    try:
        return plan(element)
    except Invalid as error:
        return error


def failed(element: Element, error: Invalid) -> Element:
    return {**element, "StatusAttributeString": "ERROR", "HasErrors": True, "ValidationErrors": messages(error)}


def messages(error: Invalid) -> list[dict[str, str]]:
    return [{"Message": message} for message in error.messages]


def summarizes(call: Call) -> bool:
    return call.query.get("summarizeerrors", "true").lower() != "false"
