"""Take the README's pictures from the real stack: `.venv/bin/python docs/make_images.py` (needs Chromium)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder  # noqa: E402 - the tests are no installed package
from zixly_cli.deliveries import post, sample_maker  # noqa: E402
from zixly_cli.seed import DEMO  # noqa: E402

IMAGES = ROOT / "docs" / "images"
DONE = (
    "select run_id from zixly.workflow_jobs where status = 'COMPLETED' and not exists ("
    "select from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')) order by created_at limit 1"
)
INVOICES = ["8694c9c5-7097-4449-a708-b8c1982921a4"]
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=15000",
)


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("Chromium is not installed; on Debian: apt-get install chromium\n")
        return 2
    with stack_in_a_temporary_folder() as stack:
        stack.up()
        run_id = finished_run(stack)
        webserver = stack.plan.urls.webserver
        picture(chromium, f"{webserver}/runs/{run_id}", IMAGES / "run.png")
        picture(chromium, f"{webserver}/locations/zixly/jobs/xero_invoice_to_hubspot", IMAGES / "job.png")
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


def picture(chromium: str, url: str, path: Path) -> None:
    with tempfile.TemporaryDirectory() as profile:
        command = [chromium, *CHROMIUM_FLAGS, f"--user-data-dir={profile}", "--window-size=1500,1000", f"--screenshot={path}", url]
        subprocess.run(command, check=True, timeout=90, capture_output=True)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
