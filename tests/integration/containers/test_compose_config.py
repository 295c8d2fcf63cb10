"""docker-compose.yml as Debian's docker-compose reads it: names, addresses and settings filled in, and nothing to complain of."""

from __future__ import annotations

import os
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.busy import longest
from zixly_cli.settings import ROOT

SECONDS = 120.0
SETTINGS = (
    "COMPOSE_PROFILES=sandbox,aws-emulated",
    "ZIXLY_COMPOSE_NETWORK=10.9.8",
    "ZIXLY_OIDC_CLIENT_SECRET=a-test-secret",
    "ZIXLY_LEASE_SECONDS=120",
)


def is_missing() -> bool:
    return shutil.which("docker-compose") is None and not os.environ.get("CI")


pytestmark = [pytest.mark.integration, pytest.mark.skipif(is_missing(), reason="docker-compose is not installed")]


def read(folder: Path, *lines: str) -> dict[str, Any]:
    """The file with these lines in `.env`, as docker-compose would bring it up. Fails when it complains of anything."""
    settings = folder / "settings.env"
    settings.write_text("".join(f"{line}\n" for line in lines))
    command = ["docker-compose", "-f", str(ROOT / "docker-compose.yml"), "--env-file", str(settings), "config"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=longest(SECONDS), check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read(tmp_path_factory.mktemp("config"), *SETTINGS)


@pytest.fixture(scope="module")
def services(filled: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = filled["services"]
    return found


def test_it_is_taken_without_any_setting(tmp_path: Path) -> None:
    services = read(tmp_path)["services"]
    assert {name: one["profiles"] for name, one in services.items() if "profiles" in one} == {
        "sandbox": ["sandbox"],
        "ministack": ["aws-emulated"],
    }
    assert services["settings"]["environment"]["ZIXLY_COMPOSE_PROFILES"] == ""


def test_addresses_are_in_the_network_that_is_named_and_apart_from_those_that_it_gives_away(filled: dict[str, Any]) -> None:
    (pool,) = filled["networks"]["inside"]["ipam"]["config"]
    inside = [service["networks"]["inside"] for service in filled["services"].values() if isinstance(service["networks"], dict)]
    addresses = [ip_address(one["ipv4_address"]) for one in inside if one]
    assert pool["subnet"] == "10.9.8.0/24"
    assert len(set(addresses)) == len(addresses) == 6
    assert all(one in ip_network(pool["subnet"]) and one not in ip_network(pool["ip_range"]) for one in addresses)
    assert ip_network(pool["ip_range"]).subnet_of(ip_network(pool["subnet"]))


def test_a_setting_reaches_the_service_that_checks_it_and_no_other(services: dict[str, dict[str, Any]]) -> None:
    wanted = {"ZIXLY_OIDC_CLIENT_SECRET": "a-test-secret", "ZIXLY_LEASE_SECONDS": "120"}
    assert {name for name, one in services.items() if wanted.keys() & one.get("environment", {}).keys()} == {"settings"}
    assert wanted.items() <= services["settings"]["environment"].items()
    assert services["settings"]["environment"]["ZIXLY_COMPOSE_PROFILES"] == "sandbox,aws-emulated"


def test_each_waits_for_what_it_cannot_do_without(services: dict[str, dict[str, Any]]) -> None:
    """What is awaited has a health check, or ends by itself."""
    for name, service in services.items():
        for awaited, how in service.get("depends_on", {}).items():
            ends = services[awaited]["restart"] == "no"
            assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy"), f"{name} waits for {awaited}"
            assert (services[awaited]["healthcheck"]["test"] == ["NONE"]) == ends, awaited
