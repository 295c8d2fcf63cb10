"""The Kubernetes Job that dagster-k8s would make for a run, by the launcher's settings in a rendered dagster.yaml. No cluster is asked."""

from __future__ import annotations

from typing import Any

import dagster_k8s.launcher as dagster_launcher
import kubernetes
import yaml
from dagster import DagsterRun
from dagster._config import process_config, resolve_to_config_type
from dagster_k8s.job import construct_dagster_k8s_job

LAUNCHER = "K8sRunLauncher"
RUN_ID = "0e8d2c9e-7f0c-4d3c-9a38-1f4f5a1b0c1d"


def run_pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One Job where the rendered instance launches runs so, none elsewhere. Raises `ValueError` for settings that dagster-k8s refuses."""
    files = next(one["data"] for one in objects if one["kind"] == "ConfigMap" and "dagster.yaml" in one["data"])
    configured = yaml.safe_load(files["dagster.yaml"])["run_launcher"]
    if (configured["module"], configured["class"]) != ("dagster_k8s", LAUNCHER):
        return []
    checked = process_config(resolve_to_config_type(dagster_launcher.K8sRunLauncher.config_type()), configured["config"])
    if not checked.success:
        raise ValueError(str(checked.errors))
    dagster_launcher.load_kubernetes_config = lambda **_: None
    launcher = dagster_launcher.K8sRunLauncher.from_config_value(None, checked.value)
    run = DagsterRun(job_name="a_job", run_id=RUN_ID)
    context = dagster_launcher.K8sContainerContext.create_for_run(run, launcher, include_run_tags=True)
    job = construct_dagster_k8s_job(
        job_config=context.get_k8s_job_config(job_image=None, run_launcher=launcher),
        args=["dagster", "api", "execute_run"],
        job_name=f"dagster-run-{RUN_ID}",
        pod_name=f"dagster-run-{RUN_ID}",
        component="run_worker",
        user_defined_k8s_config=context.run_k8s_config,
        labels={"dagster/job": "a_job", "dagster/run-id": RUN_ID},
    )
    made: dict[str, Any] = kubernetes.client.ApiClient().sanitize_for_serialization(job)
    return [made]
