"""A person at a browser: opens our pages, answers at the vendor, is sent back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode, urlsplit

import httpx2

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass
class Browser:
    """Follows nothing by itself; keeps cookies of the bridge as browsers do."""

    bridge: httpx2.Client
    vendor: httpx2.Client

    @classmethod
    def at(cls, address: str) -> Browser:
        said = {"Sec-Fetch-Site": "same-origin"}  # of the forms, as browsers say it; of the other requests nobody asks
        return cls(httpx2.Client(base_url=address, timeout=15, headers=said), httpx2.Client(timeout=15))

    def close(self) -> None:
        self.bridge.close()
        self.vendor.close()

    def begin(self, path: str, **typed: str) -> httpx2.Response:
        """Open a page of ours and press its button: the redirect to the vendor, or the page that refuses."""
        shown = self.bridge.get(path)
        if shown.status_code != 200:
            return shown
        fields = {name: unescape(value) for name, value in HIDDEN.findall(shown.text)}
        return self.bridge.post(urlsplit(path).path, data=fields | typed)

    def consent(self, asked: httpx2.Response, *choices: tuple[str, str]) -> str:
        """Answer at the vendor's page: where the vendor sends the browser, on the bridge."""
        assert asked.status_code == 303, asked.text
        answer = self.vendor.get(f"{asked.headers['location']}&{urlencode(choices or [('auto', '1')])}")
        assert answer.status_code == 302, answer.text
        return on_bridge(answer.headers["location"])

    def connect(self, path: str, *choices: tuple[str, str], **typed: str) -> httpx2.Response:
        """The whole way; the page at its end."""
        return self.bridge.get(self.consent(self.begin(path, **typed), *choices))

    def choose(self, page: httpx2.Response, system: str, *accounts: str) -> httpx2.Response:
        """Tick accounts on the page of the choice."""
        fields = HIDDEN.findall(page.text) + [("account", account) for account in accounts]
        body = urlencode(fields)
        return self.bridge.post(f"/connect/{system}/choose", content=body, headers={"content-type": "application/x-www-form-urlencoded"})


def on_bridge(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
