"""The dashboards: what code makes is what is committed, Grafana's own models know every field, and nothing asks for what is not there."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.board import Board
from grafana.generate import BOARDS, FOLDER, file_of, text_of
from tests.support.dashboards import documents, panels, questions
from tests.support.promql import faults_of

pytestmark = pytest.mark.unit
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
by_uid = pytest.mark.parametrize("uid", [board.uid for board in BOARDS])


@each_board
def test_what_the_code_makes_is_committed_byte_for_byte(board: Board) -> None:
    """`make dashboards` writes them anew."""
    assert text_of(board) == file_of(board).read_text()


def test_nothing_else_is_committed_beside_them() -> None:
    assert sorted(FOLDER.iterdir()) == sorted(file_of(board) for board in BOARDS)


@by_uid
def test_grafanas_models_know_every_field(uid: str) -> None:
    """They drop what they do not know, so that a misspelled field would be missing afterwards."""
    document = documents()[uid]
    again = JSONEncoder(sort_keys=True).encode(Dashboard.from_json(document))
    assert json.loads(again) == document


def test_a_field_that_grafana_does_not_know_would_be_noticed() -> None:
    document = {**documents()["zixly-overview"], "refreshh": "30s"}
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(document))) != document


@by_uid
def test_panels_have_ids_of_their_own_and_do_not_lie_on_each_other(uid: str) -> None:
    every: list[dict[str, Any]] = documents()[uid]["panels"]
    ids = [panel["id"] for panel in every]
    assert len(set(ids)) == len(ids)
    assert [(one["title"], other["title"]) for one, other in combinations(every, 2) if overlap(one["gridPos"], other["gridPos"])] == []
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in every)


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in (("x", "w"), ("y", "h")))


@by_uid
def test_every_panel_has_a_title_a_description_a_unit_and_asks_the_chosen_data_source(uid: str) -> None:
    for panel in panels(uid):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == DATASOURCE, panel["title"]
        assert [target["datasource"] for target in panel["targets"]] == [DATASOURCE] * len(panel["targets"]), panel["title"]
    variables = documents()[uid]["templating"]["list"]
    assert [one["name"] for one in variables if one["type"] == "datasource"] == ["datasource"]
    assert all(one["datasource"] == DATASOURCE for one in variables if one["type"] == "query")


@by_uid
def test_dashboards_lead_to_each_other_and_show_alerts(uid: str) -> None:
    document = documents()[uid]
    assert document["tags"] == ["zixly"]
    assert [(link["type"], link["tags"]) for link in document["links"]] == [("dashboards", ["zixly"])]
    assert [one["expr"] for one in document["annotations"]["list"]] == ['ALERTS{alertstate="firing"}']


def test_titles_of_panels_are_told_apart() -> None:
    for uid in documents():
        titles = [panel["title"] for panel in panels(uid)]
        assert len(set(titles)) == len(titles)


def test_every_query_is_promql_over_metrics_that_we_export_and_counts_nothing_once_for_each_bridge() -> None:
    assert {(one.board, one.panel): faults_of(one.expr) for one in questions() if faults_of(one.expr)} == {}


def test_a_query_over_what_nobody_exports_would_be_noticed() -> None:
    assert faults_of("max(pipeline_job)") == ["pipeline_job is not exported"]
    assert faults_of("sum(pipeline_jobs)") == ["pipeline_jobs is shown by every bridge and must be taken once"]
    assert faults_of('max by (colour) (pipeline_jobs{shape="round"})') == [
        "pipeline_jobs has no label shape",
        "nothing has the label colour",
    ]
    assert faults_of("sum(rate(webhook_deliveries_total[5m]))") == []


def test_what_is_provisioned_is_there() -> None:
    folder = FOLDER.parent / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "dashboards" / "zixly.yml").read_text())["providers"]
    assert (source["type"], source["isDefault"], source["editable"]) == ("prometheus", True, False)
    assert (provider["folder"], provider["type"]) == ("Zixly", "file")
    scrapes = yaml.safe_load((FOLDER.parents[1] / "prometheus" / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scrapes
    assert f"grafana/dashboards` as `{provider['options']['path']}`" in (FOLDER.parents[1] / "docs" / "monitoring.md").read_text()
