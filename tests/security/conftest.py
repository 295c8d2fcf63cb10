from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from fastapi import Request
from structlog.testing import capture_logs

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.security.real_proofs import Kind, RealProofs
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from webhook_bridge.identity import Identity, Proof
from zixly_core.access import Membership, Role
from zixly_core.stores.database import Database

PROOF = "x-test-member"
MANY = 1_000_000
# A provider that nobody goes to here: sessions are begun by the tests.
OPEN = {"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": "test", "sign_in": "required"}


@dataclass(frozen=True)
class Members:
    """Knows people by a header that tells their tenant and role: the seam at which every proof of the bridge ends."""

    tenants: dict[str, UUID]

    def identity(self, request: Request) -> Identity | None:
        slug, _, role = request.headers.get(PROOF, "").partition(" ")
        if not role:
            return None
        membership = Membership(self.tenants.get(slug), slug if slug in self.tenants else None, Role(role), sees_payloads=True)
        return Identity(f"member of {slug}", Proof.MACHINE_TOKEN, (membership,))


def as_header(who: str) -> dict[str, str]:
    return {PROOF: who}


@dataclass(frozen=True)
class Doors:
    """A bridge to which anybody's proof can be shown: a header, unless real ones are made."""

    bridge: RunningBridge
    proof: Callable[[str], dict[str, str]] = as_header

    def ask(self, who: str, method: str, path: str, **rest: object) -> httpx2.Response:
        """As `tenant ROLE`, or `staff ROLE`."""
        return self.bridge.http.request(method, path, headers=self.proof(who), timeout=60, **rest)  # type: ignore[arg-type]


@pytest.fixture
def doors(ledger: TestLedger, database: TestDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Doors]:
    ledger.add_tenant("other")
    tenants = {"demo": ledger.tenants[0].id, "other": ledger.tenants[1].id}
    monkeypatch.setattr("webhook_bridge.app.authenticators_of", lambda *_, **__: [Members(tenants)])
    running = start_bridge(
        settings_for(database, api_requests_per_minute=1_000_000, unknown_requests_per_minute=1_000_000, objects_url=f"file://{tmp_path}")
    )
    with capture_logs():  # what is planted is not readable as a secret, which the bridge would tell at length
        yield Doors(running)
    running.stop()


@pytest.fixture(params=list(Kind))
def proofs(request: pytest.FixtureRequest, ledger: TestLedger, database: TestDatabase) -> Iterator[RealProofs]:
    ledger.add_tenant("other")
    api = Database(database.url("api"), name="test-api")
    yield RealProofs(ledger, api, request.param, {"demo": ledger.tenants[0].id, "other": ledger.tenants[1].id})
    api.close()


@pytest.fixture
def real_doors(proofs: RealProofs, database: TestDatabase, tmp_path: Path) -> Iterator[Doors]:
    """A bridge that knows people and programs as in earnest, by rows."""
    limits = {"api_requests_per_minute": MANY, "unknown_requests_per_minute": MANY}
    running = start_bridge(settings_for(database, **OPEN, **limits, objects_url=f"file://{tmp_path}"))
    with capture_logs():
        yield Doors(running, proofs.headers)
    running.stop()
