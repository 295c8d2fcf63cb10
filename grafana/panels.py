"""The two kinds of panels that all dashboards are made of: one number, and lines over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH = 24
NUMBER_HEIGHT = 4
LINES_HEIGHT = 8
GOOD, MIDDLING, BAD = "green", "orange", "red"


@dataclass(frozen=True)
class Query:
    """What is asked, and how each answer is called: `{{label}}` stands for a label's value."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Number:
    """One number, large. `middling` and `bad` are where its colour changes; with `bad` below `middling`, low is bad."""

    title: str
    expr: str
    description: str
    unit: str = units.Short
    middling: float | None = None
    bad: float | None = None
    decimals: float | None = None


@dataclass(frozen=True)
class Lines:
    """Lines over time. `limit` is where an alert begins, drawn as a dashed line."""

    title: str
    queries: tuple[Query, ...]
    description: str
    unit: str = units.Short
    limit: float | None = None
    stacked: bool = False
    bars: bool = False
    top: float | None = None


Panel = Number | Lines
BuiltPanel = stat.Panel | timeseries.Panel


def built(panel: Panel, *, number: int, width: int) -> BuiltPanel:
    match panel:
        case Number():
            return one_number(panel, number=number, width=width)
        case Lines():
            return lines(panel, number=number, width=width)


def one_number(panel: Number, *, number: int, width: int) -> stat.Panel:
    made = (
        stat.Panel()
        .id(number)
        .title(panel.title)
        .description(panel.description)
        .datasource(DATASOURCE)
        .span(width)
        .height(NUMBER_HEIGHT)
        .unit(panel.unit)
        .no_value("none yet")
        .thresholds(thresholds(steps_of(panel.middling, panel.bad)))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(target("A", Query(panel.expr)).instant())
    )
    return made if panel.decimals is None else made.decimals(panel.decimals)


def lines(panel: Lines, *, number: int, width: int) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .id(number)
        .title(panel.title)
        .description(panel.description)
        .datasource(DATASOURCE)
        .span(width)
        .height(LINES_HEIGHT)
        .unit(panel.unit)
        .min(0)
        .draw_style(common.GraphDrawStyle.BARS if panel.bars else common.GraphDrawStyle.LINE)
        .fill_opacity(40 if panel.bars or panel.stacked else 10)
        .show_points(common.VisibilityMode.NEVER)
        .legend(common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST).placement(common.LegendPlacement.BOTTOM))
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
        .targets([target(chr(ord("A") + index), query).range() for index, query in enumerate(panel.queries)])
    )
    if panel.top is not None:
        made = made.max(panel.top)
    if panel.stacked:
        made = made.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    return made if panel.limit is None else with_limit(made, panel.limit)


def with_limit(made: timeseries.Panel, limit: float) -> timeseries.Panel:
    style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
    return made.thresholds(thresholds([Threshold(None, GOOD), Threshold(limit, BAD)])).thresholds_style(style)


def target(name: str, query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(name).datasource(DATASOURCE).expr(query.expr).legend_format(query.legend or "__auto")


def thresholds(steps: list[Threshold]) -> dashboards.ThresholdsConfig:
    return dashboards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def steps_of(middling: float | None, bad: float | None) -> list[Threshold]:
    """Colours from the lowest value up."""
    if middling is None and bad is None:
        return [Threshold(None, "text")]
    if middling is not None and bad is not None and bad < middling:
        return [Threshold(None, BAD), Threshold(bad, MIDDLING), Threshold(middling, GOOD)]
    steps = [(middling, MIDDLING), (bad, BAD)]
    return [Threshold(None, GOOD), *(Threshold(value, colour) for value, colour in steps if value is not None)]


def widths_of(panels: Sequence[Panel]) -> list[int]:
    """Panels of one row share its width."""
    each, left = divmod(WIDTH, len(panels))
    return [each + (1 if index < left else 0) for index in range(len(panels))]
