"""The same as test_leaks.py with nothing put in the place of sign-in: machine tokens and sessions that are rows of the database, over a
sample of every operation, over pages and streams that the description does not name, and with proofs that are over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx2
import pytest

from tests.security.conftest import Doors
from tests.security.leaks import MEMBER, STAFF, THEM, WORD, asked, gives_away, plant, theirs_as_text, without_id
from tests.security.openapi import Attempt, Operation, attempts, operations
from tests.support.busy import longest
from tests.support.ledger import TestLedger
from webhook_bridge.permissions import ROUTES

pytestmark = pytest.mark.timeout(900)
# Of each operation's attempts one in so many, the first always.
STEP = 19
# Where those whose it is see the word.
TELLING = ("/api/connections", "/api/issues", "/api/people", "/api/notification-channels")
# What nobody signs in for, or what is read and not served from rows.
NO_PAGES = ("/health", "/ready", "/metrics", "/openapi.json", "/auth/", "/connect/", "/webhook/")


@pytest.fixture
def doors(real_doors: Doors) -> Doors:
    return real_doors


@pytest.fixture
def described(doors: Doors) -> list[Operation]:
    return operations(doors.ask(STAFF, "GET", "/openapi.json").json())


def test_nothing_of_another_tenant_is_shown_changed_or_given_away(doors: Doors, ledger: TestLedger, described: list[Operation]) -> None:
    """By operations of the API, each told the same as about nothing, and by exports, pages and streams. The word is there to be seen."""
    assert {doors.ask(who, "GET", "/api/jobs").status_code for who in (MEMBER, THEM)} == {200}
    ids = plant(ledger)
    before = theirs_as_text(ledger)
    exports = [one.path for one in described if "export" in one.path and not one.changes]
    found = []
    # First, since the audit log repeats to somebody what he himself asked for.
    for path in (*pages(ids), *exports, *(f"{path}?format=json" for path in exports)):
        said = beginning(doors, MEMBER, path)
        found += [f"{path}: {word}" for word in (WORD, *ids.values()) if word in said and word not in path]
    attempted = [one for operation in described for one in [*attempts(operation, ids=ids, slug="other", own="demo")][::STEP]]
    found += [told for attempt in attempted for told in given_away(doors, attempt, ids)]
    assert found == []
    assert len(attempted) > len(described)
    assert exports
    assert theirs_as_text(ledger) == before
    assert {path: WORD in doors.ask(THEM, "GET", path).text for path in TELLING} == dict.fromkeys(TELLING, True)


def given_away(doors: Doors, attempt: Attempt, ids: dict[str, str]) -> list[str]:
    """What an answer tells of the other, also by being another than about nothing."""
    stranger = "nobody" if attempt.named == "other" else str(uuid4())
    answer, about_nothing = asked(doors, MEMBER, attempt), asked(doors, MEMBER, attempt.instead(stranger))
    assert answer.status_code < 500, (attempt, answer.text)
    told = [f"{attempt}: {word}" for word in gives_away(answer, attempt, ids)]
    if answer.is_error and without_id(answer, attempt.named) != without_id(about_nothing, stranger):
        told.append(f"{attempt}: {answer.text} / {about_nothing.text}")
    return told


def pages(ids: dict[str, str]) -> Iterator[str]:
    """What a browser can open beside the API: pages, files and streams, about each thing of the other's that they could be about."""
    for method, template in ROUTES:
        if method == "GET" and not template.startswith(("/api/", *NO_PAGES)):
            for one in [*ids.values(), "other"] if "{" in template else [""]:
                yield re.sub(r"\{[^}]+\}", one, template)
            yield f"{re.sub(r'{[^}]+}', 'x', template)}?tenant=other"


def beginning(doors: Doors, who: str, path: str) -> str:
    """The answer, of one that goes on for ever what comes at once."""
    said = ""
    with doors.bridge.http.stream("GET", path, headers={**doors.proof(who), "accept": "*/*"}, timeout=longest(5)) as answer:
        try:
            for piece in answer.iter_text():
                said += piece
                if "event-stream" in answer.headers.get("content-type", ""):
                    break
        except httpx2.ReadTimeout:
            pass
    return said


def test_a_proof_that_is_over_opens_nothing_of_ones_own_either(doors: Doors, ledger: TestLedger, described: list[Operation]) -> None:
    reading = [one for one in described if not one.changes and not one.names("path")]
    assert doors.ask(MEMBER, "GET", "/api/jobs").status_code == 200
    for sessions, tokens in (
        ("ended_at = now()", "revoked_at = now(), revoked_by = 'test'"),
        ("ended_at = null, expires_at = now()", "revoked_at = null, expires_at = now()"),
        ("expires_at = now() + interval '1 hour', last_seen_at = now() - interval '2 hours'", "expires_at = created_at"),
    ):
        ledger.owner.execute(f"update zixly.sessions set {sessions}")
        ledger.owner.execute(f"update zixly.machine_tokens set {tokens}")
        assert {doors.ask(MEMBER, "GET", one.path).status_code for one in reading} == {401}, (sessions, tokens)
