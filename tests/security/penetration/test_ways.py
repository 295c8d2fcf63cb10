"""Paths that lead out of what is served, links that lead elsewhere, and other sites in somebody's browser."""

from __future__ import annotations

import httpx2
import pytest

from tests.security.attacker import CHANGING, Attacker, filled, routes, status_of

# A bridge is started, and each route is asked many times.
pytestmark = pytest.mark.timeout(900)


def test_no_path_leads_out_of_what_is_served(target: Attacker) -> None:
    for way in (
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../../../etc/passwd",
        "/connect/..%2f..%2fapi%2fjobs",
        "/webhook/xero/../../api/jobs",
        "/webhook/callbacks/..%2f..%2f..%2fapi%2fjobs",
        "/%5c..%5c..%5cetc%5cpasswd",
        "//evil.example/%2e%2e",
        "/api//jobs",
        "/api/./jobs",
        "/API/jobs",
        "/api/jobs%00.html",
        "/api/jobs;x=/health",
        "/health/../api/jobs",
    ):
        said = target.raw(f"GET {way} HTTP/1.1\r\nHost: hooks.example.test\r\nConnection: close\r\n\r\n".encode())
        assert 400 <= status_of(said) < 500, (way, said[:100])
        assert b'"jobs"' not in said


def test_nobody_is_sent_elsewhere(target: Attacker) -> None:
    """Neither by a parameter nor by the name that the request bears."""
    for path in ("/", "/connect/xero", "/sign-in", "/auth/sign-in", "/auth/callback", "/sign-out", "/console", "/api/jobs", "/health"):
        for name in ("next", "rd", "redirect", "redirect_uri", "return_to", "url", "to"):
            for place in ("https://evil.example/", "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"):
                answer = target.send("GET", path, params={name: place})
                assert "evil.example" not in host_of(answer.headers.get("location", "")), (path, name, place)
                assert not answer.headers.get("location", "").startswith("javascript:")
        for header in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
            answer = target.send("GET", path, headers=header)
            assert "evil.example" not in f"{answer.headers} {answer.text}", (path, header)


def host_of(location: str) -> str:
    return httpx2.URL(location).host if "//" in location or location.startswith("/\\") else ""


def test_no_other_site_changes_anything_through_a_browser(target: Attacker) -> None:
    """The browser would send what proves the user; it also says which site asked."""
    for method, path, _ in routes(target):
        if method in CHANGING:
            for site in ("cross-site", "same-site"):
                headers = {"Sec-Fetch-Site": site, "Origin": "https://evil.example", "Content-Type": "text/plain"}
                answer = target.send(method.upper(), filled(path), known=True, headers=headers, content=b"{}")
                assert answer.status_code == 403, (method, path, site, answer.status_code)
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = target.send("OPTIONS", "/api/jobs", headers={"Origin": "https://evil.example"} | preflight)
    assert answer.headers.get("access-control-allow-origin") is None
    answer = target.send("GET", "/api/jobs", known=True, headers={"Origin": "https://evil.example"})
    assert answer.headers.get("access-control-allow-origin") is None
