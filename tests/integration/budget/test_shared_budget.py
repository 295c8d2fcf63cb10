"""One organisation's limits, shared by processes: real processes, a real Postgres, the sandbox's limits."""

from __future__ import annotations

import signal
import time

import psycopg
import pytest

from tests.integration.budget.processes import connected, go, said, workers
from tests.integration.budget.vendor import fast_vendor
from tests.support.busy import longest
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.integration

SECONDS = 25.0
WINDOW_SECONDS = 6.0
SLOW_SECONDS = 4.0
CALLS_A_WINDOW = 60


def test_eight_processes_use_four_fifths_of_an_organisations_minutes_and_none_is_refused(database: TestDatabase) -> None:
    """Seven are bulk; one is live and makes no more calls than are kept for it, and these wait for none of the others."""
    lanes = [("bulk", 0.0)] * 7 + [("live", 0.7)]
    with fast_vendor() as vendor:
        vendor.rules(latency_seconds=0.02)
        connection = connected(database)
        with workers(database, vendor, connection, lanes=lanes, seconds=SECONDS) as processes:
            go(processes)
            told = [said(process) for process in processes]
        answers = vendor.answers()
    live = sorted(told[-1]["took"])
    assert set(answers) == {200}
    assert answers[200] >= 0.8 * CALLS_A_WINDOW * SECONDS / WINDOW_SECONDS
    assert len(live) >= 20
    assert live[int(len(live) * 0.95)] < longest(2)
    assert counted_calls(database) == answers[200]


def test_a_worker_killed_in_the_middle_of_calls_leaves_places_that_become_free(database: TestDatabase) -> None:
    with fast_vendor() as vendor:
        connection = connected(database)
        with workers(database, vendor, connection, lanes=[("live", 0.2)] * 5, seconds=60) as processes:
            go(processes[:1])
            wait_for_calls(database, at_least=1, open_calls=0)
            vendor.rules(latency_seconds=SLOW_SECONDS)
            go(processes[1:])
            wait_for_calls(database, at_least=1, open_calls=5)
            for process in processes:
                process.send_signal(signal.SIGKILL)
            killed_at = time.monotonic()
        vendor.rules(latency_seconds=0)
        assert under_way(database) == 5, "nobody gave them back"
        time.sleep(max(killed_at + SLOW_SECONDS - time.monotonic(), 0))  # the vendor works on what it was sent
        let_their_time_pass(database)
        with workers(database, vendor, connection, lanes=[("live", 0.0)], seconds=1) as processes:
            go(processes)
            assert said(processes[0])["took"]
    assert under_way(database) == 0


def counted_calls(database: TestDatabase) -> float:
    with psycopg.connect(database.url("owner")) as owner:
        row = owner.execute("select sum(value) from zixly.job_counters where name = 'api_calls' and status = '200'").fetchone()
    assert row is not None
    return float(row[0])


def under_way(database: TestDatabase) -> int:
    with psycopg.connect(database.url("owner")) as owner:
        row = owner.execute("select jsonb_array_length(state -> 'under_way') from zixly.api_budgets where state <> '{}'").fetchone()
    return int(row[0]) if row else 0


def sent_calls(database: TestDatabase) -> int:
    with psycopg.connect(database.url("owner")) as owner:
        row = owner.execute("select (state ->> 'sent')::int from zixly.api_budgets where state <> '{}'").fetchone()
    return int(row[0]) if row else 0


def wait_for_calls(database: TestDatabase, *, at_least: int, open_calls: int) -> None:
    """Until so many calls were sent, and so many are under way."""
    end = time.monotonic() + longest(20)
    while not (sent_calls(database) >= at_least and under_way(database) >= open_calls):
        assert time.monotonic() < end, "the workers did not call"
        time.sleep(0.02)


def let_their_time_pass(database: TestDatabase) -> None:
    """As if the time for which a lost call keeps its place were over."""
    with psycopg.connect(database.url("owner")) as owner:
        owner.execute(
            "update zixly.api_budgets set state = jsonb_set(state, '{under_way}', "
            "(select jsonb_agg(jsonb_set(one, '{until}', '0')) from jsonb_array_elements(state -> 'under_way') as one))"
        )
