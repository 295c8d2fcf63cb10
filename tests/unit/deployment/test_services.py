"""What Terraform tells the processes on AWS is what they read: variables, secrets and roles by kind of process, calls by their code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from zixly_cli.stack.environment import (
    DATABASE_ROLES,
    SECRET_USERS,
    USES_BROKER,
    USES_DAGSTER,
    USES_OBJECTS,
    USES_QUEUE,
    USES_SEALED_SECRETS,
)
from zixly_core.setting_names import PREFIX
from zixly_core.settings import Settings

ROOT = Path(__file__).parents[3]
AWS = ROOT / "terraform" / "environments" / "aws"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((AWS / "services.yaml").read_text())
PROCESSES = sorted(set(SERVICES) - {"migrate"})
# Read by workspace.yaml for daemon and webserver, which have no setting of this name.
OF_WORKSPACE = {"ZIXLY_CODE_HOST"}
SECRET = {f"{PREFIX}{name.upper()}" for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}


def kind_of(name: str) -> str:
    return "webserver" if name == "viewer" else name


def named_in(text: str) -> set[str]:
    return set(re.findall(r"\bZIXLY_[A-Z0-9_]*[A-Z0-9]\b", text))


def documented() -> set[str]:
    return named_in((ROOT / ".env.example").read_text()) | {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("file", ["services.yaml", "services.tf", "load_balancer.tf", "scaling.tf", "variables.tf"])
def test_every_variable_is_one_that_the_software_reads(file: str) -> None:
    assert named_in((AWS / file).read_text()) - documented() - OF_WORKSPACE - {"ZIXLY_DATABASE_URL"} == set()


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_connects_by_its_own_roles_and_no_other(name: str) -> None:
    roles = {f"ZIXLY_DATABASE_URL_{role.upper()}" for role in DATABASE_ROLES[kind_of(name)]}
    assert {one for one in SERVICES[name]["secrets"] if one.startswith("ZIXLY_DATABASE_URL")} == roles


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_has_the_stores_that_it_uses(name: str) -> None:
    kind, secrets = kind_of(name), set(SERVICES[name]["secrets"])
    assert ("ZIXLY_DAGSTER_DATABASE_URL" in secrets) == (kind in USES_DAGSTER)
    assert ("ZIXLY_BROKER_URL" in secrets) == (kind in USES_BROKER)
    assert ("ZIXLY_SECRETS_KEY" in secrets) == (kind in USES_SEALED_SECRETS)
    assert kind in USES_OBJECTS or SERVICES[name]["objects"] == "none"
    assert kind in USES_QUEUE or SERVICES[name]["queues"] == "none"


@pytest.mark.parametrize("name", PROCESSES)
def test_a_secret_is_told_to_those_who_use_it(name: str) -> None:
    """Vendors' secrets and tokens, as the embedded stack tells them (ZIXLY_XERO_WEBHOOK_KEYS to the bridge, never to a worker)."""
    told = set(SERVICES[name]["secrets"]) | set(SERVICES[name]["optional"])
    assert {one for one in told if one in SECRET_USERS} == {one for one, kinds in SECRET_USERS.items() if kind_of(name) in kinds}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_secret_stands_among_settings(name: str) -> None:
    assert not SECRET & set(SERVICES[name]["settings"])
    assert set(SERVICES[name]["secrets"]) | set(SERVICES[name]["optional"]) <= SECRET


@pytest.mark.parametrize("name", [name for name, one in SERVICES.items() if "run" in one])
def test_what_is_run_is_a_module_of_ours(name: str) -> None:
    module = ROOT / SERVICES[name]["run"][0].replace(".", "/")
    assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()


def test_the_migration_runs_modules_of_ours() -> None:
    for module in re.findall(r"python -m ([\w.]+)", SERVICES["migrate"]["shell"] + "\n" + SERVICES["worker"]["shell"]):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), module


@pytest.mark.parametrize(
    ("folder", "service", "renamed", "left_out"),
    [
        # A batch is allowed by the single call's name, and nothing on AWS makes queues or lists a bucket by another right.
        ("queues", "sqs", {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}, {"CreateQueue"}),
        ("objects", "s3", {"ListObjectsV2": "ListBucket"}, set()),
    ],
)
def test_roles_allow_the_calls_that_our_code_makes(folder: str, service: str, renamed: dict[str, str], left_out: set[str]) -> None:
    code = "".join(file.read_text() for file in (ROOT / "zixly_core" / folder).glob(f"{service}*.py"))
    calls = set(re.findall(r"_client\.([a-z]+_[a-z_0-9]+)\(", code)) - {"generate_presigned_url", "get_paginator"}
    wanted = {"".join(part.capitalize() for part in call.split("_")) for call in calls} - left_out
    allowed = set(re.findall(rf'"{service}:(\w+)"', (AWS / "permissions.tf").read_text()))
    assert {renamed.get(call, call) for call in wanted} == allowed


def test_the_figures_for_the_autoscaling_are_metrics_of_ours() -> None:
    told = re.findall(r"told\s*= \[(.*)\]", (AWS / "scaling.tf").read_text())[0]
    documented_metrics = (ROOT / "docs" / "metrics.md").read_text()
    assert all(f"`{name}`" in documented_metrics for name in re.findall(r'"(\w+)"', told))


def test_the_queues_are_those_of_the_systems() -> None:
    local = (ROOT / "terraform" / "environments" / "local" / "variables.tf").read_text()
    default = re.findall(r'variable "systems" \{.*?default\s+= (\[.*?\])', local, re.DOTALL)[0]
    assert re.findall(r'variable "systems" \{.*?default\s+= (\[.*?\])', (AWS / "variables.tf").read_text(), re.DOTALL) == [default]
