"""The chart for tests: rendered by Helm's SDK with every set of values, once for all that is asked about it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "chart" / "zixly"
PYTHON = ROOT / ".venv-chart" / "bin" / "python"
RENDERER = Path(__file__).with_name("helm_renderer.py")
# The oldest that the chart says it works on, one between, and the newest whose schemas there are.
VERSIONS = ("1.33", "1.35", "1.37")
CALL_SECONDS = 100

Values = Mapping[str, Any]
Manifest = dict[str, Any]


def require_helm() -> None:
    """In CI a missing Helm is a failure: a suite that skips there proves nothing."""
    if PYTHON.exists():
        return
    text = "Helm's SDK is not installed; `make .venv-chart/.ready` does it"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


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


@dataclass(frozen=True)
class Rendered:
    """What one set of values made."""

    error: str | None
    objects: list[Manifest]
    notes: str

    def of_kind(self, *kinds: str) -> list[Manifest]:
        return [one for one in self.objects if one["kind"] in kinds]

    def one(self, kind: str, name: str) -> Manifest:
        """Of a component, without the release's name."""
        return next(one for one in self.of_kind(kind) if one["metadata"]["name"] == f"demo-zixly-{name}")

    def pods(self) -> Iterator[tuple[str, Manifest]]:
        """Every pod that would be, as its metadata and spec, with the name of what makes it."""
        for one in self.of_kind("Deployment", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]
        for one in self.of_kind("Pod"):
            yield one["metadata"]["name"], one


def containers_of(pod: Manifest) -> list[Manifest]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def asked(values: Mapping[str, Values], *, lint: Sequence[Values] = (), objects: Mapping[str, list[Manifest]] | None = None) -> Any:
    """The renderer's answer: `lint`, `rendered` by name, `refused` by version and name. `objects` are manifests made elsewhere."""
    require_helm()
    question = {"chart": str(CHART), "values": values, "lint": list(lint), "versions": VERSIONS, "objects": objects or {}}
    done = subprocess.run([PYTHON, RENDERER], input=json.dumps(question), capture_output=True, text=True, timeout=CALL_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


REQUIRED = "ci/required-values.yaml"


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


def pool(by: str, **fields: Any) -> dict[str, Any]:
    scaling = {"by": by, "minReplicas": 2, "maxReplicas": 5}
    return {"name": "all", "lanes": ["live", "bulk"], "replicas": 2, "autoscaling": scaling} | fields


@cache
def good_answers() -> Any:
    """Rendered, validated and linted, once in a process."""
    values = good_values()
    return asked(values, lint=list(values.values()))


def rendered(name: str) -> Rendered:
    return Rendered(**good_answers()["rendered"][name])
