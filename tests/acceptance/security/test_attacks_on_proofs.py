"""Whoever has no session, a forged one, somebody else's, or one that is over."""

from __future__ import annotations

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from tests.acceptance.security.conftest import ADMIN, CLIENT, EDITOR, STRANGER, VIEWER, Site
from tests.security.forged import SPOOFED, forged_proofs
from tests.security.openapi import operations
from tests.support.front import SESSION

TOOLS = ("/dagster/", "/dagster/graphql", "/dagster/logs/x", "/grafana/", "/prometheus/graph")
CLAIMS = {**SPOOFED, "X-Zixly-User": "user:1", "X-Zixly-Role": "ADMIN", "X-Zixly-Reason": "", "X-Zixly-Sign-In": "https://evil.example"}


def test_no_route_and_no_tool_answers_somebody_who_proves_nothing(site: Site) -> None:
    with site.program() as known:
        described = operations(known.get("/openapi.json").json())
    answers = {}
    for one in described:
        with site.nobody() as http:  # one address would soon be refused for asking too often
            answers[one.name] = http.request(one.method, one.path.replace("{", "").replace("}", "")).status_code
    assert len(answers) > 50
    assert {name for name, status in answers.items() if status != 401} == set()
    with site.nobody() as http:
        assert {path: http.get(path, headers={"accept": "*/*"}).status_code for path in TOOLS} == dict.fromkeys(TOOLS, 401)


def test_names_of_others_and_forged_tokens_and_cookies_let_nobody_in(site: Site) -> None:
    for path in ("/api/jobs", "/dagster/graphql"):
        for kind, proof in forged_proofs(site.stack.plan.secrets.api_token).items():
            with site.nobody() as http:
                answer = http.get(path, headers={"Authorization": proof, **CLAIMS} if proof else CLAIMS)
            assert answer.status_code in {400, 401}, (path, kind, answer.status_code)
            assert "evil.example" not in str(answer.headers)
        for cookie in ("", "guess", "a" * 43, "../../etc/passwd", "' or 1=1 --", "null"):
            for name in (SESSION, "zixly", "__Secure-zixly"):
                with site.nobody() as http:
                    assert http.get(path, headers={"cookie": f"{name}={cookie}"}).status_code in {400, 401}, (name, cookie)


def test_the_verdict_and_what_is_for_machines_cannot_be_asked_from_outside(site: Site) -> None:
    with site.person(ADMIN) as http:
        for path in (
            "/auth/verify",
            "/auth/verify/",
            "/metrics",
            "/ready",
            "/-/verdict",
            "/auth//verify",
            "/auth/./verify",
            "/%61uth/verify",
        ):
            answer = http.get(path, headers={"X-Forwarded-Uri": "/dagster/", "X-Forwarded-Method": "GET"})
            assert answer.status_code == 404, (path, answer.status_code)
            assert "x-zixly-role" not in answer.headers


def test_a_session_that_an_attacker_put_into_the_browser_is_not_the_one_after_signing_in(site: Site) -> None:
    """Fixation: neither a made-up value nor a session of his own is what the victim goes on with; his own ends."""
    his = site.signed_in(EDITOR)
    for planted in ("planted-by-an-attacker-0123456789-0123456789", his):
        with site.nobody() as victim:
            back = site.way_back(victim, VIEWER)
            answer = victim.get(
                back, headers={"cookie": f"{SESSION}={planted}; " + "; ".join(f"{k}={v}" for k, v in victim.cookies.items())}
            )
            assert answer.status_code == 303
            assert victim.cookies[SESSION] != planted
        with site.front.client(planted, source=next(site.addresses)) as http:
            assert http.get("/api/jobs").status_code == 401


def test_the_providers_answer_is_good_once_and_in_the_browser_that_left(site: Site) -> None:
    """Replay of the address with the code, and a sign-in of the attacker's forced on somebody else."""
    with site.nobody() as browser, site.nobody() as other:
        back = site.way_back(browser, EDITOR)
        assert other.get(back).status_code in {400, 403}
        assert SESSION not in other.cookies
        assert browser.get(back).status_code == 303
        cookie = browser.cookies[SESSION]
        for again in (browser, other):
            assert again.get(back).status_code in {400, 403}
    with site.front.client(cookie, source=next(site.addresses)) as http:
        assert http.get("/auth/me", headers={"accept": "application/json"}).json()["proof"] == "session"


def test_an_answer_of_another_provider_or_with_another_code_signs_nobody_in(site: Site) -> None:
    for change in ({"iss": "https://evil.example"}, {"code": "guessed"}, {"state": "guessed"}, {"error": "access_denied"}):
        with site.nobody() as http:
            url = httpx2.URL(site.way_back(http, EDITOR)).copy_merge_params(change)
            assert http.get(url).status_code in {400, 403}, change
            assert SESSION not in http.cookies


def test_a_cookie_that_was_copied_is_worth_nothing_after_signing_out(site: Site) -> None:
    stolen = site.signed_in(EDITOR)
    with site.front.client(stolen, source=next(site.addresses)) as http:
        assert http.get("/dagster/server_info").status_code == 200
        assert http.post("/auth/sign-out", headers={"origin": site.front.url}).status_code == 303
        assert (http.get("/api/jobs").status_code, http.get("/dagster/server_info").status_code) == (401, 401)
    with pytest.raises(InvalidStatus):
        site.front.websocket(stolen)


def test_the_cookie_is_kept_from_scripts_other_hosts_and_plain_http(site: Site) -> None:
    with site.nobody() as http:
        told = http.get(site.way_back(http, CLIENT)).headers.get_list("set-cookie")
    (cookie,) = [one.lower() for one in told if one.startswith(f"{SESSION}=")]
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain=" not in cookie


def test_whoever_nobody_invited_gets_no_session_however_often_he_asks(site: Site) -> None:
    with site.nobody() as http:
        for _ in range(2):
            assert http.get(site.way_back(http, STRANGER)).status_code == 403
        assert SESSION not in http.cookies
