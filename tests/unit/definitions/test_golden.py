"""The shape of the code location, compared with a file beside this one, so that any change of it is seen in review.

`ZIXLY_WRITE_GOLDEN=1 python -m pytest tests/unit/definitions` writes the file anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from dagster import DependencyDefinition, JobDefinition, OpDefinition, SensorDefinition

from tests.support.definitions import dagster_without_warnings, loaded_definitions
from zixly_dagster.workflow import Workflow, job_name_of
from zixly_dagster.workflows import WORKFLOWS

GOLDEN = Path(__file__).with_name("golden.json")
pytestmark = pytest.mark.unit


def test_jobs_sensors_triggers_and_resources_are_those_that_were_reviewed() -> None:
    text = json.dumps(shape(), indent=2, sort_keys=True) + "\n"
    if os.environ.get("ZIXLY_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text(), "the graph changed; look at it, then write golden.json anew (see this file's first lines)"


def test_the_code_server_can_load_it_all() -> None:
    """Dagster compares the names of ops across jobs only when it loads them all."""
    with dagster_without_warnings():
        loaded_definitions().get_repository_def().load_all_definitions()


def test_every_workflow_has_its_job_and_the_sensor_of_its_system() -> None:
    described = shape()
    for workflow in WORKFLOWS.values():
        assert job_name_of(workflow.name) in described["jobs"]
        assert job_name_of(workflow.name) in described["sensors"][f"dispatch_{workflow.system}"]["jobs"]


def test_no_op_is_tried_again_by_dagster() -> None:
    """One retry mechanism, ours: DESIGN.md section 9."""
    for described in shape()["jobs"].values():
        assert {op["retries"] for op in described["ops"].values()} == {False}


def shape() -> dict[str, Any]:
    with dagster_without_warnings():
        definitions = loaded_definitions()
        jobs = [definitions.resolve_job_def(job_name_of(name)) for name in WORKFLOWS]
    return {
        "jobs": {job.name: job_shape(job) for job in jobs},
        "sensors": {sensor.name: sensor_shape(sensor) for sensor in definitions.sensors or () if isinstance(sensor, SensorDefinition)},
        "resources": {name: type(resource).__name__ for name, resource in (definitions.resources or {}).items()},
        "workflows": {workflow.name: workflow_shape(workflow) for workflow in WORKFLOWS.values()},
    }


def job_shape(job: JobDefinition) -> dict[str, Any]:
    """The ops with what each needs and comes after."""
    nodes = {node.name: node for node in job.graph.nodes}
    ops: dict[str, Any] = {}
    for invocation, inputs in job.graph.dependencies.items():
        node = nodes[invocation.alias or invocation.name]
        definition = node.definition
        assert isinstance(definition, OpDefinition)
        ops[node.name] = {
            "after": sorted(edge.node for edge in inputs.values() if isinstance(edge, DependencyDefinition)),
            "resources": sorted(definition.required_resource_keys),
            "tags": dict(node.tags),
            "retries": node.retry_policy is not None or definition.retry_policy is not None,
        }
    return {"ops": ops, "tags": dict(job.tags), "executor": job.executor_def.name}


def sensor_shape(sensor: SensorDefinition) -> dict[str, Any]:
    jobs = sorted(target.job_name for target in sensor.targets)
    return {
        "jobs": jobs,
        "minimum_interval_seconds": sensor.minimum_interval_seconds,
        "default_status": sensor.default_status.value,
        "resources": sorted(sensor.required_resource_keys),
    }


def workflow_shape(workflow: Workflow) -> dict[str, Any]:
    return {
        "system": workflow.system,
        "triggers": list(workflow.triggers),
        "priority": workflow.priority,
        "max_batch": workflow.max_batch,
    }
