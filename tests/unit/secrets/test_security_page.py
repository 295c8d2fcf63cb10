"""SECURITY.md names a test for each threat, and each of them is there."""

from __future__ import annotations

import re

from tests.support.tracked_secrets import ROOT

PAGE = (ROOT / "SECURITY.md").read_text()
LINES = re.findall(r"^\| (T\d+) \|.*\| ([^|]*) \|$", PAGE, flags=re.MULTILINE)


def test_every_threat_names_what_shows_that_it_is_met() -> None:
    assert [threat for threat, _ in LINES] == [f"T{number}" for number in range(1, len(LINES) + 1)]
    assert all("tests/" in shown or "docs/" in shown for _, shown in LINES)


def test_every_file_that_it_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", PAGE) + re.findall(r"\]\((docs/[\w/.-]+)", PAGE)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_threat_that_is_drawn_is_in_the_table() -> None:
    drawing = PAGE[PAGE.index("```mermaid") : PAGE.index("```\n\n|")]
    assert set(re.findall(r"T\d+", drawing)) <= {threat for threat, _ in LINES}
