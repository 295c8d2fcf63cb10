"""Results of benchmarks and of reliability tests, as their files say them. Nothing is added: what a file does not hold is not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from math import log10
from pathlib import Path
from typing import Any

import orjson

# Where the files lie in the source tree, beside this package.
OWN_FOLDER = Path(__file__).resolve().parents[2]
MAX_BYTES = 1_000_000
MOST_FILES = 50
MOST_ROWS = 200
# A figure of somebody else stands beside ours, under the same name with one of these before it.
PEERS: Mapping[str, str] = {"stock_": "stock Dagster", "express_": "Express and Bull"}
# What was measured with, and no figure.
ABOUT = "machine."
BAR_WIDTH = 200.0


@dataclass(frozen=True)
class Kind:
    """A kind of report: which files, and how one is made."""

    title: str
    pattern: str
    how: str


KINDS = (
    Kind("Benchmarks", "benchmarks/results/*.json", "make bench measures and writes one."),
    Kind("Reliability", "docs/reliability/*.json", "The reliability tests write them."),
)


@dataclass(frozen=True)
class Figure:
    """One figure, with somebody else's where there is one. `bars` are the lengths of ours and theirs."""

    name: str
    ours: str
    peer: str = ""
    theirs: str = ""
    bars: tuple[float, float] | None = None

    @property
    def compared(self) -> bool:
        return bool(self.peer)


@dataclass(frozen=True)
class Rows:
    """A list of objects, as a table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Report:
    """A file. `problem` says why it cannot be shown."""

    name: str
    problem: str = ""
    version: str = ""
    facts: Sequence[tuple[str, str]] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Rows] = ()
    not_measured: Sequence[str] = ()

    @property
    def noted(self) -> list[tuple[str, str]]:
        """What stands before the figures."""
        return [fact for fact in self.facts if not fact[0].startswith(ABOUT)]

    @property
    def machine(self) -> list[tuple[str, str]]:
        """What stands behind them, folded."""
        return [fact for fact in self.facts if fact[0].startswith(ABOUT)]


def installed_version() -> str:
    try:
        return version_of("zixly")
    except PackageNotFoundError:
        return "unknown"


def reports_in(folder: Path | None, kind: Kind) -> list[Report]:
    """The reports of a kind, by name; empty where the folder holds none."""
    found = sorted((folder or OWN_FOLDER).glob(kind.pattern))[:MOST_FILES]
    return [report_of(path) for path in found]


def report_of(path: Path) -> Report:
    try:
        if path.stat().st_size > MAX_BYTES:
            return Report(path.stem, problem=f"The file is larger than {MAX_BYTES:,} bytes; open it yourself.")
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return Report(path.stem, problem="The file cannot be read as JSON.")
    if not isinstance(document, dict):
        return Report(path.stem, problem="The file holds no JSON object.")
    return written(path.stem, document)


def written(name: str, document: Mapping[str, Any]) -> Report:
    """A document as a report: its numbers are figures, its texts facts, its lists of objects tables."""
    flat = dict(scalars(document))
    numbers = {key: value for key, value in flat.items() if is_number(value) and not key.startswith(ABOUT)}
    theirs = {prefix + key for key in numbers for prefix in PEERS}
    return Report(
        name,
        version=str(flat.get("machine.packages.zixly") or flat.get("version") or ""),
        facts=[(key, text_of(value)) for key, value in flat.items() if value is not None and key not in numbers],
        figures=[figure(key, numbers) for key in numbers if key not in theirs],
        tables=[rows_of(key, value) for key, value in document.items() if is_list_of_objects(value)],
        not_measured=[key for key, value in flat.items() if value is None],
    )


def scalars(document: Mapping[str, Any], *, prefix: str = "") -> list[tuple[str, Any]]:
    """All that is one value, by its path; a list of plain values is one."""
    found: list[tuple[str, Any]] = []
    for key, value in document.items():
        if isinstance(value, dict):
            found += scalars(value, prefix=f"{prefix}{key}.")
        elif isinstance(value, list):
            found += [] if is_list_of_objects(value) or not value else [(f"{prefix}{key}", ", ".join(map(text_of, value)))]
        else:
            found.append((f"{prefix}{key}", value))
    return found


def figure(key: str, numbers: Mapping[str, float]) -> Figure:
    ours = numbers[key]
    prefix = next((one for one in PEERS if one + key in numbers), None)
    if prefix is None:
        return Figure(key, text_of(ours))
    theirs = numbers[prefix + key]
    return Figure(key, text_of(ours), peer=PEERS[prefix], theirs=text_of(theirs), bars=bars_of(ours, theirs))


def bars_of(ours: float, theirs: float) -> tuple[float, float] | None:
    """Lengths on a scale of powers of ten, so that a hundredth is seen beside the whole; None for what has no logarithm."""
    if ours <= 0 or theirs <= 0:
        return None
    longest = max(ours, theirs)

    def length(value: float) -> float:
        return round(max(BAR_WIDTH * (1 + log10(value / longest) / 4), 2), 1)

    return length(ours), length(theirs)


def rows_of(title: str, rows: Sequence[Mapping[str, Any]]) -> Rows:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return Rows(title, columns, [[text_of(row.get(column)) for column in columns] for row in rows[:MOST_ROWS]])


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def text_of(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.3f}".rstrip("0").rstrip(".")
        case int():
            return f"{value:,}"
        case dict() | list():
            return orjson.dumps(value).decode()
        case _:
            return str(value)
