"""What is kept of a sweep."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.ids import new_id
from zixly_core.job import ClaimedJob
from zixly_core.systems.sweeps.results import RESULT, Pair, SweepResult, read_as
from zixly_core.workflows.sweep_results import csv_of, documents_of, summary_of

RATIO = st.floats(-1, 100, allow_nan=False)
PAIRS = st.builds(Pair, st.integers(1, 500), st.integers(501, 1000), RATIO, RATIO, st.floats(0, 1), st.integers(0, 500))


def result_of(*pairs: Pair) -> SweepResult:
    return SweepResult("sw_1", "BHP.AX", "EMA", prices=1000, buy_and_hold=0.25, pairs=pairs)


def make_job() -> ClaimedJob:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    return ClaimedJob(new_id(), new_id(), new_id(), "callbacks:a:b", "b", now, attempts=1, fence=1, started_at=now)


@given(st.lists(PAIRS, min_size=1, max_size=20))
def test_the_csv_reads_back_to_the_same_pairs(pairs: list[Pair]) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of(result_of(*pairs)).decode(), newline="")))
    read = [
        Pair(int(r["fast"]), int(r["slow"]), float(r["total_return"]), float(r["sharpe"]), float(r["max_drawdown"]), int(r["trades"]))
        for r in rows
    ]
    assert read == pairs


@given(st.lists(PAIRS, min_size=1, max_size=20))
def test_the_json_reads_back_to_the_same_result(pairs: list[Pair]) -> None:
    result = result_of(*pairs)
    assert read_as(RESULT, documents_of(make_job(), result)[1].data, what="the document") == result


def test_documents_lie_under_the_tenant_and_the_job() -> None:
    job = make_job()
    documents = documents_of(job, result_of(Pair(5, 30, 0.5, 1.2, 0.1, 4)))
    assert [one.key for one in documents] == [f"{job.tenant_id}/{job.id}/sweep.csv", f"{job.tenant_id}/{job.id}/sweep.json"]


def test_the_summary_names_the_best_pair_and_leads_to_the_rest() -> None:
    job, best = make_job(), Pair(5, 30, 0.5, 1.2, 0.1, 4)
    result = result_of(best, Pair(6, 30, 0.4, 1.1, 0.2, 5))
    summary = summary_of(result, documents=documents_of(job, result), url="https://sweeps.test/sw_1")
    assert summary["best"] == {"fast": 5, "slow": 30, "total_return": 0.5, "sharpe": 1.2}
    assert (summary["pairs"], summary["url"]) == (2, "https://sweeps.test/sw_1")
    assert orjson.dumps(summary), "it is kept as JSON"
