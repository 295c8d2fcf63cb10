"""Every line that our programs log has a constant name in snake_case, and fields that docs/logs.md knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("webhook_bridge", "zixly_core", "zixly_dagster", "zixly_cli", "zixly_sandbox")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
LOGGERS = {"log", "logger"}
BINDING = {"bind_contextvars", "bound_contextvars"}
NAME = re.compile(r"[a-z]+(_[a-z]+)+|connected")
DOCS = ROOT / "docs" / "logs.md"
DOCUMENTED = re.compile(r"^\| `(\w+)` \|", flags=re.MULTILINE)
OF_STRUCTLOG = {"exc_info"}


@dataclass(frozen=True)
class Found:
    """A call to one of the methods that we look for, and the function that it stands in."""

    module: str
    call: ast.Call
    method: str
    on: str
    function: ast.AST

    def __str__(self) -> str:
        return f"{self.module}:{self.call.lineno} {ast.unparse(self.call)[:80]}"


@cache
def modules() -> dict[str, ast.Module]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in paths}
    return {name: ast.parse(text) for name, text in texts.items() if "structlog" in text or "contextvars" in text}


def calls_in(module: str, node: ast.AST, function: ast.AST) -> Iterator[Found]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS | BINDING:
        yield Found(module, node, node.func.attr, ast.unparse(node.func.value), function)
    for child in ast.iter_child_nodes(node):
        yield from calls_in(module, child, node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function)


@cache
def calls() -> list[Found]:
    return [one for name, module in modules().items() for one in calls_in(name, module, module)]


def lines() -> list[Found]:
    return [one for one in calls() if one.method in LEVELS and one.on in LOGGERS]


def names_of(event: ast.expr) -> list[str | None]:
    """The constants that a name may be; None for what is none."""
    if isinstance(event, ast.IfExp):
        return [*names_of(event.body), *names_of(event.orelse)]
    return [event.value] if isinstance(event, ast.Constant) and isinstance(event.value, str) else [None]


def fields_of(found: Found) -> set[str]:
    """The names of a call's fields. Those of `**fields` are the keys written down in the function that makes them."""
    named = {one.arg for one in found.call.keywords if one.arg is not None}
    for one in found.call.keywords:
        if one.arg is None:
            maker = one.value.func.id if isinstance(one.value, ast.Call) and isinstance(one.value.func, ast.Name) else None
            places = [each for each in ast.walk(modules()[found.module]) if isinstance(each, ast.FunctionDef) and each.name == maker]
            keys = {key for place in (places or [found.function]) for key in keys_in(place)}
            assert keys, f"{found}: where are its fields written down?"
            named |= keys
    return named - OF_STRUCTLOG


def keys_in(place: ast.AST) -> set[str]:
    """The keys of the dictionaries that a function writes down."""
    keys = [key for node in ast.walk(place) if isinstance(node, ast.Dict) for key in node.keys]
    return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


@cache
def documented() -> frozenset[str]:
    return frozenset(DOCUMENTED.findall(DOCS.read_text().split("## Fields")[1].split("\n## ")[0]))


def used() -> set[str]:
    bound = {one.arg for found in calls() if found.method in BINDING for one in found.call.keywords if one.arg is not None}
    return bound | {field for found in lines() for field in fields_of(found)}


def test_there_are_lines_to_look_at() -> None:
    assert len(lines()) > 60


def test_every_line_has_one_constant_name_in_snake_case() -> None:
    wrong = [
        str(one)
        for one in lines()
        if len(one.call.args) != 1 or not all(name is not None and NAME.fullmatch(name) for name in names_of(one.call.args[0]))
    ]
    assert wrong == []


def test_the_events_that_the_docs_tell_of_are_logged() -> None:
    named = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", DOCS.read_text().split("## Fields")[0], re.MULTILINE)))
    )
    assert len(named) > 10
    assert named <= {event for one in lines() for event in names_of(one.call.args[0])}


def test_every_field_is_known_to_the_docs() -> None:
    wrong = {str(one): sorted(unknown) for one in lines() if (unknown := fields_of(one) - documented())}
    assert wrong == {}


def test_the_docs_know_no_field_that_nobody_writes() -> None:
    of_every_line = {"event", "level", "timestamp", "process", "logger", "error_at"}
    assert documented() - used() - of_every_line == set()


@pytest.mark.parametrize("field", ["request_id", "trace_id", "delivery_id", "job_id", "batch_id", "run_id", "tenant_id"])
def test_the_ids_that_lines_are_found_by_are_written(field: str) -> None:
    assert field in used()
