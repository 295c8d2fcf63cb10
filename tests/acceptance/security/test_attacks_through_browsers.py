"""Another web site, in the browser of somebody who is signed in; links that lead elsewhere; addresses that our servers should call."""

from __future__ import annotations

import pytest

from tests.acceptance.security.conftest import ADMIN, EDITOR, VIEWER, Site
from tests.security.openapi import operations

ELSEWHERE = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https://localhost.evil.example/",
    "https://localhost@evil.example/",
    "https://localhost:1/",
    "http://localhost/",
    "javascript:alert(1)",
    "data:text/html,x",
    "\thttps://evil.example",
    "https://evil.example\\@localhost",
)
INSIDE = (
    "http://169.254.169.254/latest/meta-data/",
    "https://169.254.169.254/",
    "https://127.0.0.1:{bridge}/metrics",
    "http://127.0.0.1:{postgres}/",
    "https://localhost:{bridge}/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://10.0.0.1/",
    "https://hooks.slack.com@127.0.0.1/services/T/B/x",
    "https://hooks.slack.com.evil.example/services/T/B/x",
    "https://hooks.slack.com:8443/services/T/B/x",
    "http://hooks.slack.com/services/T/B/x",
    "gopher://127.0.0.1:{valkey}/_FLUSHALL",
    "file:///etc/passwd",
)
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def test_no_change_of_the_api_is_taken_from_another_site_in_an_administrators_browser(site: Site) -> None:
    forged = (
        {"origin": "https://evil.example", "content-type": "text/plain"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": site.front.url},
        {"origin": "null"},
        {"referer": f"{site.front.url}/auth/me"},  # neither of the two that browsers send with a change
    )
    with site.program() as known:
        changing = [one for one in operations(known.get("/openapi.json").json()) if one.method in CHANGING]
    assert len(changing) > 25
    with site.person(ADMIN) as http:
        for number, one in enumerate(changing):
            path = one.path.replace("{", "").replace("}", "")
            answer = http.request(one.method, path, headers=forged[number % len(forged)], content=b"{}")
            assert (answer.status_code, answer.json()["reason"]) == (403, "cross_site"), one.name
        for headers in forged:
            assert http.post("/auth/sign-out", headers=headers).status_code == 403, headers
            assert http.post("/api/tenants", headers=headers, json={"slug": "forged", "name": "F"}).status_code == 403, headers
        assert http.get("/api/tenants").status_code == 200, "he is signed in still"
        assert "forged" not in http.get("/api/tenants").text


def test_no_other_site_reads_an_answer(site: Site) -> None:
    with site.person(ADMIN) as http:
        for origin in ("https://evil.example", "null", "https://localhost.evil.example"):
            asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
            for answer in (http.options("/api/jobs", headers=asked), http.get("/api/jobs", headers={"origin": origin})):
                assert not [name for name in answer.headers if name.startswith("access-control-allow")], origin
        for path in ("/auth/me", "/api/jobs", "/dagster/runs"):
            answer = http.get(path, headers={"accept": "text/html"})
            assert answer.headers["x-frame-options"] in {"DENY", "SAMEORIGIN"}, path
            assert answer.headers["x-content-type-options"] == "nosniff", path


@pytest.mark.parametrize("place", ELSEWHERE)
def test_after_signing_in_nobody_is_sent_elsewhere(site: Site, place: str) -> None:
    with site.nobody() as http:
        to = http.get(site.way_back(http, VIEWER, wanted=place)).headers["location"]
    assert to == "/auth/me"


def test_no_address_inside_is_called_for_anybody(site: Site) -> None:
    """The one kind of URL that people give: where messages go. What is refused is refused when it is set, and nothing is called."""
    ports = {name: str(port) for name, port in site.stack.settings.ports().items()}
    with site.program() as http:
        for place in INSIDE:
            body = {"kind": "slack", "name": "c", "target": place.format(**ports)}
            answer = http.post("/api/notification-channels", json=body)
            assert answer.status_code in {400, 422}, (place, answer.status_code, answer.text)
            assert "127.0.0.1" not in answer.text
        assert http.get("/api/notification-channels").json()["channels"] == []


def test_a_vendors_account_is_not_sent_to_another_place_and_no_made_up_consent_is_taken(site: Site) -> None:
    with site.person(EDITOR) as http:
        for path in ("/connect/xero/callback", "/connect/shopify/callback", "/connect/hubspot/callback", "/connect/asana/callback"):
            query = {"code": "guessed", "state": "guessed", "shop": "evil.example", "hmac": "0" * 64, "host": "ZXZpbC5leGFtcGxl"}
            answer = http.get(path, params=query)
            assert 400 <= answer.status_code < 500, (path, answer.status_code)
            assert "evil.example" not in answer.headers.get("location", "")
