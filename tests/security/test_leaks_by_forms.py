"""The console's forms, which the API's description does not name: a member of one tenant sends each of them about everything that the
other has, filled in as well as it can be. Nothing comes, nothing changes there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import httpx2
import pytest

from tests.integration.bridge.visiting import TABLES
from tests.security.conftest import Doors
from tests.security.leaks import MEMBER, THEM, WORD, plant, theirs_as_text
from tests.support.ledger import WORKFLOW, TestLedger
from webhook_bridge.permissions import ROUTES
from webhook_bridge.same_site import FORM_TOKEN, form_token

pytestmark = pytest.mark.timeout(900)
FORMS = sorted(template for method, template in ROUTES if method == "POST" and template.startswith("/console/"))
# What any of the forms asks for; each takes what it knows.
FILLED = {
    "name": "n",
    "email": "new@example.com",
    "kind": "email",
    "target": "new@example.com",
    "scope": "read",
    "days": "30",
    "priority": "high",
    "workflow": WORKFLOW,
    "system": "xero",
    "resource": "123",
    "settings": "",
    "paused": "yes",
    "path": "$.a",
    "value": "b",
    "first_day": "2026-11-01",
    "last_day": "2026-11-02",
    "status": "FAILED",
    "replay_id": "01a2053d-334d-7f47-92d7-5203fa2f9480",
}
# The same field means several things; each meaning is tried.
MEANINGS = ({"what": "tenant", "name": "{slug}", "role": "EDITOR"}, {"what": "connection", "name": "{connection}", "role": "VIEWER"})


@pytest.fixture
def doors(real_doors: Doors) -> Doors:
    return real_doors


def fields_about(slug: str, ids: Mapping[str, str], meaning: Mapping[str, str]) -> dict[str, str]:
    told = {field: value.format(slug=slug, connection=ids["connections"]) for field, value in meaning.items()}
    return {**FILLED, **told, "tenant": slug, "at": slug, "confirm": slug, "slug": slug, "connection_id": ids["connections"]}


def send(doors: Doors, who: str, path: str, fields: Mapping[str, str]) -> httpx2.Response:
    """As the page itself would, with the value that it holds for a browser's session."""
    session = re.search(r"zixly=([^;]+)", doors.proof(who).get("cookie", ""))
    own = {FORM_TOKEN: form_token(session[1])} if session else {}
    return doors.bridge.http.post(path, data={**fields, **own}, headers=doors.proof(who), timeout=60)


def paths(ids: Mapping[str, str], template: str) -> Iterator[str]:
    for one in [*ids.values(), "other"] if "{" in template else [""]:
        yield re.sub(r"\{[^}]+\}", one, template)


def test_no_form_reaches_anything_of_another_tenant(doors: Doors, ledger: TestLedger) -> None:
    assert doors.ask(MEMBER, "GET", "/api/jobs").status_code == 200  # a session that begins clears away what is over
    ids = plant(ledger)
    before = theirs_as_text(ledger)
    count, told, broken = 0, [], []
    for template in FORMS:
        for path in paths(ids, template):
            for meaning in MEANINGS[: 1 if "{" in template else None]:
                fields = fields_about("other", ids, meaning)
                answer = send(doors, MEMBER, path, fields)
                count += 1
                said = f"{answer.text} {answer.headers}"
                told += [f"{path}: {word}" for word in (WORD, *ids.values()) if word in said and word not in f"{path} {fields}"]
                broken += [f"{path}: {answer.status_code}"] if answer.status_code >= 500 else []
    assert (told, broken) == ([], [])
    assert count > 500, "hardly anything was tried"
    assert theirs_as_text(ledger) == before


def test_the_same_forms_do_change_something_for_whose_it_is(doors: Doors, ledger: TestLedger) -> None:
    """What the test before relies on: the fields are good ones."""
    ids = plant(ledger)
    known = {name: ids.get(table, "") for name, table in TABLES.items()} | {"slug": "other", "system": "xero"}
    answers = {
        template: [send(doors, THEM, template.format(**known), fields_about("other", ids, meaning)).status_code for meaning in MEANINGS]
        for template in FORMS
    }
    taken = [template for template, statuses in answers.items() if 303 in statuses]
    assert len(taken) >= 12, answers
