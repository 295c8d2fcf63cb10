"""Whoever proves nothing, or what he made up."""

from __future__ import annotations

import pytest

from tests.security.attacker import API_TOKEN, Attacker, filled, routes, status_of
from tests.security.forged import SPOOFED, forged_proofs

# A bridge is started, and each route is asked many times.
pytestmark = pytest.mark.timeout(900)


def test_without_a_good_proof_no_route_of_the_api_answers(target: Attacker) -> None:
    for method, path, _ in routes(target):
        answer = target.send(method.upper(), filled(path))
        assert answer.status_code == 401, (method, path, answer.status_code)


def test_forged_proofs_and_spoofed_headers_let_nobody_in(target: Attacker) -> None:
    for kind, proof in forged_proofs(API_TOKEN).items():
        headers = {"Authorization": proof} if kind != "nothing" else {}
        assert target.send("GET", "/api/jobs", headers=headers).status_code in {401, 431}, kind
        assert target.send("GET", "/api/jobs", headers=headers | SPOOFED).status_code in {401, 403, 431}, kind
    for name in ("token", "access_token", "api_token", "authorization"):
        assert target.send("GET", f"/api/jobs?{name}={API_TOKEN[:4]}").status_code == 401
    twice = b"GET /api/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nAuthorization: Bearer also\r\nConnection: close\r\n\r\n"
    assert status_of(target.raw(twice)) in {400, 401}
