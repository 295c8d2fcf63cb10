"""`zixly up --sign-in` behind a gateway: what works there for those who may."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.security.conftest import ADMIN, CLIENT, EDITOR, STRANGER, VIEWER, Site
from tests.acceptance.test_security_sockets import all_sockets_of, is_loopback
from zixly_sandbox.openid.people import PEOPLE


def test_nobody_sees_anything_and_each_person_what_his_role_allows(site: Site) -> None:
    with site.nobody() as http:
        assert http.get("/api/jobs").status_code == 401
        assert http.get(site.way_back(http, STRANGER)).status_code == 403
        assert http.get("/api/jobs").status_code == 401
    new_tenant = {"slug": "new-client", "name": "New client", "time_zone": "Australia/Brisbane"}
    seen = {}
    for person in PEOPLE[:4]:
        with site.person(person) as http:
            changed = http.post("/api/tenants", json=new_tenant, headers={"origin": site.front.url}).status_code
            seen[person.what] = (http.get("/api/jobs").status_code, changed, http.get("/dagster/server_info").status_code)
    assert seen == {
        ADMIN.what: (200, 201, 200),
        EDITOR.what: (200, 403, 200),
        VIEWER.what: (200, 403, 200),
        CLIENT.what: (200, 403, 403),
    }


@pytest.mark.parametrize("place", ["/dagster/runs", "{url}/dagster/runs?view=all", "{url}/auth/me"])
def test_after_signing_in_one_is_where_one_wanted_to_be(site: Site, place: str) -> None:
    wanted = place.format(url=site.front.url)
    with site.nobody() as http:
        answer = http.get(site.way_back(http, EDITOR, wanted=wanted))
        assert (answer.status_code, answer.headers["location"]) == (303, wanted)
        assert http.get(wanted).status_code == 200
        out = http.post("/auth/sign-out", headers={"origin": site.front.url})
        assert out.status_code == 303
        assert http.get("/dagster/runs", headers={"accept": "application/json"}).status_code == 401


def test_signed_deliveries_of_every_system_come_in_through_the_gateway_and_are_done(site: Site) -> None:
    with site.nobody() as http:
        for system in ("xero", "hubspot", "shopify", "asana", "callbacks"):
            made = site.delivery(system)
            assert http.post(f"/webhook/{made.path}", content=made.body, headers=dict(made.headers)).is_success, system
    site.stack.wait_until(lambda: "COMPLETED" in site.stack.job_statuses(), seconds=90, words="a delivery's job is done")


def test_the_commands_of_the_stack_prove_themselves_past_the_gateway(site: Site) -> None:
    listed = site.stack.zixly("jobs", "ls", "--json")
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)


def test_everything_behind_the_gateway_listens_on_this_machine(site: Site) -> None:
    assert {one for one in all_sockets_of(site.stack) if not is_loopback(one[1])} == set()
