"""A raw body as a person may look at it: as lines of JSON, as text, or byte by byte. What it holds is shown, never obeyed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import orjson

# More makes a browser slow; the whole is in the file.
MAX_SHOWN_BYTES = 200_000
MAX_HEX_BYTES = 16_384
LINE = 16


class BodyForm(StrEnum):
    JSON = "json"
    TEXT = "text"
    HEX = "hex"


@dataclass(frozen=True)
class ShownBody:
    """What is shown, in which form, and how much of the whole that is."""

    text: str
    form: BodyForm
    size: int
    is_cut: bool


def shown_body(body: bytes, form: BodyForm | None) -> ShownBody:
    """In the form that is wanted, as far as it can be; without a wish as JSON where it is that, else as text."""
    pretty = pretty_json(body) if form in (None, BodyForm.JSON) else None
    if pretty is not None:
        return ShownBody(pretty, BodyForm.JSON, len(body), is_cut=False)
    if form is BodyForm.HEX:
        return ShownBody(hex_lines(body[:MAX_HEX_BYTES]), form, len(body), is_cut=len(body) > MAX_HEX_BYTES)
    return ShownBody(plain(body[:MAX_SHOWN_BYTES]), BodyForm.TEXT, len(body), is_cut=len(body) > MAX_SHOWN_BYTES)


def pretty_json(body: bytes) -> str | None:
    """None for what is none, or is too long to be laid out."""
    if len(body) > MAX_SHOWN_BYTES:
        return None
    try:
        return plain(orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2))
    except orjson.JSONDecodeError:
        return None


def plain(body: bytes) -> str:
    """Characters that a page cannot show, and those that turn its text around, as marks."""
    return "".join(one if one.isprintable() or one in "\n\r\t" else "\N{REPLACEMENT CHARACTER}" for one in body.decode(errors="replace"))


def hex_lines(body: bytes) -> str:
    """Place, bytes, and the letters among them."""
    return "\n".join(hex_line(place, body[place : place + LINE]) for place in range(0, len(body), LINE))


def hex_line(place: int, part: bytes) -> str:
    letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
    return f"{place:06x}  {part.hex(' '):<{LINE * 3}} {letters}"
