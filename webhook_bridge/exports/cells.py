"""Cells of a table that a spreadsheet may open: numbers are numbers, and what would be a formula is text.

A spreadsheet takes a text for a formula by its first character (owasp.org/www-community/attacks/CSV_Injection), and where its locale
splits at other characters than commas, also what stands behind one of those. An apostrophe in front makes a text of it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

import orjson

# What some locale begins a new cell with.
SEPARATORS = frozenset(";,|\t\r\n")
# Separators, blanks and quotes before a character that begins a formula. Each such run is looked at once, however long it is.
RUN = re.compile(r"""(?:\A|(?<![;,|\s"']))([;,|\s"']*+)([=+\-@＝＋－＠])""")
# Texts that have no such place, told at one look: nearly all of them, and most of the time that a table took went into looking twice.
PLAIN = re.compile(r"""[^;,|\s"'=+\-@＝＋－＠][^;,|\t\r\n]*+""")
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()


def csv_rows(rows: Iterable[Iterable[object]]) -> bytes:
    """Lines as RFC 4180 has them: CRLF, and quotes around what needs them."""
    written = io.StringIO()
    csv.writer(written).writerows([cell(value) for value in row] for row in rows)
    return written.getvalue().encode()


def cell(value: object) -> str:
    """One value as it is written. A number or a truth is what it is; everything else is text."""
    match value:
        case str():
            return as_text(value)
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case dict() | list():
            return as_text(orjson.dumps(value).decode())
        case _:
            return as_text(str(value))


def as_text(text: str) -> str:
    """The text with an apostrophe before whatever could begin a formula."""
    return text if PLAIN.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    safe = RUN.sub(quoted_run, text)
    return f"'{safe}" if safe.startswith(("\t", "\r")) else safe


def quoted_run(found: re.Match[str]) -> str:
    """Within a text a minus behind a blank is a minus; behind a separator it is the beginning of a cell."""
    begins_cell = found.start() == 0 or not SEPARATORS.isdisjoint(found[1])
    return f"{found[1]}'{found[2]}" if begins_cell else found[0]
