"""Every route as every role: what the table of permissions says is what happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.integration.bridge.visiting import ROOT, Planted, Visitor, make_token, plant, routes_of_people, visit, visitor_of
from tests.integration.operations.planting import everything_in
from tests.support.ledger import WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from webhook_bridge.permissions import ROUTES, Payloads
from zixly_core.access import Role

WORD, STRANGER = "a-value-of-a-customer", "a-value-of-another-client"
ROLES = [(role, tenant) for tenant in (None, "demo") for role in Role]
REASONS = ("role_too_small", "staff_only", "payloads_hidden")
# What the gateway shows to whoever it refused: for everybody, and always a 403.
PAGE_OF_REFUSALS = ("GET", "/auth/refused")


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase, tmp_path: Path) -> Iterator[RunningBridge]:
    limits = {f"{name}_requests_per_minute": 100_000 for name in ("api", "unknown", "unsigned")}
    vendors = {"hubspot_client_id": "client", "hubspot_client_secret": SecretStr("secret"), "objects_url": f"file://{tmp_path}"}
    # Hundreds of visits, beside other tests: what is tried here is no speed.
    running = start_bridge(settings_for(database, api_token=SecretStr(ROOT), **limits, **vendors))
    running.http.timeout = httpx2.Timeout(60)
    yield running
    running.stop()


@pytest.fixture
def planted(ledger: TestLedger) -> Planted:
    ledger.owner.execute("update zixly.workflows set record_form = 'xero:{account}:INVOICE:{id}' where name = %s", (WORKFLOW,))
    return plant(ledger, ledger.tenant, slug="demo", word=WORD)


@pytest.mark.parametrize(("role", "tenant"), ROLES)
def test_every_route_is_open_to_whom_the_table_says_and_to_nobody_else(
    bridge: RunningBridge, ledger: TestLedger, planted: Planted, role: Role, tenant: str | None
) -> None:
    visitor = visitor_of(bridge, role, tenant=tenant)
    bridge.http.get("/api/jobs", headers=visitor.headers)  # notes the first use of the token
    before = everything_in(ledger)
    refused = [(route, visit(bridge, route, planted, visitor)) for route, need in routes_of_people() if not visitor.may(need)]
    assert [told(*one) for one in refused if not is_refusal(one[1])] == []
    assert everything_in(ledger) == before
    open_to_him = [route for route, need in routes_of_people() if visitor.may(need) and route != PAGE_OF_REFUSALS]
    taken = [(route, visit(bridge, route, planted, visitor)) for route in open_to_him]
    assert [told(*one) for one in taken if one[1].status_code in {401, 403} or one[1].status_code >= 500] == []


def is_refusal(answer: httpx2.Response) -> bool:
    """For what the visitor is, and for nothing else."""
    return answer.status_code == 403 and any(reason in answer.text for reason in REASONS)


def told(route: tuple[str, str], answer: httpx2.Response) -> str:
    return f"{' '.join(route)}: {answer.status_code} {answer.text[:300]}"


def ended_tokens(bridge: RunningBridge, ledger: TestLedger) -> Iterator[Visitor]:
    """Nobody, somebody with a made up token, and tokens that once were an administrator's of the agency."""
    expired, revoked = (make_token(bridge, role="ADMIN").json() for _ in range(2))
    ledger.owner.execute(
        "update zixly.machine_tokens set created_at = now() - interval '2 days', expires_at = now() where id = %s", (expired["id"],)
    )
    bridge.http.delete(f"/api/tokens/{revoked['id']}", headers={"authorization": f"Bearer {ROOT}"})
    for token in ("", "zx_made-up", expired["token"], revoked["token"], f"{expired['token'][:-1]}x", "eyJhbGciOiJub25lIn0.e30."):
        yield Visitor(Role.ADMIN, is_staff=True, token=token)


def test_whoever_proves_nothing_is_refused_everywhere_and_changes_nothing(
    bridge: RunningBridge, ledger: TestLedger, planted: Planted
) -> None:
    visitors = list(ended_tokens(bridge, ledger))
    before = everything_in(ledger)
    closed = [route for route, need in routes_of_people() if not need.is_public]
    answers = [(route, visit(bridge, route, planted, visitor)) for visitor in visitors for route in closed]
    assert [told(*one) for one in answers if one[1].status_code != 401] == []
    assert everything_in(ledger) == before


def test_a_viewer_sees_payloads_nowhere_unless_they_are_granted(bridge: RunningBridge, ledger: TestLedger, planted: Planted) -> None:
    for tenant in ("demo", None):
        plain = visitor_of(bridge, Role.VIEWER, tenant=tenant)
        trusted = visitor_of(bridge, Role.VIEWER, tenant=tenant, sees_payloads=True)
        seen = [route for route, need in routes_of_people() if route[0] == "GET" and plain.may(need)]
        closed = {route: visit(bridge, route, planted, plain).text for route in seen}
        opened = {route: visit(bridge, route, planted, trusted).text for route in seen}
        assert [route for route in seen if WORD in closed[route]] == []
        hiding = [route for route in seen if ROUTES[route].payloads is Payloads.HIDDEN]
        assert [route for route in hiding if WORD not in opened[route] or not says_hidden(closed[route])] == []


def says_hidden(text: str) -> bool:
    """A program by a field, a person by a sentence."""
    return '"payloads_hidden":true' in text or "it takes a role that sees payloads" in text


def test_an_administrator_of_one_client_sees_and_changes_nothing_of_another(
    bridge: RunningBridge, ledger: TestLedger, planted: Planted
) -> None:
    other = ledger.add_tenant("stranger")
    strange = plant(ledger, other, slug="stranger", word=STRANGER)
    visitor = visitor_of(bridge, Role.ADMIN, tenant="demo")
    bridge.http.get("/api/jobs", headers=visitor.headers)
    before = of_client(ledger, other.id)
    asked = [route for route, need in routes_of_people() if visitor.may(need) and not need.is_public]
    answers = [(route, visit(bridge, route, strange, visitor)) for route in asked]
    assert [told(*one) for one in answers if one[1].status_code >= 500 or STRANGER in one[1].text] == []
    assert of_client(ledger, other.id) == before
    assert visit(bridge, ("GET", "/api/jobs"), strange, visitor, **{"zixly-tenant": "stranger"}).json()["reason"] == "not_allowed"


def of_client(ledger: TestLedger, tenant_id: object) -> dict[str, list[str]]:
    """Every row of a client."""
    tables = ledger.owner.execute(
        "select table_name from information_schema.columns where table_schema = 'zixly' and column_name = 'tenant_id' order by 1"
    ).fetchall()
    found = {}
    for table in (row["table_name"] for row in tables):
        rows = ledger.owner.execute(f"select t::text as line from zixly.{table} t where tenant_id = %s order by 1", (tenant_id,)).fetchall()
        found[table] = [row["line"] for row in rows]
    return found
