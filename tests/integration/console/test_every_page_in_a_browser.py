"""Every page of the console in a browser: in light and in the dark, on a phone, and where no script runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.integration.bridge.visiting import plant
from tests.support.chromium import require_chromium
from tests.support.ledger import TestLedger
from tests.support.playwright_browser import FAULTS, FLAGS
from tests.support.postgres import TestDatabase
from webhook_bridge.exports.lists import listings
from webhook_bridge.permissions import ROUTES
from zixly_core.notifications.facts import Places

# Files, streams, and the wait for a client's zip.
NO_PAGE = re.compile(r"/console/assets/|/stream$|/exports/")
PAGES = [path for method, path in ROUTES if method == "GET" and path.startswith("/console") and not NO_PAGE.search(path)]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 860}
# Texts whose contrast with what lies behind them is less than WCAG 2.2 asks for (AA: 4.5, of large letters 3).
PALE = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255).map((one) => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [.2126, .7152, .0722][at], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const [r, g, b, alpha = 1] = parts(getComputedStyle(one).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const pale = new Set();
  for (const one of document.querySelectorAll('body *')) {
    const says = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!says || one.closest('svg, option') || one.getClientRects().length === 0) continue;
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    const [a, b] = [light(parts(style.color)), light(behind(one))].sort((x, y) => y - x);
    const least = size >= 24 || (size >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5;
    if ((a + .05) / (b + .05) < least) pale.add(`${((a + .05) / (b + .05)).toFixed(2)} ${one.outerHTML.slice(0, 100)}`);
  }
  return [...pale];
}"""


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    """One at which nobody has to sign in."""
    require_chromium()
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


@pytest.fixture
def places(bridge: RunningBridge, ledger: TestLedger) -> list[str]:
    """The address of each page, of things that are there."""
    planted = plant(ledger, ledger.tenant, slug="demo", word="a-word")
    ledger.add_jobs(3)
    base = str(bridge.http.base_url).rstrip("/")
    return [base + planted.path(path) for path in PAGES]


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=require_chromium(), args=FLAGS)
        yield launched
        launched.close()


def opened(page: Page, address: str) -> Page:
    answer = page.goto(address, wait_until="load")
    assert answer is not None
    assert answer.status == 200, f"{address}: {answer.status}"
    return page


def wrong_in(browser: Browser, places: list[str], *, light: Literal["light", "dark"], size: Any) -> dict[str, list[str]]:
    page = browser.new_page(viewport=size, color_scheme=light)
    found = {}
    for address in places:
        opened(page, address)
        found[address] = [*page.evaluate(FAULTS), *page.evaluate(PALE)]
    page.close()
    return {address: faults for address, faults in found.items() if faults}


@pytest.mark.parametrize("light", ["light", "dark"])
def test_every_page_fits_a_phone_and_a_desk_and_can_be_read(browser: Browser, places: list[str], light: Literal["light", "dark"]) -> None:
    for size in (PHONE, DESK):
        assert wrong_in(browser, places, light=light, size=size) == {}


def test_the_two_lights_are_different(browser: Browser, places: list[str]) -> None:
    backgrounds = set()
    for light in ("light", "dark"):
        page = opened(browser.new_page(color_scheme=light), places[0])
        backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(backgrounds) == 2


def test_every_page_says_the_same_without_scripts(browser: Browser, places: list[str]) -> None:
    """Times and figures may move between the two looks: compared are headings and the names of columns and fields."""
    seen = {}
    for runs_scripts in (True, True, False):  # once for nobody: looking leaves lines in the audit log
        page = browser.new_context(java_script_enabled=runs_scripts, viewport=DESK).new_page()
        seen[runs_scripts] = {address: words_of(opened(page, address)) for address in places}
    assert seen[True] == seen[False]
    assert all(words for words in seen[False].values())


def test_every_list_is_handed_out_from_its_page(bridge: RunningBridge, places: list[str]) -> None:
    texts = [bridge.http.get(place, headers={"accept": "text/html"}).text for place in places]
    offered = {found for text in texts for found in re.findall(r'href="(/api/(\w+)/export\?[^"]*format=(?:csv|json)[^"]*)"', text)}
    assert {name for _, name in offered} >= {one.name for one in listings(Places(bridge="", runbook=""))} | {"audit"}
    refused = {href: answer.status_code for href, _ in offered if (answer := bridge.http.get(unescape(href))).status_code != 200}
    assert refused == {}


def words_of(page: Page) -> list[str]:
    """But for the mark of a page that follows what happens, which only a script can do."""
    texts = page.locator("h1, h2, th, label, .sections a").all_inner_texts()
    return [re.sub(r"\s*(?:live|connecting again)$", "", text) for text in texts]


def test_a_list_is_filtered_and_a_job_read_where_no_script_runs(browser: Browser, bridge: RunningBridge, ledger: TestLedger) -> None:
    (failed,) = ledger.add_jobs(1, status="FAILED", dead_letter=True, error_reason="refused", error_message="Refused for this test.")
    ledger.add_jobs(2)
    page = browser.new_context(java_script_enabled=False).new_page()
    opened(page, f"{str(bridge.http.base_url).rstrip('/')}/console/jobs")
    page.get_by_label("Status").select_option("FAILED")
    page.get_by_role("button", name="Filter").click()
    assert page.locator("tbody tr").count() == 1
    page.locator("tbody a").first.click()
    assert str(failed) in page.url
    assert "Refused for this test." in page.locator("main").inner_text()
