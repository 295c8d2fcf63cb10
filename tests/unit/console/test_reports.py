"""Reports are what their files say, and nothing else."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from webhook_bridge.console.reports import KINDS, Figure, Report, bars_of, reports_in, written

BENCHMARKS, RELIABILITY = KINDS


def put(folder: Path, name: str, content: bytes) -> None:
    path = folder / "benchmarks" / "results" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_folder_without_files_has_no_reports(tmp_path: Path) -> None:
    assert reports_in(tmp_path, BENCHMARKS) == []
    assert reports_in(tmp_path / "missing", RELIABILITY) == []


def test_a_figure_stands_beside_the_one_that_it_is_compared_with() -> None:
    report = written("latest", {"runs_per_minute": 884.299, "stock_runs_per_minute": 30.956, "idle_processes": 46})
    first, second = report.figures
    assert (first.name, first.ours, first.peer, first.theirs) == ("runs_per_minute", "884.299", "stock Dagster", "30.956")
    assert second == Figure("idle_processes", "46")


def test_what_was_not_measured_is_said_and_not_shown_as_a_figure() -> None:
    report = written("latest", {"growth_ratio": None, "idle_memory_mb": 1.5})
    assert report.not_measured == ["growth_ratio"]
    assert [one.name for one in report.figures] == ["idle_memory_mb"]


def test_texts_are_facts_and_lists_of_objects_are_tables() -> None:
    report = written(
        "r", {"machine": {"cpu": "EPYC", "packages": {"zixly": "0.1.0"}}, "kills": [{"what": "worker", "lost": 0}, {"what": "db"}]}
    )
    assert ("machine.cpu", "EPYC") in report.machine
    assert not {*report.machine} & {*report.noted}
    assert report.version == "0.1.0"
    assert report.tables[0].columns == ["what", "lost"]
    assert report.tables[0].rows == [["worker", "0"], ["db", "–"]]


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
def test_a_file_that_cannot_be_shown_says_why(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "broken.json", content)
    (report,) = reports_in(tmp_path, BENCHMARKS)
    assert report.name == "broken"
    assert report.problem
    assert report.figures == ()


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "huge.json", b" " * 1_000_001)
    assert "larger" in reports_in(tmp_path, BENCHMARKS)[0].problem


def test_reports_come_by_name(tmp_path: Path) -> None:
    for name in ("b.json", "a.json"):
        put(tmp_path, name, orjson.dumps({"x": 1}))
    assert [one.name for one in reports_in(tmp_path, BENCHMARKS)] == ["a", "b"]
    assert all(isinstance(one, Report) for one in reports_in(tmp_path, BENCHMARKS))


def test_bars_are_as_long_as_their_logarithms() -> None:
    assert bars_of(100, 1) == (200.0, 100.0)
    assert bars_of(0, 1) is None
    shortest = bars_of(1, 1e12)
    assert shortest is not None
    assert shortest[0] == 2
