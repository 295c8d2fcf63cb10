"""`python -m benchmarks.console [--jobs N]`: how soon the console's pages stand before a person with a million finished jobs behind them.

A Chromium without a window asks for each page several times with an empty cache, and says when its largest part was drawn (largest
contentful paint).
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import orjson
from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import percentile
from benchmarks.finished_jobs import million, running_bridge
from benchmarks.machine import description

VISITS = 5
# In braces the fields of a `Sample`. Those that read what grows with the jobs:
GROWING = {
    "overview": "/console",
    "jobs": "/console/jobs",
    "failed_jobs": "/console/jobs?status=FAILED",
    "jobs_of_record": "/console/jobs?record_key={record_key}",
    "jobs_of_tenant": "/console/jobs?tenant={tenant}&status=COMPLETED",
    "jobs_by_reason": "/console/jobs?reason=record_gone",
    "job": "/console/jobs/{job}",
    "failed_job": "/console/jobs/{failed_job}",
    "deliveries": "/console/deliveries",
    "rejected_deliveries": "/console/deliveries?verdict=rejected",
    "deliveries_of_system": "/console/deliveries?system=hubspot",
    "deliveries_of_tenant": "/console/deliveries?tenant={tenant}",
    "deliveries_of_record": "/console/deliveries?record={record_id}",
    "delivery": "/console/deliveries/{delivery}",
    "issues": "/console/issues",
    "issue": "/console/issues/{issue}",
    "ledger": "/console/ledger",
    "new_replay": "/console/replays/new?tenant={tenant}&status=FAILED",
    "audit": "/console/audit",
}
PATHS = GROWING | {
    "replays": "/console/replays",
    "backfills": "/console/backfills",
    "connections": "/console/connections",
    "connection": "/console/connections/{connection}",
    "tenants": "/console/tenants",
    "tenant": "/console/tenants/{tenant}",
    "reconciliation": "/console/reconciliation",
    "holding": "/console/holding",
    "notifications": "/console/notifications",
    "people": "/console/people",
    "reports": "/console/reports",
}
EXPORTS = {"jobs_csv": "/api/jobs/export?format=csv", "deliveries_json": "/api/deliveries/export?format=json"}
GOAL_MS = 2_500
EXPORT_SECONDS = 10.0
LARGEST_PAINT = """() => new Promise((told) => {
  new PerformanceObserver((list) => told(list.getEntries().at(-1).startTime)).observe({type: 'largest-contentful-paint', buffered: true});
})"""


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.console", description="The console before a million jobs.")
    asked.add_argument("--jobs", type=int, default=1_000_000)
    asked.add_argument("--folder", type=Path, help="keep the filled database there, and find it there the next time")
    chosen = asked.parse_args()
    with million(chosen.jobs, folder=chosen.folder) as (urls, sample), running_bridge(urls) as address, chromium() as browser:
        places = {name: address + path.format_map(vars(sample)) for name, path in PATHS.items()}
        figures = {name: paints(browser, url) for name, url in places.items()}
        exports = {name: exported(address + path) for name, path in EXPORTS.items()}
    told = {"machine": description(), "jobs": chosen.jobs, "figures": figures, "exports": exports}
    print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    return int(any((found["slowest_ms"] or GOAL_MS) >= GOAL_MS for found in figures.values()))


def exported(url: str) -> dict[str, float]:
    """A list of everything, as a program takes it: when its first bytes came, and how fast it went on."""
    began = time.monotonic()
    with httpx2.stream("GET", url, timeout=60, trust_env=False) as answer:
        answer.raise_for_status()
        chunks = answer.iter_bytes()
        size = len(next(chunks))
        first = time.monotonic() - began
        for chunk in chunks:
            size += len(chunk)
            if time.monotonic() - began > EXPORT_SECONDS:
                break
    return {"first_bytes_ms": round(first * 1_000), "megabytes_per_second": round(size / 1e6 / (time.monotonic() - began), 1)}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's. Raises `AssertionError` where there is none."""
    found = shutil.which("chromium")
    if found is None:
        raise AssertionError("Chromium is not installed; on Debian: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def paints(browser: Browser, url: str) -> dict[str, float | None]:
    """Milliseconds until the largest part of the page was drawn, each time in a browser that has seen nothing of it."""
    taken = [paint(browser, url) for _ in range(VISITS)]
    return {"median_ms": rounded(taken, 50), "slowest_ms": rounded(taken, 100)}


def paint(browser: Browser, url: str) -> float:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    try:
        answer = page.goto(url, wait_until="load")
        if answer is None or not answer.ok:
            raise AssertionError(f"{url} answered {answer and answer.status}")
        return float(page.evaluate(LARGEST_PAINT))
    finally:
        page.close()


def rounded(taken: Sequence[float], percent: int) -> float | None:
    found = percentile(taken, percent)
    return None if found is None else round(found)


if __name__ == "__main__":
    raise SystemExit(main())
