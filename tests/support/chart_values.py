"""Sets of values for the chart: those that must render, and those that must not, with what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "deploy" / "chart" / "zixly"
REQUIRED = "ci/required-values.yaml"
Values = Mapping[str, Any]


def pool(by: str, **fields: Any) -> dict[str, Any]:
    scaling = {"by": by, "minReplicas": 2, "maxReplicas": 5}
    return {"name": "all", "lanes": ["live", "bulk"], "replicas": 2, "autoscaling": scaling} | fields


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
    "a setting out of bounds": ({"settings": {"ZIXLY_MAX_BATCH": 201}}, "'/settings/ZIXLY_MAX_BATCH'"),
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


def good_values() -> dict[str, dict[str, Any]]:
    """Every set that must render: the files of the chart, and the switches in their other positions."""
    required = values_of(REQUIRED)
    external = over(
        required,
        {"secrets": {"existingSecret": "", "externalSecrets": {"enabled": True, "storeRef": {"name": "aws", "kind": "SecretStore"}}}},
    )
    return {
        "required": required,
        "celery": values_of(REQUIRED, "values-celery.yaml"),
        "kubernetes": values_of(REQUIRED, "values-k8s-run-launcher.yaml"),
        "external-secrets": external,
        "hpa": over(required, {"workers": {"pools": [pool("hpa")]}, "bridge": {"autoscaling": {"enabled": True}}}),
        "keda": over(required, {"workers": {"pools": [pool("keda")]}}),
        "everything": over(external, yaml.safe_load((CHART / "ci" / "everything-values.yaml").read_text())),
        "small": over(required, {"bridge": {"replicas": 1}, "gateway": {"replicas": 1}, "migration": {"enabled": False}}),
    }


def bad_values() -> dict[str, dict[str, Any]]:
    """Every set that must not render, by what is wrong with it."""
    return {name: over(values_of(REQUIRED), values) for name, (values, _) in REFUSED.items()}


def values_of(*names: str) -> dict[str, Any]:
    """Files of values in the chart's folder, one over the other."""
    merged: dict[str, Any] = {}
    for name in names:
        merged = over(merged, yaml.safe_load((CHART / name).read_text()))
    return merged


def over(below: Values, above: Values) -> dict[str, Any]:
    """As Helm lays values over others: maps into each other, anything else in place of what was there."""
    merged = dict(deepcopy(below))
    for name, value in above.items():
        is_map = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = over(merged[name], value) if is_map else deepcopy(value)
    return merged
