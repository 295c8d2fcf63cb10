"""Two tenants, words of each planted in every column that could hold some; a member of one asks for what is the other's, over every
operation of the bridge's own description, with every id the other has. Nothing comes, nothing changes, and nothing is given away."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.integration.operations.planting import Planter
from tests.security.conftest import Doors
from tests.security.openapi import Attempt, Operation, attempts, operations
from tests.support.ledger import TestLedger
from zixly_core.personal_data import TABLES

WORD = "zx-planted-of-the-other"
MEMBER, THEM, STAFF = "demo ADMIN", "other ADMIN", "staff ADMIN"
# Rows that every change writes on its own account: who did what, and how many requests there were.
SHARED = frozenset({"job_counters", "audit_log", "workflows", "sequence_marks", "deleted_counts"})
ROWS_SQL = "select md5(string_agg(t::text, '|' order by t::text)) as digest from zixly.{table} t where {of}"


@pytest.fixture
def ids(ledger: TestLedger, doors: Doors) -> dict[str, str]:
    """An id of each kind that the other tenant has, by table."""
    planter = Planter(ledger, ledger.tenants[1], WORD)
    planter.plant_all()
    Planter(ledger, ledger.tenants[0], "of-our-own").plant_all()
    return {table: str(one) for table, one in planter.ids.items() if one is not None and len(str(one)) == 36}


@pytest.fixture
def described(doors: Doors) -> list[Operation]:
    return operations(doors.ask(STAFF, "GET", "/openapi.json").json())


def asked(doors: Doors, who: str, attempt: Attempt) -> httpx2.Response:
    rest = {"params": attempt.query, "json": attempt.body}
    try:
        return doors.ask(who, attempt.operation.method, attempt.path, **rest)
    except httpx2.TransportError:  # the bridge closed the connection just as it was used again
        return doors.ask(who, attempt.operation.method, attempt.path, **rest)


def theirs_as_text(ledger: TestLedger) -> dict[str, Any]:
    """What the other tenant's rows say, as a digest for each table."""
    tenant = str(ledger.tenants[1].id)
    found = {}
    for table, held in TABLES.items():
        if held.of_tenant is not None and table not in SHARED:
            query = ROWS_SQL.format(table=table, of=held.of_tenant.replace("%(tenant)s", f"'{tenant}'"))
            found[table] = ledger.owner.execute(query).fetchall()
    return found


def gives_away(answer: httpx2.Response, attempt: Attempt, ids: dict[str, str]) -> list[str]:
    """Words and ids of the other tenant in an answer that were not in the question."""
    said = answer.text + " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    question = f"{attempt.path} {attempt.query} {attempt.body}"
    return [word for word in (WORD, "portal-other", *ids.values()) if word in said and word not in question]


def without_id(answer: httpx2.Response, named: str) -> tuple[int, str]:
    return answer.status_code, answer.text.replace(named, "...")


@pytest.mark.timeout(900)
def test_a_member_gets_nothing_of_another_tenant_changes_nothing_there_and_is_told_the_same_as_about_nothing(
    doors: Doors, ledger: TestLedger, described: list[Operation], ids: dict[str, str]
) -> None:
    before = theirs_as_text(ledger)
    leaks, differences, broken, count = [], [], [], 0
    nothing: dict[str, tuple[int, str]] = {}
    for operation in described:
        for attempt in attempts(operation, ids=ids, slug="other", own="demo"):
            stranger = "nobody" if attempt.named == "other" else str(uuid4())
            answer = asked(doors, MEMBER, attempt)
            count += 1
            leaks += [f"{operation.name} {attempt}: {word}" for word in gives_away(answer, attempt, ids)]
            broken += [f"{attempt} -> {answer.text}"] if answer.status_code >= 500 else []
            about_nothing = attempt.instead(stranger)
            kind = str(about_nothing).replace(stranger, "...")
            if kind not in nothing:
                nothing[kind] = without_id(asked(doors, MEMBER, about_nothing), stranger)
            if answer.is_error and without_id(answer, attempt.named) != nothing[kind]:
                differences.append(f"{attempt}: {answer.text} / {nothing[kind]}")
    assert leaks == []
    assert broken == []
    assert differences == []
    assert count > 20 * len(ids), "hardly anything was tried"
    assert theirs_as_text(ledger) == before


@pytest.mark.timeout(900)
def test_the_same_questions_do_find_the_word_where_the_asker_may_see_it(
    doors: Doors, described: list[Operation], ids: dict[str, str]
) -> None:
    """What the test before relies on: the planted rows are there to be seen, over many routes."""
    telling = set()
    for operation in described:
        if operation.changes:
            continue
        for attempt in attempts(operation, ids=ids, slug="other", own="other"):
            if WORD in asked(doors, THEM, attempt).text:
                telling.add(operation.path)
    assert len(telling) >= 8, sorted(telling)
