"""What the benchmarks print and write."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.report import KEYS, LINES, RATIOS, RESULTS, all_figures, document_of, json_line, table_of, write_results

NAMED_BY_THE_GOALS = {
    *("ingest_per_s", "express_ingest_per_s", "ingest_ratio_to_express", "ingest_ratio_to_express_pg", "ingest_p99_ms_at_5x"),
    *("express_pg_ingest_per_s", "ingest_cpu_ms", "flood_memory_max_mb", "flood_memory_mb_per_minute"),
    *("jobs_per_minute_burst", "express_jobs_per_minute", "jobs_ratio_to_express"),
    *("runs_per_minute", "stock_runs_per_minute", "runs_ratio_to_stock"),
    *("first_op_p50_s", "first_op_p95_s", "completed_p50_s", "completed_p95_s"),
    *("worker_utilisation", "growth_ratio", "idle_memory_mb"),
}


def text_of(figures: dict[str, float | None]) -> str:
    console = Console(file=io.StringIO(), width=140, force_terminal=False)
    console.print(table_of(figures))
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def line_of(text: str, what: str) -> list[str]:
    found = next(line for line in text.splitlines() if what in line)
    return [cell.strip() for cell in found.strip("│").split("│")]


def test_every_named_figure_is_in_the_results_and_null_where_it_was_not_measured() -> None:
    assert all_figures({}).keys() >= NAMED_BY_THE_GOALS
    assert set(all_figures({}).values()) == {None}


def test_the_ratio_follows_from_both_rates() -> None:
    assert all_figures({"runs_per_minute": 300.0, "stock_runs_per_minute": 12.0})["runs_ratio_to_stock"] == 25.0
    assert all_figures({"runs_per_minute": 300.0})["runs_ratio_to_stock"] is None


def test_a_figure_that_the_results_do_not_name_is_refused() -> None:
    with pytest.raises(KeyError, match="runs_per_hour"):
        all_figures({"runs_per_hour": 1.0})


def test_every_line_of_the_table_shows_figures_that_exist() -> None:
    shown = {line.key for line in LINES} | {line.beside for line in LINES if line.beside}
    assert shown <= set(KEYS)


def test_the_table_has_the_baseline_and_the_goal_beside_what_was_measured() -> None:
    text = text_of(all_figures({"first_op_p50_s": 0.1234, "stock_first_op_p50_s": 54.9, "runs_per_minute": 295.5}))
    assert line_of(text, "first op, 1 a second, median")[1:] == ["0.12 s", "54.90 s", "at most 0.20 s", "met"]
    assert line_of(text, "runs a minute")[1:] == ["295.5", "–", "", ""]


def test_a_missed_goal_is_told_with_how_much_is_missing() -> None:
    text = text_of(all_figures({"idle_memory_mb": 1345.0, "ingest_per_s": 3000.0, "express_ingest_per_s": 1000.0}))
    assert line_of(text, "memory of the idle stack")[3:] == ["at most 1200 MB", "missed by 12 %"]
    assert line_of(text, "multiple of Express with Prisma")[1:] == ["3.0 x", "", "at least 4.0 x", "missed by 25 %"]
    assert line_of(text, "multiple of Express, bare driver")[1:] == ["–", "", "at least 2.0 x", ""]


def test_every_ratio_is_of_figures_that_exist() -> None:
    assert {*RATIOS, *(name for pair in RATIOS.values() for name in pair)} <= set(KEYS)


def test_the_json_line_is_one_line_and_the_file_says_the_same(tmp_path: Path) -> None:
    figures = all_figures({"idle_memory_mb": 1100.0})
    document = document_of(figures, machine={"cores": 2}, measured_at="2026-01-01T00:00:00+00:00", is_quick=True, problems=["because"])
    write_results(document, tmp_path / "results" / "latest.json")
    line = json_line(document)
    assert "\n" not in line
    assert json.loads(line) == json.loads((tmp_path / "results" / "latest.json").read_text())
    assert json.loads(line)["idle_memory_mb"] == 1100.0
    assert json.loads(line)["not_measured_because"] == ["because"]


def test_the_committed_results_have_every_figure_and_describe_the_machine() -> None:
    committed = json.loads(RESULTS.read_text())
    assert set(KEYS) <= committed.keys()
    assert {"cpu", "cores", "memory_gb", "python", "packages"} <= committed["machine"].keys()
