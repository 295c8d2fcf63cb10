"""Texts that would be SQL where somebody pasted them into it: in every parameter and every field that there is."""

from __future__ import annotations

from typing import Any

import httpx2
import psycopg
import pytest

from tests.security.attacker import SOMEBODYS_ID, Attacker, filled, routes
from tests.support.postgres import TestDatabase

# A bridge is started, and each route is asked many times.
pytestmark = pytest.mark.timeout(900)
# Longer than any answer takes, on a busy machine too.
SLEEP_SECONDS = 25
INJECTIONS = (
    "'",
    "' or '1'='1",
    f"'; select pg_sleep({SLEEP_SECONDS}); --",
    "1); drop table zixly.tenants cascade; --",
    "\\",
    "%s %(x)s {0}",
    "a\u0000b",
    "\ud7ff\uffff",
)
ROWS_SQL = """
select (select count(*) from zixly.tenants) as tenants, (select count(*) from zixly.connections) as connections,
       (select count(*) from zixly.workflow_jobs) as jobs, (select count(*) from zixly.users) as users"""


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
