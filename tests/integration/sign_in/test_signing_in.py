"""A browser, the bridge, real Postgres and a provider that we did not write."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest

from tests.integration.sign_in.browser import ACTION, HIDDEN, found
from tests.integration.sign_in.conftest import Place
from tests.integration.sign_in.people import audited, invite
from tests.integration.sign_in.provider.running import missing, must_run, rotate_keys
from tests.support.ledger import TestLedger

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(missing() is not None and not must_run(), reason=str(missing())),
]


def with_query(url: str, **changes: str) -> str:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    return urlunsplit(parts._replace(query=urlencode(query)))


def test_somebody_invited_signs_in_is_known_and_signs_out(place: Place, ledger: TestLedger) -> None:
    user_id, browser = invite(ledger, "Ada@zixly.example"), place.browser()
    assert browser.me().status_code == 401
    answer = browser.sign_in("ada", next_place="/api/jobs?limit=5")
    assert (answer.status_code, answer.headers["location"]) == (303, "/api/jobs?limit=5")
    me = browser.me().json()
    assert me == {
        "name": f"user:{user_id}",
        "user_id": str(user_id),
        "proof": "session",
        "memberships": [{"tenant": None, "role": "EDITOR", "sees_payloads": True}],
    }
    assert browser.http.get(f"{place.url}/api/jobs").status_code == 200
    gone = browser.sign_out()
    assert gone.headers["location"].startswith(f"{place.issuer}/session/end?")
    assert browser.http.get(gone.headers["location"]).status_code == 200, "the provider knows us and where we go"
    assert browser.me().status_code == 401
    assert audited(ledger) == [("sign_in", str(user_id), None), ("sign_out", str(user_id), None)]
    lines = ledger.owner.execute("select host(address) as address, user_id from zixly.audit_log").fetchall()
    assert [(line["address"], line["user_id"]) for line in lines] == [("127.0.0.1", user_id)] * 2


def test_whoever_signs_out_at_the_provider_is_signed_out_here_in_that_browser_alone(place: Place, ledger: TestLedger) -> None:
    """By another application's button, say: the provider tells us, from server to server."""
    user_id = invite(ledger, "ada@zixly.example")
    here, elsewhere = place.browser(), place.browser()
    for browser in (here, elsewhere):
        browser.sign_in("ada")
    page = here.http.get(f"{place.issuer}/session/end")
    fields = dict(HIDDEN.findall(page.text)) | {"logout": "yes"}
    here.http.post(found(ACTION, page.text), data=fields)
    assert (here.me().status_code, elsewhere.me().status_code) == (401, 200)
    assert audited(ledger)[-1] == ("sign_out", str(user_id), None)
    assert here.sign_in("ada").status_code == 303


