"""Paths into payloads, such as `$.line_items[*].sku`, and what a value found there is compared with.

A value is searched for as text. It fits a text that is the same, a number that is worth the same (`10`, `10.0` and `1e1` are one),
and the words true, false and null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import orjson

from zixly_core.errors import MalformedPayload

MAX_PATH = 500
MAX_VALUE = 2_000
HOW = "A path is written as $.name, $.names[*].name, $.names[0] or $['a name'] with one quote each side."
STEP = re.compile(r"\.(?P<name>[^.\[\]'\"\s]+)|\[(?:(?P<every>\*)|(?P<place>\d{1,9})|'(?P<quoted>[^']+)')\]")
NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")
WORDS: Mapping[object, str] = {True: "true", False: "false", None: "null"}

# What the SQL function zixly.payload_key calls texts, numbers and words.
ValueKind = Literal["s", "n", "w"]


@dataclass(frozen=True)
class PayloadPath:
    """Where in a payload: names of members, places in lists, and None for every place."""

    steps: tuple[str | int | None, ...]

    def __str__(self) -> str:
        return "$" + "".join(map(written_step, self.steps))

    @property
    def indexed(self) -> str:
        """As the index knows it: it tells no places apart."""
        return "$" + "".join(f".{step}" if isinstance(step, str) else "[]" for step in self.steps).replace("\0", "")

    def values_in(self, document: Any) -> Iterator[Any]:
        """What lies there."""
        found = [document]
        for step in self.steps:
            found = [inner for one in found for inner in inside(one, step)]
        return iter(found)


@dataclass(frozen=True)
class WantedValue:
    """A value that payloads are searched for."""

    path: PayloadPath
    text: str = field(repr=False)

    @property
    def number(self) -> str | None:
        """The text as a number written out; None when it is none."""
        return plain_number(self.text)

    @property
    def forms(self) -> list[tuple[ValueKind, str]]:
        """What the index may have it as."""
        forms: list[tuple[ValueKind, str]] = [("s", self.text.replace("\0", ""))]
        if self.number is not None:
            forms.append(("n", self.number))
        if self.text in WORDS.values():
            forms.append(("w", self.text))
        return forms

    @property
    def written(self) -> list[bytes]:
        """Of a payload that holds it one of these is a part: bytes as they stand in JSON."""
        texts = {orjson.dumps(self.text)[1:-1]}
        if self.number is not None:
            texts |= {self.number.encode(), orjson.dumps(float(self.number))}
        return sorted(texts)

    def is_in(self, payload: bytes) -> bool:
        """Whether the payload holds it at the path. One that is no JSON holds nothing."""
        try:
            document = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return False
        return any(self.fits(value) for value in self.path.values_in(document))

    def fits(self, value: object) -> bool:
        match value:
            case str():
                return value == self.text
            case bool() | None:
                return WORDS[value] == self.text
            case int() | float():
                return plain_number(orjson.dumps(value).decode()) == self.number
            case _:
                return False


def path_from(text: str) -> PayloadPath:
    """Raises `MalformedPayload`, saying how a path is written."""
    if not text.startswith("$") or len(text) > MAX_PATH:
        raise MalformedPayload(f"A path begins with $ and has at most {MAX_PATH} characters. {HOW}", reason="path_invalid")
    steps: list[str | int | None] = []
    at = 1
    while at < len(text):
        found = STEP.match(text, at)
        if found is None:
            raise MalformedPayload(f"The path cannot be read from its character {at + 1} on. {HOW}", reason="path_invalid")
        steps.append(step_of(found))
        at = found.end()
    return PayloadPath(tuple(steps))


def step_of(found: re.Match[str]) -> str | int | None:
    if found["every"]:
        return None
    return int(found["place"]) if found["place"] else found["name"] or found["quoted"]


def written_step(step: str | int | None) -> str:
    match step:
        case None:
            return "[*]"
        case int():
            return f"[{step}]"
        case str() if STEP.fullmatch(f".{step}"):
            return f".{step}"
        case _:
            return f"['{step}']"


def wanted_value(path: str, value: str) -> WantedValue:
    """What is searched for. Raises `MalformedPayload`."""
    if len(value) > MAX_VALUE:
        raise MalformedPayload(f"A value that is searched for has at most {MAX_VALUE} characters.", reason="value_too_long")
    return WantedValue(path_from(path), value)


def inside(value: Any, step: str | int | None) -> Sequence[Any]:
    match value, step:
        case dict(), str() if step in value:
            return [value[step]]
        case list(), None:
            return value
        case list(), int() if step < len(value):
            return [value[step]]
        case _:
            return []


def plain_number(text: str) -> str | None:
    """A number of JSON in digits, the same for 10, 10.0 and 1e1, as Postgres writes it; None for anything else."""
    if not NUMBER.fullmatch(text):
        return None
    digits = format(Decimal(text), "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    digits = re.sub(r"^(-?)0+(?=\d)", r"\1", digits)
    return "0" if digits in {"-0", ""} else digits
