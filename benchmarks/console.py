"""`python -m benchmarks.console [--jobs N]`: how soon the console's pages stand before a person with a million finished jobs behind them.

A Chromium without a window asks for each page several times with an empty cache, and says when its largest part was drawn (largest
contentful paint).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import percentile
from benchmarks.finished_jobs import fill, running_bridge
from benchmarks.machine import description
from benchmarks.server import running_server

VISITS = 10
PATHS = {"overview": "/console", "jobs": "/console/jobs", "failed_jobs": "/console/jobs?status=FAILED", "issues": "/console/issues"}
LARGEST_PAINT = """() => new Promise((told) => {
  new PerformanceObserver((list) => told(list.getEntries().at(-1).startTime)).observe({type: 'largest-contentful-paint', buffered: true});
})"""


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.console", description="The console before a million jobs.")
    asked.add_argument("--jobs", type=int, default=1_000_000)
    count = asked.parse_args().jobs
    with tempfile.TemporaryDirectory(prefix="zixly-console-") as folder, running_server(Path(folder)) as urls:
        job = fill(urls, count)
        with running_bridge(urls) as address, chromium() as browser:
            figures = {name: paints(browser, address + path) for name, path in {**PATHS, "job": f"/console/jobs/{job}"}.items()}
    print(orjson.dumps({"machine": description(), "jobs": count, "figures": figures}, option=orjson.OPT_INDENT_2).decode())
    return 0


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
