from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.integration.sign_in.browser import Browser
from tests.integration.sign_in.provider.running import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_cli.stack.ports import free_port
from zixly_core.openid import setting_up


@dataclass(frozen=True)
class Place:
    """Bridge and provider, which know each other."""

    bridge: RunningBridge
    url: str
    issuer: str
    browsers: list[Browser] = field(default_factory=list)

    def browser(self) -> Browser:
        self.browsers.append(Browser(self.url))
        return self.browsers[-1]


@dataclass(frozen=True)
class Provider:
    """A provider that knows bridges at one port. It takes a second to start, and keeps nothing that a test could stumble over."""

    issuer: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    port = free_port()
    with running_provider(bridge=f"http://127.0.0.1:{port}") as issuer:
        yield Provider(issuer, port)


@pytest.fixture
def place(ledger: TestLedger, database: TestDatabase, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(setting_up, "_shared", {})  # a bridge that just started: what an earlier one asked the provider is not known to it
    settings = settings_for(
        database,
        bridge_public_url=provider.url,
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=SecretStr(CLIENT_SECRET),
        oidc_audience="zixly-api",
    )
    bridge = start_bridge(settings, port=provider.port)
    place = Place(bridge, provider.url, provider.issuer)
    yield place
    for browser in place.browsers:
        browser.http.close()
    bridge.stop()
