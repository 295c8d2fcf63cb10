"""Log lines for a terminal: when, what, and the fields, in columns; ids shortened to the end that tells them apart.

Our ids begin with the time, so those of one minute look alike at their beginning. Whole ids are in the lines of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

EVENT_WIDTH = 26
LEVEL_WIDTH = 7
ID = re.compile(r"\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}|[0-9a-f]{24})([0-9a-f]{8})\b")
# What has a place of its own in a line.
PLACED = frozenset({"event", "level", "timestamp", "process", "error", "error_at"})
DIM, BOLD, RED, GREEN, YELLOW, CYAN, BOLD_RED = "2", "1", "31", "32", "33", "36", "1;31"
OF_VALUE = {"COMPLETED": GREEN, "success": GREEN, "accepted": GREEN, "FAILED": RED, "failure": RED, "broken": RED, "rejected": RED}
OF_LEVEL = {"warning": YELLOW, "error": BOLD_RED, "critical": BOLD_RED}
# The fields that one follows, first; the rest in the order in which they were written.
FIRST = ("system", "workflow", "status", "verdict", "end", "reason", "jobs")


def terminal_line(event: Mapping[str, Any], *, colours: bool, with_process: bool = True) -> str:
    """One line; what an error says, and where it came from, on lines of their own."""

    def painted(text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colours and colour and text.strip() else text

    level = str(event.get("level", ""))
    word = level if level in OF_LEVEL else ""
    head = [
        painted(time_of(event), DIM),
        *([f"{event.get('process', ''):<9}"] if with_process else []),
        painted(f"{word:<{LEVEL_WIDTH}}", OF_LEVEL.get(level, DIM)),
        painted(f"{event.get('event', '')!s:<{EVENT_WIDTH}}", OF_LEVEL.get(level, BOLD)),
    ]
    names = [*(name for name in FIRST if name in event), *(name for name in event if name not in PLACED and name not in FIRST)]
    values = {name: value_of(event[name]) for name in names if event[name] is not None}
    fields = [painted(f"{name}=", CYAN) + painted(value, OF_VALUE.get(value, "")) for name, value in values.items()]
    first = " ".join([*head, *fields]).rstrip()
    return "\n".join([first, *(painted(f"{'':13}{line}", RED) for line in error_lines(event))])


def time_of(event: Mapping[str, Any]) -> str:
    """The time of day in UTC, to the millisecond."""
    return str(event.get("timestamp", "")).partition("T")[2][:12]


def value_of(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{value_of(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ",".join(map(value_of, value))
    text = ID.sub(r"…\1", str(value))
    return f'"{text}"' if " " in text else text


def error_lines(event: Mapping[str, Any]) -> list[str]:
    places = event.get("error_at")
    return [
        *([str(event["error"])] if event.get("error") else []),
        *([f"at {' > '.join(map(str, places))}"] if isinstance(places, list) and places else []),
    ]


def readable(line: str, *, colours: bool, with_process: bool = True) -> str:
    """A line of a log file as a terminal shows it; one that is none of ours as it is."""
    if not line.startswith("{"):
        return line
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    is_ours = isinstance(event, dict) and "event" in event
    return terminal_line(event, colours=colours, with_process=with_process) if is_ours else line
