"""The committed dashboards, as what they ask: every panel's queries and every variable's, with Grafana's own words filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from grafana.generate import BOARDS, file_of

# What Grafana puts in place of its words; a graph of some hours, and all values of each variable.
FILLED = {"__rate_interval": "1m", "__range": "1h", "__interval": "15s"}
LABEL_VALUES = re.compile(r"label_values\((\w+), (\w+)\)")


@dataclass(frozen=True)
class Question:
    """One query of a panel, or what a variable offers."""

    board: str
    panel: str
    expr: str


@cache
def documents() -> dict[str, dict[str, Any]]:
    return {board.uid: json.loads(file_of(board).read_text()) for board in BOARDS}


def panels(board: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = documents()[board]["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def questions() -> list[Question]:
    return [one for board in documents() for one in (*asked_by_panels(board), *asked_by_variables(board))]


def asked_by_panels(board: str) -> Iterator[Question]:
    for panel in panels(board):
        for target in panel["targets"]:
            yield Question(board, panel["title"], filled(target["expr"]))


def asked_by_variables(board: str) -> Iterator[Question]:
    for variable in documents()[board]["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = LABEL_VALUES.fullmatch(variable["query"]).groups()  # type: ignore[union-attr]
            yield Question(board, f"${variable['name']}", f"group by ({label}) ({metric})")


def filled(expr: str) -> str:
    """With a value for each of Grafana's words."""
    return re.sub(r"\$\{?(\w+)\}?", lambda word: FILLED.get(word.group(1), ".*"), expr)
