"""What each process of the stack gets to know."""

from __future__ import annotations

from pathlib import Path

import pytest

from zixly_cli.settings import StackSettings
from zixly_cli.stack.environment import DATABASE_ROLES, environment_of
from zixly_cli.stack.home import Home
from zixly_cli.stack.stack_secrets import StackSecrets, new_secrets

SECRETS = new_secrets()


def environment(kind: str, user: dict[str, str] | None = None, *, secrets: StackSecrets = SECRETS) -> dict[str, str]:
    return environment_of(kind, home=Home(Path("/home/of/stack")), settings=StackSettings(), secrets=secrets, user=user or {})


@pytest.mark.parametrize("kind", sorted(DATABASE_ROLES))
def test_a_process_knows_the_passwords_of_its_own_roles_only(kind: str) -> None:
    known = " ".join(environment(kind).values())
    roles = {f"zixly_{role}" for role in DATABASE_ROLES[kind]}
    for role, password in SECRETS.postgres.items():
        if role != "dagster":
            assert (password in known) == (role in roles), role


@pytest.mark.parametrize("kind", ["sandbox", "bridge", "register"])
def test_dagsters_database_is_known_to_dagsters_processes_only(kind: str) -> None:
    assert SECRETS.postgres["dagster"] not in " ".join(environment(kind).values())


@pytest.mark.parametrize("kind", ["code", "daemon", "webserver", "worker"])
def test_the_key_that_signs_webhooks_is_not_known_to_those_who_run_jobs(kind: str) -> None:
    assert "ZIXLY_XERO_WEBHOOK_KEYS" not in environment(kind, {"ZIXLY_XERO_WEBHOOK_KEYS": "given"})


def test_the_users_choice_of_vendor_wins_over_the_sandbox() -> None:
    assert environment("worker", {"ZIXLY_XERO_API_URL": "https://api.xero.com"})["ZIXLY_XERO_API_URL"] == "https://api.xero.com"


def test_a_database_of_the_users_does_not_reach_the_embedded_stack() -> None:
    given = {"ZIXLY_DATABASE_URL_OWNER": "postgresql://elsewhere", "ZIXLY_QUEUE_URL": "memory://"}
    made = environment("bridge", given)
    assert "ZIXLY_DATABASE_URL_OWNER" not in made
    assert made["ZIXLY_QUEUE_URL"].startswith("redis://")


def test_behind_a_gateway_its_name_is_everybodys_and_what_it_says_of_who_asks_is_believed() -> None:
    settings = StackSettings(sign_in="required", bridge_public_url="https://zixly.example")
    seen = environment_of("bridge", home=Home(Path("/home/of/stack")), settings=settings, secrets=SECRETS, user={})
    assert seen["ZIXLY_BRIDGE_PUBLIC_URL"] == "https://zixly.example"
    assert seen["ZIXLY_DAGSTER_WEBSERVER_URL"] == "https://zixly.example/dagster"
    assert seen["ZIXLY_TRUSTED_PROXIES"] == "127.0.0.1"
    assert "ZIXLY_TRUSTED_PROXIES" not in environment("bridge")


def test_variables_of_others_do_not_reach_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for the stack")
    assert "AWS_SECRET_ACCESS_KEY" not in environment("worker")
