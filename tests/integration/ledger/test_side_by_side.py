"""Several workers, sweeps and dispatchers over one ledger: what one of them does, the others do not do again.

Each has a pool of its own, as processes have. That dispatchers hand each job over once is in test_handover.py; that renewals of a
token, permits of a budget and messages are given once, in the suites of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.stores.database import Database

T = TypeVar("T")
PROCESSES = 4
LAPSED = timedelta(0)


@pytest.fixture
def ledgers(ledger: TestLedger, database: TestDatabase) -> Iterator[list[TestLedger]]:
    """The same ledger, as so many processes see it."""
    opened = {role: [Database(database.url(role), name=role) for _ in range(PROCESSES)] for role in ("runs", "dispatch")}
    yield [replace(ledger, runs=runs, dispatch=dispatch) for runs, dispatch in zip(opened["runs"], opened["dispatch"], strict=True)]
    for one in (*opened["runs"], *opened["dispatch"]):
        one.close()


def at_once(ledgers: list[TestLedger], act: Callable[[TestLedger, int], T]) -> list[T]:
    """What each of them answers, all asked in the same moment."""
    with ThreadPoolExecutor(len(ledgers)) as pool:
        return list(pool.map(act, ledgers, range(len(ledgers))))


def test_of_several_runs_that_come_for_one_batch_one_gets_its_jobs(ledger: TestLedger, ledgers: list[TestLedger]) -> None:
    """A message of the broker may be delivered again, and a run be launched anew while its first one only seemed lost."""
    ledger.add_jobs(60)
    for batch in ledger.hand_over():
        taken = at_once(ledgers, lambda one, number, batch=batch: one.claim(one.run_of(batch, f"run-{number}")))  # type: ignore[misc]
        assert sorted(len(jobs) for jobs in taken) == [0] * (PROCESSES - 1) + [len(batch.job_ids)]
        assert {(job.attempts, job.fence) for jobs in taken for job in jobs} == {(1, 1)}


def test_of_several_sweeps_one_takes_a_lapsed_job_back(ledger: TestLedger, ledgers: list[TestLedger]) -> None:
    _, jobs = ledger.claimed(60)
    ledger.lapse_leases()
    swept = at_once(ledgers, lambda one, _: one.sweep())
    taken = sorted(back.job_id for one in swept for back in one.taken_back)
    assert taken == sorted(job.id for job in jobs)
    counted = ledger.owner.execute("select count(*) as n, count(distinct job_id) as jobs from zixly.job_attempts").fetchone()
    assert counted == {"n": 60, "jobs": 60}


def test_of_several_sweeps_one_opens_a_batch_that_no_run_came_for(ledger: TestLedger, ledgers: list[TestLedger]) -> None:
    ledger.add_jobs(60)
    batches = ledger.hand_over()
    swept = at_once(ledgers, lambda one, _: one.sweep(handover_timeout=LAPSED))
    assert sorted(released for one in swept for released in one.released_batches) == sorted(batch.id for batch in batches)
    assert sorted(job_id for batch in ledger.hand_over() for job_id in batch.job_ids) == sorted(
        job_id for batch in batches for job_id in batch.job_ids
    )
