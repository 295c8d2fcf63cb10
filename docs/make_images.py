"""Take the pictures of README and docs from the real stack: `.venv/bin/python docs/make_images.py` (needs Chromium, takes minutes).

Pages that are not there, or do not show what they are to show, end it with the page's name. Names on the command line take only these.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.pictures.pages import Picture, console_pictures, dagster_pictures, ids_found, run_pictures  # noqa: E402 - found from the checkout
from docs.pictures.week import happen  # noqa: E402
from tests.support.browser import Page, find_chromium, page  # noqa: E402 - the tests are no installed package
from tests.support.mail_server import MailServer  # noqa: E402
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder  # noqa: E402
from zixly_cli.stack.kinds import VIEWER_WEBSERVER  # noqa: E402
from zixly_cli.stack.ports import free_ports  # noqa: E402

IMAGES = ROOT / "docs" / "images"
BACKFILLS = "/locations/zixly/jobs/backfill_xero_invoice_to_hubspot/partitions"
PERSON = "Ada Admin"
APPEARS_SECONDS = 90
# Dagster's pages draw a little longer than they load.
DRAWN_SECONDS, SERVED_SECONDS = 4.0, 0.5
# Stack traces name files of this machine; a picture says where they lie in the checkout.
HIDE_ROOT = """
(([root]) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replaceAll(root, '...');
})"""
STATUS = "performance.getEntriesByType('navigation')[0].responseStatus"


def main(wanted: Sequence[str]) -> int:
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write("Chromium is not installed; on Debian: apt-get install chromium\n")
        return 2
    with stack_of_people() as stack, page(chromium) as browser:
        happen(stack)
        sign_in(browser, stack)
        urls = stack.plan.urls
        backfill = Picture("dagster-backfill", urls.webserver + BACKFILLS, "Submit 20 runs", before=fill_in)
        pictures = [*console_pictures(urls.bridge, ids_found(stack)), *run_pictures(stack), *dagster_pictures(urls.webserver), backfill]
        missing = [problem for picture in pictures if not wanted or picture.name in wanted for problem in taken(browser, picture)]
    if not wanted:
        remove_others({picture.name for picture in pictures} | {"sign-in"})
    for problem in missing:
        sys.stderr.write(f"missing: {problem}\n")
    return 1 if missing else 0


@contextmanager
def stack_of_people() -> Iterator[StackUnderTest]:
    """One in which people sign in, so that the pages show who looks, and whose e-mail arrives."""
    with stack_in_a_temporary_folder() as stack:
        port = free_ports([VIEWER_WEBSERVER])[VIEWER_WEBSERVER]
        stack.settings = stack.settings.model_copy(update={"sign_in": "required", "viewer_webserver_port": port})
        mail = MailServer(port=stack.mail_port)
        mail.start()
        try:
            stack.up((sys.executable, "-m", "zixly_cli.main", "up", "--sign-in"))
            yield stack
        finally:
            mail.stop()


def sign_in(browser: Page, stack: StackUnderTest) -> None:
    browser.size(1280, 860)
    browser.open(f"{stack.plan.urls.bridge}/console")
    browser.wait_for(PERSON, seconds=APPEARS_SECONDS)
    keep(browser, "sign-in", SERVED_SECONDS)
    browser.click(PERSON, exact=False)
    browser.wait_until(lambda: "/console" in browser.address, words="the console is shown", seconds=APPEARS_SECONDS)


def taken(browser: Page, picture: Picture) -> list[str]:
    """What is wrong with a page that could not be taken, in a line; the others are taken all the same."""
    try:
        take(browser, picture)
    except AssertionError as error:
        return [f"{picture.name}: {str(error).splitlines()[0]}"]
    return []


def take(browser: Page, picture: Picture) -> None:
    """Raises `AssertionError` for a page that is not there, or does not show what it is to show."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if picture.is_dark else "light"}
    browser.command("Emulation.setEmulatedMedia", features=[scheme])
    browser.size(*picture.size)
    browser.open(picture.url)
    browser.wait_until(lambda: browser.evaluate("document.readyState") == "complete", words=f"{picture.name} is loaded", seconds=APPEARS_SECONDS)
    status = browser.evaluate(STATUS)
    assert status == 200, f"{picture.url} answered {status}"
    if picture.before:
        picture.before(browser)
    if picture.shows:
        browser.wait_for(picture.shows, seconds=APPEARS_SECONDS)
    keep(browser, picture.name, DRAWN_SECONDS if picture.shows else SERVED_SECONDS)


def fill_in(browser: Page) -> None:
    """A range of days of one tenant, in the dialog."""
    browser.click("Launch backfill…")
    browser.wait_for("Select partitions to submit", seconds=APPEARS_SECONDS)
    browser.click('ex: "', within="input", exact=False)
    browser.replace('["demo|2026-11-01"..."demo|2026-11-20"]')
    browser.enter()
    browser.wait_for("Submit 20 runs")


def keep(browser: Page, name: str, drawn_seconds: float) -> None:
    time.sleep(drawn_seconds)
    browser.evaluate(f"{HIDE_ROOT}({json.dumps([str(ROOT)])})")
    path = IMAGES / f"{name}.webp"
    browser.picture(path)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes\n")
    sys.stdout.flush()


def remove_others(names: set[str]) -> None:
    """Pictures of pages that are no more."""
    for path in IMAGES.iterdir():
        if path.stem not in names:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
