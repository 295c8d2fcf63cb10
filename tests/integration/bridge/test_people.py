from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.integration.bridge.running import RunningBridge
from tests.integration.bridge.test_roles import bridge
from tests.integration.bridge.visiting import ROOT, make_token
from tests.support.ledger import TestLedger
from zixly_core.ids import new_id

__all__ = ["bridge"]
ADMIN = {"authorization": f"Bearer {ROOT}"}


def invited(bridge: RunningBridge, email: str = "ada@example.com", *, headers: dict[str, str] = ADMIN, **wanted: Any) -> dict[str, Any]:
    body = {"email": email, "name": "Ada", "role": "VIEWER"} | wanted
    answer = bridge.http.post("/api/people", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def admin_of(bridge: RunningBridge, tenant: str) -> dict[str, str]:
    return {"authorization": f"Bearer {make_token(bridge, tenant=tenant, role='ADMIN').json()['token']}"}


def test_a_person_is_invited_changed_and_removed_and_all_of_it_is_written_down(bridge: RunningBridge, ledger: TestLedger) -> None:
    person = invited(bridge, "Ada@Example.com", tenant="demo")
    path = f"/api/people/{person['id']}/memberships"
    assert (person["email"], person["memberships"]) == ("ada@example.com", [{"tenant": "demo", "role": "VIEWER", "sees_payloads": False}])
    again = bridge.http.post(
        "/api/people", json={"email": "ada@example.com", "name": "A", "role": "ADMIN", "tenant": "demo"}, headers=ADMIN
    )
    assert (again.status_code, again.json()["reason"]) == (409, "already_member")
    granted = bridge.http.patch(path, params={"at": "demo"}, json={"sees_payloads": True}, headers=ADMIN).json()
    assert granted["person"]["memberships"] == [{"tenant": "demo", "role": "VIEWER", "sees_payloads": True}]
    assert bridge.http.post(path, json={"role": "EDITOR"}, headers=ADMIN).status_code == 201
    (listed,) = bridge.http.get("/api/people", params={"tenant": "demo"}, headers=ADMIN).json()["people"]
    assert [(one["tenant"], one["role"]) for one in listed["memberships"]] == [(None, "EDITOR"), ("demo", "VIEWER")]
    assert bridge.http.delete(path, params={"at": "demo"}, headers=ADMIN).status_code == 200
    assert ledger.owner.execute("select count(*) as people from zixly.users").fetchone() == {"people": 1}
    assert bridge.http.delete(f"/api/people/{person['id']}", headers=ADMIN).status_code == 200
    assert ledger.owner.execute("select count(*) as people from zixly.users").fetchone() == {"people": 0}
    lines = ledger.owner.execute("select action, subject, details::text from zixly.audit_log order by at, id").fetchall()
    acts = ["membership.give", "membership.change", "membership.give", "membership.take", "membership.take", "person.forget"]
    assert [line["action"] for line in lines] == acts
    assert {line["subject"] for line in lines} == {person["id"]}
    assert not any("@" in line["details"] for line in lines)


def test_the_last_administrator_of_the_agency_stays(bridge: RunningBridge, ledger: TestLedger) -> None:
    ada = invited(bridge, "ada@example.com", role="ADMIN")
    path = f"/api/people/{ada['id']}"
    for refused in (
        bridge.http.delete(path, headers=ADMIN),
        bridge.http.delete(f"{path}/memberships", headers=ADMIN),
        bridge.http.patch(f"{path}/memberships", json={"role": "EDITOR"}, headers=ADMIN),
    ):
        assert (refused.status_code, refused.json()["reason"]) == (409, "last_admin")
    assert ledger.owner.execute("select role from zixly.memberships").fetchall() == [{"role": "ADMIN"}]
    invited(bridge, "grace@example.com", role="ADMIN")
    assert bridge.http.patch(f"{path}/memberships", json={"role": "EDITOR"}, headers=ADMIN).status_code == 200


def test_an_administrator_of_a_client_manages_its_people_and_no_others(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.add_tenant("other")
    staff = invited(bridge, "staff@example.com", role="EDITOR")
    strange = invited(bridge, "strange@example.com", tenant="other")
    own = admin_of(bridge, "demo")
    both = invited(bridge, "strange@example.com", headers=own, tenant="demo")
    assert (both["id"], [one["tenant"] for one in both["memberships"]]) == (strange["id"], ["demo"])
    assert [one["id"] for one in bridge.http.get("/api/people", headers=own).json()["people"]] == [strange["id"]]
    for person, at in ((staff["id"], {}), (staff["id"], {"at": "demo"}), (strange["id"], {"at": "other"}), (strange["id"], {})):
        path = f"/api/people/{person}/memberships"
        assert bridge.http.delete(path, params=at, headers=own).status_code in {403, 404, 409}
        assert bridge.http.patch(path, params=at, json={"role": "ADMIN"}, headers=own).status_code in {403, 404, 409}
    for tenant in (None, "other"):
        answer = bridge.http.post(
            "/api/people", json={"email": "x@example.com", "name": "X", "role": "ADMIN", "tenant": tenant}, headers=own
        )
        assert answer.status_code in {403, 404}
    assert bridge.http.delete(f"/api/people/{strange['id']}", headers=own).status_code == 200
    left = ledger.owner.execute("select t.slug, m.role from zixly.memberships m left join zixly.tenants t on t.id = m.tenant_id").fetchall()
    assert sorted((row["slug"] or "", row["role"]) for row in left) == [("", "EDITOR"), ("other", "VIEWER")]


def test_tokens_that_staff_made_for_clients_end_with_the_place_at_the_agency(bridge: RunningBridge, ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    ada = invited(bridge, role="ADMIN")
    invited(bridge, tenant="other", role="ADMIN")
    invited(bridge, "grace@example.com", role="ADMIN")
    for tenant_id in (None, ledger.tenant.id, other.id):
        token_made_by(ledger, ada["id"], tenant_id)
    assert bridge.http.delete(f"/api/people/{ada['id']}/memberships", headers=ADMIN).json() == {"tokens_ended": 2}
    left = ledger.owner.execute("select tenant_id from zixly.machine_tokens where revoked_at is null").fetchall()
    assert [row["tenant_id"] for row in left] == [other.id]


def token_made_by(ledger: TestLedger, person: str, tenant_id: UUID | None) -> UUID:
    token_id = new_id()
    ledger.owner.execute(
        "insert into zixly.machine_tokens (id, tenant_id, name, role, scopes, secret_sha256, made_by, made_by_user, expires_at) "
        "values (%s, %s, 'hers', 'ADMIN', '{all}', '', 'ada', %s, now() + interval '1 day')",
        (token_id, tenant_id, person),
    )
    return token_id


def test_tokens_end_with_the_rights_of_whoever_made_them(bridge: RunningBridge, ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    ada = invited(bridge, tenant="demo", role="ADMIN")
    invited(bridge, tenant="other", role="ADMIN")
    here, elsewhere = (token_made_by(ledger, ada["id"], tenant.id) for tenant in (ledger.tenant, other))
    path = f"/api/people/{ada['id']}/memberships"
    same = bridge.http.patch(path, params={"at": "demo"}, json={"role": "ADMIN"}, headers=ADMIN).json()
    less = bridge.http.patch(path, params={"at": "demo"}, json={"role": "EDITOR"}, headers=ADMIN).json()
    assert (same["tokens_ended"], less["tokens_ended"]) == (0, 1)
    rows = ledger.owner.execute("select id from zixly.machine_tokens where revoked_at is null").fetchall()
    assert [row["id"] for row in rows] == [elsewhere]
    assert here != elsewhere
    assert bridge.http.delete(f"/api/people/{ada['id']}", headers=ADMIN).json() == {"tokens_ended": 1}
