"""A person at a browser looks after clients and tokens, on the running stack."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support.browser import FLAGS
from tests.support.busy import longest
from tests.support.chromium import require_chromium
from tests.support.stack import StackUnderTest

# For one thing to appear on a page; the machine may be busy.
APPEARS_MS = 30_000


@pytest.fixture
def page(running_stack: StackUnderTest) -> Iterator[Page]:
    expect.set_options(timeout=longest(APPEARS_MS))
    flags = [flag for flag in FLAGS if "remote-debugging" not in flag]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_chromium(), args=flags)
        opened = browser.new_page(base_url=running_stack.plan.urls.bridge)
        opened.set_default_timeout(longest(APPEARS_MS))
        yield opened
        browser.close()


def audited(stack: StackUnderTest, subject: str) -> list[str]:
    rows = stack.rows("select action from zixly.audit_log where subject = %s order by at, id", subject)
    return [row["action"] for row in rows]


def test_a_client_is_added_paused_with_a_reason_and_resumed(running_stack: StackUnderTest, page: Page) -> None:
    page.goto("/console/tenants")
    page.get_by_label("Name", exact=True).fill("Console Client")
    page.get_by_label("Short name, which never changes").fill("console-client")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Console Client")
    page.locator("summary", has_text="Pause").click()
    page.get_by_label("Why").fill("moves its books")
    page.get_by_role("button", name="Pause it").click()
    expect(page.locator("dl")).to_contain_text("moves its books")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status").first).to_contain_text("goes on")
    assert audited(running_stack, "console-client") == ["tenant.add", "tenant.pause", "tenant.resume"]


def test_a_token_is_shown_once_and_ends_when_it_is_revoked(running_stack: StackUnderTest, page: Page) -> None:
    page.goto("/console/tokens")
    page.get_by_label("What it is for").fill("console's test")
    page.get_by_label("Role").select_option("VIEWER")
    page.get_by_label("Narrowed to").select_option("jobs:read")
    page.get_by_role("button", name="Make it").click()
    token = page.locator("#token").inner_text()
    assert asked_with(running_stack, token) == 200
    page.get_by_role("link", name="I have copied it").click()
    row = page.get_by_role("row").filter(has_text="console's test")
    row.locator("summary", has_text="Revoke").click()
    row.get_by_role("button", name="Yes, revoke").click()
    expect(page.get_by_role("status").first).to_contain_text("1 tokens ended")
    assert asked_with(running_stack, token) == 401


def asked_with(stack: StackUnderTest, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return httpx2.get(f"{stack.plan.urls.bridge}/api/jobs", headers=headers, timeout=30, trust_env=False).status_code
