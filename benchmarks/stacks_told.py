"""Stacks as `py-spy record --format raw --full-filenames` writes them, a line each: frames from the outermost to the innermost, then how
often they were seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# Of one look, from the outermost frame inwards.
Stack = tuple[str, ...]

LINE = re.compile(r"^(?P<frames>.+) (?P<times>\d+)$")
FRAME = re.compile(r"^(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)$")
OURS = re.compile(r"(?:^|/)(zixly_core|zixly_dagster|zixly_cli|webhook_bridge)/")
PACKAGE = re.compile(r"(?:^|/)(?:site|dist)-packages/([^/]+)")
PYTHON = "Python's own"


def stacks_in(text: str) -> Counter[Stack]:
    """What was seen how often. Lines of another form are left out."""
    found: Counter[Stack] = Counter()
    for line in text.splitlines():
        if match := LINE.match(line):
            found[tuple(match["frames"].split(";"))] += int(match["times"])
    return found


def area_of(frame: str) -> str:
    """Whose code a frame is: a package of ours, one that is installed, or what came with Python."""
    match = FRAME.match(frame)
    file = match["file"] if match else ""
    if ours := OURS.search(file):
        return ours[1]
    installed = PACKAGE.search(file)
    return installed[1].removesuffix(".py") if installed else PYTHON


def areas_of(stacks: Counter[Stack]) -> Counter[str]:
    """How often whose code was at work: that of the innermost frame that is not Python's own."""
    found: Counter[str] = Counter()
    for stack, times in stacks.items():
        found[next((area for area in map(area_of, reversed(stack)) if area != PYTHON), PYTHON)] += times
    return found


def functions_of(stacks: Counter[Stack]) -> Counter[str]:
    """How often each function, not of Python's own, was at work or waited for what it had called."""
    found: Counter[str] = Counter()
    for stack, times in stacks.items():
        for name in set(names_of(stack)):
            found[name] += times
    return found


def names_of(stack: Iterable[str]) -> Iterable[str]:
    for frame in stack:
        match = FRAME.match(frame)
        if match and (area := area_of(frame)) != PYTHON:
            yield f"{match['function']}, {area} {match['file'].rpartition('/')[2]}"
