"""The benchmark of the console (`python -m benchmarks.console`) at a size that a test can wait for, within the goal of the whole one."""

from __future__ import annotations

from benchmarks.console import GOAL_MS, GROWING, chromium, paint
from benchmarks.finished_jobs import SAMPLE_SQL, write_all
from tests.integration.bridge.running import settings_for, start_bridge
from tests.support.chromium import require_chromium
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase

JOBS = 5_000


def test_each_page_stands_before_a_person_in_time(ledger: TestLedger, database: TestDatabase) -> None:
    require_chromium()
    write_all(ledger.owner, JOBS)
    sample = ledger.owner.execute(SAMPLE_SQL).fetchall()[0]
    bridge = start_bridge(settings_for(database))
    try:
        address = str(bridge.http.base_url).rstrip("/")
        with chromium() as browser:
            paths = [path.format_map(sample) for path in GROWING.values()]
            # One of three is enough: it is the page that is tried here, and not what else this machine does.
            slow = [path for path in paths if not any(paint(browser, address + path) < GOAL_MS for _ in range(3))]
        scrape = bridge.http.get("/metrics").raise_for_status().text
    finally:
        bridge.stop()
    assert slow == []
    for histogram in ("pipeline_job_duration_seconds", "pipeline_batch_jobs", "trading_api_latency_seconds"):
        assert f"{histogram}_bucket{{" in scrape, "a scrape before so many jobs shows what a real one shows"
