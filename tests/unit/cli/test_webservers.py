"""Which Dagster webservers the embedded stack starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from zixly_cli.settings import StackSettings, read_stack_settings
from zixly_cli.stack.home import Home
from zixly_cli.stack.programs import Plan, webserver_programs
from zixly_cli.stack.stack_secrets import new_secrets

SIGN_IN = {"ZIXLY_SIGN_IN": "required"}


def plan(variables: dict[str, str]) -> Plan:
    settings = read_stack_settings({**variables, "ZIXLY_HOME": "/home/of/stack"})
    return Plan(home=Home(Path("/home/of/stack")), settings=settings, secrets=new_secrets(), user_variables=variables)


def test_where_nobody_signs_in_there_is_one_and_no_header_is_believed() -> None:
    (only,) = webserver_programs(plan({}))
    assert only.name == "webserver"
    assert "ZIXLY_TRUST_GATEWAY" not in only.environment
    assert "viewer_webserver" not in StackSettings().ports()


@pytest.mark.parametrize("variables", [SIGN_IN, {"ZIXLY_OIDC_ISSUER": "http://127.0.0.1:3900/openid"}], ids=["asked for", "issuer"])
def test_where_people_sign_in_viewers_have_one_that_only_reads(variables: dict[str, str]) -> None:
    made = plan(variables)
    editors, viewers = webserver_programs(made)
    assert (editors.port, viewers.port) == (3002, 3004)
    assert "--read-only" in viewers.command
    assert "--read-only" not in editors.command
    for program in (editors, viewers):
        assert program.environment["ZIXLY_TRUST_GATEWAY"] == "true"
        assert program.environment["ZIXLY_DAGSTER_WEBSERVER_URL"] == "http://127.0.0.1:3002/dagster"
        assert program.command[3:5] == ("--path-prefix", "/dagster")
    assert made.settings.ports()["viewer_webserver"] == 3004
    assert {"webserver", "viewer_webserver"} <= set(made.names)


def test_a_stack_that_was_opened_again_has_no_second_one() -> None:
    assert len(webserver_programs(plan({**SIGN_IN, "ZIXLY_SIGN_IN": "open", "ZIXLY_OIDC_ISSUER": "http://127.0.0.1:1"}))) == 1
