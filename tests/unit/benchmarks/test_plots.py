"""The pictures beside the results."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.plots import PLOTS, picture_of, write_plots
from benchmarks.report import KEYS, all_figures

SVG = "{http://www.w3.org/2000/svg}"


def widths(picture: str) -> list[float]:
    return [float(bar.attrib["width"]) for bar in ET.fromstring(picture).iter(f"{SVG}rect")]  # noqa: S314 - our own


@pytest.mark.parametrize("name", PLOTS)
def test_every_picture_shows_figures_that_exist(name: str) -> None:
    named = {key for bar in PLOTS[name].bars for key in (bar.key, bar.goal_of) if key}
    assert named <= set(KEYS)


def test_bars_are_as_long_as_their_figures_and_the_goal_is_a_multiple_of_the_baseline() -> None:
    picture = picture_of(PLOTS["runs"], all_figures({"runs_per_minute": 300.0, "stock_runs_per_minute": 30.0}))
    ours, stock = widths(picture)
    assert ours == pytest.approx(10 * stock, abs=0.5)
    assert "goal: 450" in picture


def test_what_was_not_measured_is_said_and_has_no_bar() -> None:
    picture = picture_of(PLOTS["runs"], all_figures({"stock_runs_per_minute": 30.0}))
    assert "not measured" in picture
    assert widths(picture)[0] == 0


def test_a_picture_without_any_figure_is_not_written(tmp_path: Path) -> None:
    write_plots(all_figures({"idle_memory_mb": 900.0}), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["idle.svg"]
