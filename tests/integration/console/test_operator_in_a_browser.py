"""What an operator does in a browser: find a delivery, look at what it held, take an issue on, and take a list away as a table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.integration.console.conftest import Console
from tests.integration.console.things import add_delivery, add_issue
from tests.support.playwright_browser import watched_page
from zixly_core.access import Role


def test_an_operator_finds_looks_takes_on_and_takes_away(console: Console, tmp_path: Path) -> None:
    add_delivery(console.ledger, records=("inv-0",))
    add_delivery(console.ledger, body=b'{"total": "<b>12.50</b>"}', records=("inv-1",))
    add_issue(console.ledger, jobs=1, title="HubSpot refuses a deal")
    console.ledger.add_jobs(1, record_key='=HYPERLINK("http://198.51.100.7")')
    ann, base = console.person(Role.EDITOR), str(console.bridge.http.base_url).rstrip("/")
    with watched_page(base) as browser:
        page = browser.page
        page.context.add_cookies([{"name": "zixly", "value": ann.http.cookies["zixly"], "url": base}])
        page.goto("/console/deliveries")
        page.get_by_label("Record, by its id or key").fill("inv-1")
        page.get_by_role("button", name="Filter").click()
        page.locator("tbody a").first.click()
        page.get_by_role("link", name="Look at the raw body").click()
        assert '"total": "<b>12.50</b>"' in page.locator("pre").inner_text()
        assert page.locator("pre b").count() == 0

        page.get_by_role("link", name="Issues", exact=True).click()
        page.get_by_role("link", name="HubSpot refuses a deal").click()
        page.locator("summary", has_text="Take it on").click()
        page.get_by_label("A note for whoever looks next").first.fill("asked the client")
        page.get_by_role("button", name="Take it on").click()
        assert "It is yours now." in page.get_by_role("status").first.inner_text()
        assert browser.faults() == []

        page.get_by_role("link", name="Jobs", exact=True).click()
        with page.expect_download() as begun:
            page.get_by_role("link", name="CSV").click()
        assert begun.value.suggested_filename.startswith("zixly-jobs-20")
        begun.value.save_as(tmp_path / "jobs.csv")
        assert browser.complaints == []
    rows = list(csv.DictReader(io.StringIO((tmp_path / "jobs.csv").read_text("utf-8-sig"), newline="")))
    assert len(rows) == 4
    assert '\'=HYPERLINK("http://198.51.100.7")' in {row["record_key"] for row in rows}
    said = console.ledger.owner.execute("select action from zixly.audit_log order by at, id").fetchall()
    assert [row["action"] for row in said] == ["delivery.read_body", "issue.acknowledge", "export.begin", "export.end"]
    (issue,) = console.ledger.owner.execute("select status, note from zixly.issues").fetchall()
    assert issue == {"status": "ACKNOWLEDGED", "note": "asked the client"}
