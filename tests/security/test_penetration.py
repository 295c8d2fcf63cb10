"""What an attacker would try against a bridge that faces the internet, one thing after the other, and that nothing comes of it.

Limits, outgoing calls, tenants apart, roles and the gateway have files of their own; SECURITY.md says which threat is met where.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import psycopg
import pytest
from psycopg.rows import dict_row

from tests.integration.bridge.running import XERO_KEY
from tests.security.attacker import API_TOKEN, MARKER, PLANTED, WORDS_OF_INSIDES, Attacker, attacked, status_of
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, WORKFLOW, TestLedger
from tests.support.postgres import TEMPLATE, RunningPostgres, TestDatabase
from tests.support.servers import ValkeyServer
from zixly_cli.stack import databases
from zixly_core.stores.database import Database

# A bridge is started, and each route is asked many times.
pytestmark = pytest.mark.timeout(900)
SOMEBODYS_ID = "00000000-0000-4000-8000-000000000000"
INJECTIONS = (
    "'",
    "' or '1'='1",
    "'; select pg_sleep(6); --",
    "1); drop table zixly.tenants cascade; --",
    "\\",
    "%s %(x)s {0}",
    "a\u0000b",
    "\ud7ff\uffff",
)
SLEEP_SECONDS = 6
CHANGING = ("post", "put", "patch", "delete")
ROWS_SQL = """
select (select count(*) from zixly.tenants) as tenants, (select count(*) from zixly.connections) as connections,
       (select count(*) from zixly.workflow_jobs) as jobs, (select count(*) from zixly.users) as users"""


@pytest.fixture(scope="module")
def prey(postgres_server: RunningPostgres) -> Iterator[TestDatabase]:
    """A database with a client's connections and jobs."""
    name = f"penetration_{os.getpid()}"
    databases.make_database(postgres_server.admin_url, name=name, owner=databases.OWNER, template=TEMPLATE)
    database = TestDatabase(server=postgres_server, name=name)
    dispatch, runs = Database(database.url("dispatch"), name="dispatch"), Database(database.url("runs"), name="runs")
    with psycopg.connect(database.url("owner"), autocommit=True, row_factory=dict_row) as owner:
        ledger = TestLedger(owner=owner, dispatch=dispatch, runs=runs)
        ledger.add_tenant("prey", organisation=ORGANISATION)
        owner.execute(
            "insert into zixly.workflows (name, system, title, triggers, max_batch) values (%s, 'xero', 'Invoices', %s, 80)",
            (WORKFLOW, ["xero:INVOICE.CREATE", "xero:INVOICE.UPDATE"]),
        )
        ledger.add_jobs(2)
    yield database
    dispatch.close()
    runs.close()
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def target(prey: TestDatabase, valkey_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    """One bridge for all that is tried; at the end, whatever it said or wrote is searched."""
    log = tmp_path_factory.mktemp("attacked") / "bridge.log"
    with attacked(prey, log, queue_url=valkey_server.url) as attacker:
        yield attacker
    assert not [text[:300] for text in (*attacker.heard, log.read_text()) if MARKER in text], "a secret was said"
    assert not [text[:300] for text in attacker.heard if WORDS_OF_INSIDES.search(text)], "insides were shown"


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", SOMEBODYS_ID, path)


def routes(target: Attacker, *, under: str = "/api/") -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, operations in target.paths().items()
        if path.startswith(under)
        for method, operation in operations.items()
        if method in {"get", *CHANGING}
    ]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(header: dict[str, Any], claims: dict[str, Any], *, key: bytes | None = None) -> str:
    head = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    signature = b64(hmac.new(key, head.encode(), hashlib.sha256).digest()) if key is not None else ""
    return f"{head}.{signature}"


def forged_proofs() -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": "https://id.example.test", "aud": "zixly", "sub": "1", "email": "admin@zixly.example", "iat": now, "exp": now + 600}
    return {
        "nothing": "",
        "empty": "Bearer",
        "two words": "Bearer a b",
        "other scheme": f"Basic {base64.b64encode(f'admin:{API_TOKEN}'.encode()).decode()}",
        "shortened": f"Bearer {API_TOKEN[:-1]}",
        "lengthened": f"Bearer {API_TOKEN}x",
        "other case": f"Bearer {API_TOKEN.upper()}",
        "no algorithm": f"Bearer {jwt({'alg': 'none'}, claims)}",
        "no algorithm, spelt otherwise": f"Bearer {jwt({'alg': 'nOnE', 'typ': 'JWT'}, claims)}",
        "signed with the empty key": f"Bearer {jwt({'alg': 'HS256'}, claims, key=b'')}",
        "signed with a guess": f"Bearer {jwt({'alg': 'HS256', 'kid': '../../../../dev/null'}, claims, key=b'secret')}",
        "key of his own": f"Bearer {jwt({'alg': 'HS256', 'jwk': {'kty': 'oct', 'k': b64(b'mine')}}, claims, key=b'mine')}",
        "keys at his place": f"Bearer {jwt({'alg': 'RS256', 'jku': 'https://evil.example/keys'}, claims, key=b'x')}",
        "expired": f"Bearer {jwt({'alg': 'HS256'}, claims | {'exp': now - 1}, key=API_TOKEN.encode())}",
        "machine token of nobody": "Bearer zx_" + "0" * 40,
        "SQL": "Bearer ' or '1'='1",
        "long": "Bearer " + "a" * 6_000,
    }


