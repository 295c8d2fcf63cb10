"""Where commands write for people: as wide as the terminal, and wide enough for a table where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import typer
from rich.console import Console, RenderableType

# Of output that goes to a file or another program: ids and addresses are not cut into pieces.
WIDTH_WITHOUT_TERMINAL = 160

# In place of a payload, for whoever may not see any.
HIDDEN = "(hidden: you see no payloads)"


def console_for_people() -> Console:
    """Nothing is coloured but what a command colours itself."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)


def print_json(document: object) -> None:
    """For scripts."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def print_list(
    console: Console, found: Sequence[Any], *, table: Callable[[Sequence[Any]], RenderableType], nothing: str, as_json: bool
) -> None:
    """A list as a table, as a sentence where it is empty, or as JSON."""
    if as_json:
        print_json(found)
    else:
        console.print(table(found) if found else nothing)
