"""The report says what was found, for the console's page of reports, for people, and as a picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from chaos.checks import judged
from chaos.driver import Done
from chaos.fault_kinds import FaultKind
from chaos.plan import plan_of
from chaos.report import document_of, last_line, left_out, told_faults, troubles_of, write_report
from chaos.scale import Scale
from chaos.sender import Journal
from chaos.session import Outcome
from tests.unit.chaos.test_checks import RIGHT, WRONG
from webhook_bridge.console.reports import report_of

SCALE = Scale(seed=3, minutes=2, deliveries=300)
BEGAN = 1_700_000_000.0
KILLED = Done(FaultKind.KILL_BRIDGE, BEGAN + 20, 3.0, "bridge killed, running again after 1.2 s", survived=True)
REVOKED = Done(FaultKind.TOKENS_REVOKED, BEGAN + 60, 12.0, "xero of demo was disconnected, and connected again by a person", survived=True)


def outcome_of(**overrides: object) -> Outcome:
    made = Outcome(
        plan=plan_of(SCALE, available=tuple(FaultKind)),
        journal=Journal(acknowledged_at=[BEGAN + number / 3 for number in range(360)], posted=401),
        evidence=RIGHT,
        faults=[KILLED, REVOKED, replace(KILLED, at=BEGAN + 80, seconds=5.0)],
        findings=judged(RIGHT),
        began_at=BEGAN,
        stream_seconds=125.0,
        drain_seconds=30.0,
        ended_at=[BEGAN + 5 + number / 3 for number in range(400)],
    )
    return replace(made, **overrides)  # type: ignore[arg-type]


def test_where_nothing_was_found_the_last_line_says_nought_three_times() -> None:
    assert troubles_of(outcome_of()) == []
    assert last_line(outcome_of()) == "unaccounted 0, doubled 0, lost 0"


@pytest.mark.parametrize("name", WRONG)
def test_whatever_was_found_shows_in_the_last_line(name: str) -> None:
    assert last_line(outcome_of(findings=judged(WRONG[name][0]))) != last_line(outcome_of())


def test_a_process_that_did_not_come_back_is_a_breach() -> None:
    assert last_line(outcome_of(faults=[replace(KILLED, survived=False)])) == "unaccounted 0, doubled 0, lost 1"


def test_the_console_can_show_the_report(tmp_path: Path) -> None:
    write_report(outcome_of(), scale=SCALE, folder=tmp_path)
    shown = report_of(tmp_path / "seed-3.json")
    assert shown.problem == ""
    assert ("result", "unaccounted 0, doubled 0, lost 0") in shown.facts
    assert {"faults", "checks"} <= {table.title for table in shown.tables}
    assert shown.not_measured == []


def test_faults_are_counted_by_kind_and_those_that_could_not_be_done_for_nothing() -> None:
    undone = replace(KILLED, kind=FaultKind.FLUSH_BROKER, was_done=False)
    document = document_of(outcome_of(faults=[*outcome_of().faults, undone]), scale=SCALE, now=datetime(2026, 11, 28, tzinfo=UTC))
    (killed, _) = document["faults"]
    assert document["faults_done"] == 3
    assert (killed["fault"], killed["done"], killed["survived"], killed["longest_seconds"]) == ("kill bridge", 2, 2, 5.0)


def test_what_was_left_out_is_told_with_its_reason() -> None:
    kept = {kind: replace(KILLED, kind=kind) for kind in FaultKind if kind is not FaultKind.DISK_FULL}
    kept[FaultKind.FLUSH_BROKER] = replace(KILLED, kind=FaultKind.FLUSH_BROKER, was_done=False, words="Valkey was away")
    outcome = outcome_of(faults=list(kept.values()), missing={FaultKind.DISK_FULL: "nobody may mount"})
    assert left_out(outcome) == {"flush broker": "Valkey was away", "disk full": "nobody may mount"}
    told = told_faults(outcome, scale=SCALE)
    assert told.startswith(f"seed 3: {len(FaultKind) - 2} faults of {len(FaultKind) - 2} kinds, 300 deliveries, 2 minutes; left out: ")
    assert "disk full (nobody may mount)" in told
    assert left_out(outcome_of(plan=replace(outcome.plan, faults=()))) == {}


def test_picture_and_page_stand_alone(tmp_path: Path) -> None:
    write_report(outcome_of(), scale=SCALE, folder=tmp_path)
    picture, page = (tmp_path / "seed-3.svg").read_text(), (tmp_path / "seed-3.html").read_text()
    assert picture.count("<polyline ") == 2
    assert picture.count("<g><title>") == len(outcome_of().faults)
    assert picture in page
    assert "<script" not in page
    assert orjson.loads((tmp_path / "seed-3.json").read_bytes())["seed"] == 3
