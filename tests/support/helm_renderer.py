"""Helm's own SDK and Kubernetes' own schemas, asked in an environment of their own: `python helm_renderer.py < asked.json > answers.json`.

Knows nothing of the project, since its packages are not installed beside Helm's.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import Any

import helm_python
import kubernetes_validate
import yaml
from kubernetes_validate import utils
from run_pods import run_pods

# Reading a schema costs far more than asking it; there are a few dozen of them.
utils.schema_contents = functools.cache(utils.schema_contents)


def rendered(chart: helm_python.Chart, values: dict[str, Any]) -> dict[str, Any]:
    """The objects, with the Job of a run where each has one, or why there are none."""
    try:
        chart.validate_schema(values)
        files = chart.render(values, name="demo", namespace="prod")
    except helm_python.HelmError as error:
        return {"error": str(error), "objects": [], "notes": ""}
    notes = next(text for name, text in files.items() if name.endswith("NOTES.txt"))
    texts = [text for name, text in sorted(files.items()) if not name.endswith("NOTES.txt")]
    objects = [one for text in texts for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]
    return {"error": None, "objects": objects + run_pods(objects), "notes": notes}


def problems(objects: list[dict[str, Any]], version: str) -> list[str]:
    """What Kubernetes of this version would refuse. `unknown kind` for what it does not bring itself."""
    found = {problem(json.dumps(one, sort_keys=True), version) for one in objects}
    return sorted(found - {""})


@functools.cache
def problem(text: str, version: str) -> str:
    """Of one object, which most sets of values have in common with others; empty for none."""
    one = json.loads(text)
    try:
        kubernetes_validate.validate(one, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return f"unknown kind: {one['apiVersion']} {one['kind']}"
    except kubernetes_validate.ValidationError as error:
        return f"{one['kind']} {one['metadata']['name']}: {error}"
    return ""


def main() -> None:
    asked = json.load(sys.stdin)
    lint = [helm_python.lint(asked["chart"], values, strict=True) for values in asked["lint"]]
    with helm_python.Chart.load(asked["chart"]) as chart:
        made = {name: rendered(chart, values) for name, values in asked["values"].items()}
    manifests = {**{name: one["objects"] for name, one in made.items()}, **asked.get("objects", {})}
    refused = {version: {name: problems(objects, version) for name, objects in manifests.items()} for version in asked["versions"]}
    json.dump({"lint": [message for one in lint for message in one["messages"]], "rendered": made, "refused": refused}, sys.stdout)


if __name__ == "__main__":
    main()
