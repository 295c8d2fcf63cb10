"""The chart for tests: rendered by Helm's SDK with every set of values (chart_values.py), once for all that is asked about it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart_values import CHART, bad_values, good_values

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-chart" / "bin" / "python"
RENDERER = Path(__file__).with_name("helm_renderer.py")
# The oldest that the chart says it works on, one between, and the newest whose schemas there are.
VERSIONS = ("1.33", "1.35", "1.37")
CALL_SECONDS = 100

Manifest = dict[str, Any]


def require_helm() -> None:
    """In CI a missing Helm is a failure: a suite that skips there proves nothing."""
    if PYTHON.exists():
        return
    text = "Helm's SDK is not installed; `make .venv-chart/.ready` does it"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


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


def asked(question: Mapping[str, Any]) -> Any:
    """The renderer's answer: `lint`, `rendered` by name, `refused` by version and name."""
    require_helm()
    whole = json.dumps({"chart": str(CHART), "versions": VERSIONS, **question})
    done = subprocess.run([PYTHON, RENDERER], input=whole, capture_output=True, text=True, timeout=CALL_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


# What Kubernetes would refuse: so that the checks are seen to fail.
WRONG: Manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "wrong"}, "spec": {"port": []}}


@cache
def answers() -> Any:
    """To everything that is asked here, once: the processes that run tests side by side share the answer."""
    good = good_values()
    question = {"values": {**good, **bad_values()}, "lint": list(good.values()), "objects": {"wrong": [WRONG]}}
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return asked(question)
    file = Path(tempfile.gettempdir()) / f"zixly-chart-{run}.json"
    with file.open("a+") as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)
        shared.seek(0)
        text = shared.read()
        if not text:
            text = json.dumps(asked(question))
            shared.write(text)
    return json.loads(text)


@cache
def rendered(name: str) -> Rendered:
    return Rendered(**answers()["rendered"][name])
