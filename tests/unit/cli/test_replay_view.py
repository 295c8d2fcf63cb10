"""`zixly replay` as people read and write it."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from zixly_cli.main import app
from zixly_cli.replay_view import duration, matching_words, one_line, payload_in, search_table, story_of, where_from
from zixly_core.errors import SettingsError

pytestmark = pytest.mark.unit
AT = "2026-11-27T09:58:00Z"


def replay(**fields: Any) -> dict[str, Any]:
    job = {"id": "job-2", "origin_job_id": "job-1", "workflow": "w", "record_id": "r", "status": "FAILED", "error_reason": "record_gone"}
    values = {
        "id": "replay-1",
        "tenant": "demo",
        "actor": "olga",
        "mode": "CHECKPOINT",
        "dry_run": False,
        "chosen": {"status": "FAILED"},
        "rate_per_minute": 60,
        "matched": 12,
        "left_out": 2,
        "made": 10,
        "status": "RUNNING",
        "counts": {"QUEUED": 6, "COMPLETED": 4},
        "remaining_seconds": 95.4,
        "created_at": AT,
        "stopped_at": None,
        "stopped_by": None,
        "reasons": {},
        "jobs": [job],
        "preview": None,
    }
    return values | fields


def text_of(document: dict[str, Any]) -> str:
    console = Console(file=StringIO(), width=160, highlight=False)
    for line in story_of(document):
        console.print(line)
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_how_far_a_replay_is_stands_in_one_line() -> None:
    assert one_line(replay()) == "running: 4 completed, 6 queued of 10, about 1 min 35 s to go"
    assert one_line(replay(status="DONE", counts={"COMPLETED": 10}, remaining_seconds=0)) == "done: 10 completed of 10"
    assert [duration(seconds) for seconds in (0.4, 59, 61, 7_325)] == ["0 s", "59 s", "1 min 1 s", "2 h 2 min"]


def test_a_replay_is_told_with_what_failed_and_what_was_left_out() -> None:
    text = text_of(replay(reasons={"record_gone": 3}, stopped_at=AT, stopped_by="ivan"))
    for words in ("replay-1", "60 a minute", "by olga", "2 of 12 were left out", "failed 3 times: record_gone", "stopped by ivan", "job-1"):
        assert words in text


def test_a_preview_is_told_in_numbers_and_differences() -> None:
    write = {"operation": "contact.update", "target": "9", "changes": {"status": {"before": None, "after": "PAID"}}}
    first = [{"job_id": "job-2", "origin_job_id": "job-1", "workflow": "w", "would_write": [write]}]
    text = text_of(replay(dry_run=True, preview={"would_write": 3, "nothing": 2, "fail": 1, "open": 4, "writes": 5, "first": first}))
    for words in ("3 would write, 2 nothing, 1 would fail; 4 have not told yet; 5 writes in all", "PAID", "... and 2 more jobs"):
        assert words in text


def test_many_are_counted_before_they_are_agreed_to() -> None:
    words = matching_words({"matched": 12, "left_out": 2, "to_make": 10}, mode="START", rate=600)
    assert words == "12 jobs match, 2 of them a replay has taken up already; 10 would be done anew, each from the start, 600 a minute"


def test_a_value_is_written_after_its_path() -> None:
    assert where_from("$.a[*].b=x=y") == ("$.a[*].b", "x=y")
    for wrong in ("a=b", "$.a"):
        with pytest.raises(SettingsError, match=r"\$\.path=value"):
            where_from(wrong)


def test_a_payload_is_an_object() -> None:
    assert payload_in('{"a": 1}') == {"a": 1}
    for wrong in ("[1]", "{"):
        with pytest.raises(SettingsError, match="--payload"):
            payload_in(wrong)


def test_a_search_says_when_there_is_more() -> None:
    console = Console(file=StringIO(), width=160)
    event = {
        "id": "event-1",
        "received_at": AT,
        "kind": "K",
        "record_id": "r",
        "jobs": [{"id": "job-1", "workflow": "w", "status": "FAILED"}],
    }
    console.print(search_table({"id": "search-1", "found": 1, "is_complete": False, "events": [event]}))
    file = console.file
    assert isinstance(file, StringIO)
    assert "1 events, and there are more; search search-1" in file.getvalue()
    assert "job-1 w FAILED" in file.getvalue()


@pytest.mark.parametrize("arguments", [["job-1", "--tenant", "demo"], ["--status", "FAILED"], ["job-1", "--reason", "x"]])
def test_one_job_or_a_tenants_jobs_and_not_both(arguments: list[str]) -> None:
    """Without the name of a command the words belong to `start`."""
    found = CliRunner().invoke(app, ["replay", *arguments])
    assert isinstance(found.exception, SettingsError)
    assert "name either one job, or a --tenant" in str(found.exception)
