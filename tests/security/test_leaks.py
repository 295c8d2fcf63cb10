"""A member of one tenant asks for what is the other's, over every operation of the bridge's own description, with every id the other
has. Nothing comes, nothing changes, and nothing is given away."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.security.conftest import Doors
from tests.security.leaks import MEMBER, STAFF, THEM, WORD, asked, gives_away, plant, theirs_as_text, without_id
from tests.security.openapi import Operation, attempts, operations
from tests.support.ledger import TestLedger


@pytest.fixture
def ids(ledger: TestLedger, doors: Doors) -> dict[str, str]:
    return plant(ledger)


@pytest.fixture
def described(doors: Doors) -> list[Operation]:
    return operations(doors.ask(STAFF, "GET", "/openapi.json").json())


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
