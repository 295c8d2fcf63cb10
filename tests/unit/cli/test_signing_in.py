from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from zixly_cli.bridge_api import bridge_of
from zixly_cli.seed import CLIENTS_VIEWER, STAFF
from zixly_cli.settings import StackSettings
from zixly_cli.stack.home import Home
from zixly_cli.stack.signing_in import SANDBOX_AUDIENCE
from zixly_cli.up import plan_of
from zixly_core.openid.setting_up import provider_from
from zixly_core.settings import read_settings
from zixly_sandbox.openid.desk import AUDIENCE
from zixly_sandbox.openid.people import PEOPLE


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


def environment(home: Home, kind: str, *, asks_to_sign_in: bool, **variables: str) -> dict[str, str]:
    plan = plan_of(home, StackSettings(home=home.path), variables=variables, asks_to_sign_in=asks_to_sign_in)
    return plan.environment(kind)


def test_without_being_told_the_stack_is_open_to_this_machine(home: Home) -> None:
    assert not {"ZIXLY_SIGN_IN", "ZIXLY_OIDC_ISSUER", "ZIXLY_API_TOKEN"} & set(environment(home, "bridge", asks_to_sign_in=False))


def test_told_to_it_asks_everybody_at_the_sandboxs_provider(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(home, "bridge", asks_to_sign_in=True).items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.asks_to_sign_in
    assert settings.oidc_audience == SANDBOX_AUDIENCE == AUDIENCE
    provider = provider_from(settings, httpx2.Client)
    assert provider is not None
    assert provider.issuer == "http://127.0.0.1:3900/oidc"


def test_only_the_bridge_gets_the_token_and_the_clients_secret(home: Home) -> None:
    for kind in ("worker", "code", "daemon", "webserver", "sandbox"):
        assert not {"ZIXLY_API_TOKEN", "ZIXLY_OIDC_CLIENT_SECRET"} & set(environment(home, kind, asks_to_sign_in=True))


def test_a_provider_of_the_users_own_is_left_alone(home: Home) -> None:
    own = {"ZIXLY_OIDC_ISSUER": "https://login.example.com", "ZIXLY_OIDC_CLIENT_ID": "mine"}
    seen = environment(home, "bridge", asks_to_sign_in=True, **own)
    assert own.items() <= seen.items()
    assert "ZIXLY_OIDC_CLIENT_SECRET" not in seen


def test_commands_show_the_stacks_token_to_the_stacks_bridge_and_to_no_other(home: Home) -> None:
    token = plan_of(home, StackSettings(home=home.path), variables={}, asks_to_sign_in=True).secrets.api_token
    here = {"ZIXLY_HOME": str(home.path)}
    for variables, expected in (
        (here, f"Bearer {token}"),
        (here | {"ZIXLY_API_TOKEN": "another"}, "Bearer another"),
        (here | {"ZIXLY_BRIDGE_PUBLIC_URL": "https://zixly.example"}, None),
        ({"ZIXLY_HOME": str(home.path / "none")}, None),
    ):
        with bridge_of(variables, port=3000) as api:
            assert api._http.headers.get("authorization") == expected


def test_under_the_name_of_the_gateway_in_front_commands_mean_the_stack_behind_it(home: Home) -> None:
    in_front = "https://zixly.example"
    plan_of(home, StackSettings(home=home.path, bridge_public_url=in_front), variables={}, asks_to_sign_in=True)
    with bridge_of({"ZIXLY_HOME": str(home.path), "ZIXLY_BRIDGE_PUBLIC_URL": in_front}, port=3000) as api:
        assert (api.url, "authorization" in api._http.headers) == ("http://127.0.0.1:3000", True)
    plan_of(home, StackSettings(home=home.path), variables={}, asks_to_sign_in=True)
    with bridge_of({"ZIXLY_HOME": str(home.path), "ZIXLY_BRIDGE_PUBLIC_URL": in_front}, port=3000) as api:
        assert (api.url, "authorization" in api._http.headers) == (in_front, False)


def test_in_the_bridges_own_container_commands_mean_that_bridge(home: Home) -> None:
    """`docker compose exec bridge zixly people add` had asked at https://localhost:8443, where nobody is inside a container."""
    inside = {
        "ZIXLY_HOME": str(home.path),
        "ZIXLY_BRIDGE_PUBLIC_URL": "https://localhost:8443",
        "ZIXLY_DATABASE_URL_INTAKE": "postgresql://zixly_intake@postgres:5432/zixly",
    }
    for variables, expected in (
        (inside, "http://127.0.0.1:3000"),
        (inside | {"ZIXLY_BRIDGE_TLS_CERTIFICATE": "/tls/bridge.pem"}, "https://localhost:8443"),
    ):
        with bridge_of(variables, port=3000) as api:
            assert api.url == expected


def test_whom_one_can_be_at_the_provider_was_invited_but_for_the_stranger() -> None:
    emails = {one.email for one in PEOPLE}
    assert emails - {*STAFF, CLIENTS_VIEWER} == {"stranger@elsewhere.example"}
    assert {*STAFF, CLIENTS_VIEWER} < emails
