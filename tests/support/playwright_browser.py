"""Debian's Chromium driven by Playwright, for the console's pages: what a person does with keys and pointer, and everything that the
browser complains about meanwhile. Without Chromium `require_chromium` skips, and fails in CI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from tests.support.busy import longest
from tests.support.chromium import require_chromium

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE_SECONDS = 20.0
# Told on the browser's console, where everything else that goes wrong is told too.
TELL_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (one) =>
  console.error(`policy: ${one.violatedDirective} ${one.blockedURI}`));"""
# What a person who hears the page, or has no pointer, needs of every page; each sentence is a fault.
FAULTS = """() => {
  const faults = [];
  const say = (fault, one) => faults.push(`${fault}: ${one.outerHTML.slice(0, 120)}`);
  const named = (one) => one.labels?.length || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby');
  document.querySelectorAll('input:not([type=hidden]), select, textarea').forEach((one) => named(one) || say('without a label', one));
  document.querySelectorAll('a, button, summary').forEach((one) =>
    one.textContent.trim() || one.getAttribute('aria-label') || say('without words', one));
  document.querySelectorAll('img').forEach((one) => one.hasAttribute('alt') || say('without alt', one));
  document.querySelectorAll('nav').forEach((one) => one.getAttribute('aria-label') || say('without a name', one));
  for (const name of ['h1', 'main', 'header', 'footer'])
    if (document.querySelectorAll(name).length !== 1) faults.push(`not one ${name}`);
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => faults.push(`twice the id ${id}`));
  if (!document.documentElement.lang || !document.title) faults.push('no language or title');
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) faults.push('wider than the window');
  return faults;
}"""


@dataclass(frozen=True)
class Watched:
    """A page, and what the browser complained about since it was opened."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Of the page as it is now."""
        found: list[str] = self.page.evaluate(FAULTS)
        return found

    def tab_to(self, selector: str, *, at_most: int = 80) -> None:
        """Press the tab key until the element has the focus, as somebody without a pointer does."""
        for _ in range(at_most):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached with the tab key at {self.page.url}")


@contextmanager
def watched_page(base_url: str, *, width: int = 1400, height: int = 900) -> Iterator[Watched]:
    """A page of a fresh browser, ended whatever happens."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=require_chromium(), args=FLAGS)
        try:
            page = browser.new_page(base_url=base_url, viewport={"width": width, "height": height})
            page.set_default_timeout(longest(PATIENCE_SECONDS) * 1_000)
            watched = Watched(page)

            def told(message: ConsoleMessage) -> None:
                if message.type in {"error", "warning"}:
                    watched.complaints.append(message.text)

            page.on("console", told)
            page.on("pageerror", lambda error: watched.complaints.append(str(error)))
            page.add_init_script(TELL_VIOLATIONS)
            yield watched
        finally:
            browser.close()
