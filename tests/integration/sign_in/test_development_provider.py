"""The sandbox's own provider, as `zixly up --sign-in` uses it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import settings_for, start_bridge
from tests.integration.sign_in.conftest import Place
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from tests.support.running_sandbox import running_sandbox
from zixly_cli.seed import DEMO, demo_id, seed_people
from zixly_cli.stack.ports import free_port
from zixly_sandbox.constants import APP
from zixly_sandbox.openid.desk import AUDIENCE
from zixly_sandbox.openid.people import PEOPLE

pytestmark = pytest.mark.integration


@pytest.fixture
def place(ledger: TestLedger, database: TestDatabase) -> Iterator[Place]:
    ledger.owner.execute("insert into zixly.tenants (id, slug, name) values (%s, 'seeded', 'Seeded')", (demo_id("tenant", DEMO.slug),))
    seed_people(ledger.owner)  # type: ignore[arg-type]  # rows by name or by number: it reads none
    ledger.owner.commit()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_sandbox() as sandbox:
        settings = settings_for(
            database,
            bridge_public_url=url,
            oidc_issuer=f"{sandbox}/oidc",
            oidc_client_id=APP.client_id,
            oidc_client_secret=SecretStr(APP.client_secret),
            oidc_audience=AUDIENCE,
        )
        bridge = start_bridge(settings, port=port)
        made = Place(bridge, url, f"{sandbox}/oidc")
        yield made
        for browser in made.browsers:
            browser.http.close()
        bridge.stop()


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, (None, "ADMIN")), (1, (None, "EDITOR")), (2, (None, "VIEWER")), (3, ("seeded", "VIEWER"))],
    ids=["ADMIN", "EDITOR", "VIEWER", "a client's VIEWER"],
)
def test_each_person_of_the_stack_signs_in_with_a_role(place: Place, number: int, expected: tuple[str | None, str]) -> None:
    browser = place.browser()
    page = browser.http.get(browser.leave())
    assert page.status_code == 200
    assert all(one.name in page.text for one in PEOPLE)
    back = browser.http.get(f"{page.url}&person={PEOPLE[number].subject}").headers["location"]
    assert browser.http.get(back).status_code == 303
    (membership,) = browser.me().json()["memberships"]
    assert (membership["tenant"], membership["role"]) == expected
    assert "Sign out" in browser.get("/auth/me").text
    assert browser.http.get(browser.sign_out().headers["location"]).headers["location"] == f"{place.url}/auth/signed-out"
    assert browser.me().status_code == 401


def test_strangers_and_refusals_are_told_apart(place: Place) -> None:
    browser = place.browser()
    for person, reason in ((PEOPLE[-1].subject, "not_invited"), ("", "not_consented")):
        back = browser.http.get(f"{browser.leave()}&person={person}").headers["location"]
        assert reason in browser.http.get(back).text


def test_it_sends_nobody_elsewhere_and_takes_no_code_twice(place: Place) -> None:
    browser = place.browser()
    url = browser.leave()
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    authorize = url.partition("?")[0]
    for change in ({"redirect_uri": "https://evil.example/auth/callback"}, {"client_id": "another"}):
        assert browser.http.get(authorize, params=query | change).status_code == 400
    plain = browser.http.get(authorize, params=query | {"code_challenge_method": "plain"}).headers["location"]
    assert parse_qs(urlsplit(plain).query)["error"] == ["invalid_request"]
    code = parse_qs(urlsplit(browser.http.get(f"{url}&person={PEOPLE[0].subject}").headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": query["redirect_uri"], "code_verifier": "wrong"}
    for secret, error in (("wrong", "invalid_client"), (APP.client_secret, "invalid_grant"), (APP.client_secret, "invalid_grant")):
        assert browser.http.post(f"{place.issuer}/token", data=form, auth=(APP.client_id, secret)).json()["error"] == error
