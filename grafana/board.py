"""What all dashboards have in common: the data source as a variable, links to each other, alerts as marks on the graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.panels import DATASOURCE, Panel, built, widths_of

TAG = "zixly"
ALERTS = 'ALERTS{alertstate="firing"}'


@dataclass(frozen=True)
class Row:
    """Panels side by side below a heading; the heading may be left out."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Choice:
    """A label whose values one may choose among, all at first."""

    name: str
    title: str
    metric: str


@dataclass(frozen=True)
class Board:
    """One dashboard. `uid` is part of its address and never changes."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    choices: tuple[Choice, ...] = ()
    since: str = "now-6h"


def dashboard_of(board: Board) -> Dashboard:
    made = (
        builders.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .refresh("30s")
        .time(board.since, "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(builders.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .annotation(alerts())
        .link(others())
    )
    for choice in board.choices:
        made = made.with_variable(variable(choice))
    return with_rows(made, board.rows).build()


def with_rows(made: builders.Dashboard, rows: Sequence[Row]) -> builders.Dashboard:
    numbers = count(1)
    for row in rows:
        if row.title:
            made = made.with_row(builders.Row(row.title).id(next(numbers)))
        for panel, width in zip(row.panels, widths_of(row.panels), strict=True):
            made = made.with_panel(built(panel, number=next(numbers), width=width))
    return made


def variable(choice: Choice) -> builders.QueryVariable:
    return (
        builders.QueryVariable(choice.name)
        .label(choice.title)
        .datasource(DATASOURCE)
        .query(f"label_values({choice.metric}, {choice.name})")
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(text="All", value="$__all"))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def alerts() -> builders.AnnotationQuery:
    return builders.AnnotationQuery().name("Alerts").datasource(DATASOURCE).enable(True).icon_color("red").expr(ALERTS)


def others() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Zixly")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(False)
        .keep_time(True)
    )
