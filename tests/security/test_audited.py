"""Every operation of the bridge's description that changes something, or shows a payload, leaves exactly one line in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.security.conftest import Doors
from tests.security.openapi import Operation, operations
from tests.security.real_proofs import Kind, RealProofs
from tests.support.ledger import WORKFLOW, TestLedger
from zixly_core.ids import new_id

STAFF = "staff ADMIN"
HOOK = "https://hooks.slack.com/services/T000/B000/only-for-tests"
# They change nothing, in spite of their method.
ONLY_ASK = frozenset({"POST /api/replays/matching"})


@dataclass(frozen=True)
class Stage:
    """What requests need to be good ones."""

    ledger: TestLedger
    doors: Doors

    def insert(self, table: str, **columns: Any) -> UUID:
        values = {"id": new_id(), "tenant_id": self.ledger.tenant.id, **columns}
        places = ", ".join(["%s"] * len(values))
        self.ledger.owner.execute(f"insert into zixly.{table} ({', '.join(values)}) values ({places})", list(values.values()))
        one: UUID = values["id"]
        return one

    def job(self, **columns: Any) -> UUID:
        return self.ledger.add_jobs(1, **columns)[0]

    def issue(self, status: str = "OPEN") -> UUID:
        about = {"system": "xero", "operation": f"op-{new_id()}", "reason": "r", "title": "T"}
        return self.insert("issues", **about, status=status)

    def failed_job_of_issue(self) -> UUID:
        issue = self.issue()
        self.job(status="FAILED", issue_id=issue)
        return issue

    def reconciliation(self) -> UUID:
        about = {"connection_id": self.ledger.tenant.xero, "workflow": WORKFLOW, "origin": "asked", "status": "DONE"}
        return self.insert("reconciliations", **about, since="2026-11-01", until="2026-11-02", ended_at="2026-11-03")

    def drift(self) -> UUID:
        found = self.reconciliation()
        record = {"record_key": f"xero:INVOICE:{new_id()}", "record_id": "1", "kind": "field_drift", "status": "OPEN"}
        about = {"connection_id": self.ledger.tenant.xero, "workflow": WORKFLOW, "found_by": found, "seen_by": found}
        return self.insert("drifts", **about, **record)

    def made(self, path: str, body: Mapping[str, Any]) -> str:
        """Something made over the API before."""
        answer = self.doors.ask(STAFF, "POST", path, json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    def asana(self) -> UUID:
        return self.insert("connections", system="asana", external_id=str(new_id()), name="Asana")

    def delivery(self) -> UUID:
        one = new_id()
        self.ledger.owner.execute(
            "insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256)"
            " values (%s, 'xero', '/webhook/xero', now(), 'accepted', 200, '{}', 'x', 'x')",
            (one,),
        )
        return one

    def tenant(self) -> str:
        slug = f"t-{uuid4().hex[:12]}"
        self.made_tenant(slug)
        return slug

    def made_tenant(self, slug: str) -> None:
        assert self.doors.ask(STAFF, "POST", "/api/tenants", json={"slug": slug, "name": "T"}).is_success

    def pause(self) -> str:
        assert self.doors.ask(STAFF, "POST", "/api/pauses", json={"what": "tenant", "name": "demo"}).is_success
        return "/api/pauses?what=tenant&name=demo"

    def ready_export(self) -> str:
        slug = self.tenant()
        export = self.made(f"/api/tenants/{slug}/exports", {})
        self.ledger.owner.execute("update zixly.tenant_exports set status = 'READY' where id = %s", (export,))
        return f"/api/tenants/{slug}/exports/{export}/fetch"

    def channel(self) -> str:
        return self.made("/api/notification-channels", {"kind": "slack", "name": "c", "target": HOOK})

    def replay(self, **rest: Any) -> dict[str, Any]:
        return {"job_id": str(self.job(status="FAILED")), **rest}

    def backfill(self, **rest: Any) -> dict[str, Any]:
        days = {"first_day": "2026-11-20", "last_day": "2026-11-20"}
        return {"workflow": WORKFLOW, "tenant": "demo", **days, **rest}


Made = tuple[str, Any]


def erasure(slug: str) -> Made:
    return f"/api/tenants/{slug}/erasure", {"confirm": slug}


def person() -> dict[str, Any]:
    return {"email": f"{uuid4().hex}@example.com", "name": "Ann", "tenant": "demo", "role": "VIEWER"}


TOKEN = {"name": "t", "tenant": "demo", "role": "VIEWER", "scopes": ["read"]}
PAUSED = {"what": "workflow", "name": WORKFLOW}
# A good request for each: its path (and query), and its body. What is done before it is not counted.
GOOD: Mapping[str, Callable[[Stage], Made]] = {
    "POST /api/deliveries/reverify": lambda _: ("/api/deliveries/reverify", {"system": "xero"}),
    "POST /api/jobs": lambda _: ("/api/jobs", {"tenant": "demo", "workflow": WORKFLOW, "record_id": str(new_id())}),
    "POST /api/jobs/{job_id}/cancel": lambda stage: (f"/api/jobs/{stage.job()}/cancel", None),
    "POST /api/jobs/{job_id}/retry": lambda stage: (f"/api/jobs/{stage.job(status='FAILED')}/retry", None),
    "POST /api/jobs/{job_id}/priority": lambda stage: (f"/api/jobs/{stage.job()}/priority", {"priority": "high"}),
    "POST /api/connections/{connection_id}/subscriptions": lambda stage: (
        f"/api/connections/{stage.asana()}/subscriptions",
        {"resource": "1200000000000001"},
    ),
    "POST /api/replays": lambda stage: ("/api/replays", stage.replay()),
    "POST /api/replays/{replay_id}/stop": lambda stage: (f"/api/replays/{stage.made('/api/replays', stage.replay())}/stop", None),
    "POST /api/reconciliations": lambda _: ("/api/reconciliations", {"tenant": "demo", "workflow": WORKFLOW}),
    "POST /api/reconciliations/{reconciliation_id}/repair": lambda stage: (f"/api/reconciliations/{stage.reconciliation()}/repair", {}),
    "POST /api/drifts/{drift_id}/repair": lambda stage: (f"/api/drifts/{stage.drift()}/repair", None),
    "POST /api/drifts/{drift_id}/accept": lambda stage: (f"/api/drifts/{stage.drift()}/accept", None),
    "POST /api/searches": lambda _: ("/api/searches", {"tenant": "demo", "path": "$.id", "value": "x"}),
    "POST /api/backfills": lambda stage: ("/api/backfills", stage.backfill()),
    "POST /api/backfills/{backfill_id}/stop": lambda stage: (
        f"/api/backfills/{stage.made('/api/backfills', stage.backfill(dry_run=True))}/stop",
        None,
    ),
    "PUT /api/connections/{connection_id}/settings": lambda stage: (f"/api/connections/{stage.ledger.tenant.xero}/settings", {}),
    "POST /api/connect/{system}": lambda _: ("/api/connect/xero", {"tenant": "demo"}),
    "POST /api/notification-channels": lambda _: ("/api/notification-channels", {"kind": "slack", "name": "c", "target": HOOK}),
    "PATCH /api/notification-channels/{channel_id}": lambda stage: (f"/api/notification-channels/{stage.channel()}", {"name": "d"}),
    "DELETE /api/notification-channels/{channel_id}": lambda stage: (f"/api/notification-channels/{stage.channel()}", None),
    "POST /api/notification-channels/{channel_id}/test": lambda stage: (f"/api/notification-channels/{stage.channel()}/test", None),
    "POST /api/connections/{connection_id}/check": lambda stage: (f"/api/connections/{stage.ledger.tenant.hubspot}/check", None),
    "POST /api/pauses": lambda _: ("/api/pauses", PAUSED),
    "DELETE /api/pauses": lambda stage: (stage.pause(), None),
    "PUT /api/priorities/workflows/{workflow}": lambda _: (f"/api/priorities/workflows/{WORKFLOW}", {"priority": "low"}),
    "PUT /api/priorities/tenants/{tenant}": lambda _: ("/api/priorities/tenants/demo", {"priority": "low"}),
    "POST /api/issues/{issue_id}/acknowledge": lambda stage: (f"/api/issues/{stage.issue()}/acknowledge", {}),
    "POST /api/issues/{issue_id}/resolve": lambda stage: (f"/api/issues/{stage.issue()}/resolve", {}),
    "POST /api/issues/{issue_id}/ignore": lambda stage: (f"/api/issues/{stage.issue()}/ignore", {}),
    "POST /api/issues/{issue_id}/reopen": lambda stage: (f"/api/issues/{stage.issue('ACKNOWLEDGED')}/reopen", {}),
    "POST /api/issues/{issue_id}/replay": lambda stage: (f"/api/issues/{stage.failed_job_of_issue()}/replay", {}),
    "POST /api/people": lambda _: ("/api/people", person()),
    "DELETE /api/people/{person_id}": lambda stage: (f"/api/people/{stage.made('/api/people', person())}", None),
    "POST /api/people/{person_id}/memberships": lambda stage: (
        f"/api/people/{stage.made('/api/people', person())}/memberships",
        {"tenant": "other", "role": "VIEWER"},
    ),
    "PATCH /api/people/{person_id}/memberships": lambda stage: (
        f"/api/people/{stage.made('/api/people', person())}/memberships?at=demo",
        {"role": "EDITOR"},
    ),
    "DELETE /api/people/{person_id}/memberships": lambda stage: (
        f"/api/people/{stage.made('/api/people', person())}/memberships?at=demo",
        None,
    ),
    "POST /api/tokens": lambda _: ("/api/tokens", TOKEN),
    "DELETE /api/tokens/{token_id}": lambda stage: (f"/api/tokens/{stage.made('/api/tokens', TOKEN)}", None),
    "POST /api/tenants": lambda _: ("/api/tenants", {"slug": "new", "name": "New"}),
    "PATCH /api/tenants/{slug}": lambda stage: (f"/api/tenants/{stage.tenant()}", {"name": "Changed"}),
    "POST /api/tenants/{slug}/exports": lambda stage: (f"/api/tenants/{stage.tenant()}/exports", None),
    "POST /api/tenants/{slug}/exports/{export_id}/fetch": lambda stage: (stage.ready_export(), None),
    "POST /api/tenants/{slug}/erasure": lambda stage: erasure(stage.tenant()),
}
# Whoever loses the last membership is forgotten, which is a deed of its own.
LAST_ONE = ["membership.take", "person.forget"]
SEVERAL = {"DELETE /api/people/{person_id}": LAST_ONE, "DELETE /api/people/{person_id}/memberships": LAST_ONE}
# What shows a payload, or was made to: with its method and request.
VIEWS: Mapping[str, Callable[[Stage], tuple[str, str, Any]]] = {
    "delivery.read_body": lambda stage: ("GET", f"/api/deliveries/{stage.delivery()}?body=true", None),
    "payload.search": lambda stage: ("POST", *GOOD["POST /api/searches"](stage)),
    "tenant.export_fetched": lambda stage: ("POST", stage.ready_export(), None),
    "replay.preview": lambda stage: ("POST", "/api/replays", stage.replay(dry_run=True)),
    "job.dry_run": lambda stage: ("POST", "/api/jobs", {"tenant": "demo", "workflow": WORKFLOW, "record_id": "r1", "dry_run": True}),
    "audit.export": lambda _: ("GET", "/api/audit/export", None),
}
LINES_SQL = (
    "select actor, action, subject, details::text as details, address is not null as placed, request_id from zixly.audit_log where id > %s"
)


@pytest.fixture
def stage(doors: Doors, ledger: TestLedger) -> Stage:
    ledger.owner.execute("update zixly.workflows set record_form = 'xero:{account}:INVOICE:{id}'")
    return Stage(ledger, doors)


def lines_of(stage: Stage, method: str, path: str, body: Any) -> list[dict[str, Any]]:
    before = new_id()
    answer = stage.doors.ask(STAFF, method, path, json=body)
    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
    lines = stage.ledger.owner.execute(LINES_SQL, (before,)).fetchall()
    assert [line for line in lines if str(line["request_id"].hex) != answer.headers["x-request-id"] or not line["placed"]] == []
    return lines


@pytest.mark.timeout(300)
def test_every_change_over_the_api_leaves_exactly_one_line(stage: Stage) -> None:
    described = operations(stage.doors.ask(STAFF, "GET", "/openapi.json").json())
    changing: list[Operation] = [one for one in described if one.changes and one.name not in ONLY_ASK]
    assert [one.name for one in changing if one.name not in GOOD] == [], "say in GOOD what a good request for these is"
    found = {}
    for one in changing:
        path, body = GOOD[one.name](stage)
        lines = lines_of(stage, one.method, path, body)
        found[one.name] = [line["action"] for line in lines]
        assert "@" not in str(lines)
    assert {name: actions for name, actions in found.items() if len(actions) != 1} == SEVERAL


@pytest.mark.parametrize("action", VIEWS)
def test_every_view_of_a_payload_leaves_exactly_one_line(stage: Stage, action: str) -> None:
    method, path, body = VIEWS[action](stage)
    assert [line["action"] for line in lines_of(stage, method, path, body)] == [action]


def test_a_line_names_the_person_or_the_token_that_really_asked(real_doors: Doors, proofs: RealProofs, ledger: TestLedger) -> None:
    before = new_id()
    assert real_doors.ask("demo EDITOR", "POST", "/api/pauses", json={"what": "tenant", "name": "demo"}).is_success
    lines = ledger.owner.execute("select * from zixly.audit_log where id > %s and action = 'tenant.pause'", (before,)).fetchall()
    of = {Kind.TOKEN: ("token_id", "machine_tokens"), Kind.SESSION: ("user_id", "users")}
    column, table = of[proofs.kind]
    known = [row["id"] for row in ledger.owner.execute(f"select id from zixly.{table}")]
    assert [line[column] in known for line in lines] == [True]
    assert lines[0]["actor"] == f"{column.removesuffix('_id')}:{lines[0][column]}"
