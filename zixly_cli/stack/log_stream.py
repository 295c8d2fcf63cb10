"""The logs of all processes as one stream, each line with the name of its process: readable on a terminal, as they are elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from zixly_core.log_lines import readable

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
MAX_CHUNK = 1_000_000


class LogStream:
    """Follows files that grow and are rotated. Starts at their present ends."""

    def __init__(self, files: Mapping[str, Path], *, output: TextIO | None = None, is_readable: bool = True) -> None:
        self._output = output or sys.stdout
        self._files = dict(files)
        self._places = {name: place_of(path) for name, path in files.items()}
        self._rests: dict[str, bytes] = {}
        self._width = max((len(name) for name in files), default=0)
        is_terminal = self._output.isatty()
        self._is_readable = is_readable and is_terminal
        self._is_coloured = is_terminal and "NO_COLOR" not in os.environ

    def show_new(self) -> None:
        """Write what was added since the last call, whole lines only."""
        for number, name in enumerate(self._files):
            *lines, self._rests[name] = (self._rests.get(name, b"") + self._added(name)).split(b"\n")
            for line in lines:
                self._output.write(f"{self._label(name, number)} {self._shown(line.decode(errors='replace'))}\n")
        self._output.flush()

    def _added(self, name: str) -> bytes:
        inode, offset = self._places[name]
        now_inode, size = place_of(self._files[name])
        if now_inode != inode or size < offset:
            offset = 0  # rotated: the new file from its beginning
        if size == offset:
            self._places[name] = (now_inode, offset)
            return b""
        with self._files[name].open("rb") as file:
            file.seek(offset)
            added = file.read(MAX_CHUNK)
        self._places[name] = (now_inode, offset + len(added))
        return added

    def _shown(self, line: str) -> str:
        return readable(line, colours=self._is_coloured, with_process=False) if self._is_readable else line

    def _label(self, name: str, number: int) -> str:
        padded = f"{name:<{self._width}} |"
        return f"\x1b[{COLOURS[number % len(COLOURS)]}m{padded}\x1b[0m" if self._is_coloured else padded


def place_of(path: Path) -> tuple[int, int]:
    """The file's identity and size; zeros while it is missing."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_size
