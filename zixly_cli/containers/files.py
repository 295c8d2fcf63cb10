"""What the containers of other projects read: the files that everybody else uses too, with other places in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from zixly_cli.containers.certificate import certificate_for
from zixly_cli.containers.places import ContainerPlan
from zixly_cli.gateway import TEMPLATE, read_gateway_settings, rendered
from zixly_cli.settings import PREFIX, ROOT
from zixly_cli.stack.postgres import SUPERUSER
from zixly_cli.stack.valkey import config_text
from zixly_core.errors import SettingsError

Files = dict[str, str]
# Ports of the processes inside: Prometheus' job -> the target that replaces the embedded stack's.
TARGETS: Mapping[str, str] = {
    "webhook-bridge": "bridge:3000",
    "pipeline-daemon": "daemon:3005",
    "alertmanager": "alertmanager:9093",
    "prometheus": "127.0.0.1:9090",
}
OWN_JOBS = ("webhook-bridge", "pipeline-worker", "pipeline-daemon")
WORKERS_IN_FILES = "file_sd_configs: [{files: [targets/pipeline-worker.yml]}]"
# However many workers there are, the network's name server knows them all.
WORKERS_BY_NAME = "dns_sd_configs: [{names: [worker], type: A, port: 3010, refresh_interval: 15s}]"
# Folders inside the gateway's container.
GATEWAY_FOLDER, CERTIFICATES = Path("/tmp"), Path("/certificates")  # noqa: S108 - in the container's memory
SELF_SIGNED = ("self-signed.pem", "self-signed.key")
INSIDE_GATEWAY: Mapping[str, str] = {
    "LISTEN": "0.0.0.0:8443",
    "LISTEN_HTTP": "0.0.0.0:8080",
    "FOLDER": str(GATEWAY_FOLDER),
    "BRIDGE": "bridge:3000",
    "DAGSTER": "webserver:3002",
    "DAGSTER_READ_ONLY": "viewer-webserver:3004",
    "GRAFANA": "grafana:3000",
    "PROMETHEUS": "prometheus:9090",
}
UPSTREAM_VARIABLES = ("BRIDGE", "DAGSTER", "DAGSTER_READ_ONLY", "GRAFANA", "PROMETHEUS")


def postgres_files(plan: ContainerPlan) -> Files:
    return {"password": plan.secrets.postgres[SUPERUSER]}


def valkey_files(plan: ContainerPlan) -> Files:
    port = plan.settings.valkey_port
    return {
        "valkey.conf": config_text(port=port, password=plan.secrets.valkey, folder=Path("/data"), bind="* -::*"),
        "password": plan.secrets.valkey,
    }


def gateway_files(plan: ContainerPlan) -> Files:
    """nginx's configuration, with the user's certificate where ZIXLY_GATEWAY_CERTIFICATE names one in the mounted folder."""
    user = plan.user_variables
    public = plan.urls.public
    own = user.get(f"{PREFIX}GATEWAY_CERTIFICATE"), user.get(f"{PREFIX}GATEWAY_CERTIFICATE_KEY")
    if (own[0] is None) != (own[1] is None):
        raise SettingsError(f"{PREFIX}GATEWAY_CERTIFICATE and {PREFIX}GATEWAY_CERTIFICATE_KEY are needed together")
    made = {} if own[0] else self_signed_files(urlsplit(public).hostname or "localhost")
    certificate, key = (
        (CERTIFICATES / Path(name).name for name in own if name) if own[0] else (Path("/settings") / name for name in SELF_SIGNED)
    )
    places = {
        "PUBLIC_URL": public,
        "CERTIFICATE": str(certificate),
        "CERTIFICATE_KEY": str(key),
        **INSIDE_GATEWAY,
        **{name: user[f"ZIXLY_COMPOSE_{name}"] for name in UPSTREAM_VARIABLES if f"ZIXLY_COMPOSE_{name}" in user},
    }
    settings = read_gateway_settings({f"{PREFIX}GATEWAY_{name}": value for name, value in places.items()}, plan.settings)
    return {"nginx.conf": rendered(settings, TEMPLATE.read_text()), **made}


def self_signed_files(name: str) -> Files:
    """A certificate made for this start; browsers warn of it. It serves until there is a real one."""
    certificate, key = certificate_for(name)
    return dict(zip(SELF_SIGNED, (certificate, key), strict=True))


def prometheus_files(plan: ContainerPlan) -> Files:
    """`prometheus/` as it is, but for where things run, and the token where one is set."""
    folder = ROOT / "prometheus"
    main = replaced((folder / "prometheus.yml").read_text(), WORKERS_IN_FILES, WORKERS_BY_NAME)
    token = plan.user_variables.get(f"{PREFIX}METRICS_TOKEN")
    if token is not None:
        for job in OWN_JOBS:
            name = f"  - job_name: {job}\n"
            main = replaced(main, name, f"{name}    authorization: {{credentials_file: /settings/metrics-token}}\n")
    targets = {f"targets/{job}.yml": f"- targets: ['{place}']\n" for job, place in TARGETS.items()}
    targets["targets/prometheus.yml"] += (
        "  labels: {__metrics_path__: /prometheus/metrics}\n"  # below the path at which the gateway shows it
    )
    return {
        "prometheus.yml": main,
        "alerts.yml": (folder / "alerts.yml").read_text(),
        **targets,
        **({"metrics-token": token} if token is not None else {}),
    }


def grafana_files() -> Files:
    """`grafana/provisioning` as it is, but for where Prometheus is: below the path at which the gateway shows it."""
    folder = ROOT / "grafana" / "provisioning"
    source = (folder / "datasources" / "prometheus.yml").read_text()
    return {
        "provisioning/datasources/prometheus.yml": replaced(source, "http://127.0.0.1:9090", "http://prometheus:9090/prometheus"),
        "provisioning/dashboards/zixly.yml": (folder / "dashboards" / "zixly.yml").read_text(),
    }


def replaced(text: str, old: str, new: str) -> str:
    """Raises `SettingsError` where there is nothing to replace: then the file has changed, and this module must follow."""
    if old not in text:
        raise SettingsError(f"A file of this version has no line {old!r}; its image was not built from one state of the sources")
    return text.replace(old, new)
