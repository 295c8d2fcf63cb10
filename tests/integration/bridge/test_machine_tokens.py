from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.integration.bridge.running import RunningBridge
from tests.integration.bridge.test_roles import bridge
from tests.integration.bridge.visiting import ROOT, make_token
from tests.integration.operations.planting import everything_in
from tests.support.ledger import WORKFLOW, TestLedger
from zixly_core.access import Role

__all__ = ["bridge"]


def by(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def made(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_token_is_told_once_and_only_its_digest_is_kept(bridge: RunningBridge, ledger: TestLedger) -> None:
    token = made(make_token(bridge, tenant="demo"))
    prefix, token_id, secret = token["token"].split("_", 2)
    assert (prefix, len(token_id), len(secret)) == ("zx", 32, 43)
    listed = bridge.http.get("/api/tokens", headers=by(ROOT))
    assert [one["id"] for one in listed.json()["tokens"]] == [token["id"]]
    assert secret not in listed.text
    assert all(secret not in rows for rows in everything_in(ledger).values())


def test_a_sender_with_the_scope_makes_jobs_and_does_nothing_else(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.owner.execute("update zixly.workflows set record_form = 'xero:{account}:INVOICE:{id}' where name = %s", (WORKFLOW,))
    token = made(make_token(bridge, tenant="demo", role="EDITOR", scopes=["jobs:write"]))
    wanted = {"tenant": "demo", "workflow": WORKFLOW, "record_id": "inv-1"}
    job = bridge.http.post("/api/jobs", json=wanted, headers=by(token["token"]))
    assert job.status_code == 202, job.text
    for method, path in (
        ("GET", "/api/jobs"),
        ("GET", f"/webhook/jobs/{job.json()['id']}"),
        ("POST", "/api/tokens"),
        ("GET", "/api/issues"),
    ):
        refused = bridge.http.request(method, path, headers=by(token["token"]))
        assert (refused.status_code, refused.json()["reason"]) in {(403, "token_scope"), (403, "role_too_small")}
    (line,) = ledger.owner.execute("select actor, token_id from zixly.audit_log where action = 'job.make'").fetchall()
    assert (line["actor"], str(line["token_id"])) == (f"token:{token['id']}", token["id"])


@pytest.mark.parametrize(
    ("maker", "wanted"),
    [
        ({"tenant": "demo", "role": "ADMIN"}, {"tenant": None}),
        ({"tenant": "demo", "role": "ADMIN"}, {"tenant": "other"}),
        ({"tenant": "demo", "role": "ADMIN", "scopes": ["read"]}, {"tenant": "demo"}),
        ({"tenant": "demo", "role": "EDITOR"}, {"tenant": "demo", "role": "VIEWER"}),
        ({"role": "EDITOR"}, {"role": "ADMIN"}),
    ],
)
def test_a_token_makes_none_that_can_do_more(
    bridge: RunningBridge, ledger: TestLedger, maker: dict[str, Any], wanted: dict[str, Any]
) -> None:
    ledger.add_tenant("other")
    own = made(make_token(bridge, **maker))["token"]
    before = ledger.owner.execute("select count(*) from zixly.machine_tokens").fetchone()
    refused = make_token(bridge, by=own, **wanted)
    assert refused.status_code in {403, 404}, refused.text
    assert ledger.owner.execute("select count(*) from zixly.machine_tokens").fetchone() == before


def test_a_token_that_is_made_with_another_ends_no_later_and_is_revoked_with_it(bridge: RunningBridge) -> None:
    first = made(make_token(bridge, tenant="demo", role="ADMIN", days=2))
    second = made(make_token(bridge, by=first["token"], tenant="demo", days=90))
    third = made(make_token(bridge, tenant="demo", days=90))
    assert second["expires_at"] == first["expires_at"]
    assert bridge.http.get("/api/jobs", headers=by(second["token"])).status_code == 200
    done = bridge.http.delete(f"/api/tokens/{first['id']}", headers=by(ROOT)).json()
    assert (done["tokens_ended"], done["token"]["revoked_by"]) == (2, "api-token")
    for token in (first, second):
        refused = bridge.http.get("/api/jobs", headers=by(token["token"]))
        assert (refused.status_code, refused.json()["reason"]) == (401, "token_revoked")
    assert bridge.http.get("/api/jobs", headers=by(third["token"])).status_code == 200
    again = bridge.http.delete(f"/api/tokens/{first['id']}", headers=by(ROOT)).json()
    assert again["tokens_ended"] == 0


@pytest.mark.parametrize("days", [0, 366])
def test_a_token_lasts_a_year_at_most(bridge: RunningBridge, days: int) -> None:
    assert make_token(bridge, days=days).status_code == 422


def test_the_last_use_is_noted_once_a_minute(bridge: RunningBridge, ledger: TestLedger) -> None:
    token = made(make_token(bridge, tenant="demo"))

    def used() -> object:
        bridge.http.get("/api/jobs", headers=by(token["token"]))
        row = ledger.owner.execute("select last_used_at from zixly.machine_tokens").fetchone()
        return row and row["last_used_at"]

    first = used()
    assert first is not None
    assert used() == first
    ledger.owner.execute("update zixly.machine_tokens set last_used_at = last_used_at - interval '2 minutes'")
    assert used() != first


def test_an_administrator_sees_the_tokens_of_his_client_only(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.add_tenant("other")
    strange = made(make_token(bridge, tenant="other"))
    own = made(make_token(bridge, tenant="demo", role=Role.ADMIN))
    listed = bridge.http.get("/api/tokens", headers=by(own["token"])).json()["tokens"]
    assert [one["id"] for one in listed] == [own["id"]]
    assert bridge.http.delete(f"/api/tokens/{strange['id']}", headers=by(own["token"])).status_code == 404
    assert bridge.http.get("/api/jobs", headers=by(strange["token"])).status_code == 200
