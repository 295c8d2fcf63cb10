"""Xero's envelopes: a list of records, and errors in their several shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from zixly_sandbox.http import Answer, json_answer

VALIDATION_FAILED = "A validation exception occurred"


@dataclass(frozen=True)
class Page:
    """Which part of a listing an answer holds."""

    number: int
    size: int
    items: int

    @property
    def pages(self) -> int:
        return -(-self.items // self.size)


class Refused(Exception):
    """The whole request is refused with 400. `number` and `kind` are Xero's `ErrorNumber` and `Type`."""

    def __init__(self, message: str, *, number: int, kind: str) -> None:
        super().__init__(message)
        self.number = number
        self.kind = kind


def query_refused(message: str) -> Refused:
    return Refused(message, number=16, kind="QueryParseException")


def body_refused(message: str) -> Refused:
    return Refused(message, number=17, kind="PostDataInvalidException")


def records(name: str, documents: Sequence[Any], *, now_ms: int, page: Page | None = None) -> Answer:
    """The envelope of every successful answer."""
    envelope: dict[str, Any] = {
        "Id": str(uuid4()),
        "Status": "OK",
        "ProviderName": "Zixly sandbox",
        "DateTimeUTC": f"/Date({now_ms})/",
    }
    if page is not None:
        envelope["pagination"] = {
            "page": page.number,
            "pageSize": page.size,
            "pageCount": page.pages,
            "itemCount": page.items,
        }
    return json_answer({**envelope, name: documents})


def refusal(error: Refused) -> Answer:
    return json_answer({"ErrorNumber": error.number, "Type": error.kind, "Message": str(error)}, status=400)


def invalid_elements(elements: Sequence[dict[str, Any]]) -> Answer:
    """400 for a request of which some elements cannot be taken; each carries its `ValidationErrors`."""
    body = {"ErrorNumber": 10, "Type": "ValidationException", "Message": VALIDATION_FAILED, "Elements": list(elements)}
    return json_answer(body, status=400)


def problem(title: str, *, status: int, detail: str) -> Answer:
    """The shape in which Xero's gateway refuses tokens and accounts."""
    return json_answer(
        {"Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": str(uuid4()), "Extensions": {}},
        status=status,
    )


def not_found() -> Answer:
    return json_answer(
        {"ErrorNumber": 404, "Type": "NotFoundException", "Message": "The resource you're looking for cannot be found"},
        status=404,
    )
