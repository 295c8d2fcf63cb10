"""Who is told of an alert, where, and what is left out."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.support.prometheus import FOLDER, said_by
from tests.unit.monitoring.test_alerts import rules

pytestmark = pytest.mark.unit
FILE = FOLDER / "alertmanager.yml"


def configuration() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return found


def test_alertmanager_accepts_its_configuration_and_template() -> None:
    assert "1 templates" in said_by("amtool", "check-config", FILE)


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "now"), ("warning", "in-the-morning"), ("unheard-of", "now")])
def test_the_severity_decides_who_is_told(severity: str, receiver: str) -> None:
    said = said_by("amtool", "config", "routes", "test", f"--config.file={FILE}", f"--verify.receivers={receiver}", f"severity={severity}")
    assert said.strip() == receiver


def test_what_is_critical_goes_to_slack_and_by_mail_and_a_warning_to_slack_alone_and_both_tell_when_it_is_over() -> None:
    receivers = {one["name"]: one for one in configuration()["receivers"]}
    ways = {name: {key for key in one if key.endswith("_configs")} for name, one in receivers.items()}
    assert ways == {"now": {"slack_configs", "email_configs"}, "in-the-morning": {"slack_configs"}}
    assert all(way["send_resolved"] for name in ways for kind in ways[name] for way in receivers[name][kind])


def test_every_alert_that_is_left_out_for_another_exists_and_so_does_the_other() -> None:
    matchers = [one for rule in configuration()["inhibit_rules"] for one in (*rule["source_matchers"], *rule["target_matchers"])]
    named = [name for one in matchers if one.startswith("alertname") for name in re.split(r"\|", one.partition("=")[2].strip(' ~"'))]
    assert len(named) >= 6
    assert sorted(set(named) - set(rules())) == []


def test_every_secret_comes_from_a_file() -> None:
    told = set(re.findall(r"(\w*(?:password|url|token|secret)\w*): *\S", FILE.read_text()))
    assert told == {"slack_api_url_file", "smtp_auth_password_file"}
