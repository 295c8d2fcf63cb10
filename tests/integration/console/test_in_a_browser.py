"""The console in a browser: an operator finds a job that failed and has it tried again, with keys alone; and the pages fit a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.integration.bridge.running import settings_for, start_bridge
from tests.support.busy import longest
from tests.support.chromium import require_chromium
from tests.support.ledger import TestLedger
from tests.support.playwright_browser import PATIENCE_SECONDS, watched_page
from tests.support.postgres import TestDatabase


@pytest.fixture
def address(ledger: TestLedger, database: TestDatabase) -> Iterator[str]:
    """Of a bridge at which nobody has to sign in."""
    require_chromium()
    bridge = start_bridge(settings_for(database))
    yield str(bridge.http.base_url).rstrip("/")
    bridge.stop()


def failed_job(ledger: TestLedger) -> str:
    told = {"error_reason": "refused", "error_message": "Refused for this test."}
    return str(ledger.add_jobs(1, status="FAILED", dead_letter=True, **told)[0])


def test_an_operator_finds_a_failed_job_and_has_it_tried_again_with_keys_alone(ledger: TestLedger, address: str) -> None:
    ledger.add_jobs(3)
    job = failed_job(ledger)
    expect.set_options(timeout=longest(PATIENCE_SECONDS) * 1_000)
    with watched_page(address) as watched:
        page = watched.page
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Not well")
        assert watched.faults() == []

        page.keyboard.press("g")
        page.keyboard.press("j")
        expect(page).to_have_url(re.compile("/console/jobs$"))
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        assert watched.faults() == []

        page.keyboard.press("/")
        watched.tab_to("#f-status")
        page.keyboard.type("FAILED")
        watched.tab_to(".filters button")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("status=FAILED"))

        watched.tab_to(f"a[href='/console/jobs/{job}']")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Refused for this test.")).to_be_visible()
        assert watched.faults() == []

        watched.tab_to("form[action$='/retry'] button")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="It is tried again")).to_be_visible()
        assert ledger.owner.execute("select status from zixly.workflow_jobs where id = %s", (job,)).fetchall() == [{"status": "QUEUED"}]
        assert watched.faults() == []

        # A worker's doing. Nobody loads the page again: it follows the job to its end.
        ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED', completed_at = now() where id = %s", (job,))
        expect(page.get_by_role("heading", level=1)).to_contain_text("COMPLETED")
        assert watched.complaints == []


def test_every_section_is_reached_by_its_first_letter(address: str) -> None:
    expect.set_options(timeout=longest(PATIENCE_SECONDS) * 1_000)
    with watched_page(address) as watched:
        watched.page.goto("/console")
        for section in ("replays", "reconciliation", "reports", "replays"):
            watched.page.keyboard.press("g")
            watched.page.keyboard.press("r")
            expect(watched.page).to_have_url(re.compile(f"/console/{section}$"))
        assert watched.complaints == []


def test_the_pages_fit_a_phone(ledger: TestLedger, address: str) -> None:
    job = failed_job(ledger)
    with watched_page(address, width=360, height=740) as watched:
        for path in ("/console", "/console/jobs", f"/console/jobs/{job}"):
            watched.page.goto(path)
            assert watched.faults() == [], path
        assert watched.complaints == []
