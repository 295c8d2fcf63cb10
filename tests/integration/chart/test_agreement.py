"""The chart says what the code says: variables, secrets of each process, commands, health, metrics, the gateway's configuration."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from promql_parser import parse

from tests.support.certificate import certificate_in
from tests.support.chart_settings import SCHEMA, secret_settings, settings_schema, variable
from tests.support.chart_values import CHART, good_values, values_of
from tests.support.helm import ROOT, containers_of, rendered
from tests.support.nginx import require_nginx
from zixly_cli.stack.environment import DATABASE_ROLES, SECRET_USERS, USES_BROKER, USES_DAGSTER, USES_QUEUE, USES_SEALED_SECRETS
from zixly_core import metrics
from zixly_core.settings import Settings
from zixly_dagster.instance.run_in_worker import CONCLUDE_WITHIN
from zixly_dagster.instance.worker import PATIENCE_SECONDS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

# Deployments by the kind of process in zixly_cli/stack/environment.py.
KINDS = {
    "bridge": "bridge",
    "code": "code",
    "daemon": "daemon",
    "webserver": "webserver",
    "webserver-viewer": "webserver",
    "worker-all": "worker",
}
LOCKS = ("dev.lock", "chart.lock")
OF_AWS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def container(name: str, values: str = "required") -> dict[str, Any]:
    deployment = rendered(values).one("Deployment", name)
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


def secrets_of(one: dict[str, Any]) -> set[str]:
    return {variable["name"] for variable in one["env"] if "secretKeyRef" in variable.get("valueFrom", {})}


def variables_read() -> set[str]:
    """Of `Settings`, and those few that are read beside it: by the two files of Dagster, and where the workspace is."""
    read = {variable(name) for name in Settings.model_fields}
    sources = [ROOT / "dagster.yaml", ROOT / "workspace.yaml", *(ROOT / "zixly_dagster").rglob("*.py")]
    for source in sources:
        read |= set(re.findall(r'(?:env: |environ\.get\(")(ZIXLY_\w+)', source.read_text()))
    return read


@pytest.mark.parametrize("name", sorted(good_values()))
def test_no_variable_is_set_that_nobody_reads(name: str) -> None:
    made = rendered(name)
    told = {one["name"] for _, pod in made.pods() for each in containers_of(pod) for one in each.get("env", [])}
    told |= made.one("ConfigMap", "settings")["data"].keys()
    assert {one for one in told if one.startswith("ZIXLY_")} - variables_read() == set()


def test_the_schema_knows_every_setting_with_its_bounds() -> None:
    """`python -m tests.support.chart_settings` writes them."""
    assert json.loads(SCHEMA.read_text())["properties"]["settings"]["properties"] == settings_schema()


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_process_is_given_the_secrets_that_it_has_in_the_embedded_stack(name: str, kind: str) -> None:
    given = secrets_of(container(name)) - OF_AWS
    expected = {f"ZIXLY_DATABASE_URL_{role.upper()}" for role in DATABASE_ROLES[kind]}
    expected |= {secret for secret, users in SECRET_USERS.items() if kind in users}
    uses = {
        "ZIXLY_DAGSTER_DATABASE_URL": USES_DAGSTER,
        "ZIXLY_QUEUE_URL": USES_QUEUE,
        "ZIXLY_BROKER_URL": USES_BROKER,
        "ZIXLY_SECRETS_KEY": USES_SEALED_SECRETS,
    }
    assert given == expected | {secret for secret, users in uses.items() if kind in users}
    assert given <= secret_settings()


def test_a_process_is_started_as_in_the_embedded_stack() -> None:
    """Its module; arguments differ by address and folder only."""
    source = (ROOT / "zixly_cli" / "stack" / "programs.py").read_text() + (ROOT / "zixly_cli" / "stack" / "startup.py").read_text()
    for values in ("required", "celery"):
        for owner, pod in rendered(values).pods():
            for each in containers_of(pod):
                if each["command"][:2] == ["python", "-m"] and owner != "demo-zixly-test":
                    module = each["command"][2]
                    assert f'"{module}"' in source or module == "zixly_core.migrate", owner
                    assert (ROOT / Path(*module.split("."))).is_dir() or (ROOT / Path(*module.split("."))).with_suffix(".py").is_file()


def test_workers_have_time_to_give_their_jobs_back() -> None:
    grace = values_of("values.yaml")["workers"]["terminationGracePeriodSeconds"]
    assert grace > PATIENCE_SECONDS + CONCLUDE_WITHIN.total_seconds() + 3


def test_workers_are_scaled_by_a_metric_that_there_is() -> None:
    query = values_of("values.yaml")["workers"]["oldestDueJob"]["query"]
    parse(query)
    assert set(re.findall(r"[a-z_]{5,}", query)) == {metrics.OLDEST_DUE.name}
    trigger = rendered("keda").one("ScaledObject", "worker-all")["spec"]["triggers"][0]
    assert trigger["metadata"] == {"serverAddress": "http://prometheus-operated.monitoring.svc:9090", "query": query, "threshold": "10"}
    (asked,) = rendered("hpa").one("HorizontalPodAutoscaler", "worker-all")["spec"]["metrics"]
    assert asked["external"]["target"] == {"type": "Value", "value": "10"}


def test_prometheus_jobs_are_called_as_the_alerts_call_them() -> None:
    told = {one["spec"]["podMetricsEndpoints"][0]["relabelings"][0]["replacement"] for one in rendered("everything").of_kind("PodMonitor")}
    scraped = {job["job_name"] for job in yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]}
    assert told == scraped - {"alertmanager", "prometheus"}


def test_dagsters_file_is_the_repositorys_with_the_figures_of_the_values() -> None:
    ours = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    theirs = rendered("required").one("ConfigMap", "dagster")["data"]
    assert yaml.safe_load(theirs["dagster.yaml"]) == ours, "the chart's defaults are the file's own figures"
    assert theirs["workspace.yaml"].strip() == (ROOT / "workspace.yaml").read_text().strip()


def test_nginx_takes_the_gateways_configuration(tmp_path: Path) -> None:
    """With what stands behind, certificate and folder of this machine in place of the cluster's."""
    text = rendered("required").one("ConfigMap", "gateway")["data"]["nginx.conf"]
    assert not re.search(r"\$\{ZIXLY_[A-Z_]+\}", text)
    assert "access_log /dev/stdout gateway;" in text
    assert "server_name hooks.example.com;" in text
    for part, port in (("bridge", 3000), ("webserver", 3002), ("webserver-viewer", 3002)):
        assert f"server demo-zixly-{part}:{port};" in text
        text = text.replace(f"demo-zixly-{part}:{port}", f"127.0.0.1:{port}")
    pair = str(certificate_in(tmp_path))
    text = (
        text.replace("/var/lib/gateway", str(tmp_path)).replace("/etc/gateway/tls/tls.crt", pair).replace("/etc/gateway/tls/tls.key", pair)
    )
    text = text.replace("listen 8", "listen 127.0.0.1:2")  # ports that nobody has here
    file = tmp_path / "nginx.conf"
    file.write_text(text)
    done = subprocess.run([require_nginx(), "-t", "-e", "/dev/stderr", "-c", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_files_of_the_chart_are_the_repositorys() -> None:
    assert {link.name: link.resolve() for link in (CHART / "files").iterdir()} == {
        "dagster.yaml": ROOT / "dagster.yaml",
        "workspace.yaml": ROOT / "workspace.yaml",
        "nginx.conf.template": ROOT / "deploy" / "gateway" / "nginx.conf.template",
    }


def test_a_run_in_a_pod_of_its_own_knows_what_a_worker_knows() -> None:
    """By the Job that dagster-k8s makes; what holds for every pod is asked of it in test_objects.py."""
    job = next(one for one in rendered("kubernetes").of_kind("Job") if one["metadata"]["name"].startswith("dagster-run-"))
    (only,) = job["spec"]["template"]["spec"]["containers"]
    assert secrets_of(only) == secrets_of(container("worker-all"))
    assert only["envFrom"] == container("worker-all")["envFrom"]
    assert len({one["name"] for one in only["env"]}) == len(only["env"]), "no variable twice"
    assert job["spec"]["backoffLimit"] == 0


def test_the_launcher_for_pods_is_of_the_dagster_that_is_run() -> None:
    versions = {name: dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE)) for name in LOCKS}
    ours, theirs = versions["dev.lock"], versions["chart.lock"]
    assert theirs["dagster"] == ours["dagster"]
    assert theirs["dagster-k8s"] == ours["dagster-celery"]
