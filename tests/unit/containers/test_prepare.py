"""What the service `settings` writes, and what stops it."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from zixly_cli.containers.certificate import certificate_for
from zixly_cli.containers.health import answers
from zixly_cli.containers.places import ContainerPlan, plan_of
from zixly_cli.containers.prepare import prepare, refuse_misspelt
from zixly_cli.settings import ROOT
from zixly_cli.settings_of_platform import PROCESSES
from zixly_cli.stack.environment import DATABASE_ROLES
from zixly_core.errors import SettingsError

pytestmark = pytest.mark.unit
FOREIGN = ("postgres", "valkey", "gateway", "prometheus", "grafana")


def written(folder: Path, *, profiles: str = "", **variables: str) -> Path:
    """The folder of settings for these variables; called again, the secrets stay."""
    settings, secrets = folder / "settings", folder / "secrets"
    for path in (secrets, *(settings / name for name in (*PROCESSES, "sandbox", *FOREIGN))):
        path.mkdir(parents=True, exist_ok=True)
    prepare(plan_of(variables, profiles=profiles, secrets=secrets), folder=settings)
    return settings


def variables_of(settings: Path, kind: str) -> dict[str, str]:
    lines = (settings / kind / "environment").read_text().splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def test_each_container_knows_the_roles_of_its_kind_and_no_other(tmp_path: Path) -> None:
    settings = written(tmp_path)
    for kind in PROCESSES:
        roles = {
            name.removeprefix("ZIXLY_DATABASE_URL_").lower()
            for name in variables_of(settings, kind)
            if name.startswith("ZIXLY_DATABASE_URL")
        }
        assert roles == set(DATABASE_ROLES[kind])


def test_the_keys_are_where_something_is_sealed_and_nowhere_else(tmp_path: Path) -> None:
    settings = written(tmp_path)
    assert {path.parent.name for path in settings.glob("*/secrets.key")} == {"bridge", "worker"}


def test_what_is_written_for_our_own_user_is_his_alone(tmp_path: Path) -> None:
    for path in written(tmp_path).glob("*/environment"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_are_made_once(tmp_path: Path) -> None:
    first = variables_of(written(tmp_path), "worker")
    assert variables_of(written(tmp_path), "worker") == first


def test_vendors_are_themselves_unless_the_sandbox_is_there(tmp_path: Path) -> None:
    assert not [name for name in variables_of(written(tmp_path), "worker") if name.startswith("ZIXLY_XERO")]
    with_sandbox = variables_of(written(tmp_path, profiles="aws-emulated,sandbox"), "worker")
    assert with_sandbox["ZIXLY_XERO_API_URL"].startswith("http://sandbox:3900/")


def test_queue_and_objects_may_be_elsewhere(tmp_path: Path) -> None:
    settings = written(tmp_path, ZIXLY_QUEUE_URL="sqs://ap-southeast-2/zixly", ZIXLY_OBJECTS_URL="s3://bucket/prefix")
    assert variables_of(settings, "bridge")["ZIXLY_QUEUE_URL"] == "sqs://ap-southeast-2/zixly"
    assert variables_of(settings, "worker")["ZIXLY_OBJECTS_URL"] == "s3://bucket/prefix"
    assert "ZIXLY_OBJECTS_URL" not in variables_of(settings, "daemon")


def test_a_secret_goes_to_its_users_alone(tmp_path: Path) -> None:
    settings = written(tmp_path, ZIXLY_XERO_CLIENT_SECRET="only for bridge and worker")
    assert [kind for kind in PROCESSES if "ZIXLY_XERO_CLIENT_SECRET" in variables_of(settings, kind)] == ["bridge", "worker"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZIXLY_LEASE_SECONDS", "a minute"),
        ("ZIXLY_WORKERS", "0"),
        ("ZIXLY_GATEWAY_PUBLIC_URL", "http://not-tls.example"),
        ("ZIXLY_GATEWAY_CERTIFICATE", "certificate.pem"),
        ("ZIXLY_LOG_LEVEL", "loud"),
        ("ZIXLY_OIDC_ISSUER", "http://login.example.com/"),
        ("ZIXLY_OUTGOING_HOSTS", "*"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_written(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        written(tmp_path, **{name: value})
    assert not [path for path in (tmp_path / "settings").rglob("*") if path.is_file()]


def test_prometheus_finds_every_worker_and_shows_the_token_where_there_is_one(tmp_path: Path) -> None:
    plain = yaml.safe_load((written(tmp_path) / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in plain["scrape_configs"]}
    assert jobs["pipeline-worker"]["dns_sd_configs"][0]["names"] == ["worker"]
    asked = yaml.safe_load((written(tmp_path, ZIXLY_METRICS_TOKEN="for a test") / "prometheus" / "prometheus.yml").read_text())
    with_token = {job["job_name"] for job in asked["scrape_configs"] if "authorization" in job}
    assert with_token == {"webhook-bridge", "pipeline-worker", "pipeline-daemon"}
    assert {job["job_name"] for job in asked["scrape_configs"]} == jobs.keys()


def test_every_target_of_prometheus_is_there(tmp_path: Path) -> None:
    settings = written(tmp_path)
    wanted = {path.name for path in (ROOT / "prometheus" / "targets").iterdir()} - {"pipeline-worker.yml"}
    assert {path.name for path in (settings / "prometheus" / "targets").iterdir()} == wanted


def test_the_gateway_uses_a_certificate_of_the_users_where_he_names_one(tmp_path: Path) -> None:
    own = written(tmp_path, ZIXLY_GATEWAY_CERTIFICATE="full.pem", ZIXLY_GATEWAY_CERTIFICATE_KEY="full.key")
    text = (own / "gateway" / "nginx.conf").read_text()
    assert "ssl_certificate /certificates/full.pem;" in text
    assert "ssl_certificate_key /certificates/full.key;" in text


@pytest.mark.parametrize("name", ["hooks.example.com", "192.0.2.7"])
def test_the_certificate_of_the_first_start_names_the_host(name: str) -> None:
    text, _ = certificate_for(name)
    names = x509.load_pem_x509_certificate(text.encode()).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == [name]


def test_the_profiles_are_read_as_compose_writes_them(tmp_path: Path) -> None:
    plan = plan_of({}, profiles=" sandbox ,aws-emulated,", secrets=made(tmp_path))
    assert isinstance(plan, ContainerPlan)
    assert plan.profiles == {"sandbox", "aws-emulated"}


def made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def test_what_is_no_address_is_not_healthy() -> None:
    assert not answers("http://127.0.0.1/without-port")


def test_whoever_is_asked_four_times_a_minute_loads_no_drivers_for_it() -> None:
    code = "import sys, zixly_cli.containers.health, zixly_cli.stack.code_server_health; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout.split()
    assert "grpc" in loaded
    assert not {"psycopg", "redis", "httpx2", "dagster", "sqlalchemy"} & set(loaded)


def test_a_misspelt_name_in_the_file_of_settings_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("COMPOSE_PROFILES=sandbox\nOTHER=1\nZIXLY_GATEWAY_PUBLIC_URK=https://hooks.example.com\n")
    with pytest.raises(SettingsError, match="ZIXLY_GATEWAY_PUBLIC_URK is no setting; ZIXLY_GATEWAY_PUBLIC_URL is"):
        refuse_misspelt({}, written=file)


def test_every_name_of_the_example_is_known(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text((ROOT / ".env.example").read_text().replace("\n#ZIXLY", "\nZIXLY"))
    refuse_misspelt({"PATH": "/bin", "ZIXLY_COMPOSE_PROFILES": ""}, written=file)
    refuse_misspelt({}, written=tmp_path / "missing")


def test_there_are_two_workers_of_two_slots_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    plain, other = variables_of(written(tmp_path), "worker"), variables_of(written(tmp_path, ZIXLY_WORKER_SLOTS="3"), "worker")
    assert (plain["ZIXLY_WORKER_SLOTS"], plain["ZIXLY_TOTAL_SLOTS"]) == ("2", "4")
    assert (other["ZIXLY_WORKER_SLOTS"], other["ZIXLY_TOTAL_SLOTS"]) == ("3", "6")
