"""Backfills: whose days they are, how far they have come, and what people are told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from typer.testing import CliRunner

from zixly_cli.backfill_commands import app
from zixly_cli.backfills import day_from, progress_words, show_backfill, summary, time_left
from zixly_core.backfill_progress import Progress, progress_of
from zixly_core.backfilling import FIRST_PAUSE, LONGEST_PAUSE, MOST_DAYS, pause_after, refuse_days
from zixly_core.changed_records import READERS
from zixly_core.errors import BudgetSpent, SettingsError, Transient
from zixly_core.local_days import day_window, days_between
from zixly_core.stores.manual_jobs import NothingToDo
from zixly_dagster.jobs.backfill import backfill_jobs
from zixly_dagster.partitions import DAYS, partition_key
from zixly_dagster.sensors.backfills import changes_of_tenants

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("zone", "day", "hours", "begins"),
    [
        ("Australia/Brisbane", date(2026, 10, 4), 24, datetime(2026, 10, 3, 14, tzinfo=UTC)),
        ("Australia/Sydney", date(2026, 10, 4), 23, datetime(2026, 10, 3, 14, tzinfo=UTC)),
        ("Australia/Sydney", date(2026, 4, 5), 25, datetime(2026, 4, 4, 13, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 1), 25, datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("Asia/Kathmandu", date(2026, 1, 1), 24, datetime(2025, 12, 31, 18, 15, tzinfo=UTC)),
    ],
)
def test_a_day_is_the_tenants_own_also_when_its_clocks_change(zone: str, day: date, hours: int, begins: datetime) -> None:
    window = day_window(day, ZoneInfo(zone))
    assert (window.since, window.until - window.since) == (begins, timedelta(hours=hours))
    assert day_window(day + timedelta(days=1), ZoneInfo(zone)).since == window.until


def test_days_have_both_ends() -> None:
    assert list(days_between(date(2026, 2, 27), date(2026, 3, 1))) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        (TODAY, TODAY - timedelta(days=1), "days_reversed"),
        (TODAY, TODAY + timedelta(days=1), "days_in_future"),
        (TODAY - timedelta(days=MOST_DAYS), TODAY, "days_too_many"),
    ],
)
def test_days_that_cannot_be_read_are_refused_in_one_sentence(first: date, last: date, reason: str) -> None:
    with pytest.raises(NothingToDo) as refused:
        refuse_days(first, last, today=TODAY)
    assert refused.value.reason == reason
    assert str(refused.value).count(". ") == 0


def test_a_year_up_to_today_may_be_asked_for() -> None:
    refuse_days(TODAY - timedelta(days=MOST_DAYS - 1), TODAY, today=TODAY)


def test_what_the_vendor_asks_for_is_waited_else_longer_from_try_to_try() -> None:
    assert pause_after(BudgetSpent("x", retry_after=timedelta(seconds=42)), tries=1) == timedelta(seconds=42)
    pauses = [pause_after(Transient("x"), tries=number) for number in range(1, 12)]
    assert pauses[0] == FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_the_time_left_comes_from_what_ended_lately() -> None:
    found = progress_of(days=5, days_read=5, jobs_made=10_000, jobs_open=8_760, ended_lately=1_460, lately_seconds=180.0)
    assert found == Progress(1_240, 10_000, is_estimate=False, seconds_left=1_080.0)


def test_until_all_days_are_read_the_rest_is_taken_to_be_like_them() -> None:
    found = progress_of(days=10, days_read=2, jobs_made=200, jobs_open=100, ended_lately=100, lately_seconds=50.0)
    assert (found.jobs_expected, found.is_estimate, found.seconds_left) == (1_000, True, 450.0)
    assert progress_of(days=10, days_read=0, jobs_made=0, jobs_open=0, ended_lately=0, lately_seconds=None).jobs_expected is None


def test_nothing_left_takes_no_time_and_an_unknown_pace_is_unknown() -> None:
    assert progress_of(days=1, days_read=1, jobs_made=0, jobs_open=0, ended_lately=0, lately_seconds=None).seconds_left == 0
    assert progress_of(days=1, days_read=1, jobs_made=5, jobs_open=5, ended_lately=0, lately_seconds=9.0).seconds_left is None


def backfill(**fields: Any) -> dict[str, Any]:
    values = {
        "id": "b",
        "workflow": "xero-invoice-to-hubspot",
        "tenant": "demo",
        "first_day": "2026-11-01",
        "last_day": "2026-11-02",
        "time_zone": "Australia/Brisbane",
        "dry_run": False,
        "status": "RUNNING",
        "days": 2,
        "days_done": 2,
        "days_failed": 0,
        "records_found": 12_000,
        "records_known": 2_000,
        "jobs_made": 10_000,
        "jobs_open": 8_760,
        "jobs_completed": 1_240,
        "jobs_failed": 0,
        "jobs_cancelled": 0,
        "jobs_ended": 1_240,
        "jobs_expected": 10_000,
        "is_estimate": False,
        "seconds_left": 1_080.0,
        "waits_for": None,
        "days_log": [],
        "examples": [],
    }
    return values | fields


def test_progress_is_one_line() -> None:
    assert progress_words(backfill()) == "1,240 of 10,000 jobs, 18 min left"
    assert progress_words(backfill(waits_for="budget_spent")).endswith("18 min left, waiting for budget spent")
    assert progress_words(backfill(is_estimate=True, days=9)) == "1,240 of about 10,000 jobs, 18 min left, 2 of 9 days read"
    assert progress_words(backfill(jobs_expected=None, days_done=0)) == "0 of 2 days read"


def test_time_is_told_in_the_unit_that_fits() -> None:
    told = [time_left(seconds) for seconds in (None, 0.0, 42.0, 1_080.0, 9_000.0)]
    assert told == ["time left not known yet", "", "42 s left", "18 min left", "2.5 h left"]


def test_a_dry_run_shows_counts_and_differences() -> None:
    changes = {"xero_last_invoice_status": {"before": "OPEN", "after": "PAID"}}
    write = {"operation": "update", "target": "hubspot:contact:901", "changes": changes}
    day = {"day": "2026-11-01", "state": "FAILED", "records_found": 3, "records_known": 1, "jobs_made": 0, "error": "forbidden: No."}
    examples = [
        {"record_id": "i1", "error_message": None, "result": {"would_write": [write]}},
        {"record_id": "i2", "error_message": None, "result": {"skipped": "is not paid"}},
        {"record_id": "i3", "error_message": "It failed.", "result": None},
    ]
    console = Console(file=StringIO(), width=160)
    show_backfill(backfill(dry_run=True, status="FAILED", days_log=[day], examples=examples, jobs_made=3), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for words in ("(dry run): failed", "10,000 to work on; 3 of those are shown", "forbidden: No.", "PAID", "it is not paid", "It failed."):
        assert words in text


def test_what_was_done_is_summed_up() -> None:
    assert summary(backfill()) == (
        "12,000 records changed, 2,000 of them known, 10,000 to work on; jobs: 1,240 completed, 0 failed, 0 cancelled, 8,760 open"
    )


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="--from 'yesterday' is not a day"):
        day_from("yesterday", option="--from")


def test_every_workflow_about_records_has_its_two_partitioned_jobs() -> None:
    jobs = {job.name: job.partitions_def for job in backfill_jobs()}
    assert len(jobs) == 2 * len(READERS)
    for name in READERS:
        assert {f"backfill_{name.replace('-', '_')}", f"backfill_{name.replace('-', '_')}_by_day"} <= jobs.keys()


def test_partitions_of_tenants_follow_the_table() -> None:
    assert changes_of_tenants(known={"demo"}, wanted={"demo"}) == []
    added, removed = changes_of_tenants(known={"old", "demo"}, wanted={"demo", "new"})
    assert (added.partition_keys, removed.partition_keys) == (["new"], ["old"])


def test_a_workflow_may_be_named_where_a_command_stands() -> None:
    runner = CliRunner()
    assert "Missing option '--tenant'" in runner.invoke(app, ["xero-invoice-to-hubspot"]).output
    listing = runner.invoke(app, ["ls", "--help"]).output
    assert "List backfills" in listing
    assert "start" not in runner.invoke(app, ["--help"]).output


def test_today_is_a_partition_wherever_a_tenant_is() -> None:
    """At noon in London it is tomorrow already on the Line Islands."""
    line_islands = ZoneInfo("Pacific/Kiritimati")
    before, last, after = datetime.now(line_islands), DAYS.get_last_partition_key(), datetime.now(line_islands)
    assert last in {at.date().isoformat() for at in (before, after)}
    assert partition_key("2026-11-27", "demo") == "demo|2026-11-27"
