"""`zixly jobs`, `zixly trace` and `zixly ledger` as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from rich.console import Console

from zixly_cli.jobs_view import job_table, show_trace
from zixly_cli.ledger_view import balance_of, ledger_tables

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
AT = "2026-11-27T09:58:00Z"


def job(**fields: Any) -> dict[str, Any]:
    values = {
        "id": "job-1",
        "tenant": "demo",
        "workflow_type": "xero-invoice-to-hubspot",
        "record_id": "inv-1",
        "status": "FAILED",
        "attempts": 3,
        "origin": "event",
        "parked_reason": None,
        "error_reason": "record_gone",
        "created_at": AT,
        "started_at": AT,
        "completed_at": "2026-11-27T09:58:01.500Z",
        "due_at": AT,
        "event_id": "event-1",
        "trace_id": TRACE_ID,
        "origin_job_id": None,
        "made_by": None,
        "attempt_log": [
            {"attempt": 1, "outcome": "failed", "run_id": "run-1", "ended_at": AT, "error_reason": "record_gone", "error_message": "Gone."}
        ],
        "steps": [{"step": "fetch", "message": "fetched 1 invoice", "at": AT, "duration_ms": 4120.0}],
        "related_records": [{"action": "READ", "system": "xero", "record_type": "invoice", "record_id": "inv-1", "url": None}],
        "effects": [{"system": "hubspot", "operation": "hubspot.contact.update", "target": "hubspot:1:contact:9", "state": "DONE"}],
        "links": {"run": "http://127.0.0.1:3002/runs/run-1"},
        "later_jobs": [{"id": "job-2", "origin": "replay", "workflow_type": "xero-invoice-to-hubspot", "status": "COMPLETED"}],
    }
    return values | fields


def trace(**fields: Any) -> dict[str, Any]:
    delivery = {"id": "delivery-1", "received_at": AT, "system": "xero", "verdict": "accepted", "reason": None, "status": 200}
    delivery["trace_id"] = TRACE_ID
    event = {"id": "event-1", "delivery_id": "delivery-1", "kind": "INVOICE.UPDATE", "record_id": "inv-1", "outcome": "jobs"}
    values = {"deliveries": [delivery], "events": [event | {"duplicate_of": None}], "jobs": [job()], "job_count": 1}
    return values | fields


def printed(show: Any) -> str:
    console = Console(file=StringIO(), width=200)
    show(console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_trace_goes_from_the_delivery_to_the_effect_and_on_to_the_replay() -> None:
    text = printed(lambda console: show_trace(trace(), console))
    places = [text.index(word) for word in ("delivery-1", "event-1", "job-1", "Gone.", "fetched 1 invoice", "contact:9", "job-2")]
    assert places == sorted(places)
    assert "FAILED after 1.50 s" in text
    assert text.count(TRACE_ID) == 2, "of the delivery, and of its job"
    assert "fetched 1 invoice  (4.1 s)" in text


def test_a_trace_without_the_delivery_begins_with_the_event_and_without_that_with_the_job() -> None:
    assert printed(lambda console: show_trace(trace(deliveries=[]), console)).startswith("event event-1")
    text = printed(lambda console: show_trace(trace(deliveries=[], events=[], job_count=30), console))
    assert text.startswith("job job-1")
    assert "and 29 more jobs" in text


def test_a_table_of_jobs_says_how_long_each_took_or_has_been_running() -> None:
    jobs = [job(), job(id="job-2", status="RUNNING", completed_at=None), job(id="job-3", status="QUEUED", completed_at=None)]
    lines = printed(lambda console: console.print(job_table(jobs, now=NOW))).splitlines()
    found = [next(line for line in lines if one in line) for one in ("job-1", "job-2", "job-3")]
    assert ["1.50 s" in found[0], "120.00 s" in found[1], " s " in found[2]] == [True, True, False]


def test_a_table_of_jobs_says_why_one_waits_or_failed_and_not_why_one_had_failed_before() -> None:
    jobs = [
        job(),
        job(id="job-2", status="QUEUED", parked_reason="budget_spent"),
        job(id="job-3", status="COMPLETED", error_reason="vendor_down"),
    ]
    text = printed(lambda console: console.print(job_table(jobs, now=NOW)))
    assert "2 min ago" in text
    assert "record_gone" in text
    assert "parked: budget_spent" in text
    assert "vendor_down" not in text


def hour(**fields: Any) -> dict[str, Any]:
    return {"tenant": "demo", "system": "xero", "hour": "2026-11-27T09:00:00Z", **fields}


def ledger(**fields: Any) -> dict[str, Any]:
    events = hour(with_jobs=3, filtered=2, duplicate=1, unroutable=0)
    jobs = hour(made=3, completed=1, failed=1, cancelled=0, open=1)
    received = {"system": "xero", "hour": "2026-11-27T09:00:00Z", "received": 6, "events": 6, "difference": 0}
    return {"events": [events, events], "jobs": [jobs], "received": [received], "unaccounted": 0, **fields}


def test_a_ledger_adds_up_over_hours() -> None:
    tables = ledger_tables(ledger(), by_hour=False)
    text = printed(lambda console: [console.print(table) for table in tables])
    assert "│ demo   │ xero   │       12 │         6 │        4 │         2 │          0 │" in text


def test_an_event_that_is_missing_and_a_job_that_nobody_has_are_each_said() -> None:
    assert balance_of(ledger()) == (True, "It balances: nothing is unaccounted for.")
    lost = {"system": "xero", "hour": "2026-11-27T09:00:00Z", "received": 6, "events": 5, "difference": 1}
    is_balanced, words = balance_of(ledger(received=[lost], unaccounted=2))
    assert not is_balanced
    assert "differ by 1 (xero 2026-11-27 09:00: 6 received, 5 found)" in words
    assert "2 open jobs" in words
