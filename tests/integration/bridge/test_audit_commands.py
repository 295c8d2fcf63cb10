"""`zixly audit` against a real bridge: what was done is listed and handed out, by who, what and when."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.integration.bridge.running import RunningBridge
from tests.support.ledger import TestLedger
from zixly_cli.main import app

Zixly = Callable[..., Result]


@pytest.fixture
def zixly(bridge: RunningBridge) -> Zixly:
    """The command at the bridge; two things were done there."""
    named = {"what": "tenant", "name": "demo"}
    for sent in (bridge.http.post("/api/pauses", json=named), bridge.http.delete("/api/pauses", params=named)):
        assert sent.is_success, sent.text
    address = str(bridge.http.base_url).rstrip("/")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["audit", *arguments], env={"ZIXLY_BRIDGE_PUBLIC_URL": address, "COLUMNS": "200"})

    return run


def test_what_was_done_is_listed_the_latest_first(zixly: Zixly) -> None:
    told = zixly("ls")
    assert told.exit_code == 0, told.output
    assert told.output.index("resume") < told.output.index("pause")
    assert "demo" in told.output


def test_only_what_was_asked_for_is_listed(zixly: Zixly) -> None:
    actions = [one["action"] for one in orjson.loads(zixly("ls", "--json").stdout)]
    assert len(actions) == 2
    chosen = orjson.loads(zixly("ls", "--json", "--action", actions[0]).stdout)
    assert [one["action"] for one in chosen] == actions[:1]
    later = (datetime.now(UTC) + timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M:%S")
    assert "nothing" in zixly("ls", "--since", later).output


def test_the_log_is_handed_out_as_a_file_and_that_is_a_line_too(zixly: Zixly, ledger: TestLedger, tmp_path: Path) -> None:
    table, lines = tmp_path / "log.csv", tmp_path / "log.json"
    for file in (table, lines):
        told = zixly("export", "--to", str(file))
        assert told.exit_code == 0, told.output
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"), newline="")))
    objects = [orjson.loads(line) for line in lines.read_text().splitlines()]
    assert {row["id"] for row in rows} <= {one["id"] for one in objects}
    written = ledger.owner.execute("select action from zixly.audit_log where action like '%%export%%'").fetchall()
    assert len(written) >= 2


def test_a_file_that_is_there_is_left_alone(zixly: Zixly, tmp_path: Path) -> None:
    kept = tmp_path / "log.csv"
    kept.write_text("mine")
    told = zixly("export", "--to", str(kept))
    assert (told.exit_code == 0, kept.read_text()) == (False, "mine")
    assert "Traceback" not in told.output