def test_at_the_sign_out_the_provider_gets_its_token_back_and_we_keep_none(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    browser = place.browser()
    (hint,) = [one for one in browser.sign_in("ada").headers.get_list("set-cookie") if one.startswith("zixly-hint=")]
    assert {"httponly", "path=/auth/sign-out"} <= {part.strip().lower() for part in hint.split(";")}
    gone = browser.sign_out()
    token = parse_qs(urlsplit(gone.headers["location"]).query)["id_token_hint"][0]
    assert token == hint.partition("=")[2].partition(";")[0]
    assert browser.http.get(gone.headers["location"]).status_code == 200, "the provider takes it"
    assert "zixly-hint" not in browser.http.cookies
    program = browser.http.get(f"{place.url}/api/jobs", headers={"authorization": f"Bearer {token}"})
    assert program.status_code == 401


@pytest.mark.parametrize("sent", ["", "logout_token=", "logout_token=a.b.c", "logout_token=%00", "other=1"])
def test_what_is_no_word_of_the_provider_ends_nothing(place: Place, ledger: TestLedger, sent: str) -> None:
    invite(ledger, "ada@zixly.example")
    browser = place.browser()
    browser.sign_in("ada")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = browser.http.post(f"{place.url}/auth/back-channel-logout", content=sent, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.headers["cache-control"] == "no-store"
    assert browser.me().status_code == 200


def test_the_cookie_is_kept_from_scripts_and_a_copy_of_it_is_worth_nothing_after_sign_out(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    browser, thief = place.browser(), place.browser()
    answer = browser.sign_in("ada")
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith("zixly=")]
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    value = cookie.partition("=")[2].partition(";")[0]
    thief.http.cookies.set("zixly", value)
    assert thief.me().status_code == 200, "otherwise the next line proves nothing"
    browser.sign_out()
    assert thief.me().status_code == 401
    kept = ledger.owner.execute("select s::text from zixly.sessions s union all select w::text from zixly.sign_ins w").fetchall()
    assert kept
    assert all(value not in str(row) for row in kept)


def test_nobody_is_made_by_signing_in(place: Place, ledger: TestLedger) -> None:
    before = ledger.owner.execute("select count(*) as n from zixly.users").fetchone()
    answer = place.browser().sign_in("stranger")
    assert answer.status_code == 403
    assert "not_invited" in answer.text
    assert "set-cookie" not in answer.headers
    assert ledger.owner.execute("select count(*) as n from zixly.users").fetchone() == before
    assert audited(ledger) == [("sign_in_refused", "unknown", "not_invited")]


def test_an_address_that_the_provider_does_not_vouch_for_opens_no_door(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    assert "email_not_verified" in place.browser().sign_in("unproven-ada").text


def test_whoever_is_given_an_address_later_does_not_become_its_first_owner(place: Place, ledger: TestLedger) -> None:
    user_id = invite(ledger, "ada@zixly.example")
    ledger.owner.execute("update zixly.users set issuer = %s, subject = 'the-first-ada' where id = %s", (place.issuer, user_id))
    assert "not_invited" in place.browser().sign_in("ada").text


def test_a_person_is_known_by_subject_when_the_address_changes(place: Place, ledger: TestLedger) -> None:
    user_id = invite(ledger, "ada@zixly.example")
    place.browser().sign_in("ada")
    ledger.owner.execute("update zixly.users set email = 'ada@elsewhere.example' where id = %s", (user_id,))
    browser = place.browser()
    browser.sign_in("ada")
    assert browser.me().json()["user_id"] == str(user_id)


def test_refused_consent_signs_nobody_in(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    browser = place.browser()
    answer = browser.http.get(browser.consent(browser.leave(), login="ada", refuse=True))
    assert (answer.status_code, "not_consented" in answer.text) == (400, True)
    assert browser.me().status_code == 401


def test_an_answer_is_taken_once(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    browser = place.browser()
    back = browser.consent(browser.leave(), login="ada")
    assert browser.http.get(back).status_code == 303
    browser.sign_out()
    assert "sign_in_unknown" in browser.http.get(back).text
    # The same code under a state of its own: the provider knows it no more.
    state = parse_qs(urlsplit(browser.leave()).query)["state"][0]
    answer = browser.http.get(with_query(back, state=state))
    assert (answer.status_code, "code_refused" in answer.text) == (400, True)
    assert browser.me().status_code == 401


def test_a_link_with_somebody_elses_answer_signs_nobody_in(place: Place, ledger: TestLedger) -> None:
    """Or else people would work in an account that an attacker reads."""
    invite(ledger, "mallory@zixly.example")
    attacker, victim = place.browser(), place.browser()
    back = attacker.consent(attacker.leave(), login="mallory")
    victim.leave()
    for _ in range(3):
        assert "sign_in_unknown" in victim.http.get(back).text
    assert victim.me().status_code == 401
    assert "sign_in_unknown" in attacker.http.get(back).text, "whoever guesses ends the way that he guesses at"


def test_a_code_begun_elsewhere_does_not_fit_the_browsers_challenge(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    thief, owner = place.browser(), place.browser()
    code = parse_qs(urlsplit(owner.consent(owner.leave(), login="ada")).query)["code"][0]
    back = thief.consent(thief.leave(), login="ada", refuse=True)
    parts = urlsplit(back)
    state, issuer = (parse_qs(parts.query)[name][0] for name in ("state", "iss"))
    stolen = urlunsplit(parts._replace(query=urlencode({"state": state, "iss": issuer, "code": code})))
    assert "code_refused" in thief.http.get(stolen).text
    assert thief.me().status_code == 401


def test_an_answer_of_another_provider_is_refused(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    browser = place.browser()
    back = browser.consent(browser.leave(), login="ada")
    assert "wrong_issuer" in browser.http.get(with_query(back, iss="https://another.example")).text


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    invite(ledger, "eve@zixly.example")
    attacker, browser = place.browser(), place.browser()
    attacker.sign_in("eve")
    planted = attacker.http.cookies["zixly"]
    browser.http.cookies.set("zixly", planted, domain="127.0.0.1", path="/")
    browser.sign_in("ada")
    assert browser.http.cookies["zixly"] != planted
    assert attacker.me().status_code == 401, "the planted session ended when the browser signed in"


@pytest.mark.parametrize(
    "column_and_age",
    ["last_seen_at = now() - interval '61 minutes'", "expires_at = now()", "ended_at = now()"],
    ids=["idle", "old", "revoked"],
)
def test_a_session_ends(place: Place, ledger: TestLedger, column_and_age: str) -> None:
    invite(ledger, "ada@zixly.example")
    browser = place.browser()
    browser.sign_in("ada")
    assert browser.me().status_code == 200
    ledger.owner.execute(f"update zixly.sessions set {column_and_age}")
    assert browser.me().status_code == 401


def test_whoever_loses_the_membership_is_out_at_the_next_request(place: Place, ledger: TestLedger) -> None:
    user_id = invite(ledger, "ada@zixly.example")
    browser = place.browser()
    browser.sign_in("ada")
    assert browser.http.get(f"{place.url}/api/jobs").status_code == 200
    ledger.owner.execute("delete from zixly.memberships where user_id = %s", (user_id,))
    assert browser.http.get(f"{place.url}/api/jobs").status_code == 403
    ledger.owner.execute("delete from zixly.users where id = %s", (user_id,))
    assert browser.me().status_code == 401


def test_a_lesser_role_holds_at_the_next_request_of_the_same_session(place: Place, ledger: TestLedger) -> None:
    user_id = invite(ledger, "ada@zixly.example", "ADMIN")
    browser = place.browser()
    browser.sign_in("ada")

    def add_client(slug: str) -> int:
        body = {"slug": slug, "name": "Client", "time_zone": "Australia/Brisbane"}
        return browser.http.post(f"{place.url}/api/tenants", json=body, headers={"origin": place.url}).status_code

    assert add_client("first") == 201
    ledger.owner.execute("update zixly.memberships set role = 'VIEWER' where user_id = %s", (user_id,))
    assert add_client("second") == 403
    assert browser.http.get(f"{place.url}/api/tenants").status_code == 200


def test_a_page_that_wants_to_know_who_one_is_leads_to_the_sign_in_and_back(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example", "ADMIN")
    browser = place.browser()
    wanted = "/connect/xero?tenant=demo"
    sent = browser.get(wanted)
    assert (sent.status_code, sent.headers["location"]) == (303, "/auth/sign-in?next=%2Fconnect%2Fxero%3Ftenant%3Ddemo")
    assert browser.sign_in("ada", next_place=wanted).headers["location"] == wanted
    program = place.browser().http.get(f"{place.url}{wanted}", headers={"authorization": "Bearer zx_made_up"})
    assert program.status_code == 401


def test_new_keys_of_the_provider_are_found_at_once(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    assert place.browser().sign_in("ada").status_code == 303
    rotate_keys(place.issuer)
    assert place.browser().sign_in("ada").status_code == 303


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "http://127.0.0.1@evil.example"])
def test_signing_in_leads_to_no_other_site(place: Place, ledger: TestLedger, elsewhere: str) -> None:
    invite(ledger, "ada@zixly.example")
    assert place.browser().sign_in("ada", next_place=elsewhere).headers["location"] == "/auth/me"


def test_the_dagster_ui_is_a_place_to_go_on_to(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    wanted = "http://127.0.0.1:3002/runs/1"
    assert place.browser().sign_in("ada", next_place=wanted).headers["location"] == wanted


def test_another_sites_page_signs_nobody_out(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    browser = place.browser()
    browser.sign_in("ada")
    assert browser.sign_out(**{"sec-fetch-site": "cross-site"}).status_code == 403
    assert browser.me().status_code == 200


def test_one_address_tries_so_often_and_no_more(place: Place) -> None:
    browser = place.browser()
    answers = [browser.get("/auth/sign-in") for _ in range(11)]
    assert [one.status_code for one in answers] == [303] * 10 + [429]
    assert answers[-1].headers["content-security-policy"].startswith("default-src 'none'")
