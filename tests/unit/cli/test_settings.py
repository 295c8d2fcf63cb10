"""Settings of the embedded stack."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zixly_cli.doctor.machine import check_variables
from zixly_cli.gateway import GatewaySettings
from zixly_cli.settings import COMPOSE_VARIABLES, ROOT, SANDBOX_VARIABLES, StackSettings, read_stack_settings, user_variables
from zixly_cli.stack.home import Home
from zixly_cli.up import plan_of
from zixly_core.errors import SettingsError
from zixly_core.setting_names import READ_BY_OTHERS
from zixly_core.settings import Settings

EXAMPLE = ROOT / ".env.example"


def test_a_wrong_port_is_named_by_its_variable() -> None:
    with pytest.raises(SettingsError, match="ZIXLY_BRIDGE_PORT is wrong"):
        read_stack_settings({"ZIXLY_BRIDGE_PORT": "three thousand"})


def test_two_processes_cannot_be_given_one_port() -> None:
    with pytest.raises(SettingsError, match="ZIXLY_CODE_PORT and ZIXLY_BRIDGE_PORT are both 3000"):
        read_stack_settings({"ZIXLY_CODE_PORT": "3000"})


def test_a_relative_home_is_made_absolute() -> None:
    assert read_stack_settings({"ZIXLY_HOME": "somewhere"}).home == Path.cwd() / "somewhere"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("ZIXLY_BRIDGE_PORT=4000\nZIXLY_WORKERS=1\nOTHER=1\n")
    monkeypatch.setenv("ZIXLY_BRIDGE_PORT", "5000")
    given = user_variables(tmp_path)
    assert given["ZIXLY_BRIDGE_PORT"] == "5000"
    assert given["ZIXLY_WORKERS"] == "1"
    assert "OTHER" not in given


def test_a_misspelt_variable_is_found() -> None:
    with pytest.raises(SettingsError, match="ZIXLY_BRIDGE_PROT is no setting; ZIXLY_BRIDGE_PORT is"):
        check_variables({"ZIXLY_BRIDGE_PROT": "3000"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZIXLY_LEASE_SECONDS", "a minute"),
        ("ZIXLY_LEASE_SECONSD", "60"),
        ("ZIXLY_OIDC_ISSUER", "http://login.example.com/"),
        ("ZIXLY_OUTGOING_HOSTS", "*"),
    ],
)
def test_zixly_up_refuses_what_a_process_would_refuse_before_it_starts_anything(tmp_path: Path, name: str, value: str) -> None:
    """It had started the stores, and named the variable only after a worker had died four times."""
    home = Home(tmp_path / "home")
    home.make()
    with pytest.raises(SettingsError, match=name):
        plan_of(home, read_stack_settings({}), variables={name: value}, asks_to_sign_in=False)


def test_what_others_than_the_processes_read_is_what_they_read() -> None:
    others = {f"ZIXLY_{name.upper()}" for name in (*StackSettings.model_fields, *GatewaySettings.model_fields)} | SANDBOX_VARIABLES
    compose = set(re.findall(r"ZIXLY_\w+", (ROOT / "docker-compose.yml").read_text()))
    own = {f"ZIXLY_{name.upper()}" for name in Settings.model_fields}
    others |= compose | {"ZIXLY_CODE_HOST", "ZIXLY_WORKSPACE", "ZIXLY_STACK", "ZIXLY_FULL", "ZIXLY_TAKE_GRANTS", "ZIXLY_WRITE_GOLDEN"}
    assert others - own == READ_BY_OTHERS - own


def test_the_example_lists_every_setting_and_no_other() -> None:
    listed = set(re.findall(r"^#?(ZIXLY_\w+)=", EXAMPLE.read_text(), flags=re.MULTILINE))
    fields = {f"ZIXLY_{name.upper()}" for name in (*Settings.model_fields, *StackSettings.model_fields, *GatewaySettings.model_fields)}
    assert listed == fields | SANDBOX_VARIABLES | COMPOSE_VARIABLES


@pytest.mark.parametrize("model", [Settings, StackSettings])
def test_the_defaults_in_the_example_are_the_real_ones(model: type[Settings] | type[StackSettings]) -> None:
    shown = dict(re.findall(r"^#(ZIXLY_\w+)=(.+)$", EXAMPLE.read_text(), flags=re.MULTILINE))
    for name, field in model.model_fields.items():
        if isinstance(field.default, bool):
            assert shown[f"ZIXLY_{name.upper()}"] == str(field.default).lower(), name
        elif isinstance(field.default, int | float) and name != "home":
            assert float(shown[f"ZIXLY_{name.upper()}"]) == field.default, name
