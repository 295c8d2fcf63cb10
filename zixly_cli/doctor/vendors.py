"""Whether the vendors can be reached, what their clocks say, and whether they still accept us."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import urlsplit

import httpx2

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.doctor.findings import Check, Problem
from zixly_cli.doctor.platform import Platform
from zixly_cli.doctor.servers import UP
from zixly_cli.doctor.trust import difference
from zixly_core.errors import ZixlyError
from zixly_core.settings import Settings

TIMEOUT_SECONDS = 5
# The `Date` header has whole seconds, and a cache or proxy may be a moment late.
DATE_SLACK_SECONDS = 3.0
REACH = "Is the way out open (firewall, proxy, DNS) from here to that host? Jobs wait meanwhile and are not lost."


def vendor_checks(platform: Platform) -> list[Check]:
    checks = [Check(f"{name} API", partial(reached, url), REACH) for name, url in addresses_of(platform.settings).items()]
    token = platform.settings.api_token
    api = partial(BridgeApi, platform.bridge_url, token=token.get_secret_value() if token else None)
    accounts = Check("accounts", lambda: accounts_well(api()), "Connect each again: `zixly connect SYSTEM --connection ID`.")
    return [*checks, accounts]


def addresses_of(settings: Settings) -> Mapping[str, str]:
    """Where calls go. Each shop has a host of its own: what can be asked without one is Shopify's place for tokens."""
    found = {"Xero": settings.xero_api_url, "HubSpot": settings.hubspot_api_url, "Asana": settings.asana_api_url}
    shops = settings.shopify_api_url
    return found if "{shop}" in urlsplit(shops).netloc else {**found, "Shopify": shops.partition("/{shop}")[0]}


def reached(url: str) -> str:
    """Any answer will do: nobody signs in here. Its clock is compared with ours."""
    began = time.monotonic()
    try:
        answer = httpx2.head(url, timeout=TIMEOUT_SECONDS, follow_redirects=False)
    except httpx2.HTTPError as error:
        raise Problem(f"{urlsplit(url).netloc} did not answer ({type(error).__name__}).") from error
    seconds = time.monotonic() - began
    words = f"{urlsplit(url).netloc} answers after {seconds * 1000:.0f} ms"
    date = answer.headers.get("date")
    if date is None:
        return words
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return words
    return f"{words}, its clock {difference(theirs, datetime.now(UTC), whose='theirs', slack_seconds=seconds + DATE_SLACK_SECONDS)}"


def accounts_well(api: BridgeApi) -> str:
    """The health of the connected accounts, as the bridge knows it."""
    try:
        with api:
            rows = api.get("/api/connections")["connections"]
    except ZixlyError as error:
        raise Problem(f"The bridge cannot be asked for them ({error.reason}).", remedy=UP) from error
    ill = [f"{row['tenant']} {row['system']} ({row['health']}, {row['id']})" for row in rows if row["health"] == "disconnected"]
    if ill:
        raise Problem(f"{len(ill)} of {len(rows)} are disconnected: {', '.join(ill)}.")
    return f"{len(rows)} connected"
