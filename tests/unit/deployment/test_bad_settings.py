"""A bad setting stops the start of every process with one sentence that names the variable: no trace of calls, and never the value."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from webhook_bridge.__main__ import main as bridge
from zixly_core.migrate import main as migrate
from zixly_core.setting_names import PREFIX
from zixly_dagster.instance.code_server import main as code_server
from zixly_dagster.instance.daemon import main as daemon
from zixly_dagster.instance.migrate import main as dagster_migrate
from zixly_dagster.instance.webserver import main as webserver
from zixly_dagster.instance.worker import main as worker
from zixly_dagster.register import main as register

Main = Callable[[], int]
# Each with a setting that it cannot do without.
STARTS: dict[str, tuple[Main, str]] = {
    "bridge": (bridge, "ZIXLY_DATABASE_URL_INTAKE"),
    "worker": (lambda: worker([]), "ZIXLY_BROKER_URL"),
    "daemon": (daemon, "ZIXLY_DAGSTER_DATABASE_URL"),
    "code": (lambda: code_server([]), "ZIXLY_DAGSTER_DATABASE_URL"),
    "webserver": (webserver, "ZIXLY_DAGSTER_DATABASE_URL"),
    "migrate": (migrate, "ZIXLY_DATABASE_URL_OWNER"),
    "migrate of Dagster": (dagster_migrate, "ZIXLY_DAGSTER_DATABASE_URL"),
    "register": (register, "ZIXLY_DATABASE_URL_DISPATCH"),
}
NONSENSE = "nonsense-which-nobody-may-repeat"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("sys.argv", ["process"])


def said_by(main: Main, capsys: pytest.CaptureFixture[str]) -> str:
    assert main() == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("name", STARTS)
def test_one_that_is_missing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main, variable = STARTS[name]
    assert f"{variable} is not set" in said_by(main, capsys)


@pytest.mark.parametrize("name", STARTS)
def test_one_of_the_wrong_kind(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_LEASE_SECONDS", NONSENSE)
    said = said_by(STARTS[name][0], capsys)
    assert "ZIXLY_LEASE_SECONDS is wrong" in said
    assert NONSENSE not in said


@pytest.mark.parametrize("name", STARTS)
def test_one_that_is_no_address(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    main, variable = STARTS[name]
    monkeypatch.setenv(variable, NONSENSE)
    said = said_by(main, capsys)
    assert variable in said
    assert NONSENSE not in said


@pytest.mark.parametrize("name", STARTS)
def test_one_that_is_misspelt(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_LEASE_SECONSD", NONSENSE)
    said = said_by(STARTS[name][0], capsys)
    assert "ZIXLY_LEASE_SECONSD is no setting; ZIXLY_LEASE_SECONDS is" in said
    assert NONSENSE not in said
