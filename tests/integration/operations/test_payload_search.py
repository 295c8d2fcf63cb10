"""Finding events by a value in their payloads: exact whatever the index has seen, fast through it, and never another tenant's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from dagster import SkipReason, build_sensor_context

from benchmarks.many_events import MANY_SQL
from tests.support.definitions import dagster_without_warnings
from tests.support.ledger import Tenant, TestLedger
from tests.support.postgres import TestDatabase
from tests.support.received import add_event, id_made_at, index_everything
from zixly_core import process
from zixly_core.payload_paths import wanted_value
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.payload_index import index_age, index_next
from zixly_core.stores.payload_search import PROPOSED_SQL, UNINDEXED_SQL, Found, Within, events_found, find_events, keep_search, kept_search
from zixly_core.stores.readings import read
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.sensors.payload_index import payload_index_sensor

pytestmark = pytest.mark.integration
SECONDS = timedelta(seconds=1)


@pytest.fixture
def api(database: TestDatabase) -> Iterator[Database]:
    made = Database(database.url("api"), name="api")
    yield made
    made.close()


def found(api: Database, ledger: TestLedger, path: str, value: str, *, tenant: Tenant | None = None, **within: Any) -> set[UUID]:
    """As the API of the tenant finds them."""
    owner = (tenant or ledger.tenant).id
    with scoped(api, Scope(tenant_id=owner)) as connection:
        return set(find_events(connection, wanted_value(path, value), tenant_id=owner, within=Within(**within)).event_ids)


@pytest.mark.parametrize("is_indexed", [False, True])
def test_texts_numbers_words_and_lists_are_found_by_what_they_are_worth(ledger: TestLedger, api: Database, is_indexed: bool) -> None:
    payload = {
        "id": 450789469,
        "total": "10.00",
        "tax": 1.5,
        "big": 12345678901234567890,
        "tiny": 0.00001,
        "name": 'Zoë "the" 猫 \\ \u2028',
        "paid": True,
        "note": None,
        "empty": "",
        "line_items": [{"sku": "A-1"}, {"sku": "B-2", "tags": ["x", "y"]}],
        "a.b": {"c d": "odd"},
        "nul": "a\u0000b",
        "back": "\\u0000",
    }
    event = add_event(ledger, payload)
    if is_indexed:
        assert sum(step.events for step in index_everything(ledger)) == 1
    for path, value in (
        ("$.id", "450789469"),
        ("$.id", "450789469.0"),
        ("$.total", "10.00"),
        ("$.tax", "1.50"),
        ("$.big", "12345678901234567890"),
        ("$.tiny", "1e-5"),
        ("$.name", 'Zoë "the" 猫 \\ \u2028'),
        ("$.paid", "true"),
        ("$.note", "null"),
        ("$.empty", ""),
        ("$.line_items[*].sku", "B-2"),
        ("$.line_items[1].sku", "B-2"),
        ("$.line_items[*].tags[*]", "y"),
        ("$['a.b']['c d']", "odd"),
        ("$.nul", "a\u0000b"),
        ("$.back", "\\u0000"),
    ):
        assert found(api, ledger, path, value) == {event}, (path, value)
    for path, value in (
        ("$.id", "45078946"),
        ("$.total", "10"),
        ("$.total", "10.0"),
        ("$.name", "Zoë"),
        ("$.line_items[0].sku", "B-2"),
        ("$.line_items.sku", "B-2"),
        ("$.sku", "B-2"),
        ("$.nul", "ab"),
        ("$.paid", "True"),
        ("$.missing", "null"),
    ):
        assert found(api, ledger, path, value) == set(), (path, value)


def test_an_event_of_this_second_is_found_and_stays_found_while_it_is_indexed(ledger: TestLedger, api: Database) -> None:
    event = add_event(ledger, {"email": "ann@example.test"}, ago=0 * SECONDS)
    assert found(api, ledger, "$.email", "ann@example.test") == {event}
    assert sum(step.entries for step in index_everything(ledger)) == 0, "the last minute is left alone"
    assert found(api, ledger, "$.email", "ann@example.test") == {event}


def test_an_event_that_was_committed_late_is_found_when_the_index_is_checked(ledger: TestLedger, api: Database) -> None:
    """Its id was made two hours ago, by a clock that was wrong."""
    add_event(ledger, {"n": 1}, ago=timedelta(hours=3))
    ledger.owner.execute("update zixly.payload_index set indexed_through = zixly.first_id_at(now() - interval '5 minutes')")
    late = add_event(ledger, {"n": 2}, ago=timedelta(hours=2))
    assert sum(step.missed for step in index_everything(ledger)) == 2
    assert found(api, ledger, "$.n", "2") == {late}


def test_what_is_too_large_to_be_wholly_indexed_is_looked_through(ledger: TestLedger, api: Database) -> None:
    many = add_event(ledger, {"items": [{"sku": f"S-{n}"} for n in range(1_500)]})
    huge = add_event(ledger, {"blob": "x" * 300_000, "sku": "rare"})
    deep: Any = "bottom"
    for _ in range(200):
        deep = {"a": deep}
    deeply = add_event(ledger, deep)
    broken = add_event(ledger, b'{"broken": "\xff"}')
    index_everything(ledger)
    counted = ledger.owner.execute("select event_id, count(*) as n from zixly.payload_values group by event_id").fetchall()
    assert {row["event_id"]: row["n"] for row in counted} == {many: 1_001, huge: 1, deeply: 1, broken: 1}
    assert found(api, ledger, "$.items[*].sku", "S-1499") == {many}
    assert found(api, ledger, "$.sku", "rare") == {huge}
    assert found(api, ledger, "$" + ".a" * 200, "bottom") == {deeply}


def test_a_tenant_finds_its_own_events_only_and_staff_those_of_the_tenant_they_name(ledger: TestLedger, api: Database) -> None:
    other = ledger.add_tenant("other")
    mine, theirs = add_event(ledger, {"n": 7}), add_event(ledger, {"n": 7}, tenant=other)
    for _ in range(2):
        assert found(api, ledger, "$.n", "7") == {mine}
        assert found(api, ledger, "$.n", "7", tenant=other) == {theirs}
        with scoped(api, Scope(tenant_id=ledger.tenant.id)) as connection:
            assert find_events(connection, wanted_value("$.n", "7"), tenant_id=other.id, within=Within()) == Found((), is_complete=True)
        with scoped(api, Scope(tenant_id=None)) as connection:
            assert find_events(connection, wanted_value("$.n", "7"), tenant_id=other.id, within=Within()).event_ids == (theirs,)
        index_everything(ledger)


def test_the_window_and_the_limit_are_kept_newest_first(ledger: TestLedger, api: Database) -> None:
    events = [add_event(ledger, {"n": 1}, ago=timedelta(hours=hours)) for hours in range(6)]
    now = datetime.now(UTC)
    for _ in range(2):
        assert found(api, ledger, "$.n", "1", since=now - timedelta(hours=4, minutes=1), until=now - timedelta(minutes=59)) == set(
            events[1:5]
        )
        with scoped(api, Scope(tenant_id=ledger.tenant.id)) as connection:
            first = find_events(connection, wanted_value("$.n", "1"), tenant_id=ledger.tenant.id, within=Within(), limit=2)
        assert first == Found(tuple(events[:2]), is_complete=False)
        index_everything(ledger)


def test_what_was_erased_or_deleted_is_found_no_more_and_leaves_nothing_in_the_index(ledger: TestLedger, api: Database) -> None:
    erased, deleted = add_event(ledger, {"n": 1}), add_event(ledger, {"n": 1})
    index_everything(ledger)
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
        connection.execute("select * from zixly.erase_received(%s, '{}', %s, '{}')", ([erased], ledger.tenant.xero))
    ledger.owner.execute("delete from zixly.events where id = %s", (deleted,))
    assert found(api, ledger, "$.n", "1") == set()
    assert ledger.owner.execute("select * from zixly.payload_values").fetchall() == []


def test_an_archived_payload_is_still_found(ledger: TestLedger, api: Database) -> None:
    event = add_event(ledger, {"n": 1})
    index_everything(ledger)
    ledger.owner.execute("update zixly.events set payload = null, archive_id = gen_random_uuid() where id = %s", (event,))
    assert found(api, ledger, "$.n", "1") == {event}
    assert found(api, ledger, "$.n", "2") == set()


def test_of_a_search_ids_are_kept_and_no_value_anywhere(ledger: TestLedger, api: Database) -> None:
    event = add_event(ledger, {"customer": {"email": "ann@example.test"}})
    (job,) = ledger.add_jobs(event_id=event, status="FAILED")
    wanted = wanted_value("$['customer'].email", "ann@example.test")
    with scoped(api, Scope(tenant_id=ledger.tenant.id)) as connection:
        search_id = keep_search(
            connection,
            wanted,
            find_events(connection, wanted, tenant_id=ledger.tenant.id, within=Within()),
            tenant_id=ledger.tenant.id,
            actor="somebody",
        )
        kept = kept_search(connection, search_id)
        assert kept is not None
        (shown,) = events_found(connection, kept["event_ids"])
    assert (kept["path"], kept["tenant"], kept["is_complete"]) == ("$.customer.email", "demo", True)
    assert shown["jobs"] == [{"id": str(job), "workflow": "xero-invoice-to-hubspot", "status": "FAILED", "origin": "event"}]
    for table in ("payload_searches", "audit_log", "payload_values", "payload_index"):
        rows = ledger.owner.execute(f"select * from zixly.{table}").fetchall()
        assert "ann" not in str(rows)
    assert ledger.owner.execute("select details from zixly.audit_log").fetchall() == [{"details": {"found": 1}}]


def test_the_sensor_indexes_and_the_metric_tells_how_far_it_is(
    ledger: TestLedger, api: Database, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIXLY_DATABASE_URL_DISPATCH", database.url("dispatch"))
    monkeypatch.setattr(process, "_databases", {})
    metrics = Database(database.url("metrics"), name="metrics")
    event = add_event(ledger, {"n": 1})
    ledger.owner.execute("update zixly.payload_index set updated_at = now() - interval '2 hours'")
    assert read(metrics, index_age) == pytest.approx(7_200, abs=30)
    with dagster_without_warnings():
        told = payload_index_sensor()(build_sensor_context(resources={"dispatchers": DispatchersResource()}))
    assert isinstance(told, SkipReason)
    assert told.skip_message == "Indexed 1 event."
    assert read(metrics, index_age) == pytest.approx(60, abs=30)
    assert found(api, ledger, "$.n", "1") == {event}
    for opened in (metrics, *process._databases.values()):
        opened.close()


def test_one_indexes_at_a_time(ledger: TestLedger) -> None:
    with ledger.owner.transaction():
        ledger.owner.execute("select from zixly.payload_index for update")
        assert index_next(ledger.dispatch) is None
    assert index_next(ledger.dispatch) is not None


def test_whoever_indexes_sees_no_payload(ledger: TestLedger) -> None:
    add_event(ledger, {"n": 1})
    index_everything(ledger)
    for table in ("payload_values", "payload_index", "events"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.dispatch.transaction() as connection:
            connection.execute(f"select * from zixly.{table}")


def test_among_many_events_of_several_tenants_one_is_found_through_the_index(ledger: TestLedger, api: Database) -> None:
    """Twenty thousand here; `python -m benchmarks.payload_search` does it with a million."""
    tenants = [ledger.tenant, ledger.add_tenant("second"), ledger.add_tenant("third")]
    many = {"begin": datetime.now(UTC) - timedelta(hours=1), "first": 1, "last": 20_000, "tenants": [one.id for one in tenants]}
    ledger.owner.execute(MANY_SQL, many)
    index_everything(ledger)
    ledger.owner.execute("analyze zixly.events, zixly.payload_values")
    owner = tenants[1 + 12_344 % 3 - 1]
    (event,) = found(api, ledger, "$.line_items[*].sku", "X-12344", tenant=owner)
    assert ledger.owner.execute("select record_id from zixly.events where id = %s", (event,)).fetchone() == {"record_id": "12344"}
    assert found(api, ledger, "$.email", "person12344@example.test", tenant=owner) == {event}
    assert len(found(api, ledger, "$.customer.id", "344", tenant=owner)) in {1, 2}
    plans = plans_of(api, owner.id)
    assert "payload_values_pkey" in plans["proposed"]
    assert "Index Cond: ((key = " in plans["proposed"]
    assert "Seq Scan" not in plans["proposed"]
    assert "Seq Scan" not in plans["unindexed"]


def plans_of(api: Database, tenant_id: UUID) -> dict[str, str]:
    """How Postgres looks, as role `api` of one tenant."""
    wanted = wanted_value("$.email", "person12344@example.test")
    with scoped(api, Scope(tenant_id=tenant_id)) as connection:
        through = connection.execute("select indexed_through from zixly.payload_index").fetchone()
        assert through is not None
        values = {
            "tenant": tenant_id,
            "path": wanted.path.indexed,
            "kinds": ["s"],
            "values": [wanted.text],
            "written": wanted.written,
            "since": UUID(int=0),
            "before": id_made_at(datetime.now(UTC)),
            "page": 500,
            **through,
        }
        return {
            name: "\n".join(row["QUERY PLAN"] for row in connection.execute(f"explain {query}", values))
            for name, query in (("proposed", PROPOSED_SQL), ("unindexed", UNINDEXED_SQL))
        }
