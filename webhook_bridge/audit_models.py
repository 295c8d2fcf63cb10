"""What `/api/audit` answers, and how its lines are written into a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

COLUMNS = tuple("id at tenant actor action subject details address user_id token_id request_id written_as".split())
# Spreadsheets take a cell that begins like this for a formula (owasp.org/www-community/attacks/CSV_Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class AuditLine(BaseModel):
    """Who did or saw what, when, and from where."""

    id: UUID
    at: datetime
    tenant: str | None = Field(description="Its short name; null where it is about no client, or one that you do not see.")
    actor: str
    action: str = Field(description="A thing and what was done with it, such as `job.retry`.")
    subject: str = Field(description="The thing's id or short name.")
    details: dict[str, Any] = Field(description="Ids, counts and our own words.")
    address: str | None = Field(description="From where the request came; null where nobody asked (a worker).")
    user_id: UUID | None
    token_id: UUID | None
    request_id: UUID | None = Field(description="The `X-Request-Id` of the answer; the logs bear it too.")
    written_as: str | None = Field(description="The role of the database that wrote the line.")


class AuditPage(BaseModel):
    entries: list[AuditLine]
    next_cursor: str | None


class ExportFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    """One object a line."""


def as_csv(lines: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """With a line of names first."""
    yield csv_row(COLUMNS)
    for line in lines:
        yield csv_row([cell(line[name]) for name in COLUMNS])


def as_json_lines(lines: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for line in lines:
        yield orjson.dumps({name: line[name] for name in COLUMNS}, option=orjson.OPT_APPEND_NEWLINE)


def csv_row(cells: Iterable[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue().encode()


def cell(value: object) -> str:
    """A value as a spreadsheet may open it: what would be a formula is text."""
    if isinstance(value, dict):
        text = orjson.dumps(value).decode()
    else:
        text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
