"""docs/reliability/parsers.md names every function that reads what comes from outside, and what tries it."""

from __future__ import annotations

import re

import pytest

from tests.unit.parsers.reading import ROOT, readers

pytestmark = pytest.mark.unit
PAGE = ROOT / "docs" / "reliability" / "parsers.md"
ROW = re.compile(r"\| `(?P<module>[\w.]+)` \| (?P<names>`[^|]+`) \| (?P<how>[^|]+) \|")
ROWS = [found.groupdict() for found in ROW.finditer(PAGE.read_text())]


def listed() -> list[str]:
    return [f"{row['module']}:{name}" for row in ROWS for name in re.findall(r"`([^`]+)`", row["names"])]


def test_every_reader_is_listed_once_and_nothing_else_is() -> None:
    assert sorted(listed()) == sorted(readers())


def test_what_is_said_to_try_them_are_tests_with_properties() -> None:
    tests = {path for row in ROWS for path in re.findall(r"`(tests/[^`]+)`", row["how"])}
    assert len(tests) > 5
    for path in tests:
        assert "@given(" in (ROOT / path).read_text(), path


def test_where_nothing_tries_one_the_reason_is_told() -> None:
    assert [row["module"] for row in ROWS if "tests/" not in row["how"] and not row["how"].startswith("no: ")] == []
