"""Log lines on a terminal: in columns, ids shortened, errors below; and untouched wherever a program reads them."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog

from zixly_cli import control
from zixly_cli.stack.log_stream import LogStream
from zixly_core.log_lines import readable
from zixly_core.logs import configure_logs

JOB, TRACE = "01a21fe3-91ea-7412-a0fa-a0612f445d11", "17d5fccc8b624c199999d561a3392bd6"
LINE: dict[str, Any] = {
    "job_id": JOB,
    "trace_id": TRACE,
    "jobs": 2,
    "status": "FAILED",
    "nothing": None,
    "event": "job_settled",
    "level": "info",
    "timestamp": "2026-11-28T02:02:17.614547Z",
    "process": "worker-1",
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def plain(**fields: Any) -> str:
    return readable(json.dumps({**LINE, **fields}), colours=False)


def test_a_line_is_time_process_event_and_fields_with_ids_shortened() -> None:
    assert plain() == "02:02:17.614 worker-1          job_settled                status=FAILED jobs=2 job_id=…2f445d11 trace_id=…a3392bd6"


def test_the_events_of_all_levels_stand_in_one_column() -> None:
    places = {plain(level=level).index("job_settled") for level in ("info", "warning", "error")}
    assert len(places) == 1
    assert "warning job_settled" in plain(level="warning")


def test_what_an_error_says_and_where_it_came_from_stand_below() -> None:
    shown = plain(error="Postgres is away.", error_at=["app.py:3 get", "db.py:9 run"], error_type="StoreUnavailable").splitlines()
    assert [line.strip() for line in shown[1:]] == ["Postgres is away.", "at app.py:3 get > db.py:9 run"]


def test_colours_change_nothing_but_the_colour() -> None:
    coloured = readable(json.dumps(LINE), colours=True)
    assert "\x1b[31mFAILED\x1b[0m" in coloured
    assert "".join(part.partition("m")[2] for part in ("\x1bm" + coloured).split("\x1b")[1:]).replace("[", "") == plain()


@pytest.mark.parametrize("line", ["", "Traceback (most recent call last):", "{not json", '["event"]', '{"no": "event"}'])
def test_a_line_that_is_none_of_ours_is_shown_as_it_is(line: str) -> None:
    assert readable(line, colours=True) == line


@pytest.mark.parametrize(("output", "is_readable"), [(Terminal(), True), (io.StringIO(), False)])
def test_the_stream_of_all_logs_is_readable_on_a_terminal_alone(tmp_path: Path, output: io.StringIO, is_readable: bool) -> None:
    log = tmp_path / "worker-1.log"
    log.touch()
    stream = LogStream({"worker-1": log}, output=output)
    log.write_text(json.dumps(LINE) + "\n")
    stream.show_new()
    assert ("…2f445d11" in output.getvalue()) == is_readable
    assert (JOB in output.getvalue()) != is_readable


def test_the_command_shows_lines_as_they_are_when_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control.sys, "stdout", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    text = json.dumps(LINE)
    assert control.shown_line(text, as_json=True) == text
    assert control.shown_line(text, as_json=False) == plain()


def test_a_process_may_write_for_a_terminal_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    configure_logs(log_format="console", level="info", process="bridge", stream=stream)
    structlog.get_logger().warning("queue_away", system="xero", job_id=JOB)
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level
    assert stream.getvalue().rstrip().endswith("bridge    warning queue_away                 system=xero job_id=…2f445d11")
