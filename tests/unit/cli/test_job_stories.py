"""How the demo judges and shows what Postgres tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from rich.console import Console

from zixly_cli.demo import RECORDED, problems_of
from zixly_cli.demo_events import Expected
from zixly_cli.job_stories import JobStory, story_table

STORY = JobStory(
    delivery_id=UUID(int=1),
    received_at=datetime(2026, 11, 22, tzinfo=UTC),
    verdict="accepted",
    http_status=200,
    kind="INVOICE.UPDATE",
    record_id="8694c9c5",
    outcome="jobs",
    job_id=UUID(int=10),
    workflow="xero-invoice-to-hubspot",
    job_status="COMPLETED",
    run_id="0123456789",
    attempts=1,
    error_message=None,
    superseded_by=None,
    records_read=2,
    records_written=1,
    first_op_ms=181.4,
    completed_ms=902.0,
)


EXPECTED = frozenset({Expected("xero-invoice-to-hubspot", "8694c9c5")})


def completed_stories() -> list[JobStory]:
    return [replace(STORY, delivery_id=UUID(int=number)) for number in range(len(RECORDED))]


def test_a_demo_whose_jobs_are_all_completed_has_no_problem() -> None:
    assert problems_of(completed_stories(), expected=EXPECTED) == []


def test_one_job_that_failed_or_is_still_open_makes_the_demo_fail() -> None:
    for status in ("FAILED", "RUNNING", "CANCELLED"):
        assert problems_of([*completed_stories(), replace(STORY, job_status=status)], expected=EXPECTED)


def test_a_demo_with_lost_deliveries_or_without_an_expected_job_fails() -> None:
    assert problems_of([], expected=frozenset())
    assert problems_of(completed_stories()[1:], expected=EXPECTED)
    assert problems_of(completed_stories(), expected=frozenset({Expected("hubspot-deal-to-xero", "8694c9c5")}))


def test_the_table_shows_what_happened_to_a_job() -> None:
    console = Console(width=200, record=True)
    with console.capture() as captured:
        console.print(story_table([STORY, replace(STORY, job_id=None, outcome="duplicate")]))
    text = captured.get()
    for part in ("accepted 200", "INVOICE.UPDATE", "COMPLETED", "01234567", "181 ms", "902 ms", "none: duplicate"):
        assert part in text
