"""One call to a vendor and its answer, without a web framework: these stand on the path that benchmarks measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson

System = Literal["xero", "hubspot", "shopify", "asana", "sweeps", "slack"]
Headers = tuple[tuple[bytes, bytes], ...]

JSON = b"application/json; charset=utf-8"


class NotAnObject(ValueError):
    """JSON, but not an object."""


@dataclass
class Call:
    """A request as it came in. Header names are in lower case."""

    system: System
    method: str
    path: str
    query_text: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def query(self) -> dict[str, str]:
        """The last value of each name; names in lower case, as Xero does not tell them apart."""
        return {name.lower(): value for name, value in self.query_pairs}

    @cached_property
    def query_pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query_text, keep_blank_values=True)

    def values(self, name: str) -> list[str]:
        """All values of a name, whether repeated or separated by commas."""
        return [part for key, text in self.query_pairs if key == name for part in text.split(",") if part]

    def json(self) -> dict[str, Any]:
        """The JSON object in the body; `ValueError` when it holds something else."""
        document = orjson.loads(self.body)
        if not isinstance(document, dict):
            raise NotAnObject("The body is not a JSON object.")
        return document

    def json_list(self) -> list[Any] | None:
        """The JSON list in the body; None when it holds something else."""
        try:
            document = orjson.loads(self.body)
        except ValueError:
            return None
        return document if isinstance(document, list) else None

    def form(self) -> dict[str, str]:
        """The fields of a form; `ValueError` when the body is no text."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Headers = field(default=())

    def with_headers(self, headers: Headers) -> Answer:
        return Answer(self.status, self.body, self.content_type, self.headers + headers)


def json_answer(document: object, *, status: int = 200, headers: Headers = ()) -> Answer:
    return Answer(status, orjson.dumps(document), JSON, headers)


def text_answer(text: str, *, status: int, headers: Headers = ()) -> Answer:
    return Answer(status, text.encode(), b"text/plain; charset=utf-8", headers)


def header(name: str, value: object) -> tuple[bytes, bytes]:
    return name.encode(), str(value).encode()
