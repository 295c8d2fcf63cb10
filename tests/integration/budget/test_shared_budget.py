"""One organisation's limits, shared by processes: real processes, a real Postgres, the sandbox's limits."""

from __future__ import annotations

import pytest

from tests.integration.budget.processes import connected, go, said, workers
from tests.integration.budget.vendor import fast_vendor
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.integration
pytest_plugins = ["tests.support.postgres"]

SECONDS = 25.0
WINDOW_SECONDS = 6.0
CALLS_A_WINDOW = 60


def test_eight_processes_use_four_fifths_of_an_organisations_minutes_and_none_is_refused(database: TestDatabase) -> None:
    """Seven are bulk, one is live and calls three times a second at most: its calls wait for none of the others."""
    lanes = [("bulk", 0.0)] * 7 + [("live", 0.3)]
    with fast_vendor() as vendor:
        vendor.rules(latency_seconds=0.02)
        connection = connected(database)
        with workers(database, vendor, connection, lanes=lanes, seconds=SECONDS) as processes:
            go(processes)
            told = [said(process) for process in processes]
        answers = vendor.answers()
    live = sorted(told[-1]["took"])
    print(answers, [len(one["took"]) for one in told], [one["parked"] for one in told], live[int(len(live) * 0.95)], live[-1])
    assert set(answers) == {200}
    assert answers[200] >= 0.8 * CALLS_A_WINDOW * SECONDS / WINDOW_SECONDS
    assert live[int(len(live) * 0.95)] < 2
