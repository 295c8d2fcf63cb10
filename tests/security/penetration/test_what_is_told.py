"""What answers and logs tell about the bridge's insides, when all is well and when nothing is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.bridge.running import XERO_KEY
from tests.security.attacker import MARKER, PLANTED, Attacker, attacked
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION
from tests.support.postgres import TestDatabase
from zixly_core.redaction import masked

# A bridge is started, and each route is asked many times.
pytestmark = pytest.mark.timeout(900)


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
    plain = [value for value in PLANTED.values() if "://" not in value]
    assert [masked(value) for value in plain] == plain