SPOOFED = {
    "X-Forwarded-User": "admin@zixly.example",
    "X-Remote-User": "admin",
    "Remote-User": "admin",
    "X-Auth-Request-User": "admin",
    "X-Auth-Request-Email": "admin@zixly.example",
    "Zixly-User": "admin@zixly.example",
    "Zixly-Role": "ADMIN",
    "Zixly-Tenant": "demo",
    "X-Forwarded-For": "127.0.0.1",
    "X-Real-Ip": "127.0.0.1",
    "Forwarded": "for=127.0.0.1;proto=https",
    "X-Original-Url": "/health",
    "X-Rewrite-Url": "/health",
    "X-Http-Method-Override": "GET",
    "Cookie": "zixly=1; __Host-zixly=1; session=1",
}


def test_without_a_good_proof_no_route_of_the_api_answers(target: Attacker) -> None:
    for method, path, _ in routes(target):
        answer = target.send(method.upper(), filled(path))
        assert answer.status_code == 401, (method, path, answer.status_code)


def test_forged_proofs_and_spoofed_headers_let_nobody_in(target: Attacker) -> None:
    for kind, proof in forged_proofs().items():
        headers = {"Authorization": proof} if kind != "nothing" else {}
        assert target.send("GET", "/api/jobs", headers=headers).status_code in {401, 431}, kind
        assert target.send("GET", "/api/jobs", headers=headers | SPOOFED).status_code in {401, 403, 431}, kind
    for name in ("token", "access_token", "api_token", "authorization"):
        assert target.send("GET", f"/api/jobs?{name}={API_TOKEN[:4]}").status_code == 401
    twice = b"GET /api/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nAuthorization: Bearer also\r\nConnection: close\r\n\r\n"
    assert status_of(target.raw(twice)) in {400, 401}


def test_no_parameter_reaches_postgres_as_sql(target: Attacker, prey: TestDatabase) -> None:
    """Every string in path and query, of every route that reads."""
    with psycopg.connect(prey.url("owner")) as owner:
        before = owner.execute(ROWS_SQL).fetchone()
    tried = 0
    for method, path, operation in routes(target):
        if method != "get":
            continue
        for parameter in operation.get("parameters", []):
            for injection in INJECTIONS:
                tried += 1
                assert_harmless(asked(target, path, parameter, injection), place=(path, parameter["name"], injection))
    assert tried > 300
    with psycopg.connect(prey.url("owner")) as owner:
        assert owner.execute(ROWS_SQL).fetchone() == before


def asked(target: Attacker, path: str, parameter: dict[str, Any], value: str) -> httpx2.Response:
    if parameter["in"] == "path":
        quoted = "".join(f"%{byte:02x}" for byte in value.encode())
        return target.send("GET", filled(path.replace("{" + parameter["name"] + "}", quoted)), known=True)
    if parameter["in"] == "query":
        return target.send("GET", filled(path), known=True, params={parameter["name"]: value})
    return target.send(
        "GET", filled(path), known=True, headers={parameter["name"]: value.encode("ascii", "ignore").decode().replace("\x00", "")}
    )


def assert_harmless(answer: httpx2.Response, *, place: tuple[str, ...]) -> None:
    assert answer.status_code < 500, (place, answer.status_code, answer.text[:200])
    assert answer.elapsed.total_seconds() < SLEEP_SECONDS, place


def test_no_field_of_a_body_reaches_postgres_as_sql(target: Attacker, prey: TestDatabase) -> None:
    """Bodies by the description of the API, with each text an injection; nothing of it may become a table's end or a server's error."""
    document = target.send("GET", "/openapi.json", known=True).json()
    tried = 0
    for method, path, operation in routes(target):
        content = operation.get("requestBody", {}).get("content", {})
        for injection in INJECTIONS[1:] if "application/json" in content else ():
            body = made_up(content["application/json"]["schema"], document, text=injection)
            tried += 1
            answer = target.send(method.upper(), filled(path), known=True, json=body)
            assert_harmless(answer, place=(method, path, injection))
    assert tried > 30
    with psycopg.connect(prey.url("owner")) as owner:
        assert owner.execute("select to_regclass('zixly.tenants')").fetchone() != (None,)


