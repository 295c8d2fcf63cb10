"""A browser, as far as signing in needs one: cookies, redirects one at a time, and the provider's forms."""

from __future__ import annotations

import re
import ssl
from urllib.parse import urljoin

import httpx2

ACTION = re.compile(r'<form[^>]*\baction="([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
ABORT = re.compile(r'href="([^"]+/abort)"')
MAX_STEPS = 15


class Browser:
    """One browser with its cookies."""

    def __init__(self, bridge: str, *, trust: ssl.SSLContext | bool = True) -> None:
        self.bridge = bridge
        self.http = httpx2.Client(timeout=15, headers={"accept": "text/html"}, verify=trust)

    def get(self, path: str) -> httpx2.Response:
        """One page of the bridge; redirects are not followed."""
        return self.http.get(urljoin(self.bridge, path))

    def leave(self, next_place: str | None = None) -> str:
        """Begin to sign in: the address at the provider."""
        query = {} if next_place is None else {"next": next_place}
        return self.http.get(f"{self.bridge}/auth/sign-in", params=query).headers["location"]

    def consent(self, url: str, *, login: str, refuse: bool = False) -> str:
        """Go through the provider's pages as this person: the address by which it sends the browser back."""
        answer = self.http.get(url)
        for _ in range(MAX_STEPS):
            if answer.is_redirect:
                url = urljoin(str(answer.url), answer.headers["location"])
                if url.startswith(self.bridge):
                    return url
                answer = self.http.get(url)
            elif refuse:
                answer = self.http.get(urljoin(str(answer.url), found(ABORT, answer.text)))
            else:
                fields = dict(HIDDEN.findall(answer.text)) | {"login": login, "password": "any"}
                answer = self.http.post(urljoin(str(answer.url), found(ACTION, answer.text)), data=fields)
        raise AssertionError(f"the provider went round in circles: {answer.status_code} {answer.text[:500]}")

    def sign_in(self, login: str, *, next_place: str | None = None) -> httpx2.Response:
        """All of it: the bridge's answer at the end."""
        return self.http.get(self.consent(self.leave(next_place), login=login))

    def me(self) -> httpx2.Response:
        return self.http.get(f"{self.bridge}/auth/me", headers={"accept": "application/json"})

    def sign_out(self, **headers: str) -> httpx2.Response:
        """By our own page's button, unless told otherwise."""
        return self.http.post(f"{self.bridge}/auth/sign-out", headers={"sec-fetch-site": "same-origin"} | headers)


def found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    assert match is not None, text[:500]
    return match.group(1)
