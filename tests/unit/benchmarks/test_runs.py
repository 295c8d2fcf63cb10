"""What a run costs, from what a stack had used before and after."""

from __future__ import annotations

from benchmarks.costs import Spent
from benchmarks.questions.runs import costs


def test_a_run_costs_what_was_used_meanwhile_by_all_processes() -> None:
    before = Spent({"webhook_bridge": 1.0, "zixly_dagster.instance.daemon": 2.0}, commits=100, log_bytes=5_000)
    after = Spent({"webhook_bridge": 1.5, "zixly_dagster.instance.daemon": 2.2, "new": 0.3}, commits=300, log_bytes=25_000)
    told: list[str] = []
    figures = costs(after.since(before), runs=10, say=told.append)
    assert {name: round(value or 0, 6) for name, value in figures.items()} == {
        "run_cpu_ms": 100.0,
        "run_daemon_cpu_ms": 20.0,
        "run_commits": 20.0,
        "run_log_kb": 2.0,
    }
    assert told[0].endswith("webhook_bridge")
