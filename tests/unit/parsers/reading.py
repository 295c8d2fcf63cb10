"""Which functions read what comes from outside: by their names and by what they take first."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("zixly_core", "webhook_bridge", "zixly_cli", "zixly_dagster")
NAMES = re.compile(
    r"(parse|read|verify|check|decode)(_\w+)?|(parsed|verified|checked|opened|unpacked|given|wanted|masked)(_\w+)?"
    r"|\w+_(from|from_json|in)|of|open_from_url|open_queue|open_object_store"
)
TAKES = {
    *("str", "bytes", "object", "Any", "str | None", "Path", "list[str]", "IncomingRequest", "Document"),
    *("Mapping[str, str]", "Mapping[str, Any]", "Sequence[tuple[str, str]]"),
}


def readers() -> set[str]:
    """Such as `zixly_core.aws:AwsAddress.of`."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}:{name}" for path in files for name in readers_in(path)}


def readers_in(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    places = [("", tree), *((f"{node.name}.", node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    for prefix, place in places:
        for node in place.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and NAMES.fullmatch(node.name) and taken_by(node) in TAKES:
                yield prefix + node.name


def taken_by(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The type of its first argument."""
    given = [one for one in (*function.args.posonlyargs, *function.args.args) if one.arg not in {"self", "cls"}]
    return ast.unparse(given[0].annotation) if given and given[0].annotation is not None else ""
