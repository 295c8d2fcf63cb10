"""Every set of values renders to objects that Kubernetes' schemas take, in three versions; wrong values stop it with their name."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml

from tests.support.helm import CHART, REQUIRED, ROOT, VERSIONS, asked, good_answers, good_values, over, pool, rendered, values_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

# Kinds of operators, whose schemas come with them and not with Kubernetes.
OF_OPERATORS = {
    "unknown kind: external-secrets.io/v1 ExternalSecret",
    "unknown kind: keda.sh/v1alpha1 ScaledObject",
    "unknown kind: monitoring.coreos.com/v1 PodMonitor",
}
SETS = sorted(good_values())
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no public address": ({"publicUrl": ""}, "publicUrl is not set"),
    "a public address without TLS": ({"publicUrl": "http://hooks.example.com"}, "'/publicUrl'"),
    "a public address with a path": ({"publicUrl": "https://hooks.example.com/zixly"}, "'/publicUrl'"),
    "no bucket": ({"objectsUrl": ""}, "objectsUrl is not set"),
    "a folder for a bucket": ({"objectsUrl": "file:///var/lib/zixly"}, "'/objectsUrl'"),
    "no certificate": ({"gateway": {"tls": {"secretName": ""}}}, "gateway.tls.secretName is not set"),
    "no secret": ({"secrets": {"existingSecret": ""}}, "secrets.existingSecret is not set"),
    "two sources of secrets": ({"secrets": {"externalSecrets": {"enabled": True}}}, "exclude each other"),
    "no store": (
        {"secrets": {"existingSecret": "", "externalSecrets": {"enabled": True}}},
        "secrets.externalSecrets.storeRef.name is not set",
    ),
    "a misspelt value": ({"brige": {"replicas": 2}}, "'brige' not allowed"),
    "a misspelt value below": ({"bridge": {"replica": 2}}, "'replica' not allowed"),
    "a setting that nobody reads": ({"settings": {"ZIXLY_MAX_BACTH": 5}}, "'ZIXLY_MAX_BACTH' not allowed"),
    "a secret among the settings": ({"settings": {"ZIXLY_API_TOKEN": "made-up"}}, "'ZIXLY_API_TOKEN' not allowed"),
    "a setting out of bounds": ({"settings": {"ZIXLY_MAX_BATCH": 101}}, "'/settings/ZIXLY_MAX_BATCH'"),
    "a setting of another kind": ({"settings": {"ZIXLY_MAX_BATCH": "many"}}, "'/settings/ZIXLY_MAX_BATCH'"),
    "no bridge": ({"bridge": {"replicas": 0}}, "'/bridge/replicas'"),
    "half a pod": ({"webserver": {"replicas": 1.5}}, "'/webserver/replicas'"),
    "a digest that is none": ({"image": {"digest": "latest"}}, "'/image/digest'"),
    "root": ({"podSecurityContext": {"runAsUser": 0}}, "'/podSecurityContext/runAsUser'"),
    "no request of memory": ({"bridge": {"resources": {"requests": {"memory": None}}}}, "/bridge/resources/requests"),
    "a lane that there is not": ({"workers": {"pools": [pool("none", lanes=["slow"])]}}, "/workers/pools/0/lanes/0"),
    "a lane that nobody serves": ({"workers": {"pools": [pool("none", lanes=["live"])]}}, 'no pool serves the lane "bulk"'),
    "two pools of a name": ({"workers": {"pools": [pool("none"), pool("none")]}}, 'workers.pools names "all" twice'),
    "bounds the wrong way round": (
        {"workers": {"pools": [pool("keda", autoscaling={"by": "keda", "minReplicas": 5, "maxReplicas": 2})]}},
        'autoscaling.minReplicas of "all" is above its maxReplicas',
    ),
    "bounds of the bridge the wrong way round": (
        {"bridge": {"autoscaling": {"enabled": True, "minReplicas": 9}}},
        "bridge.autoscaling.minReplicas is above",
    ),
    "bulk runs in every slot": ({"dagster": {"bulkRuns": 4}}, "dagster.bulkRuns must stay below the slots of all workers (4)"),
    "workers beside pods for runs": ({"dagster": {"launcher": "kubernetes"}}, "workers.pools must be empty"),
    "a network that is none": ({"podNetworks": ["everywhere"]}, "'/podNetworks/0'"),
    "a port that is none": ({"networkPolicies": {"postgres": {"ports": [70000]}}}, "'/networkPolicies/postgres/ports/0'"),
    "somebody who is nobody": ({"networkPolicies": {"gatewayFrom": [{}]}}, "'/networkPolicies/gatewayFrom/0'"),
}


@pytest.mark.parametrize("name", SETS)
def test_every_set_of_values_renders(name: str) -> None:
    made = rendered(name)
    assert made.error is None
    assert len(made.objects) > 30
    assert "https://hooks.example.com" in made.notes


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_of_three_versions_would_take_every_object(version: str) -> None:
    refused = {problem for problems in good_answers()["refused"][version].values() for problem in problems}
    assert refused == OF_OPERATORS


def test_the_linter_has_nothing_to_say_but_that_there_is_no_icon() -> None:
    assert {message["error"] for message in good_answers()["lint"]} == {"icon is recommended"}


def test_a_wrong_value_stops_the_rendering_with_its_name() -> None:
    required = values_of(REQUIRED)
    answers = asked({name: over(required, values) for name, (values, _) in REFUSED.items()})["rendered"]
    errors = {name: answer["error"] or "it was rendered" for name, answer in answers.items()}
    assert {name: errors[name] for name, (_, said) in REFUSED.items() if said not in errors[name]} == {}


def test_what_kubernetes_would_refuse_is_found() -> None:
    """The checks above can fail."""
    deployment = rendered("required").one("Deployment", "bridge")
    spec = {name: value for name, value in deployment["spec"].items() if name != "replicas"}
    wrong = deployment | {"spec": spec | {"replica": 2}}
    refused = asked({}, objects={"wrong": [wrong]})["refused"]
    assert all("replica" in refused[version]["wrong"][0] for version in VERSIONS)


def test_the_versions_are_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"]) == (project, project)
    assert chart["kubeVersion"] == f">={VERSIONS[0]}.0-0"


def test_a_large_figure_stays_a_whole_number() -> None:
    assert rendered("everything").one("ConfigMap", "settings")["data"]["ZIXLY_MAX_BODY_BYTES"] == "20000000"
