"""The console of a real bridge, and browsers that are signed in as somebody: with a session's cookie, as after the provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import httpx2
import pytest

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.support.ledger import Tenant, TestLedger
from tests.support.postgres import TestDatabase
from webhook_bridge.same_site import form_token
from zixly_core.access import Role
from zixly_core.ids import new_id
from zixly_core.stores.sessions import begin_session, end_sessions_of

URL = "http://console.internal:3000"
HTML = {"accept": "text/html,application/xhtml+xml"}


@dataclass(frozen=True)
class Person:
    """Somebody's browser."""

    id: UUID
    http: httpx2.Client
    session: str = field(repr=False)

    def see(self, path: str) -> str:
        """The text of a page that is there."""
        answer = self.http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.text

    def press(self, path: str, /, **fields: str) -> httpx2.Response:
        """Send a form as the page would: with its hidden field."""
        return self.http.post(path, data={"form_token": form_token(self.session), **fields}, headers={"sec-fetch-site": "same-origin"})


@dataclass(frozen=True)
class Console:
    """The bridge and whoever looks at it."""

    bridge: RunningBridge
    ledger: TestLedger
    people: list[Person] = field(default_factory=list)

    def person(self, role: Role, *tenants: Tenant, sees_payloads: bool = False, name: str = "Ann Example") -> Person:
        """Of the agency, or of these tenants."""
        user = new_id()
        owner = self.ledger.owner
        owner.execute("insert into zixly.users (id, email, name) values (%s, %s, %s)", (user, f"{user}@example.com", name))
        for tenant in tenants or (None,):
            owner.execute(
                "insert into zixly.memberships (id, user_id, tenant_id, role, sees_payloads) values (%s, %s, %s, %s, %s)",
                (new_id(), user, tenant.id if tenant else None, role, sees_payloads),
            )
        token = begin_session(owner, user)
        http = httpx2.Client(base_url=self.bridge.http.base_url, headers=HTML, cookies={"zixly": token}, timeout=20)
        self.people.append(Person(user, http, token))
        return self.people[-1]

    def end_sessions(self, person: Person) -> None:
        end_sessions_of(self.ledger.owner, person.id)


@pytest.fixture
def console(ledger: TestLedger, database: TestDatabase) -> Iterator[Console]:
    provider = {"oidc_issuer": "https://login.example.test", "oidc_client_id": "client"}
    bridge = start_bridge(settings_for(database, bridge_public_url=URL, api_requests_per_minute=100_000, **provider))
    console = Console(bridge, ledger)
    yield console
    for person in console.people:
        person.http.close()
    bridge.stop()
