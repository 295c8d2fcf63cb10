"""The two forms of an export: a table for spreadsheets, and lines of JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import orjson

from webhook_bridge.exports.cells import BOM, csv_rows

Document = Mapping[str, Any]


class ExportFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    """One object a line (ndjson): what was cut off can be told, and no reader has to hold it all."""


MEDIA_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSON: "application/x-ndjson"}
ENDINGS = {ExportFormat.CSV: "csv", ExportFormat.JSON: "ndjson"}


@dataclass(frozen=True)
class Writer:
    """Writes the documents of a list, some at a time."""

    columns: Sequence[str]
    form: ExportFormat

    def head(self) -> bytes:
        """A table has a line of names, behind the mark by which Excel knows UTF-8; programs are meant to take the other form."""
        return BOM + csv_rows([self.columns]) if self.form is ExportFormat.CSV else b""

    def written(self, documents: Iterable[Document]) -> bytes:
        if self.form is ExportFormat.CSV:
            return csv_rows([document[name] for name in self.columns] for document in documents)
        chosen = ({name: document[name] for name in self.columns} for document in documents)
        return b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in chosen)


def file_headers(name: str, form: ExportFormat, *, day: date) -> dict[str, str]:
    """What makes a browser keep the answer as a file, with the day in its name."""
    return {"content-disposition": f'attachment; filename="zixly-{name}-{day.isoformat()}.{ENDINGS[form]}"'}