def made_up(schema: dict[str, Any], document: dict[str, Any], *, text: str, depth: int = 0) -> Any:
    """A value of the schema's form, with `text` for each text."""
    if "$ref" in schema or "anyOf" in schema:
        named = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema["anyOf"][0]
        return made_up(named, document, text=text, depth=depth + 1)
    if depth > 8:
        return None
    match schema.get("type"):
        case "object":
            return {name: made_up(one, document, text=text, depth=depth + 1) for name, one in schema.get("properties", {}).items()}
        case "array":
            return [made_up(schema.get("items", {}), document, text=text, depth=depth + 1)]
        case kind:
            other = SOMEBODYS_ID if schema.get("format") == "uuid" else text
            return {"integer": 1, "number": 1, "boolean": False}.get(str(kind), other)


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


def test_a_delivery_that_its_system_did_not_sign_makes_no_job(target: Attacker, prey: TestDatabase) -> None:
    body = xero_body(xero_event(ORGANISATION))
    good = xero_headers(body, key=XERO_KEY)
    signature = next(name for name in good if "signature" in name.lower())
    forged = {
        "none": {},
        "empty": {signature: ""},
        "other key": xero_headers(body, key=base64.b64encode(b"guess" * 8).decode()),
        "of another body": xero_headers(body + b" ", key=XERO_KEY),
        "shortened": {signature: good[signature][:-4]},
        "other form": {signature: good[signature].encode().hex()},
    }
    for kind, headers in forged.items():
        assert target.send("POST", "/webhook/xero", content=body, headers=headers).status_code == 401, kind
    assert target.send("POST", "/webhook/xero", content=body.replace(b"UPDATE", b"DELETE") + b"\n", headers=good).status_code == 401
    for system in ("hubspot", "shopify", "callbacks/unknown-path-0000"):
        assert target.send("POST", f"/webhook/{system}", content=body, headers=good).status_code in {401, 404}, system
    assert jobs_of_deliveries(prey) == 0
    assert target.send("POST", "/webhook/xero", content=body, headers=good).status_code == 200, "the real one is taken"
    assert jobs_of_deliveries(prey) == 1


def jobs_of_deliveries(prey: TestDatabase) -> int:
    with psycopg.connect(prey.url("owner")) as owner:
        row = owner.execute(
            "select count(*) from zixly.workflow_jobs j join zixly.events e on e.id = j.event_id where e.delivery_id in"
            " (select id from zixly.deliveries)"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_what_answers_tell_about_us_is_nothing_that_helps(target: Attacker) -> None:
    for path in (
        "/",
        "/health",
        "/nothing-here",
        "/api/jobs",
        "/webhook/xero",
        "/.env",
        "/.git/config",
        "/docs",
        "/redoc",
        "/server-status",
        "/admin",
    ):
        answer = target.send("GET", path)
        told = f"{answer.headers.get('server', '')} {answer.headers.get('x-powered-by', '')} {answer.text}".lower()
        assert not re.search(r"uvicorn|starlette|fastapi|python/|postgres(ql)? \d", told), path
    assert target.send("GET", "/.env").status_code == 404
    assert target.send("TRACE", "/api/jobs").status_code in {400, 404, 405}


def test_a_bridge_that_cannot_reach_its_stores_tells_nobody_how_it_tried(prey: TestDatabase, tmp_path: Path) -> None:
    """URLs with passwords that lead nowhere, one of them spoilt in itself: the drivers' texts would quote them."""
    nowhere = "postgresql://zixly_api:PLANTED-password-31c7@127.0.0.1:9/zixly"
    spoilt = "postgresql://zixly_intake:PLANTED/pass#word@127.0.0.1:x/zixly"
    urls = {"ZIXLY_DATABASE_URL_API": nowhere, "ZIXLY_DATABASE_URL_METRICS": nowhere, "ZIXLY_DATABASE_URL_INTAKE": spoilt}
    queue = "redis://:PLANTED-queue-55d1@127.0.0.1:9/0"
    with attacked(prey, tmp_path / "bridge.log", queue_url=queue, **urls) as attacker:
        body = xero_body(xero_event(ORGANISATION))
        for _ in range(3):
            assert attacker.send("POST", "/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)).status_code >= 500
            assert attacker.send("GET", "/api/jobs", known=True).status_code >= 500
            attacker.send("GET", "/ready")
            attacker.send("GET", "/metrics", known=True)
    log = (tmp_path / "bridge.log").read_text()
    assert "routing_not_read" in log, "it did try, and said so"
    for said in (*attacker.heard, log):
        assert MARKER not in said, said[:400]


def test_the_planted_secrets_are_no_words_that_a_pattern_would_find() -> None:
    """So that the searches above prove the types, and not the net behind them."""
    from zixly_core.redaction import masked

    plain = [value for value in PLANTED.values() if "://" not in value]
    assert [masked(value) for value in plain] == plain
    assert UUID(SOMEBODYS_ID)
