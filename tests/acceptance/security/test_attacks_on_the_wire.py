"""Requests that no library would send: paths written otherwise, two requests in one, other hosts, headers within headers."""

from __future__ import annotations

import json
import socket
import ssl
import time

import httpx2
import pytest

from tests.acceptance.security.conftest import EDITOR, Site
from tests.support.busy import longest
from tests.support.front import SESSION, statuses

MARKS = (b'"jobs"', b"http_request_duration", b'"version"', b"root:x:0", b"x-zixly-role")
PATHS = (
    "//dagster/graphql",
    "/dagster/../dagster/graphql",
    "/x/..%2fdagster/graphql",
    "/%64agster/graphql",
    "/dagster%2fgraphql",
    "/dagster%252fgraphql",
    "/dagster;a=b/graphql",
    "/..;/dagster/graphql",
    "/auth/..;/dagster/graphql",
    "/webhook/..%5cdagster/graphql",
    "/webhook/%2e%2e/dagster/graphql",
    "/webhook/xero/../../dagster/graphql",
    "/DAGSTER/graphql",
    "/dagster\\graphql",
    "/.//dagster/graphql",
    "/webhook/../api/jobs",
    "/webhook/%2e%2e%2fapi/jobs",
    "/auth/signed-out/..%2f..%2fapi%2fjobs",
    "/api//jobs",
    "/api/jobs%00",
    "/api/jobs%23",
    "/api/jobs;/health",
    "/health/..;/api/jobs",
    "/health%2f..%2fapi/jobs",
    "//metrics",
    "/%6detrics",
    "/health/%2e%2e/metrics",
    "/health/..;/metrics",
    "/metrics%20",
    "/dagster/../../../../etc/passwd",
    "/dagster/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/grafana/..%2fmetrics",
    "/-/verdict",
    "/prometheus/../-/verdict",
)
# Where one server sees the end of a request and another does not.
FRAMES = {
    "both lengths": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    "both, the other way": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 60\r\n",
    "two in one": b"Content-Length: 4, 60\r\n",
    "unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "coding behind another": b"Transfer-Encoding: identity, chunked\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "blank before the colon": b"Transfer-Encoding : chunked\r\n",
    "tab": b"Transfer-Encoding:\tchunked, \r\n",
    "folded": b"X: y\r\n Transfer-Encoding: chunked\r\n",
    "bare line feed": b"X: y\nTransfer-Encoding: chunked\r\n",
    "vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
    "quoted": b'Transfer-Encoding: "chunked"\r\n',
    "negative": b"Content-Length: -1\r\n",
    "signed": b"Content-Length: +4\r\n",
    "hexadecimal": b"Content-Length: 0x4\r\n",
    "huge": b"Content-Length: 99999999999999999999999\r\n",
}


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_no_spelling_of_a_path_leads_past_the_proofs(site: Site, verb: str) -> None:
    body = json.dumps({"query": "{ version }"}).encode() if verb == "POST" else b""
    for path in PATHS:
        said = site.front.asked_raw(f"{verb} {path} HTTP/1.1", body=body, source=next(site.addresses))
        assert statuses(said)[0] in {*range(300, 309), *range(400, 500)}, (path, said[:200])
        assert [mark for mark in MARKS if mark in said.lower()] == [], path


@pytest.mark.parametrize("frame", FRAMES)
def test_no_second_request_is_smuggled_in_behind_a_first(site: Site, frame: str) -> None:
    """The one inside would be sent on the connection of the next person who comes."""
    inner = b"GET /auth/smuggled HTTP/1.1\r\nHost: localhost\r\nX: "
    for path in (b"/health", b"/webhook/xero", b"/dagster/graphql"):
        head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + FRAMES[frame] + b"\r\n"
        said = site.front.bytes_back(head + b"0\r\n\r\n" + inner, seconds=0.4, source=next(site.addresses))
        assert not any(200 <= status < 300 for status in statuses(said)), (path, said[:200])
    with site.nobody() as next_person:
        answers = [next_person.get("/health") for _ in range(4)]
    assert {(one.status_code, one.url.path) for one in answers} == {(200, "/health")}
    assert not [line for line in site.front.access_log() if line["path"] == "/auth/smuggled" and line["status"] < 400]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1", "localhost@evil.example", ""])
