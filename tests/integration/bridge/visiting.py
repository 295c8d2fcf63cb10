"""Visits to every route of the bridge: with real things of a client, as whoever is to be tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from psycopg.types.json import Jsonb

from tests.integration.bridge.running import RunningBridge
from tests.integration.operations.planting import Planter
from tests.support.ledger import WORKFLOW, Tenant, TestLedger
from webhook_bridge.permissions import ROUTES, Need, Payloads
from zixly_core.access import Role
from zixly_core.ids import new_id
from zixly_core.personal_data import TABLES as PERSONAL
from zixly_core.personal_data import Holds

ROOT = "the-api-token-of-the-test"
# Which planted table the placeholder of a route is about.
TABLES = {
    "job_id": "workflow_jobs",
    "wanted": "workflow_jobs",
    "delivery_id": "deliveries",
    "replay_id": "replays",
    "search_id": "payload_searches",
    "backfill_id": "backfills",
    "reconciliation_id": "reconciliations",
    "drift_id": "drifts",
    "issue_id": "issues",
    "channel_id": "notification_channels",
    "connection_id": "connections",
    "consent_id": "oauth_states",
    "export_id": "tenant_exports",
    "person_id": "users",
    "token_id": "machine_tokens",
}
ORDER = [Role.VIEWER, Role.EDITOR, Role.ADMIN]


@dataclass(frozen=True)
class Visitor:
    """Somebody as he may be: of a client or staff, with a role; `token` is what he sends."""

    role: Role
    is_staff: bool = False
    sees_payloads: bool = False
    token: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    def may(self, need: Need) -> bool:
        """Worked out here anew, not with the function that enforces it."""
        if need.role is None:
            return True
        has_role = ORDER.index(self.role) >= ORDER.index(need.role)
        has_payloads = self.sees_payloads or self.role != Role.VIEWER or need.payloads != Payloads.NEEDED
        return has_role and has_payloads and (self.is_staff or not need.is_for_staff)


@dataclass(frozen=True)
class Planted:
    """A client with a word of its own in every payload, and the ids of its things."""

    slug: str
    ids: Mapping[str, Any]

    def path(self, template: str) -> str:
        known = {name: str(self.ids.get(table) or new_id()) for name, table in TABLES.items()}
        return template.format(
            **known, system="hubspot", workflow=WORKFLOW, tenant=self.slug, slug=self.slug, token="unknown", name="unknown"
        )

    def query(self, template: str) -> dict[str, str]:
        return {
            "/connect/{system}": {"tenant": self.slug},
            "/api/pauses": {"what": "tenant", "name": self.slug},
            "/api/deliveries/{delivery_id}": {"body": "true"},
            "/api/drifts/export": {"format": "json"},
            "/api/priorities/workflows/{workflow}": {"tenant": self.slug},
            "/api/people/{person_id}/memberships": {"at": self.slug},
        }.get(template, {})

    def body(self, method: str, template: str) -> dict[str, Any]:
        slug, priority = self.slug, {"priority": "low"}
        bodies: dict[str, dict[str, Any]] = {
            "/api/jobs": {"tenant": slug, "workflow": WORKFLOW, "record_id": "r-1"},
            "/api/jobs/{job_id}/priority": priority,
            "/api/deliveries/reverify": {"dry_run": True},
            "/api/replays": {"job_id": str(self.ids["workflow_jobs"])},
            "/api/replays/matching": {"tenant": slug, "workflow": WORKFLOW},
            "/api/searches": {"tenant": slug, "path": "$.a", "value": "b"},
            "/api/backfills": {"tenant": slug, "workflow": WORKFLOW, "first_day": "2026-11-01", "last_day": "2026-11-02"},
            "/api/reconciliations": {"tenant": slug},
            "/api/pauses": {"what": "tenant", "name": slug},
            "/api/priorities/workflows/{workflow}": priority,
            "/api/priorities/tenants/{tenant}": priority,
            "/api/notification-channels": {"tenant": slug, "kind": "email", "name": "new", "target": "new@example.com"},
            "/api/notification-channels/{channel_id}": {"name": "another"},
            "/api/connections/{connection_id}/subscriptions": {"resource": "123"},
            "/api/connect/{system}": {"tenant": slug},
            "/api/tenants": {"slug": "newcomer", "name": "Newcomer"},
            "/api/tenants/{slug}": {"name": "Renamed"},
            "/api/tenants/{slug}/erasure": {"confirm": slug},
            "/api/people": {"tenant": slug, "email": "new@example.com", "name": "New", "role": "VIEWER"},
            "/api/people/{person_id}/memberships": {"role": "EDITOR"} | ({"tenant": slug} if method == "POST" else {}),
            "/api/tokens": {"tenant": slug, "name": "new", "role": "VIEWER", "scopes": ["read"]},
        }
        return bodies.get(template, {})


def plant(ledger: TestLedger, tenant: Tenant, *, slug: str, word: str) -> Planted:
    """A row in every table, with the word wherever something personal or secret can be; in the shapes in which the API shows them."""
    planter = Planter(ledger, tenant, word)
    planter.plant_all()
    ids = planter.ids
    say_nothing(ledger)
    ledger.owner.execute("delete from zixly.signing_secrets")  # the bridge would say again and again that it cannot open them
    step = {"step": "look", "message": word, "at": "2026-11-27T00:00:00Z"}
    drifted = {"name": {"source": word, "target": word}}
    ledger.owner.execute(
        "update zixly.workflow_jobs set result = %s, execution_log = %s, made_by = %s, error_message = null, connection_id = %s, "
        "record_key = %s where id = %s",
        (
            Jsonb({"would_write": [{"name": word}]}),
            Jsonb([step]),
            ids["replays"],
            tenant.xero,
            f"xero:INVOICE:{slug}",
            ids["workflow_jobs"],
        ),
    )
    ledger.owner.execute("update zixly.deliveries set headers = '{}', sealed = null where id = %s", (ids["deliveries"],))
    ledger.owner.execute("update zixly.replays set is_dry_run = true, chosen = '{}' where id = %s", (ids["replays"],))
    ledger.owner.execute("update zixly.backfills set is_dry_run = true, status = 'RUNNING' where id = %s", (ids["backfills"],))
    ledger.owner.execute("update zixly.drifts set fields = %s, target = 'contact-1' where id = %s", (Jsonb(drifted), ids["drifts"]))
    ledger.owner.execute("update zixly.users set email = %s where id = %s", (f"{slug}@example.com", ids["users"]))
    ledger.owner.execute("update zixly.tenants set priority = 1 where id = %s", (tenant.id,))
    job_of_backfill(ledger, tenant, word=word, backfill_id=ids["backfills"])
    return Planted(slug, ids)


def say_nothing(ledger: TestLedger) -> None:
    """Empty what people and programs said in free words: names, notes, texts of errors. It may be shown."""
    types = "select data_type as type from information_schema.columns where table_schema = 'zixly' and table_name = %s and column_name = %s"
    for table, held in PERSONAL.items():
        for column in held.columns_of(Holds.WORDS):
            found = ledger.owner.execute(types, (table, column)).fetchone()
            value = "'{}'" if found and found["type"] == "jsonb" else "'words'"
            ledger.owner.execute(f"update zixly.{table} set {column} = {value} where {column} is not null")


def job_of_backfill(ledger: TestLedger, tenant: Tenant, *, word: str, backfill_id: object) -> None:
    ledger.add_jobs(1, tenant=tenant, made_by=backfill_id, status="COMPLETED", result=Jsonb({"would_write": [{"name": word}]}))


def visit(bridge: RunningBridge, route: tuple[str, str], planted: Planted, visitor: Visitor | None, **headers: str) -> httpx2.Response:
    """One request, followed nowhere; of a stream, which does not end, what it says first."""
    method, template = route
    body = None if method in {"GET", "DELETE"} else planted.body(method, template)
    sent = bridge.http.build_request(
        method,
        planted.path(template),
        params=planted.query(template),
        json=body,
        headers=(visitor.headers if visitor else {}) | headers,
    )
    answer = bridge.http.send(sent, stream=True)
    try:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            first = next(answer.iter_bytes())
            return httpx2.Response(answer.status_code, headers=answer.headers, content=first, request=sent)
        answer.read()
        return answer
    finally:
        answer.close()


def routes_of_people() -> list[tuple[tuple[str, str], Need]]:
    """All but the senders' own, who prove themselves by signatures."""
    return [(route, need) for route, need in ROUTES.items() if not (need.role is None and route[1].startswith("/webhook/"))]


def make_token(bridge: RunningBridge, *, by: str = ROOT, **wanted: Any) -> httpx2.Response:
    asked = {"name": "a token", "role": "VIEWER", "scopes": ["all"]} | wanted
    return bridge.http.post("/api/tokens", json=asked, headers={"authorization": f"Bearer {by}"})


def visitor_of(bridge: RunningBridge, role: Role, *, tenant: str | None, sees_payloads: bool = False) -> Visitor:
    """Somebody with this role, by a token that is narrowed to nothing."""
    made = make_token(bridge, role=role, tenant=tenant, sees_payloads=sees_payloads)
    assert made.status_code == 201, made.text
    return Visitor(role, is_staff=tenant is None, sees_payloads=sees_payloads, token=made.json()["token"])
