"""Writes every dashboard as Grafana reads it. The same code gives the same bytes; a test compares with what is committed."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.board import Board, dashboard_of
from grafana.overview import OVERVIEW
from grafana.reliability import RELIABILITY
from grafana.trading import TRADING
from grafana.vendors import VENDORS

FOLDER = Path(__file__).parent / "dashboards"
BOARDS = (OVERVIEW, TRADING, VENDORS, RELIABILITY)


def file_of(board: Board) -> Path:
    return FOLDER / f"{board.uid}.json"


def text_of(board: Board) -> str:
    return JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False).encode(dashboard_of(board)) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for board in BOARDS:
        file_of(board).write_text(text_of(board))


if __name__ == "__main__":
    main()
