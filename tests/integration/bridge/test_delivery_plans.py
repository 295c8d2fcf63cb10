"""How Postgres finds deliveries behind many others: by the shortest way, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.delivery_search import DeliveryFilter, deliveries_page
from zixly_core.stores.jobs_view import Page, Scope, scoped

MANY = 20_000
PAGE = Page(limit=50)
MANY_SQL = """
with made as (
  insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256, event_count)
  select gen_random_uuid(), 'xero', '/webhook/xero', now() - n * interval '1 minute', 'accepted', 200, '{}', '{}', sha256('{}'), 1
  from generate_series(1, %(many)s) as n returning id, received_at
)
insert into zixly.events (id, delivery_id, tenant_id, system, kind, external_id, record_key, record_id, dedupe_key, outcome, occurred_at,
                          received_at)
select gen_random_uuid(), id, %(tenant)s, 'xero', 'INVOICE.UPDATE', 'org', 'r', 'r', id::text, 'filtered', received_at, received_at
from made"""
READ_SQL = """
select coalesce(sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid)), 0)::int as rows
from pg_class where oid in ('zixly.events'::regclass, 'zixly.deliveries'::regclass)"""


@pytest.fixture
def many(ledger: TestLedger, database: TestDatabase) -> Iterator[Database]:
    ledger.owner.execute(MANY_SQL, {"many": MANY, "tenant": ledger.tenant.id})
    ledger.owner.execute("vacuum analyze zixly.deliveries, zixly.events")
    opened = Database(database.url("api"), name="api")
    yield opened
    opened.close()


def read_for(rows: Rows, wanted: DeliveryFilter) -> tuple[int, int]:
    """How many deliveries a page shows, and how many rows were read for it."""
    shown = len(deliveries_page(rows, wanted, page=PAGE))
    return shown, next(iter(rows.execute(READ_SQL)))["rows"]


# Of the newest part of the table, which is not full yet, nothing is known; where rows are as small as these, it holds 6,000.
NEWEST_PART = MANY // 2


@pytest.mark.parametrize(
    ("asked", "shown", "at_most"),
    [({"tenant": "demo"}, 50, 500), ({"system": "hubspot"}, 0, NEWEST_PART), ({"tenant": "demo", "system": "hubspot"}, 0, NEWEST_PART)],
)
def test_a_page_of_deliveries_is_found_without_reading_all(many: Database, asked: dict[str, str], shown: int, at_most: int) -> None:
    with scoped(many, Scope(None)) as rows:
        found, read = read_for(rows, DeliveryFilter(**asked))
    assert found == shown
    assert read < at_most


def test_whoever_sees_all_tenants_is_expected_to_see_many_rows(many: Database) -> None:
    with scoped(many, Scope(None)) as rows:
        (line,) = rows.execute("explain (format json) select from zixly.events").fetchall()
    assert line["QUERY PLAN"][0]["Plan"]["Plan Rows"] > MANY / 4
