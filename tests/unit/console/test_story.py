from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from webhook_bridge.console.advice import advice_for
from webhook_bridge.console.story import story_of
from webhook_bridge.models import Job
from zixly_core.ids import new_id

BEGAN = datetime(2026, 11, 28, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def make_job(**fields: Any) -> Job:
    values: dict[str, Any] = dict.fromkeys(Job.model_fields) | {
        "id": new_id(), "tenant": "demo", "tenant_id": new_id(), "connection_id": new_id(), "workflow_type": "w", "system": "xero",
        "status": "QUEUED", "lane": "live", "priority": 1, "origin": "event", "record_key": "k", "record_id": "1", "attempts": 1,
        "dead_letter": False, "occurred_at": BEGAN, "created_at": at(1), "due_at": at(1), "links": {"self": "/"}, "metrics": {},
        "trace_id": "0" * 32, "steps": [], "attempt_log": [], "related_records": [], "effects": [], "replays": [], "payloads_hidden": False,
    }  # fmt: skip
    return Job.model_validate(values | fields)


def test_the_story_tells_everything_in_the_order_in_which_it_happened() -> None:
    attempt = {"run_id": "r", "error_message": None, "error_reason": None}
    effect = {"effect_key": "k", "system": "hubspot", "operation": "update_contact", "target": "7", "source_version": BEGAN}
    job = make_job(
        status="COMPLETED",
        started_at=at(60),
        completed_at=at(64),
        handed_over_at=at(2),
        attempt_log=[
            attempt | {"attempt": 1, "outcome": "retry", "error_reason": "timeout", "started_at": at(3), "ended_at": at(5)},
            attempt | {"attempt": 2, "outcome": "completed", "started_at": at(60), "ended_at": at(64)},
        ],
        steps=[{"step": "fetch_invoice", "message": "Found.", "at": at(4), "duration_ms": 250}],
        effects=[effect | {"state": "DONE", "intended_at": at(62), "done_at": at(63)}],
        related_records=[{"system": "xero", "record_type": "invoice", "record_id": "1", "action": "READ", "url": "https://x", "at": at(4)}],
    )
    story = story_of(job)
    assert [one.title for one in story] == [
        "Job made for an event",
        "Handed over to a run",
        "Attempt 1 began",
        "Fetch invoice",
        "Read invoice at xero",
        "Attempt 1: retry (timeout)",
        "Attempt 2 began",
        "Written: update contact at hubspot",
        "Attempt 2: completed",
        "Ended COMPLETED",
    ]
    assert (story[0].since, story[6].since) == (None, timedelta(seconds=55))
    assert (story[3].took, story[7].took, story[9].took) == (timedelta(milliseconds=250), timedelta(seconds=1), timedelta(seconds=63))


def test_the_attempt_that_is_under_way_is_told_too() -> None:
    running = make_job(status="RUNNING", started_at=at(9), attempts=2)
    assert [one.title for one in story_of(running)][-1] == "Attempt 2 began"


def test_a_failed_or_parked_job_says_what_to_do_and_one_that_moves_says_nothing() -> None:
    failed = advice_for(make_job(status="FAILED", error_reason="record_gone"), runbook="https://x/runbook")
    assert failed is not None
    assert failed.runbook == "https://x/runbook#a-record-is-not-there"
    parked = advice_for(make_job(parked_reason="vendor_down"), runbook="r")
    assert parked is not None
    assert "goes on by itself" in parked.text
    assert advice_for(make_job(status="COMPLETED"), runbook="r") is None
    assert advice_for(make_job(), runbook="r") is None
