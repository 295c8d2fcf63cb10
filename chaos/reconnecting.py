"""A person connects an account again, on the pages that people use."""

from __future__ import annotations

import re
import time
from html import unescape
from urllib.parse import urlencode

import httpx2

from tests.support.busy import longest
from zixly_cli.seed import DemoTenant, demo_id
from zixly_cli.stack.programs import Plan

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 1.0


class NotReconnected(Exception):
    """Nobody got through to the end of the pages in time."""


def reconnect(plan: Plan, *, tenant: DemoTenant, system: str) -> int:
    """Try until the last page says so, as the bridge may be away meanwhile; how many tries it took. Raises `NotReconnected`."""
    patience = longest(PATIENCE_SECONDS)
    deadline = time.monotonic() + patience
    tries = 0
    while time.monotonic() < deadline:
        tries += 1
        try:
            if is_reconnected(plan.urls.bridge, tenant=tenant, system=system):
                return tries
        except httpx2.HTTPError:
            pass  # the bridge is away
        time.sleep(PAUSE_SECONDS)
    raise NotReconnected(f"{system} of {tenant.slug} was not connected again within {patience:.0f} s")


def is_reconnected(bridge_url: str, *, tenant: DemoTenant, system: str) -> bool:
    """Open the page, press its button, say yes at the vendor, come back."""
    page = f"/connect/{system}?connection={demo_id('connection', tenant.slug, system)}"
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx2.Client(base_url=bridge_url, headers=headers, timeout=15, trust_env=False) as browser:
        shown = browser.get(page)
        fields = {name: unescape(value) for name, value in HIDDEN.findall(shown.text)}
        asked = browser.post(f"/connect/{system}", data=fields)
        if asked.status_code != 303:
            return False
        choice = urlencode([("account", tenant.accounts[system])])
        back = httpx2.get(f"{asked.headers['location']}&{choice}", timeout=15, trust_env=False)
        if back.status_code != 302:
            return False
        parts = httpx2.URL(back.headers["location"])
        return browser.get(parts.raw_path.decode()).status_code == 200
