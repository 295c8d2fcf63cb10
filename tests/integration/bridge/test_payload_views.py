"""Whoever is shown a payload is in the audit log, by whatever route it came to him; whoever is shown none is not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.integration.bridge.running import RunningBridge
from tests.integration.bridge.test_roles import WORD, bridge, planted
from tests.integration.bridge.visiting import Planted, Visitor, routes_of_people, visit, visitor_of
from tests.support.ledger import TestLedger
from zixly_core.access import Role
from zixly_core.ids import new_id

__all__ = ["bridge", "planted"]

READING = [route for route, need in routes_of_people() if route[0] == "GET" and not need.is_public]
# Addresses at which people are told: hidden like payloads, but set here and no part of any.
ADDRESSES = {("GET", "/api/notification-channels"), ("GET", "/console/notifications")}
LINES_SQL = "select action, subject, tenant_id, host(address) as address from zixly.audit_log where token_id = %s order by id"


def lines_of(ledger: TestLedger, visitor: Visitor) -> list[dict[str, Any]]:
    return ledger.owner.execute(LINES_SQL, (UUID(visitor.token.split("_")[1]),)).fetchall()


@pytest.mark.parametrize("tenant", ["demo", None])
def test_every_route_that_shows_a_payload_leaves_exactly_one_line(
    bridge: RunningBridge, ledger: TestLedger, planted: Planted, tenant: str | None
) -> None:
    """Which show one is found by looking: the planted word is there for an editor and not for a viewer."""
    viewer = visitor_of(bridge, Role.VIEWER, tenant=tenant)
    found: dict[str, list[str]] = {}
    for route in READING:
        editor = visitor_of(bridge, Role.EDITOR, tenant=tenant)
        if WORD in visit(bridge, route, planted, editor).text and WORD not in visit(bridge, route, planted, viewer).text:
            lines = lines_of(ledger, editor)
            found[" ".join(route)] = [line["action"] for line in lines if line["action"] != "export.end"]
            about = {line["tenant_id"] for line in lines if line["action"].endswith(".view")}
            assert about <= {ledger.tenant.id}, route
            assert all(line["address"] == "127.0.0.1" for line in lines)
    channels = {" ".join(route) for route in ADDRESSES}
    assert channels <= found.keys()
    assert {name: actions for name, actions in found.items() if len(actions) != 1 and name not in channels} == {}
    assert {"job.view", "trace.view", "drifts.view", "reconciliation.view", "replay.view", "backfill.view"} <= {
        action for actions in found.values() for action in actions
    }
    assert {line["action"] for line in lines_of(ledger, viewer)} <= {"export.begin", "export.end"}, "he saw none"


def test_looking_again_and_again_is_one_look_and_again_later_another(bridge: RunningBridge, ledger: TestLedger, planted: Planted) -> None:
    """Pages draw themselves anew, and programs ask until a job has ended."""
    editor = visitor_of(bridge, Role.EDITOR, tenant="demo")
    job = planted.ids["workflow_jobs"]
    earlier = (new_id(), ledger.tenant.id, f"token:{UUID(editor.token.split('_')[1])}", str(job), UUID(editor.token.split("_")[1]))
    ledger.owner.execute(
        "insert into zixly.audit_log (id, at, tenant_id, actor, action, subject, token_id, address) "
        "values (%s, now() - interval '11 minutes', %s, %s, 'job.view', %s, %s, '127.0.0.1')",
        earlier,
    )
    for path in (f"/webhook/jobs/{job}", f"/console/jobs/{job}", f"/webhook/jobs/{job}"):
        assert bridge.http.get(path, headers=editor.headers).status_code == 200
    assert [line["action"] for line in lines_of(ledger, editor)] == ["job.view", "job.view"], "the earlier one, and one for these three"
    another = visitor_of(bridge, Role.EDITOR, tenant="demo")
    assert bridge.http.get(f"/webhook/jobs/{job}", headers=another.headers).status_code == 200
    assert [(line["action"], line["subject"]) for line in lines_of(ledger, another)] == [("job.view", str(job))]


def test_a_job_that_has_nothing_to_show_yet_leaves_no_line(bridge: RunningBridge, ledger: TestLedger) -> None:
    editor = visitor_of(bridge, Role.EDITOR, tenant="demo")
    (job,) = ledger.add_jobs(1)
    assert bridge.http.get(f"/webhook/jobs/{job}", headers=editor.headers).json()["result"] is None
    assert lines_of(ledger, editor) == []
