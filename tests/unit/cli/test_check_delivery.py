"""`zixly check-delivery` on the recorded deliveries of every system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from zixly_cli.main import app, main

PAYLOADS = Path(__file__).parents[2] / "payloads"
RECORDED = sorted(PAYLOADS.glob("*/deliveries/*.json"))


def checked(path: Path) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["check-delivery", str(path)])
    assert done.exit_code == 0, done.output
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_recorded_delivery_gets_the_verdict_status_and_events_it_is_recorded_with(path: Path) -> None:
    recorded, report = json.loads(path.read_text()), checked(path)
    assert report["verdict"] == recorded["expected"]
    assert report["response"]["status"] // 100 == recorded["expected_status"] // 100
    assert len(report["events"]) == len(recorded.get("expected_events", []))


def test_an_event_is_shown_with_its_keys_and_whose_it_is() -> None:
    report = checked(PAYLOADS / "xero" / "deliveries" / "03-invoice-update.json")
    (event,) = report["events"]
    assert event["external_id"] == "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
    assert event["type"] == "UPDATE"
    assert event["record_id"] in event["dedupe_key"]
    assert event["record_id"] in event["record_key"]
    assert report["response"] == {"status": 200, "headers": {}, "body": ""}


def test_a_changed_body_is_rejected(tmp_path: Path) -> None:
    delivery = json.loads((PAYLOADS / "xero" / "deliveries" / "03-invoice-update.json").read_text())
    delivery["body"] = delivery["body"].replace("UPDATE", "CREATE")
    (tmp_path / "changed.json").write_text(json.dumps(delivery))
    report = checked(tmp_path / "changed.json")
    assert (report["verdict"], report["reason"], report["response"]["status"]) == ("reject", "invalid_signature", 401)
    assert report["events"] == []


def test_a_system_that_does_not_exist_is_rejected_as_such(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(json.dumps({"system": "other", "received_at_ms": 0}))
    assert checked(tmp_path / "other.json")["reason"] == "unknown_system"


@pytest.mark.parametrize("content", ["", "[]", '{"system": "xero"}', "not json"])
def test_a_file_that_is_no_delivery_ends_in_one_sentence(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    monkeypatch.setattr("sys.argv", ["zixly", "check-delivery", str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert said.out == ""
    assert said.err.startswith(f"zixly: {path}")
    assert "Traceback" not in said.err
