"""A client's own administrator asks for what is another client's: by every id that it has, over every operation. The last to run here,
since it plants rows in every table."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import psycopg
import pytest
from psycopg.rows import dict_row

from tests.acceptance.security.conftest import CLIENT, Site
from tests.integration.operations.planting import Planter
from tests.security.openapi import Attempt, attempts, operations
from tests.support.ledger import TestLedger
from zixly_core.stores.database import Database

WORD = "zx-planted-of-the-other"
EACH = 6


@pytest.fixture
def ids(site: Site) -> Iterator[dict[str, str]]:
    urls = site.stack.plan.urls
    dispatch, runs = (Database(urls.database(f"zixly_{role}"), name="test") for role in ("dispatch", "runs"))
    with psycopg.connect(urls.owner, autocommit=True, row_factory=dict_row) as owner:
        ledger = TestLedger(owner=owner, dispatch=dispatch, runs=runs)
        planter = Planter(ledger, ledger.add_tenant("other"), WORD)
        planter.plant_all()
        yield {table: str(one) for table, one in planter.ids.items() if one is not None and len(str(one)) == 36}
    dispatch.close()
    runs.close()


def asked(http: httpx2.Client, attempt: Attempt) -> httpx2.Response:
    return http.request(attempt.operation.method, attempt.path, params=attempt.query, json=attempt.body)


def test_another_clients_ids_open_nothing_for_a_session_or_a_token(site: Site, ids: dict[str, str]) -> None:
    with site.program() as known:
        described = operations(known.get("/openapi.json").json())
        made = known.post("/api/tokens", json={"name": "t", "tenant": "demo", "role": "ADMIN", "scopes": ["all"], "days": 1})
        assert made.is_success, made.text
        found = known.get(f"/api/connections/{ids['connections']}")
        assert WORD in found.text or found.status_code == 404
        assert WORD in known.get("/api/tenants").text, "whoever may see it does"
    token = {"authorization": f"Bearer {made.json()['token']}"}
    leaks, count = [], 0
    for operation in described:  # each from other addresses: whoever is refused too often is soon told nothing else
        with site.person(CLIENT) as session, site.front.client(headers=token, source=next(site.addresses)) as program:
            for attempt in [*attempts(operation, ids=ids, slug="other", own="demo")][::3][:EACH]:
                for http in (session, program):
                    answer = asked(http, attempt)
                    count += 1
                    assert answer.status_code < 500, (attempt, answer.text)
                    assert answer.status_code != 429, "nothing was looked at"
                    question = f"{attempt.path} {attempt.query} {attempt.body}"
                    leaks += [f"{operation.name}: {word}" for word in (WORD, *ids.values()) if word in answer.text and word not in question]
    assert leaks == []
    assert count > 200
    assert site.stack.rows("select name from zixly.tenants where slug = 'other'") == [{"name": WORD}]
