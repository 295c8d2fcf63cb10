"""Requests that are too large, too deep, or two in one."""

from __future__ import annotations

import pytest

from tests.security.attacker import Attacker, status_of

# A bridge is started, and each route is asked many times.
pytestmark = pytest.mark.timeout(900)


def test_what_is_too_large_or_too_deep_is_refused(target: Attacker) -> None:
    large = b"x" * 200_000
    assert target.send("POST", "/webhook/xero", content=large).status_code == 413
    assert target.send("POST", "/api/replays", known=True, content=large).status_code in {413, 422}
    chunked = b"POST /webhook/xero HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 10
    assert status_of(target.raw(chunked + b"0\r\n\r\n")) in {413, 0}
    deep = b"[" * 40_000
    answer = target.send("POST", "/api/replays", known=True, content=deep, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 413, 422}
    head = b"GET /api/jobs HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n"
    assert status_of(target.raw(head)) in {0, 400, 401, 431}
    assert target.send("GET", "/health").status_code == 200


def test_two_requests_in_one_are_not_smuggled_in(target: Attacker) -> None:
    """A proxy and the bridge must not disagree where a request ends."""
    inner = b"GET /api/jobs HTTP/1.1\r\nHost: x\r\n\r\n"
    for fields in (
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 40\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: +4\r\n",
    ):
        said = target.raw(b"POST /health HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n0\r\n\r\n" + inner, seconds=2)
        assert b'"jobs"' not in said
        assert status_of(said) in {0, *range(400, 500)}, (fields, said[:100])
