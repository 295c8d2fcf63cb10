"""The gateway's configuration, filled from settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zixly_cli.gateway import TEMPLATE, GatewaySettings, read_gateway_settings, rendered
from zixly_cli.settings import StackSettings
from zixly_core.errors import SettingsError


def settings(**given: str) -> GatewaySettings:
    variables = {f"ZIXLY_GATEWAY_{name.upper()}": value for name, value in given.items()}
    return read_gateway_settings(variables, StackSettings(home=Path("/srv/zixly"), bridge_port=4000))


def test_what_is_not_set_is_the_embedded_stacks() -> None:
    text = rendered(settings(), TEMPLATE.read_text())
    assert "server 127.0.0.1:4000;" in text
    assert "listen 127.0.0.1:8443 ssl" in text
    assert "server_name localhost;" in text
    assert "ssl_certificate /srv/zixly/gateway/certificate.pem;" in text


def test_nothing_stays_unfilled_and_nginx_keeps_its_own_variables() -> None:
    text = rendered(settings(public_url="https://ops.zixly.example"), TEMPLATE.read_text())
    assert not re.findall(r"\$\{ZIXLY_\w+\}", text)
    assert "$request_uri" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bridge", "10.0.0.1:3000; } server { listen 80"),
        ("folder", "/srv/$host"),
        ("listen", "0.0.0.0:443 proxy_protocol"),
        ("public_url", "http://ops.zixly.example"),
        ("load_balancer", "10.0.0.0/8; allow all"),
        ("public_url", "https://ops.zixly.example/dagster"),
    ],
)
def test_a_value_that_would_be_something_else_to_nginx_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"ZIXLY_GATEWAY_{name.upper()} is wrong"):
        settings(**{name: value})


def test_a_template_that_asks_for_more_than_there_is_is_refused() -> None:
    with pytest.raises(SettingsError, match="ZIXLY_GATEWAY_COLOUR"):
        rendered(settings(), "${ZIXLY_GATEWAY_COLOUR}")


def test_every_variable_of_the_template_stands_in_its_readme() -> None:
    readme = (TEMPLATE.parent / "README.md").read_text()
    asked = set(re.findall(r"\$\{ZIXLY_GATEWAY_(\w+)\}", TEMPLATE.read_text()))
    assert {name for name in asked if f"_{name}" not in readme} == set()


def test_a_template_without_the_places_that_a_load_balancer_changes_is_refused() -> None:
    with pytest.raises(SettingsError, match="ZIXLY_GATEWAY_LOAD_BALANCER"):
        rendered(settings(load_balancer="10.0.0.0/8"), "http {\n}\n")
