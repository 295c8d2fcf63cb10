"""Every set of values renders to objects that Kubernetes' schemas take, in three versions; wrong values stop it with their name."""

from __future__ import annotations

import tomllib

import pytest
import yaml

from tests.support.chart_values import CHART, REFUSED, good_values
from tests.support.helm import ROOT, VERSIONS, answers, rendered

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

# Kinds of operators, whose schemas come with them and not with Kubernetes.
OF_OPERATORS = {
    "unknown kind: external-secrets.io/v1 ExternalSecret",
    "unknown kind: keda.sh/v1alpha1 ScaledObject",
    "unknown kind: monitoring.coreos.com/v1 PodMonitor",
}
SETS = sorted(good_values())


@pytest.mark.parametrize("name", SETS)
def test_every_set_of_values_renders(name: str) -> None:
    made = rendered(name)
    assert made.error is None
    assert len(made.objects) > 30
    assert "https://hooks.example.com" in made.notes


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_of_three_versions_would_take_every_object(version: str) -> None:
    refused = {problem for name in SETS for problem in answers()["refused"][version][name]}
    assert refused == OF_OPERATORS


def test_the_linter_has_nothing_to_say_but_that_there_is_no_icon() -> None:
    assert {message["error"] for message in answers()["lint"]} == {"icon is recommended"}


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_wrong_value_stops_the_rendering_with_its_name(wrong: str) -> None:
    assert REFUSED[wrong][1] in (rendered(wrong).error or "it was rendered")


def test_what_kubernetes_would_refuse_is_found() -> None:
    """The checks above can fail."""
    assert all("port" in answers()["refused"][version]["wrong"][0] for version in VERSIONS)


def test_the_versions_are_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"]) == (project, project)
    assert chart["kubeVersion"] == f">={VERSIONS[0]}.0-0"


def test_a_large_figure_stays_a_whole_number() -> None:
    assert rendered("everything").one("ConfigMap", "settings")["data"]["ZIXLY_MAX_BODY_BYTES"] == "20000000"
