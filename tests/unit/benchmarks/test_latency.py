"""From job rows to latencies."""

from __future__ import annotations

import pytest

from benchmarks.errors import NotMeasured
from benchmarks.ledger import JobRow, refuse_unfinished
from benchmarks.questions.latency import figures_of


def make_job(invoice: str = "a", **overrides: object) -> JobRow:
    values: dict[str, object] = {"status": "COMPLETED", "attempts": 1, "run_id": "r", "first_op": 100.5, "completed": 101.0}
    return JobRow(invoice=invoice, **{**values, **overrides})  # type: ignore[arg-type]


def test_latencies_count_from_the_moment_of_sending() -> None:
    figures = figures_of([make_job("a"), make_job("b", first_op=103.0, completed=104.0)], {"a": 100.0, "b": 101.0}, prefix="stock_")
    assert figures == {
        "stock_first_op_p50_s": 0.5,
        "stock_first_op_p95_s": 2.0,
        "stock_completed_p50_s": 1.0,
        "stock_completed_p95_s": 3.0,
    }


def test_the_figures_of_another_rate_have_names_of_their_own() -> None:
    assert figures_of([make_job("a")], {"a": 100.0}, rate="_10")["first_op_10_p95_s"] == 0.5


def test_a_job_that_failed_or_never_began_is_not_left_out_of_the_percentiles() -> None:
    jobs = [make_job("a"), make_job("b", status="FAILED"), make_job("c", status="QUEUED", first_op=None, completed=None)]
    figures = figures_of(jobs, dict.fromkeys("abc", 100.0), prefix="")
    assert figures["first_op_p50_s"] == 0.5
    assert figures["first_op_p95_s"] is None
    assert figures["completed_p50_s"] is None


@pytest.mark.parametrize("invoices", ["a", "aab", "ac"])
def test_a_delivery_that_became_no_job_or_two_gives_no_figure(invoices: str) -> None:
    with pytest.raises(NotMeasured):
        figures_of([make_job(invoice) for invoice in invoices], {"a": 100.0, "b": 100.0}, prefix="")


def test_a_rate_of_jobs_that_did_not_complete_is_refused() -> None:
    refuse_unfinished([make_job()], expected=1)
    for jobs in ([make_job(status="FAILED")], [make_job(status="RUNNING")], []):
        with pytest.raises(NotMeasured, match="1 deliveries"):
            refuse_unfinished(jobs, expected=1)