def test_under_another_name_nothing_is_served(site: Site, host: str) -> None:
    said = site.front.asked_raw("GET /auth/sign-in HTTP/1.1", host=host, source=next(site.addresses))
    assert statuses(said)[0] in {400, 421}, said[:200]
    assert b"evil" not in said


def test_a_host_that_is_named_twice_or_in_the_line_is_not_believed(site: Site) -> None:
    for line, more in (
        ("GET /auth/sign-in HTTP/1.1", "Host: evil.example\r\n"),
        ("GET https://evil.example/auth/sign-in HTTP/1.1", ""),
        ("GET /auth/sign-in HTTP/1.1", "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nX-Host: evil.example\r\n"),
        ("GET /dagster/ HTTP/1.1", "Accept: text/html\r\nX-Forwarded-Host: evil.example\r\nX-Zixly-Sign-In: https://evil.example\r\n"),
    ):
        said = site.front.asked_raw(line, headers=more, source=next(site.addresses))
        assert b"evil" not in said, (line, said[:300])


def test_a_line_end_in_a_value_begins_no_header(site: Site) -> None:
    for path in (
        "/auth/sign-in?next=/%0d%0aSet-Cookie:%20x=1",
        "/dagster/x%0d%0aSet-Cookie:%20x=1",
        "/%0d%0aSet-Cookie:x=1",
        "/a%0aX:%20y",
    ):
        said = site.front.asked_raw(f"GET {path} HTTP/1.1", headers="Accept: text/html\r\n", source=next(site.addresses))
        head = said.partition(b"\r\n\r\n")[0].lower()
        assert b"\r\nset-cookie: x=1" not in head, path
        assert b"\r\nx: y" not in head, path


@pytest.mark.parametrize(
    "line", ["TRACE /api/jobs HTTP/1.1", "CONNECT localhost:5432 HTTP/1.1", "GET /api/jobs HTTP/0.9", "PRI * HTTP/2.0", "JUNK"]
)
def test_methods_and_versions_that_nobody_needs_are_refused(site: Site, line: str) -> None:
    said = site.front.asked_raw(line, source=next(site.addresses))
    assert all(status >= 400 for status in statuses(said)), said[:200]
    assert b'"jobs"' not in said


def test_an_upgrade_to_http_2_in_the_clear_opens_no_way_round(site: Site) -> None:
    upgrade = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    for path in ("/api/jobs", "/dagster/graphql", "/metrics"):
        said = site.front.asked_raw(f"GET {path} HTTP/1.1", headers=upgrade, source=next(site.addresses))
        assert statuses(said)[0] in {400, 401, 404}, said[:200]


def test_only_tls_1_3_is_spoken_and_plain_http_leads_there(site: Site) -> None:
    older = site.front.trust
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", site.front.port), timeout=10) as plain, pytest.raises(ssl.SSLError):
        older.wrap_socket(plain, server_hostname="localhost")
    cookie = {"cookie": f"{SESSION}={site.cookie(EDITOR)}", "host": "evil.example"}
    answer = httpx2.get(f"http://127.0.0.1:{site.front.plain_port}/api/jobs", headers=cookie, timeout=30, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, f"{site.front.url}/api/jobs")


def test_what_is_too_large_is_refused_and_slow_ones_hinder_nobody(site: Site) -> None:
    with site.nobody() as http:
        assert http.post("/webhook/xero", content=b"x" * 12_000_000).status_code == 413
        assert http.get("/health", headers={"x-much": "x" * 40_000}).status_code in {400, 431}
        slow = [socket.create_connection(("127.0.0.1", site.front.port)) for _ in range(200)]
        try:
            began = time.monotonic()
            assert http.get("/health").status_code == 200
            assert time.monotonic() - began < longest(5)
        finally:
            for one in slow:
                one.close()
