"""Take the pictures of README and docs from the real stack: `.venv/bin/python docs/make_images.py` (needs Chromium)."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.browser import Page, find_chromium, page  # noqa: E402 - the tests are no installed package
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder  # noqa: E402
from zixly_cli.deliveries import post, sample_maker  # noqa: E402
from zixly_cli.seed import DEMO  # noqa: E402

IMAGES = ROOT / "docs" / "images"
DONE = (
    "select run_id from zixly.workflow_jobs where status = 'COMPLETED' and not exists ("
    "select from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')) order by created_at limit 1"
)
INVOICES = ["8694c9c5-7097-4449-a708-b8c1982921a4"]
LARGE, SMALL = (1500, 1000), (1200, 760)
# Dagster's pages draw a little longer than they load.
DRAWN_SECONDS = 3.0


def main() -> int:
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write("Chromium is not installed; on Debian: apt-get install chromium\n")
        return 2
    with stack_in_a_temporary_folder() as stack:
        stack.up()
        run_id = finished_run(stack)
        webserver = stack.plan.urls.webserver
        jobs = f"{webserver}/locations/zixly/jobs"
        with page(chromium) as browser:
            taken(browser, f"{webserver}/runs/{run_id}", "run", shows="RUN_SUCCESS", size=LARGE)
            taken(browser, f"{jobs}/xero_invoice_to_hubspot", "job", shows="Description", size=LARGE)
            taken(browser, f"{jobs}/replay/playground", "replay-form", shows="rate_per_minute")
            taken(browser, f"{webserver}/locations/zixly/sensors/dispatch_xero", "sensor", shows="Latest tick")
            browser.open(f"{jobs}/backfill_xero_invoice_to_hubspot/partitions")
            fill_in(browser)
            kept(browser, "backfill-dialog")
    return 0


def finished_run(stack: StackUnderTest) -> str:
    """Send a delivery and wait for its job; the id of its run."""
    key = stack.plan.secrets.xero_webhook_key
    for _ in range(3):  # the first runs of fresh workers take longer than what the picture should show
        delivery = sample_maker("xero")(INVOICES, account=DEMO.organisation, key=key, now=datetime.now(UTC))
        post(delivery, bridge_url=stack.plan.urls.bridge).raise_for_status()
        rows = stack.wait_until(lambda: stack.rows(DONE), seconds=60, words="the job is completed")
    run_id: str = rows[0]["run_id"]
    return run_id


def fill_in(browser: Page) -> None:
    """A range of days of one tenant, in the dialog."""
    browser.click("Launch backfill…")
    browser.wait_for("Select partitions to submit", seconds=60)
    browser.click('ex: "', within="input", exact=False)
    browser.replace('["demo|2026-11-01"..."demo|2026-11-20"]')
    browser.enter()
    browser.wait_for("Submit 20 runs")


def taken(browser: Page, url: str, name: str, *, shows: str, size: tuple[int, int] = SMALL) -> None:
    browser.size(*size)
    browser.open(url)
    browser.wait_for(shows, seconds=60)
    kept(browser, name)


def kept(browser: Page, name: str) -> None:
    time.sleep(DRAWN_SECONDS)
    path = IMAGES / f"{name}.png"
    browser.picture(path)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
