"""`zixly connect` beside a person at a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import orjson
import pytest

from tests.integration.bridge.running import RunningBridge
from tests.integration.connecting.browser import Browser, on_bridge
from tests.integration.connecting.conftest import Office
from zixly_sandbox.constants import DEMO

pytestmark = pytest.mark.integration


def zixly(bridge: RunningBridge, arguments: Sequence[str]) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZIXLY_")}
    environment |= {"ZIXLY_BRIDGE_PUBLIC_URL": str(bridge.http.base_url), "COLUMNS": "200"}
    command = [sys.executable, "-m", "zixly_cli.main", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def begun(bridge: RunningBridge, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The command, and the way of the link that it shows."""
    process = zixly(bridge, ["connect", *arguments, "--no-browser", "--wait", "30"])
    assert process.stdout is not None
    process.stdout.readline()
    return process, on_bridge(process.stdout.readline().strip())


def test_the_command_shows_a_link_waits_and_shows_what_came_of_it(bridge: RunningBridge, browser: Browser, office: Office) -> None:
    process, link = begun(bridge, "hubspot", "--tenant", "demo")
    assert browser.connect(link, ("account", DEMO.portal)).status_code == 200
    shown, errors = process.communicate(timeout=40)
    assert (process.returncode, errors) == (0, "")
    assert DEMO.portal in shown
    assert "well" in shown
    listed = zixly(bridge, ["connections", "list", "--json"])
    assert [row["external_id"] for row in orjson.loads(listed.communicate(timeout=40)[0])] == [DEMO.portal]


def test_the_command_ends_with_the_reason_when_the_person_declines(bridge: RunningBridge, browser: Browser, office: Office) -> None:
    process, link = begun(bridge, "xero", "--tenant", "demo")
    browser.connect(link, ("decision", "deny"))
    _, errors = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "declined" in errors
