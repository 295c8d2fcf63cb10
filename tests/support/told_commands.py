"""The `zixly` commands that pages, help texts and messages tell people to use, held against the commands that there are."""

from __future__ import annotations

import ast
import functools
import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from zixly_cli.default_command import DEFAULT, WithDefaultCommand
from zixly_cli.main import app

ROOT = Path(__file__).parents[2]
PACKAGES = ("zixly_core", "webhook_bridge", "zixly_dagster", "zixly_cli", "zixly_sandbox")
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^\s*(?:\$ )?(?:\S*/)?zixly (.+?)(?:\s+#.*)?$", re.MULTILINE)
SPAN = re.compile(r"`(?:\S*/)?zixly ([^`]+)`")
EXAMPLE = re.compile(r"Example: zixly (.+)")


@dataclass(frozen=True)
class Told:
    """A command as it is told, without the word `zixly`, and where."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: zixly {self.text}"


def told_by_pages() -> Iterator[Told]:
    """In code spans and code blocks of every page."""
    folders = (ROOT / "docs", *(ROOT / package for package in PACKAGES), ROOT / "benchmarks")
    pages = (ROOT / "README.md", *itertools.chain.from_iterable(sorted(folder.rglob("*.md")) for folder in folders))
    for page in (page for page in pages if "node_modules" not in page.parts):
        blocks = [LINE.findall(block) for block in FENCE.findall(page.read_text())]
        spans = SPAN.findall(FENCE.sub("", page.read_text()).replace("\n", " "))
        for text in itertools.chain(*blocks, spans):
            yield Told(page.relative_to(ROOT).as_posix(), text.replace(r"\|", "|"))


def told_by_code() -> Iterator[Told]:
    """In back quotes in messages, and as examples of help texts."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            for text in texts_of(ast.parse(file.read_text())):
                for command in (*SPAN.findall(text), *EXAMPLE.findall(text)):
                    yield Told(file.relative_to(ROOT).as_posix(), command)


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Strings, and f-strings with a word in place of each value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "VALUE" for part in node.values)


def problems_of(told: Told) -> list[str]:
    """What the command line would not accept of it."""
    return [f"{told}: {problem}" for words in readings_of(told.text) if (problem := problem_of(commands(), words))]


@functools.cache
def commands() -> Any:
    return typer.main.get_command(app)


def readings_of(text: str) -> Iterator[list[str]]:
    """`jobs ls|show ID... [--tenant T]` as two commands with all their options."""
    plain = re.sub(r"\s*\|\s*", "|", re.sub(r"[\[\]]|\.\.\.|…", " ", text))
    words = shlex.split(plain)
    return (list(reading) for reading in itertools.product(*(word.split("|") if not word.startswith("$") else [word] for word in words)))


def problem_of(root: Any, words: list[str]) -> str | None:
    command, rest = command_of(root, words)
    if command is None:
        return f"there is no command {rest[0]!r}"
    options = {name: option for option in command.params for name in (*option.opts, *option.secondary_opts) if name.startswith("-")}
    options |= dict.fromkeys(("--help", "--install-completion", "--show-completion"))
    room = sum(1 if argument.nargs == 1 else len(words) for argument in command.params if argument.param_type_name == "argument")
    left = iter(rest)
    for word in left:
        name, equals, _ = word.partition("=")
        if not word.startswith("-"):
            room -= 1
        elif name not in options:
            return f"there is no option {name}"
        elif takes_value(options[name]) and not equals:
            next(left, None)
    return "too many words" if room < 0 else None


def command_of(root: Any, words: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the words after it; None with the word that names nothing."""
    command, rest = root, list(words)
    while hasattr(command, "commands") and rest:
        if rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        elif isinstance(command, WithDefaultCommand):
            return command.commands[DEFAULT], rest
        else:
            return (command if rest[0].startswith("-") else None), rest
    return command, rest


def takes_value(option: Any) -> bool:
    return option is not None and not option.is_flag
