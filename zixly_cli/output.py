"""Where commands write for people: as wide as the terminal, and wide enough for a table where there is none."""

from __future__ import annotations

from rich.console import Console

# Of output that goes to a file or another program: ids and addresses are not cut into pieces.
WIDTH_WITHOUT_TERMINAL = 160

# In place of a payload, for whoever may not see any.
HIDDEN = "(hidden: you see no payloads)"


def console_for_people() -> Console:
    """Nothing is coloured but what a command colours itself."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)
